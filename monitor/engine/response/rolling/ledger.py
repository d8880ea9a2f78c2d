"""Executions and the timelines of their incidents, written in one transaction."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from monitor.clock import Clock
from monitor.engine.notifying import Tell, tell_nobody
from monitor.engine.response.due import matched_timers
from monitor.incidents.acts.moving import FORWARD
from monitor.incidents.business_hours import OFFICE_HOURS, BusinessHours
from monitor.incidents.grouping import Changes
from monitor.incidents.model import Incident
from monitor.incidents.states import IncidentState
from monitor.incidents.timeline import MONITOR, EntryKind, TimelineEntry
from monitor.rollbacks.execution import Execution, Step, StepKind
from monitor.rollbacks.telling import timeline_entry
from monitor.storage.errors import ConcurrentWriteError
from monitor.storage.rollbacks import RollbackRepository
from monitor.storage.store import Store

__all__ = ["IncidentLedger", "Saw"]

Saw = Callable[[Execution, Step], None]
"""Is told every step that is written down."""

_TRIES: Final = 5


class IncidentLedger(RollbackRepository):
    """Keeps executions; each step is an entry of the incident's timeline at the same moment.

    An execution that ends with its target served moves its incident to *contained*, if it was
    confirmed and not contained before; no other end does.

    Parameters
    ----------
    store, monitor
        Where the incidents are, and whose.
    clock
        Tells the time.
    tell
        Writes down, in the same transaction, whom a step is told to.
    saw
        Is told every step.
    hours
        When people are at work, for timers.
    """

    def __init__(
        self,
        store: Store,
        monitor: str,
        clock: Clock,
        *,
        tell: Tell = tell_nobody,
        saw: Saw | None = None,
        hours: BusinessHours = OFFICE_HOURS,
    ) -> None:
        super().__init__(store.writing, store.reading)
        self._store = store
        self._incidents = store.incidents(monitor)
        self._clock = clock
        self._tell = tell
        self._saw = saw
        self._hours = hours

    @contextmanager
    def begin(self) -> Iterator[None]:
        """Make one transaction of a block; who writes incidents waits for its end."""
        with self._store.begin():
            # Always before anything else is locked, so that two never wait for each other.
            self._incidents.take_turn()
            yield

    def save(self, execution: Execution, steps: Iterable[Step] = ()) -> None:
        """Keep an execution, its steps and what the timeline of its incident tells of them."""
        taken = tuple(steps)
        for tries_left in reversed(range(_TRIES)):
            try:
                self._save_once(execution, taken)
                break
            except ConcurrentWriteError:
                # Somebody wrote at the same time: it is free a moment later.
                if not tries_left:
                    raise
        for step in taken:
            if self._saw is not None:
                self._saw(execution, step)

    def _save_once(self, execution: Execution, steps: tuple[Step, ...]) -> None:
        with self.begin():
            super().save(execution, steps)
            if execution.incident_id is None or not steps:
                return
            now_us = self._clock.now_us()
            changes = self._changes(execution, execution.incident_id, steps)
            self._incidents.apply(changes, recorded_us=now_us)
            self._tell(changes, now_us)
            for incident_id in changes.entries:
                matched_timers(self._incidents, incident_id, now_us=now_us, hours=self._hours)

    def _changes(self, execution: Execution, incident_id: str, steps: tuple[Step, ...]) -> Changes:
        entries = {incident_id: tuple(timeline_entry(execution, step) for step in steps)}
        if not execution.contains or not any(step.kind is StepKind.ENDED for step in steps):
            return Changes(entries=entries)
        incident = self._surviving(incident_id)
        if IncidentState.CONTAINED not in FORWARD[incident.state]:
            return Changes(entries=entries)
        contained = replace(incident, state=IncidentState.CONTAINED, version=incident.version + 1)
        entry = _contained_entry(execution, incident)
        entries[incident.id] = (*entries.get(incident.id, ()), entry)
        return Changes(incidents=(contained,), entries=entries)

    def _surviving(self, incident_id: str) -> Incident:
        """Return the incident, or the one that it was merged into meanwhile."""
        incident = self._incidents.find(incident_id)
        while incident.merged_into is not None:
            incident = self._incidents.find(incident.merged_into)
        return incident


def _contained_entry(execution: Execution, incident: Incident) -> TimelineEntry:
    at_us = execution.ended_us or 0
    agreed = [each.approver for each in execution.approvals]
    if execution.break_glass is not None:
        agreed.append(execution.break_glass.approver)
    return TimelineEntry(
        kind=EntryKind.CONTAINED,
        occurred_us=at_us,
        known_us=at_us,
        actor=MONITOR,
        body={
            "from": incident.state.value,
            "to": IncidentState.CONTAINED.value,
            "rollback": execution.id,
            "asked_by": execution.requested_by,
            "agreed": agreed,
            "text": execution.explanation,
        },
    )
