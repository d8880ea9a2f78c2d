"""What the tests on real model outputs share: whole audits, published figures, expected cases."""

import csv
import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from detectors.base import Finding, Verdict
from monitor.clock import FixedClock
from monitor.config.load import load_configuration
from monitor.engine.audit import AuditResult, run_audit
from monitor.engine.fit import fit_baseline
from monitor.engine.progress import NoProgress
from monitor.engine.runners.serial import SerialRunner
from monitor.incidents.model import Incident
from monitor.severity.scoring import FiveAxes
from monitor.storage.store import Store

HERE = Path(__file__).resolve().parent
DATA = Path(os.environ.get("OUTPUTWATCH_DATA", HERE.parents[2] / "shared" / "data"))
NOON = FixedClock(1_780_000_000_000_000)


@dataclass(frozen=True, slots=True)
class Case:
    """One line of ``expected_verdicts.csv``."""

    dataset: str
    case: str
    statistic: str
    expected: str


@dataclass(frozen=True, slots=True)
class Figure:
    """One published figure, and how far a recomputed one may be from it."""

    id: str
    value: float
    tolerance: float


@dataclass(frozen=True, slots=True)
class Watched:
    """What one audit found: the findings of each series and slice in order of windows."""

    result: AuditResult
    findings: Mapping[tuple[str, str], Sequence[Finding]]
    incidents: Sequence[Incident]

    def finding(self, series: str, slice_: str = "all", *, window: int = 0) -> Finding:
        """Return the finding of a series on a slice in the window of that number."""
        return self.findings[series, slice_][window]

    def opened(self, series: str, slice_: str = "all") -> bool:
        """Return whether an incident rests on that series."""
        return any(
            (signal.identity.series, signal.identity.slice) == (series, slice_)
            for incident in self.incidents
            for signal in incident.own_signals
        )


def cases() -> list[Case]:
    """Return the expected verdicts; none where the data are absent."""
    path = DATA / "expected_verdicts.csv"
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [
            Case(row["dataset"], row["case"], row["statistic"], row["expected"])
            for row in csv.DictReader(file)
        ]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test that asks for a `case` every line of its module's data set, or a skip."""
    if "case" not in metafunc.fixturenames:
        return
    dataset = metafunc.module.__name__.rpartition("test_")[2]
    found = [case for case in cases() if case.dataset == dataset]
    if found:
        metafunc.parametrize("case", found, ids=[case.case for case in found])
    else:
        mark = pytest.mark.skip(reason=f"no expected verdicts at {DATA}; set OUTPUTWATCH_DATA")
        metafunc.parametrize("case", [pytest.param(None, marks=mark)], ids=["absent"])


@pytest.fixture(scope="session")
def expected_cases(real_data: Path) -> list[Case]:
    """Return every line of ``expected_verdicts.csv``."""
    return cases()


@pytest.fixture(scope="session")
def published(real_data: Path) -> Callable[[str], list[Figure]]:
    """Return a function that gives the published figures of a data set."""

    def read(dataset: str) -> list[Figure]:
        text = (real_data / dataset / "published.json").read_text(encoding="utf-8")
        return [
            Figure(figure["id"], float(figure["published"]), float(figure["tolerance"]))
            for figure in json.loads(text)["figures"]
            if figure["recomputed"] is not None
        ]

    return read


@pytest.fixture(scope="session")
def watch(
    real_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, Callable[[Path], None]], Watched]:
    """Return a function that audits prepared files with a configuration of this folder."""

    def watched(name: str, prepare: Callable[[Path], None]) -> Watched:
        folder = tmp_path_factory.mktemp(name)
        prepare(folder)
        shutil.copy(HERE / f"{name}.yaml", folder)
        configuration = load_configuration(folder / f"{name}.yaml")
        fitted = fit_baseline(configuration, clock=NOON, progress=NoProgress())
        with Store.open(configuration.storage.url) as store:
            result = run_audit(
                configuration,
                baseline=fitted.baseline,
                store=store,
                policy=FiveAxes(),
                clock=NOON,
                progress=NoProgress(),
                runner=SerialRunner(),
            )
            findings: dict[tuple[str, str], list[Finding]] = {}
            for stored in store.findings(result.job_id):
                findings.setdefault((stored.finding.series, stored.key.slice), []).append(
                    stored.finding
                )
        return Watched(result, findings, result.incidents)

    return watched


@pytest.fixture(scope="session")
def rows_of(real_data: Path) -> Callable[[str], pd.DataFrame]:
    """Return a function that gives a data set's table as a frame, by path below the data."""

    def read(path: str) -> pd.DataFrame:
        return pd.read_parquet(real_data / path)

    return read


@pytest.fixture(scope="session")
def is_beyond() -> Callable[[Watched, str, str], bool]:
    """Return a function that tells whether a series was beyond AND an incident says so.

    The two are asserted to agree, so that neither can be right alone.
    """

    def judged(watched: Watched, series: str, slice_: str = "all") -> bool:
        verdicts = [finding.verdict for finding in watched.findings[series, slice_]]
        assert set(verdicts) <= {Verdict.BEYOND, Verdict.WITHIN}, verdicts
        beyond = Verdict.BEYOND in verdicts
        assert watched.opened(series, slice_) is beyond
        return beyond

    return judged


@pytest.fixture(scope="session")
def differing() -> Callable[[Sequence[Figure], Callable[[Figure], float | None]], Any]:
    """Return a function that gives the number of figures checked and those that differ."""

    def compare(
        figures: Sequence[Figure], ours: Callable[[Figure], float | None]
    ) -> tuple[int, list[str]]:
        found = [(figure, ours(figure)) for figure in figures]
        checked = [(figure, value) for figure, value in found if value is not None]
        wrong = [
            f"{figure.id}: published {figure.value}, found {value}"
            for figure, value in checked
            if abs(value - figure.value) > figure.tolerance
        ]
        return len(checked), wrong

    return compare
