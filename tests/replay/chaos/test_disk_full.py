"""A worker whose database has no space says so, loses nothing, and goes on when there is some."""

import json
import re
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.replay.chaos.forked import Forked
from tests.replay.chaos.outcome import Outcome
from tests.replay.chaos.performance import Performance
from tests.replay.chaos.setting import Setting
from tests.replay.chaos.space import LimitedFiles, Space
from tests.replay.chaos.stage import Stage

SECONDS = 30.0
SMALL_FILE = 8_192


@pytest.fixture(params=["the best there is", "limits"])
def filled_space(request: pytest.FixtureRequest, space: Space) -> Iterator[Space]:
    """Return a folder on a small file system, where one may be mounted; and limits anywhere."""
    chosen = space if request.param == "the best there is" else LimitedFiles(space.folder)
    yield chosen
    chosen.free()


def test_a_worker_without_space_waits_says_so_and_goes_on(
    stage: Stage,
    setting: Setting,
    undisturbed: Callable[[int], Outcome],
    filled_space: Space,
    request: pytest.FixtureRequest,
) -> None:
    run = performance(stage, setting, filled_space, name=request.node.callspec.id)
    with run.watched():
        worker = run.start()
        run.await_progress(0.2, SECONDS)
        filled_space.fill(run.database, [worker.pid])

        reasons = readiness(worker, until=lambda answer: "database" in str(answer))
        counted = run.counted()
        failures = failed_checkpoints(worker)
        pause(1.0)

        assert any(re.search("database: .*(no space|full)", each) for each in reasons)
        assert failures > 0
        assert run.counted() == counted
        assert worker.poll() is None
        filled_space.free()
        assert readiness(worker, until=lambda answer: not answer) == []
        run.await_progress(1.0, SECONDS)
        assert run.counted() == run.scenario.n_records
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(SECONDS) in (0, 3)

    log = worker.log.read_text()
    assert log.index("no space") < log.index("the database is written again")
    assert undisturbed(0).differences(run.finished()) == []


def test_a_worker_whose_patience_ends_before_there_is_space_says_why_and_the_next_one_goes_on(
    stage: Stage, setting: Setting, undisturbed: Callable[[int], Outcome], filled_space: Space,
    request: pytest.FixtureRequest,
) -> None:  # fmt: skip
    name = f"impatient {request.node.callspec.id}"
    run = performance(stage, setting, filled_space, name=name, patience_seconds=1.0)
    with run.watched():
        worker = run.start()
        run.await_progress(0.2, SECONDS)
        filled_space.fill(run.database, [worker.pid])

        status = worker.wait(SECONDS)
        filled_space.free()

        assert status == 1
        last = worker.log.read_text().splitlines()[-1]
        assert "run.database_patience_seconds" in last
        assert "no space" in last

    assert undisturbed(0).differences(run.finished()) == []


def test_a_worker_that_is_started_without_space_ends_with_one_line_and_the_next_one_goes_on(
    stage: Stage, setting: Setting, undisturbed: Callable[[int], Outcome], filled_space: Space,
    request: pytest.FixtureRequest,
) -> None:  # fmt: skip
    name = f"started full {request.node.callspec.id}"
    run = performance(stage, setting, filled_space, name=name)
    with run.watched():
        filled_space.fill(run.database, [])
        limited = isinstance(filled_space, LimitedFiles)
        worker = run.start(**({"largest_file": SMALL_FILE} if limited else {}))

        status = worker.wait(SECONDS)
        filled_space.free()

    assert status == 1
    assert "no space" in worker.log.read_text().splitlines()[-1]
    assert undisturbed(0).differences(run.finished()) == []


def performance(
    stage: Stage, setting: Setting, space: Space, *, name: str, patience_seconds: float = 60.0
) -> Performance:
    """Return a run on a database in a space that can be filled."""
    url = setting.fresh_sqlite(re.sub(r"\W+", "-", name), space.folder)
    return stage.performance(
        1_000 + len(name), url, patience_seconds=patience_seconds, telemetry="127.0.0.1:0"
    )


def readiness(worker: Forked, *, until: Callable[[list[str]], bool]) -> list[str]:
    """Return the reasons of /readyz, once they are as they should be."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        reasons: list[str] = json.loads(told(worker, "readyz"))["reasons"]
        if until(reasons):
            return reasons
        pause(0.05)
    message = f"not as it should be within {SECONDS} s; {reasons}"
    raise AssertionError(message)


def failed_checkpoints(worker: Forked) -> float:
    """Return the metric."""
    name = "outputwatch_checkpoint_failures_total"
    lines = told(worker, "metrics").splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(name))


def told(worker: Forked, path: str) -> str:
    """Return what a worker serves."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port(worker.log)}/{path}") as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        with error:
            return error.read().decode()


def port(log: Path) -> int:
    """Return where it serves; its log says so."""
    found = re.search(r'"health and metrics are served".*"port": (\d+)', log.read_text())
    assert found is not None
    return int(found[1])


def pause(seconds: float) -> None:
    time.sleep(seconds)
