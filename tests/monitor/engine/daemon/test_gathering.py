"""Evidence that is gathered anew: from which windows, in how many steps, to the same end."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from baselines.baseline import Baseline
from baselines.store import BaselineStore
from baselines.summary import WindowKey
from detectors.base import Finding
from monitor.clock import SystemClock
from monitor.config.load import load_configuration
from monitor.decision.state import State
from monitor.engine.daemon import deciding
from monitor.engine.daemon.checkpoint import Checkpoint
from monitor.engine.daemon.observing import SilentObserver
from monitor.engine.daemon.process import Process
from monitor.engine.daemon.service import Service
from monitor.engine.judgement import Judge
from monitor.incidents.model import Incident
from monitor.severity.scoring import FiveAxes
from monitor.storage.store import Store
from tests.monitor.engine.daemon.toy import (
    CLOCK,
    HOUR,
    START,
    Event,
    baseline,
    closed,
    configure,
    counted_rows,
    events,
    found,
    lines,
)


def other_baseline() -> Baseline:
    """Return a baseline of which the first hours are missing."""
    one = baseline()
    return replace(one, history=one.history[12:])


def promote(folder: Path, chosen: Baseline) -> None:
    store = BaselineStore(folder / "baselines")
    store.promote(store.save(chosen), who="Ada", why="a test", at=CLOCK.us)


def append(folder: Path, traffic: list[Event]) -> None:
    with (folder / "logs" / "a.jsonl").open("a") as file:
        file.write(lines(traffic))


def follow(path: Path, n_rows: int) -> None:
    """Run until so many outputs are counted, and stop as SIGTERM does."""
    process = Process(path=str(path), clock=SystemClock(), worker="one")
    thread = threading.Thread(target=process.run)
    thread.start()
    pause = threading.Event()
    try:
        for _ in range(600):
            if counted_rows(path.parent / "state.db") >= n_rows:
                break
            pause.wait(0.05)
    finally:
        process.stop()
        thread.join()
    assert counted_rows(path.parent / "state.db") == n_rows


def lose_the_snapshot(path: Path) -> None:
    with Store.open(load_configuration(path).storage.url) as store:
        streams = store.streams("toy/test")
        known = streams.known()
        assert known is not None
        assert known.snapshot is not None
        streams.save(replace(known, snapshot=known.snapshot[:-1]))


def between(traffic: list[Event], first: float, last: float) -> list[Event]:
    return [event for event in traffic if first * HOUR <= event["ts"] - START < last * HOUR]


@pytest.mark.parametrize("seconds", [0.0, 1000.0], ids=["one at a time", "all at once"])
def test_a_lost_snapshot_and_a_new_process_give_the_same_evidence_and_findings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    monkeypatch.setattr(deciding, "GATHERING_SECONDS", seconds)
    traffic = events(0, 30, seed=3, drift_from=10)
    outcomes = []
    for name in ("undisturbed", "lost"):
        folder = tmp_path / name
        folder.mkdir()
        path = configure(folder)
        if name == "lost":
            append(folder, between(traffic, 0, 20))
            follow(path, len(between(traffic, 0, 20)))
            lose_the_snapshot(path)
            append(folder, between(traffic, 20, 30))
        else:
            append(folder, traffic)
        summary = Process(path=str(path), clock=SystemClock(), until_caught_up=True).run()
        with Store.open(load_configuration(path).storage.url) as store:
            windows, findings, incidents = found(store, summary.job_id)
            outcomes.append([windows, findings, [each.id for each in incidents]])

    assert outcomes[0][2]
    assert outcomes[1] == outcomes[0]


@dataclass(slots=True)
class Noting(SilentObserver):
    """Writes down in which order records are asked for and checkpoints are written."""

    told: list[str] = field(default_factory=list)
    beats: int = 0

    def beat(self) -> None:
        self.beats += 1

    def polled(self, n_records: int) -> None:
        del n_records
        self.told.append("polled")

    def checkpointed(
        self, checkpoint: Checkpoint, *, seconds: float, lag: Mapping[str, int]
    ) -> None:
        del seconds, lag
        decision = checkpoint.decision
        self.told.append("gathers" if decision.more and not decision.stretches else "written")


def test_the_source_is_asked_for_records_between_all_steps_of_a_long_gathering(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As slow as can be: every stretch takes as long as a step may.
    monkeypatch.setattr(deciding, "GATHERING_SECONDS", 0.0)
    path = configure(tmp_path)
    traffic = events(0, 60, seed=3)
    append(tmp_path, between(traffic, 0, 50))
    follow(path, len(between(traffic, 0, 50)))
    lose_the_snapshot(path)
    append(tmp_path, between(traffic, 50, 60))
    configuration, observer = load_configuration(path), Noting()

    with Store.open(configuration.storage.url) as store:
        service = Service(
            configuration=configuration, baseline=baseline(), baseline_of=lambda _: baseline(),
            store=store, policy=FiveAxes(), clock=SystemClock(), name="two",
        )  # fmt: skip
        switch = service.take_up()
        service.run(switch, observer, threading.Event(), until_caught_up=True)

    first = observer.told.index("gathers")
    last = len(observer.told) - observer.told[::-1].index("gathers")
    assert observer.told.count("gathers") > 40
    assert observer.told[first:last:2] == ["gathers"] * observer.told.count("gathers")
    assert set(observer.told[first + 1 : last : 2]) == {"polled"}
    assert observer.beats > 2 * observer.told.count("gathers")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What is stored after a run.

    By job: hours with windows, and findings by hour; the incidents; and since which hours the
    series fire that fire with the first baseline at the end.
    """

    hours: list[list[int]]
    findings: list[list[tuple[int, str, Finding]]]
    incidents: list[Incident]
    onsets: list[int]


def there_and_back(folder: Path, *, lose: bool) -> Outcome:
    """Run with one baseline, another one, and the first again; return all that is stored."""
    path = configure(folder, lateness=0)
    traffic = events(0, 40, seed=3, drift_from=10)
    n_rows = 0
    for number, (first, last) in enumerate([(0, 16.5), (17, 23.5), (24, 32)]):
        promote(folder, other_baseline() if number == 1 else baseline())
        part = between(traffic, first, last)
        append(folder, part)
        n_rows += len(part)
        follow(path, n_rows)
    if lose:
        lose_the_snapshot(path)
    append(folder, between(traffic, 32, 40))
    Process(path=str(path), clock=SystemClock(), until_caught_up=True).run()
    with Store.open(load_configuration(path).storage.url) as store:
        jobs = sorted(store.jobs(), key=lambda job: job.baseline_id != baseline().id)
        return Outcome(
            hours=[
                [hour_of(each.key) for each in store.windows(j.id, slice_="all")] for j in jobs
            ],
            findings=[
                [(hour_of(each.key), each.id, each.finding) for each in store.findings(job.id)]
                for job in jobs
            ],
            incidents=[replace(each, version=1) for each in store.incidents("toy/test").all()],
            onsets=[
                hour_of(state.first_breach)
                for state in store.states(jobs[0].id).values()
                if state.state is State.FIRING and state.first_breach is not None
            ],
        )


def hour_of(key: WindowKey) -> int:
    return (key.start_us // 1_000_000 - START) // HOUR


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return there_and_back(tmp_path_factory.mktemp("undisturbed"), lose=False)


def test_every_window_is_decided_once_with_the_baseline_that_was_in_force(
    undisturbed: Outcome,
) -> None:
    first, second = undisturbed.findings

    # Windows that were open when it was changed are stored, and have no verdict.
    assert sorted({hour for hour, _, _ in first}) == [*range(16), *range(24, 40)]
    assert sorted({hour for hour, _, _ in second}) == list(range(17, 23))
    assert len({id_ for _, id_, _ in (*first, *second)}) == len(first) + len(second)
    assert sorted(undisturbed.hours[0] + undisturbed.hours[1]) == list(range(40))
    assert len({each.id for each in undisturbed.incidents}) == len(undisturbed.incidents) > 0


def test_evidence_after_going_back_rests_on_the_windows_since_then_alone(
    tmp_path: Path, undisturbed: Outcome
) -> None:
    assert there_and_back(tmp_path, lose=True) == undisturbed
    assert len(undisturbed.onsets) > 2
    assert min(undisturbed.onsets) >= 24


def test_a_long_calibration_beats_for_every_slice(tmp_path: Path) -> None:
    configuration, beats = load_configuration(configure(tmp_path)), []
    judge = Judge(
        configuration=configuration, baseline=baseline(), policy=FiveAxes(),
        beat=lambda: beats.append(1),
    )  # fmt: skip
    windows = next(iter(closed(events(0, 1, seed=3))))

    judge.judge(windows)

    assert len(beats) == len(windows) == 3
