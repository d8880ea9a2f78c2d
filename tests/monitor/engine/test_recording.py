"""Judged windows in the database: how many share a transaction makes no difference."""

import json
import random
from pathlib import Path

import pytest

from monitor.clock import FixedClock
from monitor.config.load import load_configuration
from monitor.engine import recording
from monitor.engine.audit import AuditResult, run_audit
from monitor.engine.fit import fit_baseline
from monitor.engine.progress import NoProgress
from monitor.engine.reading import TimeRange
from monitor.engine.runners.serial import SerialRunner
from monitor.incidents.suggestion import Suggestion
from monitor.severity.inputs import SeverityInputs
from monitor.severity.registry import SeverityPolicy
from monitor.severity.scoring import FiveAxes
from monitor.storage import Store

START, HOUR, HOURS = 1_767_225_600, 3_600, 30
CONFIGURATION = """
version: 1
system: {name: loans}
source: {type: files, paths: ["*.jsonl"]}
schema:
  columns:
    - {name: ts, role: timestamp}
    - {name: income, role: numeric}
    - {name: plan, role: category}
windows: {type: tumbling, seconds: 3600}
slices: {by: [plan]}
baseline: {reference: {to: "2026-01-01T10:00:00Z"}}
detectors:
  - {type: distribution_shift, column: income, min_rows: 50, rule: threshold}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "audit.yaml").write_text(CONFIGURATION)
    chance = random.Random(3)
    with (tmp_path / "log.jsonl").open("w") as file:
        for number in range(HOURS * 120):
            hour = number // 120
            event = {
                "ts": START + hour * HOUR + chance.randrange(HOUR),
                "income": chance.gauss(80 if 15 <= hour < 20 or hour > 25 else 50, 10),
                "plan": chance.choice(["free", "paid"]),
            }
            file.write(json.dumps(event) + "\n")
    return tmp_path


def audited(folder: Path, database: str, policy: SeverityPolicy | None = None) -> AuditResult:
    configuration = load_configuration(folder / "audit.yaml")
    clock = FixedClock(START * 1_000_000)
    fitted = fit_baseline(configuration, clock=clock, progress=NoProgress())
    with Store.open(f"sqlite:///{folder / database}") as store:
        return run_audit(
            configuration,
            baseline=fitted.baseline,
            store=store,
            policy=policy or FiveAxes(),
            clock=clock,
            progress=NoProgress(),
            runner=SerialRunner(),
            time=TimeRange(from_us=(START + 10 * HOUR) * 1_000_000),
        )


def contents(folder: Path, database: str, job_id: str) -> list[object]:
    with Store.open(f"sqlite:///{folder / database}") as store:
        incidents = store.incidents().all()
        timelines = [store.incidents().timeline(incident.id) for incident in incidents]
        return [*store.windows(job_id), *store.findings(job_id), *incidents, *timelines]


@pytest.mark.parametrize(("stretches", "cells"), [(1, 1 << 22), (7, 1 << 22), (64, 1)])
def test_any_number_of_windows_in_a_transaction_gives_the_same_database(
    folder: Path, monkeypatch: pytest.MonkeyPatch, stretches: int, cells: int
) -> None:
    whole = audited(folder, "whole.db")

    monkeypatch.setattr(recording, "STRETCHES_AT_ONCE", stretches)
    monkeypatch.setattr(recording, "_CELLS_AT_ONCE", cells)
    parts = audited(folder, "parts.db")

    assert len(whole.incidents) >= 1
    assert parts == whole
    assert contents(folder, "parts.db", parts.job_id) == contents(folder, "whole.db", whole.job_id)


class AnotherAuditMeanwhile:
    """The usual policy, that lets another audit run from beginning to end when first asked."""

    name = FiveAxes.name

    def __init__(self, folder: Path, database: str) -> None:
        self._folder = folder
        self._database = database
        self._done = False
        self._usual = FiveAxes()

    def suggest(self, inputs: SeverityInputs) -> Suggestion:
        if not self._done:
            self._done = True
            audited(self._folder, self._database)
        return self._usual.suggest(inputs)


def test_an_audit_beside_another_leaves_what_either_would_have_left(folder: Path) -> None:
    alone = audited(folder, "alone.db")

    both = audited(folder, "both.db", AnotherAuditMeanwhile(folder, "both.db"))

    assert both.incidents == alone.incidents
    left = contents(folder, "both.db", alone.job_id)
    assert left == contents(folder, "alone.db", alone.job_id)
    assert audited(folder, "both.db").incidents == alone.incidents
    assert contents(folder, "both.db", alone.job_id) == left
