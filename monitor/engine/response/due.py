"""What is due: timers follow the incident, and tell when nobody acted in time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from monitor.engine.notifying import Tell, tell_nobody
from monitor.incidents.anchors import head_hash
from monitor.incidents.business_hours import OFFICE_HOURS, BusinessHours
from monitor.incidents.grouping import Changes
from monitor.incidents.model import Incident
from monitor.incidents.promises import promised_timers, promises
from monitor.incidents.records import Record
from monitor.incidents.silences import Silence, muting
from monitor.incidents.suggestion import Tier
from monitor.incidents.timeline import EntryKind, RecordedEntry, TimelineEntry
from monitor.incidents.timers import (
    NEVER_MUTED,
    UNSEEN,
    NotificationRequest,
    Timer,
    TimerKind,
    timers_wanted,
)
from monitor.storage.errors import ConcurrentWriteError
from monitor.storage.incidents import IncidentRepository
from monitor.storage.store import Store

__all__ = [
    "fire_due_timers",
    "match_all_timers",
    "match_promises",
    "match_timers",
    "matched_timers",
]

_LATE_US: Final = 60_000_000
_TRIES: Final = 5
_MISSED: Final = EntryKind.CLOCK_MISSED
_BEGUN: Final = frozenset(
    {
        EntryKind.OPENED,
        EntryKind.OPENED_BY_PERSON,
        EntryKind.REOPENED,
        EntryKind.MOVED_BACK,
    }
)
_Fired = dict[tuple[TimerKind, int, Tier], int]
_DONE_BY: Final = {
    TimerKind.LEGAL_SCREEN: frozenset({EntryKind.CLOCK_SCREENED, EntryKind.CLOCK_DECIDED}),
    TimerKind.REVIEW: frozenset({EntryKind.REVIEW_PUBLISHED}),
}


def matched_timers(
    incidents: IncidentRepository,
    incident_id: str,
    *,
    now_us: int,
    hours: BusinessHours = OFFICE_HOURS,
) -> tuple[Timer, ...]:
    """Create the timers that an incident needs now, cancel the others, and return what is left.

    They follow from the incident and from its timeline: clocks that run, action items, reviews
    and promised updates are among them. Calling it again changes nothing, so it is safe after
    every act and every decision. It must be called inside a transaction: two programs that
    look at once would both create them.
    """
    incidents.take_turn()
    incident = incidents.find(incident_id)
    timeline = incidents.timeline(incident.id)
    timers = incidents.timers()
    pending = {(each.kind, each.step): each for each in timers.pending(incident.id)}
    fired = timers.fired_kinds(incident.id)
    wanted = {
        (each.kind, each.step): each
        for each in (
            *_of_state(incident, timeline, fired, bool(pending), now_us, hours),
            *promised_timers(incident, timeline, _last(fired), now_us=now_us, hours=hours),
        )
    }
    kept = {key: each for key, each in pending.items() if _still_right(each, wanted.get(key))}
    timers.cancel([each for key, each in pending.items() if key not in kept], at_us=now_us)
    timers.create([each for key, each in wanted.items() if key not in kept])
    return timers.pending(incident.id)


def _of_state(
    incident: Incident,
    timeline: Sequence[RecordedEntry],
    fired: _Fired,
    has_pending: bool,
    now_us: int,
    hours: BusinessHours,
) -> list[Timer]:
    """Return the timers that follow from how the incident stands, but for those that fired."""
    begun_us = max((e.recorded_us for e in timeline if e.entry.kind in _BEGUN), default=0)
    fresh = not has_pending and all(at_us < begun_us for at_us in fired.values())
    # What nobody set a timer for yet has waited since it was opened, not since we looked.
    since_us = begun_us if fresh and incident.state in UNSEEN else now_us
    wanted = []
    for timer in timers_wanted(incident, since_us, hours):
        last = fired.get((timer.kind, timer.step, timer.tier))
        once = timer.kind is not TimerKind.UPDATE
        if once and last is not None and last >= begun_us:
            continue
        done = _DONE_BY.get(timer.kind, frozenset())
        if any(e.entry.kind in done and e.recorded_us >= begun_us for e in timeline):
            continue
        wanted.append(timer)
    return wanted


def _last(fired: _Fired) -> dict[tuple[TimerKind, int], int]:
    # A promise that was told is not told again because the tier changed.
    last: dict[tuple[TimerKind, int], int] = {}
    for (kind, step, _), at_us in fired.items():
        last[kind, step] = max(at_us, last.get((kind, step), 0))
    return last


def match_timers(
    store: Store,
    monitor: str,
    incident_id: str,
    *,
    now_us: int,
    hours: BusinessHours = OFFICE_HOURS,
) -> None:
    """Bring the timers of one incident in line with it, in a transaction of its own."""
    with store.begin():
        matched_timers(store.incidents(monitor), incident_id, now_us=now_us, hours=hours)


def match_promises(
    store: Store,
    monitor: str,
    *,
    now_us: int,
    hours: BusinessHours = OFFICE_HOURS,
    stopped: Callable[[], bool] = lambda: False,
) -> None:
    """Bring timers in line with promises of incidents that nobody works on any more.

    Parameters
    ----------
    stopped
        Ends it early when it returns True.
    """
    incidents = store.incidents(monitor)
    for incident_id in incidents.keeping_promises():
        if stopped():
            return
        if promises(incidents.timeline(incident_id)):
            match_timers(store, monitor, incident_id, now_us=now_us, hours=hours)


def match_all_timers(
    store: Store, monitor: str, *, now_us: int, hours: BusinessHours = OFFICE_HOURS
) -> None:
    """Do so for every incident that is being worked on: those of the monitor need it."""
    for incident in store.incidents(monitor).active():
        match_timers(store, monitor, incident.id, now_us=now_us, hours=hours)


def fire_due_timers(
    store: Store,
    monitor: str,
    *,
    now_us: int,
    lease_us: int = 60_000_000,
    tell: Tell = tell_nobody,
    hours: BusinessHours = OFFICE_HOURS,
) -> tuple[NotificationRequest, ...]:
    """Write down what is due and return who is to be told, the worst first.

    Each timer fires once, also after the program was down for long; it is then marked late.
    What is due of one incident is written in one transaction and told once. A caller that dies
    in between lets its lease run out, and another one goes on. `tell` writes notices in the
    same transaction.
    """
    due = store.incidents(monitor).timers().claim(now_us=now_us, lease_us=lease_us)
    by_incident: dict[str, list[Timer]] = {}
    for timer in due:
        by_incident.setdefault(timer.incident_id, []).append(timer)
    requests: list[NotificationRequest] = []
    for timers in by_incident.values():
        requests += _fired_once(store, _Firing(monitor, now_us, tell, hours), timers)
    return tuple(sorted(requests, key=lambda each: each.timer.urgency))


@dataclass(frozen=True, slots=True)
class _Firing:
    """What is the same for all timers that fire at a time."""

    monitor: str
    now_us: int
    tell: Tell
    hours: BusinessHours


def _fired_once(
    store: Store, firing: _Firing, timers: Sequence[Timer]
) -> list[NotificationRequest]:
    for _ in range(_TRIES - 1):
        try:
            with store.begin():
                return _fired(store.incidents(firing.monitor), firing, timers)
        except ConcurrentWriteError:
            # Somebody wrote to the same timeline: it is free a moment later.
            continue
    with store.begin():
        return _fired(store.incidents(firing.monitor), firing, timers)


def _fired(
    incidents: IncidentRepository, firing: _Firing, timers: Sequence[Timer]
) -> list[NotificationRequest]:
    now_us = firing.now_us
    incidents.take_turn()
    repository = incidents.timers()
    marked = [replace(each, late=now_us - each.due_us > _LATE_US) for each in timers]
    fired = [each for each in marked if repository.fired(each, at_us=now_us, late=each.late)]
    if not fired:
        return []
    incident = incidents.find(fired[0].incident_id)
    silence = muting(incident, incidents.silences().all(), now_us)
    entries = _entries(fired, incidents.timeline(incident.id), silence, now_us)
    incidents.append(incident.id, entries, recorded_us=now_us)
    firing.tell(Changes(entries={incident.id: tuple(entries)}), now_us)
    matched_timers(incidents, incident.id, now_us=now_us, hours=firing.hours)
    head = head_hash(incidents.timeline(incident.id))
    return [
        NotificationRequest(
            key=each.id,
            incident_id=incident.id,
            timer=each,
            muted_by=silence.id if silence and each.kind not in NEVER_MUTED else None,
            drill=incident.drill,
            head=head,
        )
        for each in fired
    ]


def _entries(
    fired: Sequence[Timer],
    timeline: Sequence[RecordedEntry],
    silence: Silence | None,
    now_us: int,
) -> list[TimelineEntry]:
    """Return what is written of timers that fired, and of clocks that ended by it."""
    promised = {(each.kind, each.seq): each.text for each in promises(timeline)}
    missed = {e.entry.body["started_by"] for e in timeline if e.entry.kind is _MISSED}
    entries = []
    for timer in fired:
        body: Record = {
            "timer": timer.kind.value,
            "step": timer.step,
            "tier": timer.tier.value,
            "due_us": timer.due_us,
            "late": timer.late,
        }
        if (text := promised.get((timer.kind, timer.step))) is not None:
            body["text"] = text
        entries.append(_entry(EntryKind.TIMER_FIRED, timer.due_us, now_us, body))
        if timer.kind is TimerKind.CLOCK_ENDED and timer.step not in missed:
            body = {"started_by": timer.step, "text": text or ""}
            entries.append(_entry(_MISSED, timer.due_us, now_us, body))
    if silence is not None and any(each.kind not in NEVER_MUTED for each in fired):
        body = {"silence": silence.id, "owner": silence.owner, "text": silence.reason}
        entries.append(_entry(EntryKind.SILENCED, now_us, now_us, body))
    return entries


def _still_right(pending: Timer, wanted: Timer | None) -> bool:
    if wanted is None or pending.tier is not wanted.tier:
        return False
    # A snooze pushes what is due beyond the end of the snooze; nothing else moves it.
    return wanted.not_before_us is None or pending.due_us >= wanted.not_before_us


def _entry(kind: EntryKind, occurred_us: int, known_us: int, body: Record) -> TimelineEntry:
    return TimelineEntry(kind=kind, occurred_us=occurred_us, known_us=known_us, body=body)
