"""The same events, in any order, split, format and with any number of workers: the same bytes."""

import csv
import gzip
import itertools
import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from baselines.baseline import Baseline
from baselines.counting import Counter
from monitor.clock import FixedClock
from monitor.config.load import load_configuration
from monitor.decoding.base import Needs
from monitor.engine.audit import AuditResult, run_audit
from monitor.engine.batch import Runner
from monitor.engine.fit import fit_baseline
from monitor.engine.judgement import Judge
from monitor.engine.planning import closing_of, planned_work
from monitor.engine.progress import NoProgress
from monitor.engine.reading import Reading, Tally, TimeRange
from monitor.engine.runners.processes import ProcessRunner
from monitor.engine.runners.serial import SerialRunner
from monitor.engine.stream import OpenWindows
from monitor.engine.work import UnitResult, Work
from monitor.severity.scoring import FiveAxes
from monitor.sources.base import Unit
from monitor.storage.store import Store
from monitor.windows.spec import TumblingWindows

Event = dict[str, Any]
DAY = 86_400
START = 1_767_225_600
CLOCK = FixedClock(1_800_000_000_000_000)

CONFIGURATION = """
version: 1
system: {{name: loans, stakes: consequential, protected_attributes: [sex]}}
source: {{type: files, paths: ["{pattern}"]}}
schema:
  columns:
    - {{name: ts, role: timestamp}}
    - {{name: id, role: event_id}}
    - {{name: income, role: numeric}}
    - {{name: region, role: slice}}
    - {{name: sex, role: group}}
    - {{name: approved, role: prediction, dtype: boolean}}
windows: {windows}
slices: {{by: [region], max_values: 2}}
baseline: {{directory: baselines, min_slice_rows: 100, reference: {{to: "2026-01-11T00:00:00Z"}}}}
storage: {{url: "sqlite:///audit.db"}}
detectors:
  - {{type: distribution_shift, column: [income, region]}}
  - {{type: missing_rate, column: income}}
  - {{type: volume}}
  - {{type: rate_change, column: approved}}
  - {{type: selection_rate_gap, outcome: approved, group: sex}}
"""
TUMBLING = f"{{type: tumbling, seconds: {DAY}}}"
COUNTED = "{type: count, rows: 400}"


def events() -> list[Event]:
    """Return sixteen days; from day twelve incomes shift and one group is approved less."""
    chance = random.Random(5)
    rows: list[Event] = []
    for number in range(6_400):
        day = number // 400
        sex = chance.choice("fm")
        approved = chance.random() < (0.15 if day >= 12 and sex == "f" else 0.5)
        income = None if chance.random() < 0.03 else chance.lognormvariate(3, 0.5)
        if income is not None and day >= 12 and chance.random() < 0.5:
            income *= 4
        rows.append(
            {
                "ts": START + day * DAY + chance.randrange(DAY),
                "id": f"e{number:05d}",
                "income": income,
                "region": chance.choice(["a", "b", "c", None]),
                "sex": sex,
                "approved": approved,
            }
        )
    return rows


EVENTS = events()


def write_jsonl(path: Path, rows: list[Event]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def write_gzip(path: Path, rows: list[Event]) -> None:
    path.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))


def write_csv(path: Path, rows: list[Event]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def write_parquet(path: Path, rows: list[Event]) -> None:
    columns = {name: [row[name] for row in rows] for name in EVENTS[0]}
    columns["ts"] = pa.array(columns["ts"], pa.timestamp("s"))
    pq.write_table(pa.table(columns), path, row_group_size=700)


FORMATS: dict[str, Callable[[Path, list[Event]], None]] = {
    "jsonl": write_jsonl,
    "jsonl.gz": write_gzip,
    "csv": write_csv,
    "parquet": write_parquet,
}


def outcome(
    folder: Path, extension: str, *, windows: str = TUMBLING, runner: Runner | None = None
) -> tuple[Baseline, AuditResult, list[Any]]:
    """Return the baseline, the result and everything that must not depend on the route."""
    path = folder / "audit.yaml"
    path.write_text(CONFIGURATION.format(pattern=f"*.{extension}", windows=windows))
    configuration = load_configuration(path)
    baseline = fit_baseline(configuration, clock=CLOCK, progress=NoProgress()).baseline
    with Store.open(configuration.storage.url) as store:
        result = run_audit(
            configuration,
            baseline=baseline,
            store=store,
            policy=FiveAxes(),
            clock=CLOCK,
            progress=NoProgress(),
            runner=runner or SerialRunner(),
        )
        findings = [(stored.id, stored.finding) for stored in store.findings(result.job_id)]
        windows_stored = [(w.key, w.n_rows, w.body) for w in store.windows(result.job_id)]
        timelines = [
            entry.hash
            for incident in result.incidents
            for entry in store.incidents().timeline(incident.id)
        ]
    return baseline, result, [baseline.id, findings, windows_stored, result.incidents, timelines]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    folder = tmp_path_factory.mktemp("undisturbed")
    write_jsonl(folder / "log.jsonl", EVENTS)
    _, result, outcome_ = outcome(folder, "jsonl")
    assert result.incidents
    assert result.totals.n_rows == len(EVENTS)
    return outcome_


@settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.data())
def test_any_order_split_and_format_gives_the_same_incidents(
    undisturbed: list[Any], tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("split")
    extension = data.draw(st.sampled_from(sorted(FORMATS)))
    shuffled = list(EVENTS)
    random.Random(data.draw(st.integers(0, 2**32))).shuffle(shuffled)
    inner = data.draw(st.lists(st.integers(1, len(EVENTS) - 1), unique=True, max_size=3))
    cuts = [0, *sorted(inner), len(EVENTS)]
    for number, (low, high) in enumerate(itertools.pairwise(cuts)):
        FORMATS[extension](folder / f"part-{number}.{extension}", shuffled[low:high])

    _, _, result = outcome(folder, extension)

    assert result == undisturbed


def test_several_processes_give_the_same_incidents(undisturbed: list[Any], tmp_path: Path) -> None:
    for number in range(4):
        write_parquet(tmp_path / f"part-{number}.parquet", EVENTS[number::4])

    _, _, result = outcome(tmp_path, "parquet", runner=ProcessRunner(2))

    assert result == undisturbed


def test_count_windows_do_not_depend_on_the_order_of_the_log(tmp_path: Path) -> None:
    results = []
    for name, rows in (("forward", EVENTS), ("backward", EVENTS[::-1])):
        folder = tmp_path / name
        folder.mkdir()
        write_jsonl(folder / "log.jsonl", rows)
        results.append(outcome(folder, "jsonl", windows=COUNTED)[2])

    assert results[0] == results[1]
    assert len(results[0][3]) >= 1


class InterruptionError(Exception):
    """Stands for whatever ends a process."""


@dataclass
class InterruptedRunner:
    """Does `n_units`, then stops as a killed process would; counts what it was given."""

    n_units: int
    given: int = 0

    def run(self, work: Work, units: Sequence[Unit]) -> Iterator[UnitResult]:
        self.given = len(units)
        for number, result in enumerate(SerialRunner().run(work, units)):
            if number == self.n_units:
                raise InterruptionError
            yield result


def test_an_interrupted_audit_goes_on_where_it_stopped(
    undisturbed: list[Any], tmp_path: Path
) -> None:
    for number in range(3):
        write_parquet(tmp_path / f"part-{number}.parquet", EVENTS[number::3])
    first, second = InterruptedRunner(4), InterruptedRunner(1_000)
    with pytest.raises(InterruptionError):
        outcome(tmp_path, "parquet", runner=first)

    _, _, result = outcome(tmp_path, "parquet", runner=second)

    assert result == undisturbed
    assert second.given == first.given - 4


def test_a_stream_judges_the_windows_of_the_audit(undisturbed: list[Any], tmp_path: Path) -> None:
    write_parquet(tmp_path / "log.parquet", EVENTS[::-1])
    path = tmp_path / "audit.yaml"
    path.write_text(CONFIGURATION.format(pattern="*.parquet", windows=TUMBLING))
    configuration = load_configuration(path)
    baseline = fit_baseline(configuration, clock=CLOCK, progress=NoProgress()).baseline
    windows = TumblingWindows(seconds=DAY, allowed_lateness_seconds=20 * DAY)
    units = tuple(configuration.source.units())
    reading = Reading(
        source=configuration.source,
        schema=configuration.schema,
        needs=Needs(),
        time=TimeRange(),
    )
    work = planned_work(configuration, reading, baseline.layout, units, NoProgress())
    stream = OpenWindows(
        partition=replace(work.partition, windows=windows),
        closing=replace(closing_of(configuration, work), windows=windows),
        counter=Counter(baseline.layout),
        windows=windows,
    )
    judge = Judge(configuration=configuration, baseline=baseline, policy=FiveAxes())

    closed = [
        group
        for unit in units
        for rows in reading.rows(unit, Tally())
        for group in stream.add(rows)
    ]
    closed += list(stream.finish())
    findings = {each.id for group in closed for each in judge.judge(group).judged}

    assert stream.n_late == 0
    assert findings == {finding_id for finding_id, _ in undisturbed[1]}


def test_the_same_audit_again_changes_nothing(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "log.jsonl", EVENTS)
    first = outcome(tmp_path, "jsonl")

    second = outcome(tmp_path, "jsonl")

    assert second[2] == first[2]
