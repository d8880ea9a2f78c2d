"""Files followed while they grow and rotate give the windows and incidents of an audit of them."""

import itertools
import random
import threading
from pathlib import Path
from typing import Any

import pytest

from monitor.clock import SystemClock
from monitor.config.load import load_configuration
from monitor.engine.audit import run_audit
from monitor.engine.daemon.process import Process
from monitor.engine.daemon.summary import RunSummary
from monitor.engine.progress import NoProgress
from monitor.engine.reading import TimeRange
from monitor.engine.runners.serial import SerialRunner
from monitor.severity.scoring import FiveAxes
from monitor.storage.store import Store
from tests.monitor.engine.daemon.toy import (
    CLOCK,
    Event,
    baseline,
    configure,
    counted_rows,
    events,
    found,
    lines,
)

SILENT = range(60, 64)


def traffic() -> list[Event]:
    """Return 84 hours with a drift, a recovery, four hours of silence and a slice that appears."""
    first = events(0, 50, seed=3, drift_from=24, drift_until=34)
    second = events(50, 34, seed=4, regions=("eu", "us", "apac", "mea"))
    return [
        event
        for event in (*first, *second)
        if (event["ts"] - first[0]["ts"]) // 3_600 not in SILENT
    ]


EVENTS = traffic()


def audited(folder: Path, rows: list[Event], *, to_us: int | None = None) -> list[Any]:
    folder.mkdir()
    path = configure(folder)
    (folder / "logs" / "all.jsonl").write_text(lines(rows))
    configuration = load_configuration(path)
    with Store.open(configuration.storage.url) as store:
        result = run_audit(
            configuration,
            baseline=baseline(),
            store=store,
            policy=FiveAxes(),
            clock=CLOCK,
            progress=NoProgress(),
            runner=SerialRunner(),
            time=TimeRange(to_us=to_us),
        )
        return found(store, result.job_id)


def stored(path: Path, summary: RunSummary) -> list[Any]:
    with Store.open(load_configuration(path).storage.url) as store:
        return found(store, summary.job_id)


def comparable(outcome: list[Any]) -> list[Any]:
    """Return what does not depend on when it was known: the clocks of the two differ."""
    windows, findings, incidents = outcome
    return [windows, findings, [(each.id, each.state, each.signals) for each in incidents]]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    outcome = audited(tmp_path_factory.mktemp("audit") / "whole", EVENTS)
    assert outcome[2]
    return comparable(outcome)


def test_a_run_over_files_of_any_split_gives_the_windows_findings_and_incidents_of_an_audit(
    undisturbed: list[Any], tmp_path: Path
) -> None:
    path = configure(tmp_path)
    parts: list[list[Event]] = [[], [], []]
    chance = random.Random(7)
    for event in EVENTS:
        parts[chance.randrange(3)].append(event)
    for number, part in enumerate(parts):
        (tmp_path / "logs" / f"p{number}.jsonl").write_text(lines(part))

    summary = Process(path=str(path), clock=SystemClock(), until_caught_up=True).run()

    assert summary.tally.n_rows == len(EVENTS)
    assert summary.tally.unaccounted == 0
    assert comparable(stored(path, summary)) == undisturbed


def test_a_file_that_grows_rotates_and_is_read_by_run_after_run_gives_the_same(
    undisturbed: list[Any], tmp_path: Path
) -> None:
    path = configure(tmp_path, lateness=3 * 3_600)
    growing = tmp_path / "logs" / "app.jsonl"
    text = lines(EVENTS).splitlines(keepends=True)
    cuts = [0, 137, 700, 701, 1_500, 2_000, len(text)]
    process = Process(path=str(path), clock=SystemClock())
    thread = threading.Thread(target=process.run)
    thread.start()

    for number, (low, high) in enumerate(itertools.pairwise(cuts)):
        with growing.open("a") as file:
            file.write("".join(text[low:high])[:-5])
            file.flush()
            file.write("".join(text[low:high])[-5:])
        wait_for_rows(path, high)
        if number == 2:
            process.stop()
            thread.join()
            process = Process(path=str(path), clock=SystemClock())
            thread = threading.Thread(target=process.run)
            thread.start()
        if number == 3:
            growing.rename(growing.with_name("app.jsonl.1"))
    process.stop()
    thread.join()
    summary = Process(path=str(path), clock=SystemClock(), until_caught_up=True).run()

    assert summary.tally.n_rows == len(EVENTS)
    assert summary.n_partitions == 2
    assert comparable(stored(path, summary)) == undisturbed


def wait_for_rows(path: Path, n_rows: int) -> None:
    """Wait until a run has counted so many outputs, a minute at most."""
    pause = threading.Event()
    for _ in range(600):
        if counted_rows(path.parent / "state.db") >= n_rows:
            return
        pause.wait(0.1)
    message = f"{n_rows} outputs were not counted within a minute"
    raise AssertionError(message)
