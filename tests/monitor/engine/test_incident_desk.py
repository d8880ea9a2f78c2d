"""A desk reads what it needs, and decides as if it had read everything."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from sqlalchemy import event

from monitor.clock import FixedClock
from monitor.config.load import load_configuration
from monitor.config.model import Configuration
from monitor.engine.incident_desk import IncidentDesk
from monitor.engine.judgement import Judge, Judgement
from monitor.incidents.grouping import Changes
from monitor.incidents.model import Incident
from monitor.incidents.states import IncidentState
from monitor.severity.scoring import FiveAxes
from monitor.storage.incidents import IncidentRepository
from monitor.storage.store import Store
from tests.monitor.engine.daemon.toy import HOUR, START, baseline, closed, configure, events

Judged = list[Judgement]


@pytest.fixture(scope="module")
def configuration(tmp_path_factory: pytest.TempPathFactory) -> Configuration:
    return load_configuration(configure(tmp_path_factory.mktemp("desk")))


@pytest.fixture(scope="module")
def judged(configuration: Configuration) -> Judged:
    """Return what hours of traffic bring that drifts and comes back, four times."""
    traffic = [
        event
        for begin in (0, 60, 120, 180)
        for event in events(
            begin, 60, seed=3 + begin, drift_from=begin + 10, drift_until=begin + 22
        )
    ]
    judge = Judge(configuration=configuration, baseline=baseline(), policy=FiveAxes())
    return [judge.judge(windows) for windows in closed(traffic)]


@dataclass(slots=True)
class Everything:
    """A shelf that gives every incident at once, as a desk once read them."""

    shelf: IncidentRepository

    def active(self) -> tuple[Incident, ...]:
        return self.shelf.all()

    def holding(self, fingerprints: Collection[str]) -> tuple[Incident, ...]:
        del fingerprints
        return ()

    def apply(self, changes: Changes, *, recorded_us: int) -> tuple[Incident, ...]:
        return self.shelf.apply(changes, recorded_us=recorded_us)


def finished(store: Store, state: IncidentState, at_us: int) -> None:
    """Bring every active incident to an end, as people do."""
    repository = store.incidents("toy/test")
    for incident in repository.active():
        resolved_us = at_us if state is IncidentState.RESOLVED else None
        repository.save(
            replace(incident, state=state, resolved_us=resolved_us, version=incident.version + 1)
        )


def decided(
    configuration: Configuration, judged: Judged, *, everything: bool, states: Sequence[str]
) -> list[Any]:
    """Return the incidents and timelines after four drifts; a desk lives for one window."""
    with Store.open("sqlite://") as store:
        repository = store.incidents("toy/test")
        for hour, judgement in enumerate(judged):
            clock = FixedClock((START + hour * HOUR) * 1_000_000)
            shelf = Everything(repository) if everything else repository
            IncidentDesk.over(shelf, configuration, clock).take(judgement)
            if hour % 60 == 40:
                finished(store, IncidentState(states[hour // 60]), clock.us)
        incidents = repository.all()
        return [incidents, [repository.timeline(each.id) for each in incidents]]


@pytest.mark.parametrize(
    "states",
    [
        ("resolved", "dismissed", "resolved", "closed"),
        ("dismissed", "dismissed", "candidate", "resolved"),
        ("resolved", "merged", "open", "in_review"),
    ],
)
def test_a_desk_that_reads_what_it_needs_decides_as_one_that_reads_everything(
    configuration: Configuration, judged: Judged, states: Sequence[str]
) -> None:
    lazily = decided(configuration, judged, everything=False, states=states)
    everything = decided(configuration, judged, everything=True, states=states)

    assert lazily == everything
    assert lazily[0]


def rows_read(configuration: Configuration, judged: Judged, n_closed: int) -> list[int]:
    """Return statements and rows of incidents that a desk takes for one window that drifts."""
    counts = [0, 0]
    with Store.open("sqlite://") as store:
        repository = store.incidents("toy/test")
        drifting = next(each for each in judged if each.breaches)
        clock = FixedClock(START * 1_000_000)
        IncidentDesk.over(repository, configuration, clock).take(drifting)
        for number in range(n_closed):
            _close_another(repository, number)

        def count(_connection: Any, _cursor: Any, statement: str, *_others: Any) -> None:
            counts[0] += 1
            counts[1] += "FROM incident" in statement

        event.listen(store._engine, "before_cursor_execute", count)
        desk = IncidentDesk.over(repository, configuration, clock)
        desk.take(drifting)
        event.remove(store._engine, "before_cursor_execute", count)
        return [*counts, len(desk.incidents)]


def _close_another(repository: IncidentRepository, number: int) -> None:
    """Store a closed incident of a series that is not there any more."""
    some = repository.active()[0]
    signals = tuple(
        replace(each, identity=replace(each.identity, series=f"old({number})"))
        for each in some.signals
    )
    repository.save(
        replace(
            some, id=f"{number:064x}", number=None, signals=signals, state=IncidentState.CLOSED,
            version=1,
        )
    )  # fmt: skip


def test_the_cost_of_a_decision_does_not_grow_with_the_incidents_that_are_closed(
    configuration: Configuration, judged: Judged
) -> None:
    assert rows_read(configuration, judged, 0) == rows_read(configuration, judged, 200)
