"""What liveness and readiness promise."""

import pytest

from monitor.clock import FixedClock
from monitor.telemetry.health import Condition, Health


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(1_000_000)


@pytest.fixture
def ready(clock) -> Health:
    health = Health(stalled_after_seconds=60, clock=clock)
    for condition in Condition:
        health.holds(condition)
    return health


def test_a_monitor_that_starts_is_alive_and_not_ready(clock) -> None:
    health = Health(stalled_after_seconds=60, clock=clock)

    assert health.liveness().ok
    assert health.readiness().record() == {
        "status": "failing",
        "reasons": [
            "source: the source is not open yet",
            "database: the database was not reached yet",
            "snapshot: the decision snapshot is not loaded yet",
        ],
    }


def test_it_is_ready_when_every_condition_holds(ready) -> None:
    assert ready.readiness().record() == {"status": "ok", "reasons": []}


def test_a_condition_that_fails_is_told_with_its_latest_reason(ready) -> None:
    ready.fails(Condition.BACKLOG, "90 000 rows wait")
    ready.fails(Condition.BACKLOG, "95 000 rows wait")

    assert ready.readiness().reasons == ("backlog: 95 000 rows wait",)
    assert ready.liveness().ok


def test_a_loop_that_stands_still_is_neither_alive_nor_ready(ready, clock) -> None:
    clock.us += 60_000_000
    just_alive = ready.liveness().ok

    clock.us += 1_000_000

    assert just_alive
    assert not ready.liveness().ok
    assert "61 seconds" in ready.readiness().reasons[0]


def test_a_beat_makes_it_alive_again(ready, clock) -> None:
    clock.us += 100_000_000

    ready.beat()

    assert ready.liveness().ok
    assert ready.seconds_since_beat() == 0
