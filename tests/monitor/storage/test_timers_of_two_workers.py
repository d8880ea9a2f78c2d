"""Two workers that look after the same incidents at once set and fire each timer once."""

import threading
from collections import Counter
from collections.abc import Callable

import pytest

from detectors.base import FailureMode
from monitor.clock import FixedClock
from monitor.engine.response.acting import ActingDesk
from monitor.engine.response.due import fire_due_timers, match_all_timers
from monitor.incidents.acts.base import Occasion
from monitor.incidents.acts.opening import Report
from monitor.incidents.roles import Person, Role
from monitor.incidents.timeline import EntryKind
from monitor.storage.store import Store
from monitor.storage.tables import metadata

MONITOR = "loans/production"
NOW = 1_800_000_000_000_000
DAY = 86_400_000_000


@pytest.fixture
def incidents(store: Store) -> list[str]:
    """Return incidents that are open and have no timers, as the monitor makes them."""
    desk = ActingDesk(store=store, monitor=MONITOR, clock=FixedClock(NOW))
    occasion = Occasion(by=Person(name="eve", role=Role.ON_CALL), reason="seen", now_us=NOW)
    opened = [
        desk.open(
            Report(
                system="loans",
                environment="production",
                title=f"refusals {number}",
                failure_mode=FailureMode.SAFETY,
            ),
            occasion,
        ).id
        for number in range(3)
    ]
    with store.writing() as connection:
        connection.execute(metadata.tables["incident_timer"].delete())
    return opened


def at_once(work: Callable[[int], object], n_workers: int = 3) -> None:
    errors: list[BaseException] = []
    ready = threading.Barrier(n_workers)

    def run(number: int) -> None:
        ready.wait()
        try:
            work(number)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(n_workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not errors


def test_each_timer_is_set_once(store: Store, incidents: list[str]) -> None:
    at_once(lambda n: match_all_timers(store, MONITOR, now_us=NOW + n))

    for incident in incidents:
        pending = store.incidents(MONITOR).timers().pending(incident)
        assert pending
        assert max(Counter((each.kind, each.step) for each in pending).values()) == 1
        assert {each.created_us for each in pending} == {NOW}


def test_each_timer_fires_once(store: Store, incidents: list[str]) -> None:
    match_all_timers(store, MONITOR, now_us=NOW)
    expected = {each.id for each in store.incidents(MONITOR).timers().pending()}
    told: list[str] = []

    def fire(_: int) -> None:
        told.extend(each.key for each in fire_due_timers(store, MONITOR, now_us=NOW + 30 * DAY))

    at_once(fire)

    assert sorted(told) == sorted(expected)
    entries = [
        each
        for incident in incidents
        for each in store.incidents(MONITOR).timeline(incident)
        if each.entry.kind is EntryKind.TIMER_FIRED
    ]
    assert len(entries) == len(expected)
