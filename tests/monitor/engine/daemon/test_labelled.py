"""Outputs whose labels come later, from the files of both to windows and findings."""

import itertools
import json
import random
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from baselines.baseline import Baseline
from baselines.store import BaselineStore
from monitor.__main__ import main
from monitor.clock import FixedClock
from monitor.config.load import load_configuration
from monitor.config.model import Configuration
from monitor.engine.daemon.checkpoint import Checkpoint
from monitor.engine.daemon.observing import SilentObserver
from monitor.engine.daemon.service import Service
from monitor.engine.daemon.tally import StreamTally
from monitor.engine.daemon.worker import Ending
from monitor.engine.incident_desk import monitor_name
from monitor.engine.stored_windows import windows_of_job
from monitor.severity.scoring import FiveAxes
from monitor.sources.base import SourceError
from monitor.sources.labelled_stream.waiting import JOIN, WaitingState
from monitor.sources.live import Backlog, Notice, NoticeKind, SourceStoppedError
from monitor.storage.store import Store
from monitor.storage.stream_tables import partition
from monitor.storage.streams import PartitionRow

START = 1_788_220_800
HOUR = 3_600
HORIZON = 6 * HOUR
NOW = FixedClock((START + 1_000 * HOUR) * 1_000_000)

CONFIGURATION = """
version: 1
system: {{name: loans, stakes: consequential, protected_attributes: [sex]}}
source:
  type: labelled
  outputs: {{type: files, paths: [outputs/*.jsonl], poll_seconds: 0.01}}
  labels: {{type: files, paths: [labels/*.jsonl], poll_seconds: 0.01}}
  label_id: loan
  label_time: at
  columns: [repaid]
  horizon_seconds: 21600
  {options}
schema:
  columns:
    - {{name: at, role: timestamp}}
    - {{name: id, role: event_id, path: meta.id}}
    - {{name: sex, role: group, path: "who[0].sex"}}
    - {{name: approved, role: prediction, dtype: boolean}}
    - {{name: repaid, role: label, dtype: boolean}}
windows: {{type: tumbling, seconds: 3600}}
baseline: {{directory: baselines, min_slice_rows: 100, reference: {{paths: [reference.jsonl]}}}}
slices: {{by: [sex]}}
detectors:
  - {{type: classification_performance, prediction: approved, label: repaid, rule: threshold}}
  - {{type: missing_rate, column: repaid, tolerance: 0.1, rule: threshold}}
  - {{type: label_coverage_gap, label: repaid, group: sex, rule: threshold}}
storage: {{url: "sqlite:///{name}.db"}}
run: {{telemetry: null, checkpoint_seconds: 0.02, checkpoint_records: 40}}
"""

Record = Mapping[str, Any]


def output(number: int, at: int, sex: str = "F", *, approved: bool = True) -> Record:
    return {
        "at": START + at,
        "meta": {"id": f"e{number}"},
        "who": [{"sex": sex}],
        "approved": approved,
        "prompt": "not needed, and not kept",
    }


def label(number: int, at: int, *, repaid: bool = True) -> Record:
    return {"at": START + at, "loan": f"e{number}", "repaid": repaid}


class Crash(BaseException):
    """The process is killed."""


@dataclass
class CrashingClock:
    """A clock that ends the process when it is read for the n-th time."""

    left: int

    def now_us(self) -> int:
        self.left -= 1
        if self.left < 0:
            raise Crash
        return NOW.now_us()


class Listener(SilentObserver):
    """Remembers notices and tallies; can end the process right after a checkpoint."""

    def __init__(self, crash_after: int | None = None) -> None:
        self.notices: list[Notice] = []
        self.backlogs: list[Backlog] = []
        self.counted: list[StreamTally] = []
        self._left = crash_after

    def noticed(self, notice: Notice) -> None:
        self.notices.append(notice)

    def joining(self, backlog: Backlog) -> None:
        self.backlogs.append(backlog)

    def checkpointed(
        self, checkpoint: Checkpoint, *, seconds: float, lag: Mapping[str, int]
    ) -> None:
        del seconds, lag
        self.counted.append(checkpoint.counted)
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                raise Crash


@dataclass
class Monitor:
    """A monitor of labelled outputs in a folder of its own."""

    configuration: Configuration
    baseline: Baseline
    store: Store

    def service(self, clock: Any = NOW, worker: str = "worker") -> Service:
        return Service(
            configuration=self.configuration,
            baseline=self.baseline,
            baseline_of=lambda _id: self.baseline,
            store=self.store,
            policy=FiveAxes(),
            clock=clock,
            name=worker,
        )

    def run(self, listener: Listener | None = None, clock: Any = NOW) -> Listener:
        listener = listener or Listener()
        service = self.service(clock)
        service.run(service.take_up(), listener, Event(), until_caught_up=True)
        return listener

    def run_until_it_is_done(self, next_crash: Callable[[], tuple[Any, Listener]]) -> None:
        while True:
            clock, listener = next_crash()
            try:
                self.run(listener, clock)
            except Crash:
                continue
            return

    def partitions(self) -> tuple[PartitionRow, ...]:
        return self.store.streams(monitor_name(self.configuration)).partitions()

    def forget_leaving(self, worker: str) -> None:
        """Have the database look as if a worker had not given anything back."""
        with self.store.writing() as connection:
            connection.execute(
                partition.update().where(partition.c.name == JOIN).values(owner=worker)
            )

    def tally(self) -> StreamTally:
        return StreamTally.total(StreamTally.from_json(each.tally) for each in self.partitions())

    def waiting(self, state: WaitingState) -> int:
        return self.store.awaiting_label(monitor_name(self.configuration)).count(state)

    def windows(self) -> dict[tuple[int, str], bytes]:
        (job,) = self.store.jobs()
        return {
            ((each.key.start_us // 1_000_000 - START) // HOUR, each.key.slice): each.body
            for each in self.store.windows(job.id)
            if each.n_rows
        }

    def rows(self) -> dict[int, int]:
        (job,) = self.store.jobs()
        return {
            (each.key.start_us // 1_000_000 - START) // HOUR: each.n_rows
            for each in self.store.windows(job.id, slice_="all")
            if each.n_rows
        }

    def known(self) -> Counter[object]:
        """Return how many counted outputs have which label."""
        (job,) = self.store.jobs()
        counts: Counter[object] = Counter()
        for window in windows_of_job(self.store, self.baseline, job.id):
            if window.key.slice == "all":
                table = window.summary.table("repaid")
                levels = window.summary.layout.table("repaid").axes[0].levels
                counts["true"] += int(table[levels.index("true")])
                counts["missing"] += int(table[-1])
        return +counts


def write(path: Path, records: Iterable[Record | str]) -> None:
    path.parent.mkdir(exist_ok=True)
    lines = [each if isinstance(each, str) else json.dumps(each) for each in records]
    path.write_text("".join(f"{line}\n" for line in lines))


@pytest.fixture
def fitted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    chance = random.Random(1)
    reference = [
        {
            **output(n, -3 * 86_400 + n * 60, chance.choice("FM"), approved=chance.random() < 0.5),
            "repaid": chance.random() < 0.8,
        }
        for n in range(3_000)
    ]
    write(tmp_path / "reference.jsonl", reference)
    (tmp_path / "fit.yaml").write_text(CONFIGURATION.format(name="fit", options=""))
    arguments = ["--promote", "--who", "Ada", "--why", "a test"]
    assert main(["baseline", "fit", "fit.yaml", *arguments]) == 0
    return tmp_path


@pytest.fixture
def monitor(fitted: Path) -> Callable[..., Monitor]:
    opened: list[Store] = []

    def make(
        outputs: Sequence[Record | str],
        labels: Sequence[Record | str],
        *,
        name: str = "monitor",
        options: str = "",
    ) -> Monitor:
        write(fitted / "outputs/a.jsonl", outputs)
        write(fitted / "labels/a.jsonl", labels)
        path = fitted / f"{name}.yaml"
        path.write_text(CONFIGURATION.format(name=name, options=options))
        configuration = load_configuration(path)
        baseline = BaselineStore(configuration.baseline.directory).load("promoted")
        store = Store.open(configuration.storage.url)
        opened.append(store)
        return Monitor(configuration, baseline, store)

    yield make
    for store in opened:
        store.close()


def test_an_output_is_counted_with_its_label_when_the_label_came(monitor) -> None:
    one = monitor([output(1, 10), output(2, 20)], [label(1, 3 * HOUR), label(2, 4 * HOUR)])

    one.run()

    assert one.rows() == {3: 1, 4: 1}
    assert one.known()["true"] == 2
    assert one.tally().n_joined == 2
    assert one.tally().n_waiting == one.tally().unaccounted == 0


def test_by_the_time_of_the_output_the_window_stays_open_until_its_labels_came(monitor) -> None:
    outputs = [output(1, 10), output(2, 20), output(3, 5 * HOUR)]
    one = monitor(outputs, [label(1, 3 * HOUR), label(2, 4 * HOUR)], options="time: output")

    one.run()

    assert one.rows() == {0: 2, 5: 1}
    assert one.known() == {"true": 2, "missing": 1}
    assert one.tally().n_late == one.tally().n_waiting == one.tally().unaccounted == 0


def test_an_output_without_a_label_is_counted_when_its_horizon_has_passed(monitor) -> None:
    outputs = [output(1, 10), output(2, 20), output(3, 9 * HOUR)]
    one = monitor(outputs, [label(2, HOUR), label(3, 9 * HOUR + 5)])

    one.run()

    assert one.rows() == {1: 1, 6: 1, 9: 1}
    assert one.known() == {"true": 2, "missing": 1}
    assert (one.tally().n_past_horizon, one.tally().n_crowded_out) == (1, 0)
    assert one.tally().unaccounted == 0


def test_what_is_not_due_waits_for_the_next_run(monitor, fitted) -> None:
    one = monitor([output(1, 10)], [label(7, 20)], options="early_seconds: 100000")
    one.run()
    waited = one.tally()

    with (fitted / "labels/a.jsonl").open("a") as file:
        file.write(json.dumps(label(1, 2 * HOUR)) + "\n")
    one.run()

    assert (waited.n_records, waited.n_waiting, waited.n_rows) == (2, 2, 0)
    assert (one.tally().n_records, one.tally().n_waiting, one.tally().n_rows) == (3, 1, 1)
    assert one.rows() == {2: 1}


def test_what_waits_and_since_when_is_told_after_every_checkpoint(monitor) -> None:
    outputs = [output(n, 1_000 + n) for n in range(5)]
    one = monitor(outputs, [label(0, 1_100), label(8, 1_200)], options="early_seconds: 100000")

    listener = one.run()

    last = listener.backlogs[-1]
    assert (last.n_outputs, last.n_labels) == (4, 1)
    assert last.oldest_us == (START + 1_001) * 1_000_000
    assert last.n_outputs == one.waiting(WaitingState.OUTPUT)


def test_a_label_dated_after_the_horizon_is_refused(monitor) -> None:
    one = monitor(
        [output(1, 10), output(2, 30 * HOUR)],
        [label(1, 10 + HORIZON + 1), label(2, 30 * HOUR + HORIZON)],
    )

    one.run()

    assert one.tally().rejected == {"label_after_horizon": 1}
    assert one.known() == {"true": 1, "missing": 1}
    assert one.tally().unaccounted == 0


def test_the_first_label_of_an_output_holds_and_repetitions_are_counted(monitor) -> None:
    one = monitor(
        [output(1, 10), output(1, 11), output(2, 5 * HOUR)],
        [label(1, HOUR), label(1, HOUR + 1, repaid=False), label(2, 5 * HOUR + 1)],
    )

    one.run()

    assert one.known()["true"] == one.tally().n_rows == 2
    assert one.tally().n_duplicates == 2
    assert one.tally().unaccounted == 0


def test_records_that_cannot_be_joined_are_refused_each_for_its_reason(monitor) -> None:
    nobody = {"at": START + 20, "loan": None, "repaid": True}
    one = monitor(
        ["{no json", {"at": "?"}, {"at": START + 5, "approved": True}, output(1, 8 * HOUR)],
        [
            "[1]",
            nobody,
            {**label(4, 20), "repaid": None},
            {"loan": "e5", "repaid": True},
            label(6, 30),
            label(1, 8 * HOUR + 1),
        ],
    )

    one.run()

    assert one.tally().rejected == {
        "invalid_json": 1,
        "invalid_timestamp": 1,
        "not_an_object": 1,
        "missing_event_id": 1,
        "missing_label": 1,
        "missing_timestamp": 1,
        "label_without_output": 1,
    }
    assert one.rows() == {0: 1, 8: 1}
    assert one.tally().unaccounted == 0


def test_only_what_is_needed_of_an_output_is_kept(monitor) -> None:
    one = monitor([output(1, 10)], [])

    one.run()

    store = one.store.awaiting_label(monitor_name(one.configuration))
    (kept,) = store.oldest(WaitingState.OUTPUT, until_us=None, limit=9)
    assert json.loads(kept.body) == {"approved": True, "meta.id": "e1", "who[0].sex": "F"}


def test_no_more_wait_than_may_and_the_oldest_go_first(monitor) -> None:
    outputs = [output(n, n * 60) for n in range(200)]
    one = monitor(outputs, [label(199, 200 * 60), label(0, 200 * 60)], options="max_waiting: 50")

    listener = one.run()

    assert one.waiting(WaitingState.OUTPUT) <= 50
    assert NoticeKind.TOO_MANY_WAITING in {each.kind for each in listener.notices}
    released = one.tally().n_crowded_out + one.tally().n_past_horizon
    assert one.tally().n_crowded_out > 0
    assert one.tally().n_rows == one.tally().n_joined + released
    assert one.tally().n_waiting == one.waiting(WaitingState.OUTPUT)
    assert one.tally().unaccounted == one.tally().n_late == 0


def test_nothing_is_read_while_more_is_to_be_released_than_one_checkpoint_can(
    monitor, monkeypatch
) -> None:
    monkeypatch.setattr("monitor.sources.labelled_stream.release._AT_ONCE", 20)
    monkeypatch.setattr("monitor.engine.daemon.worker.MAX_RECORDS_AT_ONCE", 50)
    one = monitor([output(n, n * 60) for n in range(2_000)], [], options="max_waiting: 50")

    listener = one.run()

    # What may wait, and what two reads bring before it is seen that it is too much.
    assert max(each.n_outputs for each in listener.backlogs) <= 50 + 2 * 50
    assert one.tally().n_crowded_out + one.tally().n_past_horizon == one.tally().n_rows
    assert one.tally().unaccounted == 0


class TickingClock:
    """A clock on which every look costs a second; several workers may share it."""

    def __init__(self) -> None:
        self._ticks = itertools.count()

    def now_us(self) -> int:
        return NOW.now_us() + next(self._ticks) * 1_000_000


def test_a_second_worker_is_refused_while_the_first_lives(monitor) -> None:
    one = monitor([output(n, n * 60) for n in range(100)], [])
    stopping, clock = Event(), TickingClock()
    first, second = (one.service(clock, worker=name) for name in ("first", "second"))

    with ThreadPoolExecutor() as pool:
        work = pool.submit(first.run, first.take_up(), Listener(), stopping)
        while not one.tally().n_waiting:
            time.sleep(0.01)
        with pytest.raises(SourceError, match=r"followed by one worker, and 'first' does; stop"):
            second.run(second.take_up(), Listener(), Event())
        stopping.set()
        ending = work.result(timeout=30)

    assert ending is Ending.STOPPED
    assert one.tally().n_waiting == one.tally().n_records == 100


def test_a_worker_that_leaves_gives_the_join_to_the_next(monitor) -> None:
    one = monitor([output(n, n * 60) for n in range(100)], [])

    for name in ("first", "second"):
        service = one.service(worker=name)
        service.run(service.take_up(), Listener(), Event(), until_caught_up=True)

    (owner,) = {each.owner for each in one.partitions() if each.name == JOIN}
    assert owner == ""
    assert one.tally().n_waiting == one.tally().n_records == 100


@pytest.mark.parametrize("how", ["its process is gone", "it was not heard of for 31 seconds"])
def test_a_worker_that_was_killed_is_followed_by_the_next(monitor, how) -> None:
    one = monitor([output(n, n * 60) for n in range(100)], [])
    is_gone = how == "its process is gone"
    # No process has a number so large.
    first = one.service(worker=f"{socket.gethostname()}:99999999" if is_gone else "elsewhere:1")
    later = NOW if is_gone else FixedClock(NOW.now_us() + 31_000_000)
    second = one.service(later, worker="second")

    with pytest.raises(Crash):
        first.run(first.take_up(), Listener(crash_after=1), Event())
    one.forget_leaving(first.name)
    second.run(second.take_up(), Listener(), Event(), until_caught_up=True)

    assert one.tally().n_waiting == one.tally().n_records == 100


def test_a_worker_that_was_silent_for_long_stops_once_another_has_taken_over(monitor) -> None:
    one = monitor([output(n, n * 60) for n in range(100)], [])
    later = FixedClock(NOW.now_us() + 31_000_000)
    taken: list[bool] = []

    class TakeOver(Listener):
        def polled(self, n_records: int) -> None:
            if n_records == 0 and not taken:
                taken.append(True)
                second = one.service(later, worker="second")
                second.run(second.take_up(), Listener(), Event(), until_caught_up=True)

    with pytest.raises(SourceStoppedError, match="followed by one worker"):
        one.run(TakeOver())

    assert one.tally().n_waiting == one.tally().n_records == 100


@dataclass(frozen=True)
class Life:
    """What happens to some outputs: some get a label in time, some too late, some never."""

    outputs: list[Record]
    labels: list[Record]


@st.composite
def lives(draw: st.DrawFn) -> Life:
    n = draw(st.integers(1, 40))
    outputs, labels = [], []
    for number in range(n):
        at = draw(st.integers(0, 12 * HOUR))
        outputs.append(output(number, at, draw(st.sampled_from("FM"))))
        delay = draw(st.one_of(st.none(), st.integers(0, HORIZON + HOUR)))
        if delay is not None:
            labels.append(label(number, at + delay, repaid=draw(st.booleans())))
    return Life(outputs, labels)


def end(life: Life) -> Life:
    """Return a life after which everything is due."""
    return Life(
        [*life.outputs, output(999, 60 * HOUR)],
        [*life.labels, label(999, 60 * HOUR)],
    )


def expected(life: Life, *, by_label_time: bool) -> Counter[tuple[int, str]]:
    """Return how many outputs each window holds, with a label or without, the simple way."""
    by_id = {each["loan"]: each for each in life.labels}
    windows: Counter[tuple[int, str]] = Counter()
    for each in life.outputs:
        at, found = each["at"], by_id.get(each["meta"]["id"])
        in_time = found is not None and found["at"] <= at + HORIZON
        when = at
        if by_label_time:
            when = max(at, found["at"]) if found is not None and in_time else at + HORIZON
        windows[(when - START) // HOUR, "label" if in_time else "none"] += 1
    return windows


def counted(one: Monitor) -> Counter[tuple[int, str]]:
    (job,) = one.store.jobs()
    windows: Counter[tuple[int, str]] = Counter()
    for window in windows_of_job(one.store, one.baseline, job.id):
        if window.key.slice == "all":
            hour = (window.key.start_us // 1_000_000 - START) // HOUR
            table = window.summary.table("repaid")
            windows[hour, "label"] += int(table[:-1].sum())
            windows[hour, "none"] += int(table[-1])
    return +windows


COMMON = settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@COMMON
@given(life=lives(), by_label_time=st.booleans(), number=st.uuids())
def test_windows_hold_what_the_times_of_outputs_and_labels_say(
    monitor, life, by_label_time, number
) -> None:
    whole = end(life)
    time = "label" if by_label_time else "output"
    outputs = sorted(whole.outputs, key=lambda each: each["at"])
    labels = sorted(whole.labels, key=lambda each: each["at"])
    one = monitor(outputs, labels, name=f"m{number.hex}", options=f"time: {time}")

    one.run()

    assert counted(one) == expected(whole, by_label_time=by_label_time)
    assert one.tally().unaccounted == one.tally().n_late == one.tally().n_waiting == 0


@COMMON
@given(life=lives(), by_label_time=st.booleans(), number=st.uuids(), data=st.data())
def test_a_process_that_is_killed_anywhere_counts_everything_once(
    monitor, life, by_label_time, number, data
) -> None:
    whole = end(life)
    time = "label" if by_label_time else "output"
    outputs = sorted(whole.outputs, key=lambda each: each["at"])
    labels = sorted(whole.labels, key=lambda each: each["at"])
    one = monitor(outputs, labels, name=f"k{number.hex}", options=f"time: {time}")
    crashes = data.draw(
        st.lists(st.tuples(st.sampled_from(["clock", "after"]), st.integers(0, 12)), max_size=5)
    )
    left = iter([*crashes, None])

    def next_crash() -> tuple[Any, Listener]:
        crash = next(left)
        if crash is None:
            return NOW, Listener()
        kind, n = crash
        return (CrashingClock(n), Listener()) if kind == "clock" else (NOW, Listener(n))

    one.run_until_it_is_done(next_crash)

    assert counted(one) == expected(whole, by_label_time=by_label_time)
    assert one.tally().unaccounted == one.tally().n_late == one.tally().n_waiting == 0
    assert one.tally().n_records == len(outputs) + len(labels)


def test_a_group_whose_labels_stay_away_is_found(monitor) -> None:
    chance = random.Random(2)
    outputs, labels = [], []
    for n in range(3_000):
        at, sex = n * 20, chance.choice("FM")
        outputs.append(output(n, at, sex, approved=chance.random() < 0.5))
        if sex == "M" or chance.random() < 0.4:
            labels.append(label(n, at + 600, repaid=chance.random() < 0.8))
    one = monitor(outputs, sorted(labels, key=lambda each: each["at"]))

    one.run()

    (job,) = one.store.jobs()
    verdicts = {
        slice_: {
            str(each.finding.verdict)
            for each in one.store.findings(job.id, series="missing_rate(repaid)", slice_=slice_)
        }
        for slice_ in ("sex=F", "sex=M")
    }
    noted = {
        note
        for each in one.store.findings(job.id)
        if each.finding.series.startswith("classification_performance")
        for note in each.finding.notes
    }
    gaps = [
        each.finding
        for each in one.store.findings(job.id, series="label_coverage_gap(repaid, sex)")
        if str(each.finding.verdict) == "beyond"
    ]
    assert "beyond" in verdicts["sex=F"]
    assert gaps
    assert {each.worse_off for each in gaps} == {("F",)}
    assert verdicts["sex=M"] == {"within"}
    assert any("have arrived" in note for note in noted)
