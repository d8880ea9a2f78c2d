"""What is due: timers follow the incident, and tell when nobody acted in time."""

from collections.abc import Sequence
from typing import Final

from monitor.engine.notifying import Tell, tell_nobody
from monitor.incidents.anchors import head_hash
from monitor.incidents.grouping import Changes
from monitor.incidents.records import Record
from monitor.incidents.silences import muting
from monitor.incidents.timeline import EntryKind, RecordedEntry, TimelineEntry
from monitor.incidents.timers import NotificationRequest, Timer, TimerKind, timers_wanted
from monitor.storage.incidents import IncidentRepository
from monitor.storage.store import Store

__all__ = ["fire_due_timers", "match_all_timers", "matched_timers"]

_LATE_US: Final = 60_000_000
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

    Calling it again changes nothing, so it is safe after every act and every decision.
    """
    incident = incidents.find(incident_id)
    timeline = incidents.timeline(incident.id)
    timers = incidents.timers()
    pending = {(each.kind, each.step): each for each in timers.pending(incident.id)}
    fired = timers.fired_kinds(incident.id)
    begun_us = max((e.recorded_us for e in timeline if e.entry.kind in _BEGUN), default=0)
    wanted: dict[tuple[TimerKind, int], Timer] = {}
    for timer in timers_wanted(incident, now_us):
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


def match_all_timers(incidents: IncidentRepository, *, now_us: int) -> None:
    """Do so for every incident that is being worked on: those of the monitor need it."""
    for incident in incidents.active():
        matched_timers(incidents, incident.id, now_us=now_us)


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
    A caller that dies in between lets its lease run out, and another one goes on. `tell` writes
    notices in the same transaction.
    """
    requests = []
    for timer in store.incidents(monitor).timers().claim(now_us=now_us, lease_us=lease_us):
        with store.begin():
            request = _fired(store.incidents(monitor), timer, now_us, tell)
        if request is not None:
            requests.append(request)
    return tuple(requests)


def _fired(
    incidents: IncidentRepository, timer: Timer, now_us: int, tell: Tell
) -> NotificationRequest | None:
    late = now_us - timer.due_us > _LATE_US
    if not incidents.timers().fired(timer, at_us=now_us, late=late):
        return None
    incident = incidents.find(timer.incident_id)
    silence = muting(incident, incidents.silences().all(), now_us)
    body: Record = {
        "timer": timer.kind.value,
        "step": timer.step,
        "tier": timer.tier.value,
        "due_us": timer.due_us,
        "late": late,
    }
    entries = [_entry(EntryKind.TIMER_FIRED, timer.due_us, now_us, body)]
    if silence is not None:
        body = {"silence": silence.id, "owner": silence.owner, "text": silence.reason}
        entries.append(_entry(EntryKind.SILENCED, now_us, now_us, body))
    incidents.append(incident.id, entries, recorded_us=now_us)
    tell(Changes(entries={incident.id: tuple(entries)}), now_us)
    matched_timers(incidents, incident.id, now_us=now_us)
    return NotificationRequest(
        key=timer.id,
        incident_id=incident.id,
        timer=timer,
        muted_by=silence.id if silence else None,
        drill=incident.drill,
        head=head_hash(incidents.timeline(incident.id)),
    )


def _still_right(pending: Timer, wanted: Timer | None) -> bool:
    if wanted is None or pending.tier is not wanted.tier:
        return False
    # A snooze pushes what is due beyond the end of the snooze; nothing else moves it.
    return wanted.not_before_us is None or pending.due_us >= wanted.not_before_us


def _is_screened(timeline: Sequence[RecordedEntry], since_us: int) -> bool:
    return any(e.entry.kind in _SCREENED and e.recorded_us >= since_us for e in timeline)


def _entry(kind: EntryKind, occurred_us: int, known_us: int, body: Record) -> TimelineEntry:
    return TimelineEntry(kind=kind, occurred_us=occurred_us, known_us=known_us, body=body)
