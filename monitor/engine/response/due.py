"""What is due: timers follow the incident, and tell when nobody acted in time."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from monitor.engine.notifying import Tell, tell_nobody
from monitor.incidents.anchors import head_hash
from monitor.incidents.grouping import Changes
from monitor.incidents.records import Record
from monitor.incidents.silences import muting
from monitor.incidents.timeline import EntryKind, RecordedEntry, TimelineEntry
from monitor.incidents.timers import (
    UNSEEN,
    NotificationRequest,
    Timer,
    TimerKind,
    timers_wanted,
)
from monitor.storage.errors import ConcurrentWriteError
from monitor.storage.incidents import IncidentRepository
from monitor.storage.store import Store

__all__ = ["fire_due_timers", "match_all_timers", "match_timers", "matched_timers"]

_LATE_US: Final = 60_000_000
_TRIES: Final = 5
_BEGUN: Final = frozenset(
    {
        EntryKind.OPENED,
        EntryKind.OPENED_BY_PERSON,
        EntryKind.REOPENED,
        EntryKind.MOVED_BACK,
    }
)
_SCREENED: Final = frozenset({EntryKind.CLOCK_SCREENED, EntryKind.CLOCK_DECIDED})


def matched_timers(
    incidents: IncidentRepository, incident_id: str, *, now_us: int
) -> tuple[Timer, ...]:
    """Create the timers that an incident needs now, cancel the others, and return what is left.

    Calling it again changes nothing, so it is safe after every act and every decision. It must
    be called inside a transaction: two programs that look at once would both create them.
    """
    incidents.take_turn()
    incident = incidents.find(incident_id)
    timeline = incidents.timeline(incident.id)
    timers = incidents.timers()
    pending = {(each.kind, each.step): each for each in timers.pending(incident.id)}
    fired = timers.fired_kinds(incident.id)
    begun_us = max((e.recorded_us for e in timeline if e.entry.kind in _BEGUN), default=0)
    fresh = not pending and all(at_us < begun_us for at_us in fired.values())
    # What nobody set a timer for yet has waited since it was opened, not since we looked.
    since_us = begun_us if fresh and incident.state in UNSEEN else now_us
    wanted: dict[tuple[TimerKind, int], Timer] = {}
    for timer in timers_wanted(incident, since_us):
        last = fired.get((timer.kind, timer.step, timer.tier))
        once = timer.kind is not TimerKind.UPDATE
        if once and last is not None and last >= begun_us:
            continue
        if timer.kind is TimerKind.LEGAL_SCREEN and _is_screened(timeline, begun_us):
            continue
        wanted[timer.kind, timer.step] = timer
    kept = {key: each for key, each in pending.items() if _still_right(each, wanted.get(key))}
    timers.cancel([each for key, each in pending.items() if key not in kept], at_us=now_us)
    timers.create([each for key, each in wanted.items() if key not in kept])
    return timers.pending(incident.id)


def match_timers(store: Store, monitor: str, incident_id: str, *, now_us: int) -> None:
    """Bring the timers of one incident in line with it, in a transaction of its own."""
    with store.begin():
        matched_timers(store.incidents(monitor), incident_id, now_us=now_us)


def match_all_timers(store: Store, monitor: str, *, now_us: int) -> None:
    """Do so for every incident that is being worked on: those of the monitor need it."""
    for incident in store.incidents(monitor).active():
        match_timers(store, monitor, incident.id, now_us=now_us)


def fire_due_timers(
    store: Store,
    monitor: str,
    *,
    now_us: int,
    lease_us: int = 60_000_000,
    tell: Tell = tell_nobody,
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
        requests += _fired_once(store, monitor, timers, now_us, tell)
    return tuple(sorted(requests, key=lambda each: each.timer.urgency))


def _fired_once(
    store: Store, monitor: str, timers: Sequence[Timer], now_us: int, tell: Tell
) -> list[NotificationRequest]:
    for _ in range(_TRIES - 1):
        try:
            with store.begin():
                return _fired(store.incidents(monitor), timers, now_us, tell)
        except ConcurrentWriteError:
            # Somebody wrote to the same timeline: it is free a moment later.
            continue
    with store.begin():
        return _fired(store.incidents(monitor), timers, now_us, tell)


def _fired(
    incidents: IncidentRepository, timers: Sequence[Timer], now_us: int, tell: Tell
) -> list[NotificationRequest]:
    incidents.take_turn()
    repository = incidents.timers()
    marked = [replace(each, late=now_us - each.due_us > _LATE_US) for each in timers]
    fired = [each for each in marked if repository.fired(each, at_us=now_us, late=each.late)]
    if not fired:
        return []
    incident = incidents.find(fired[0].incident_id)
    silence = muting(incident, incidents.silences().all(), now_us)
    entries = [_timer_entry(each, now_us) for each in fired]
    if silence is not None:
        body = {"silence": silence.id, "owner": silence.owner, "text": silence.reason}
        entries.append(_entry(EntryKind.SILENCED, now_us, now_us, body))
    incidents.append(incident.id, entries, recorded_us=now_us)
    tell(Changes(entries={incident.id: tuple(entries)}), now_us)
    matched_timers(incidents, incident.id, now_us=now_us)
    head = head_hash(incidents.timeline(incident.id))
    return [
        NotificationRequest(
            key=each.id,
            incident_id=incident.id,
            timer=each,
            muted_by=silence.id if silence else None,
            drill=incident.drill,
            head=head,
        )
        for each in fired
    ]


def _timer_entry(timer: Timer, now_us: int) -> TimelineEntry:
    body: Record = {
        "timer": timer.kind.value,
        "step": timer.step,
        "tier": timer.tier.value,
        "due_us": timer.due_us,
        "late": timer.late,
    }
    return _entry(EntryKind.TIMER_FIRED, timer.due_us, now_us, body)


def _still_right(pending: Timer, wanted: Timer | None) -> bool:
    if wanted is None or pending.tier is not wanted.tier:
        return False
    # A snooze pushes what is due beyond the end of the snooze; nothing else moves it.
    return wanted.not_before_us is None or pending.due_us >= wanted.not_before_us


def _is_screened(timeline: Sequence[RecordedEntry], since_us: int) -> bool:
    return any(e.entry.kind in _SCREENED and e.recorded_us >= since_us for e in timeline)


def _entry(kind: EntryKind, occurred_us: int, known_us: int, body: Record) -> TimelineEntry:
    return TimelineEntry(kind=kind, occurred_us=occurred_us, known_us=known_us, body=body)
