"""What changes of incidents are told of, and to whom: rows of the outbox, no network."""

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from monitor.config.model import Configuration
from monitor.config.notifying import NotifierSettings
from monitor.incidents.grouping import Changes
from monitor.incidents.model import Incident
from monitor.incidents.promises import unreviewed
from monitor.incidents.records import to_record
from monitor.incidents.silences import muting
from monitor.incidents.timeline import MONITOR, EntryKind, RecordedEntry, TimelineEntry
from monitor.incidents.timers import NEVER_MUTED
from monitor.notifiers.base import Notifier
from monitor.notifiers.notice import Notice, NoticeKind, notice_of
from monitor.printing import time_text
from monitor.storage.incidents import IncidentRepository
from monitor.storage.outbox import NewNotice, OutboxRepository
from monitor.storage.store import Store

__all__ = [
    "Muted",
    "Notifying",
    "NotifyingShelf",
    "Tell",
    "current_notice",
    "incident_shelf",
    "takes",
    "tell_nobody",
    "telling",
    "told_on",
]

Tell = Callable[[Changes, int], None]
"""Writes into the outbox what changes are told of, at a time in microseconds."""

Muted = Callable[[Incident, int], bool]
"""Says whether a silence applies to an incident at a time, microseconds."""

# The kinds of entries that are told.
_TOLD: Final[Mapping[EntryKind, NoticeKind]] = {
    EntryKind.OPENED: NoticeKind.OPENED,
    EntryKind.OPENED_BY_PERSON: NoticeKind.OPENED,
    EntryKind.REOPENED: NoticeKind.REOPENED,
    EntryKind.SUGGESTION_RAISED: NoticeKind.SUGGESTION_RAISED,
    EntryKind.TIMER_FIRED: NoticeKind.TIMER_FIRED,
    EntryKind.RESOLVED: NoticeKind.FINISHED,
    EntryKind.DISMISSED: NoticeKind.FINISHED,
    EntryKind.MERGED: NoticeKind.FINISHED,
    EntryKind.ACKNOWLEDGED: NoticeKind.ACKNOWLEDGED,
    EntryKind.RESOLUTION_PROPOSED: NoticeKind.RESOLUTION_PROPOSED,
    EntryKind.ROLLBACK_FAILED: NoticeKind.ROLLBACK_FAILED,
    EntryKind.ROLLBACK_VERIFIED: NoticeKind.ROLLED_BACK,
}
# The most urgent first.
_URGENCY: Final = {
    kind: rank
    for rank, kind in enumerate(
        (
            NoticeKind.BREAK_GLASS,
            NoticeKind.OPENED,
            NoticeKind.REOPENED,
            NoticeKind.SUGGESTION_RAISED,
            NoticeKind.ROLLBACK_FAILED,
            NoticeKind.TIMER_FIRED,
            NoticeKind.FINISHED,
            NoticeKind.ROLLED_BACK,
            NoticeKind.BREAK_GLASS_REVIEWED,
            NoticeKind.ACKNOWLEDGED,
            NoticeKind.RESOLUTION_PROPOSED,
        )
    )
}


def takes(notifier: Notifier, incident: Incident) -> bool:
    """Return whether an incident is told on a channel.

    Practice is told only where that is asked for.
    """
    if incident.drill and not notifier.drill:
        return False
    if notifier.failure_modes and incident.failure_mode not in notifier.failure_modes:
        return False
    return incident.tier.rank <= notifier.min_tier.rank


@dataclass(frozen=True, slots=True, kw_only=True)
class Notifying:
    """Writes what is to be told into the outbox.

    Parameters
    ----------
    outbox
        Of the monitor whose incidents these are.
    settings
        The channels.
    muted
        Which incidents are silenced; it is not asked about those with a floor under their tier.
    """

    outbox: OutboxRepository
    incidents: IncidentRepository
    settings: NotifierSettings
    muted: Muted

    def __call__(self, changes: Changes, now_us: int) -> None:
        """Write what changes are told of; call it in their transaction, once they are stored."""
        for incident_id, entries in changes.entries.items():
            if (found := _most_urgent(entries)) is not None:
                incident = self.incidents.find(incident_id)
                self.outbox.put(self._notices(incident, *found, now_us), now_us=now_us)

    def _notices(
        self, incident: Incident, kind: NoticeKind, entry: TimelineEntry, now_us: int
    ) -> list[NewNotice]:
        # What ends elsewhere must end there, silence or not.
        mutable = kind.is_news and not kind.is_for_everybody and not incident.has_floor
        if mutable and not _is_duty(entry) and self.muted(incident, now_us):
            return []
        channels = [each for each in self.settings.channels if self._is_told(each, incident, kind)]
        if not channels:
            return []
        notice = current_notice(
            self.incidents,
            incident,
            kind,
            now_us,
            note=_note(entry),
            alone=self._alone(incident, kind, entry),
            base_url=self.settings.base_url,
        )
        return [
            NewNotice(
                id=_id(each.channel, incident.id, kind, entry.key),
                incident_id=incident.id,
                kind=kind,
                channel=each.channel,
                body=to_record(notice),
            )
            for each in channels
        ]

    def _alone(
        self, incident: Incident, kind: NoticeKind, entry: TimelineEntry
    ) -> tuple[str, ...]:
        if kind in (NoticeKind.BREAK_GLASS, NoticeKind.BREAK_GLASS_REVIEWED):
            return (str(entry.body.get("rollback")),)
        if kind is NoticeKind.FINISHED:
            return tuple(unreviewed(self.incidents.timeline(incident.id)))
        return ()

    def _is_told(self, notifier: Notifier, incident: Incident, kind: NoticeKind) -> bool:
        if incident.drill and not notifier.drill:
            return False
        if kind.is_for_everybody or (kind.is_news and takes(notifier, incident)):
            return True
        # A milder tier than the channel takes, or no news: only where it was told before.
        if self.outbox.was_told(incident.id, notifier.channel):
            return True
        # The outbox is tidied up, timelines are not.
        return bool(told_on(self.incidents.timeline(incident.id), notifier.channel))


def told_on(timeline: Iterable[RecordedEntry], channel: str) -> list[TimelineEntry]:
    """Return the entries that say what was delivered on a channel, in order."""
    return [
        each.entry
        for each in timeline
        if each.entry.kind is EntryKind.NOTIFIED and each.entry.body.get("channel") == channel
    ]


def current_notice(
    incidents: IncidentRepository,
    incident: Incident,
    kind: NoticeKind,
    now_us: int,
    *,
    note: str = "",
    base_url: str = "",
    alone: tuple[str, ...] = (),
) -> Notice:
    """Return what is told of an incident as it is stored now."""
    last = incidents.timeline(incident.id)[-1]
    return notice_of(
        incident,
        kind,
        told_us=now_us,
        seq=last.seq,
        head=last.hash,
        note=note,
        base_url=base_url.rstrip("/"),
        alone=alone,
    )


@dataclass(frozen=True, slots=True)
class NotifyingShelf:
    """Keeps incidents in the database and what is told of them in the outbox, in one step."""

    _store: Store
    _incidents: IncidentRepository
    _tell: Tell

    def active(self) -> tuple[Incident, ...]:
        """Return the incidents that breaches can join."""
        return self._incidents.active()

    def holding(self, fingerprints: Collection[str]) -> tuple[Incident, ...]:
        """Return the incidents, of whatever state, that ever held one of these signals."""
        return self._incidents.holding(fingerprints)

    def apply(self, changes: Changes, *, recorded_us: int) -> tuple[Incident, ...]:
        """Keep changed incidents and what is told of them, all or nothing."""
        with self._store.begin():
            stored = self._incidents.apply(changes, recorded_us=recorded_us)
            self._tell(changes, recorded_us)
        return stored


def tell_nobody(_changes: Changes, _now_us: int) -> None:
    """Write nothing: there are no channels."""


def telling(store: Store, configuration: Configuration, monitor: str) -> Tell:
    """Return what writes down whom changes of a monitor's incidents are told to.

    What a silence covers is told to nobody.
    """
    if not configuration.notifiers.channels:
        return tell_nobody
    incidents = store.incidents(monitor)

    def muted(incident: Incident, now_us: int) -> bool:
        return muting(incident, incidents.silences().all(), now_us) is not None

    return Notifying(
        outbox=OutboxRepository(store, monitor),
        incidents=incidents,
        settings=configuration.notifiers,
        muted=muted,
    )


def incident_shelf(
    store: Store, configuration: Configuration, monitor: str
) -> NotifyingShelf | IncidentRepository:
    """Return where a monitor keeps its incidents, so that what happens is told too."""
    incidents = store.incidents(monitor)
    if not configuration.notifiers.channels:
        return incidents
    return NotifyingShelf(store, incidents, telling(store, configuration, monitor))


def _most_urgent(entries: Iterable[TimelineEntry]) -> tuple[NoticeKind, TimelineEntry] | None:
    told = [(kind, entry) for entry in entries if (kind := _notice_kind(entry)) is not None]
    # What a law lets run is told before what is our own, and no silence covers it.
    return min(told, key=lambda each: (_URGENCY[each[0]], not _is_duty(each[1])), default=None)


def _notice_kind(entry: TimelineEntry) -> NoticeKind | None:
    """Return why people are told of an entry, None if they are not."""
    step = entry.body.get("step")
    if entry.kind is EntryKind.ROLLBACK_APPROVED and step == "break_glass":
        return NoticeKind.BREAK_GLASS
    if entry.kind is EntryKind.ROLLBACK_STEP and step == "reviewed":
        return NoticeKind.BREAK_GLASS_REVIEWED
    # What a person gave up is known to them; what the monitor gave up waits for somebody.
    by_itself = entry.kind is EntryKind.ROLLBACK_ABORTED and entry.actor == MONITOR
    if by_itself or (entry.kind is EntryKind.ROLLBACK_REFUSED and step == "ended"):
        return NoticeKind.ROLLBACK_FAILED
    return _TOLD.get(entry.kind)


def _is_duty(entry: TimelineEntry) -> bool:
    return entry.kind is EntryKind.TIMER_FIRED and entry.body.get("timer") in NEVER_MUTED


def _note(entry: TimelineEntry) -> str:
    """Return what a timer waited for and since when, or what came of a rollback."""
    body = entry.body
    if entry.kind is EntryKind.TIMER_FIRED and body.get("text"):
        return str(body["text"])
    if entry.kind is EntryKind.TIMER_FIRED:
        timer = str(body.get("timer", "")).replace("_", " ")
        return f"{timer} was due at {time_text(body.get('due_us'))}"
    if "rollback" not in body or "plan" not in body:
        return ""
    if body.get("step") == "break_glass":
        return f"{entry.actor} carries out {body['plan']!r} without a second person"
    if body.get("step") == "reviewed":
        return f"{entry.actor} has reviewed {body['plan']!r}"
    said = body.get("explanation") or body.get("reason") or ""
    return f"rollback {body['plan']!r}: {said}".rstrip(": ")


def _id(channel: str, incident_id: str, kind: NoticeKind, key: str) -> str:
    # The key of the entry, not the head of the timeline: done again, it is the same notice.
    parts = (channel, incident_id, kind.value, key)
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
