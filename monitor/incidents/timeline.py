"""The timeline of an incident: what happened, when it was known, when it was written down."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise

from monitor.incidents.records import Record, canonical_json

__all__ = [
    "FIRST_PREV",
    "MONITOR",
    "Confidence",
    "EntryKind",
    "RecordedEntry",
    "TimelineEntry",
    "broken_links",
    "chained",
    "superseded",
]

MONITOR = "monitor"
"""The actor of everything that nobody did by hand."""

FIRST_PREV = "0" * 64
"""What the first entry of a timeline is chained to."""


class Confidence(StrEnum):
    """How an entry knows what it tells."""

    OBSERVED = "observed"
    STATED = "stated"
    ESTIMATED = "estimated"
    ALLEGED = "alleged"


class EntryKind(StrEnum):
    """What an entry tells; the monitor's kinds first, then those of people and of the program."""

    OPENED = "opened"
    SIGNAL_ADDED = "signal_added"
    SIGNAL_INHIBITED = "signal_inhibited"
    SIGNAL_RECOVERED = "signal_recovered"
    SIGNAL_RECURRED = "signal_recurred"
    SUGGESTION_RAISED = "suggestion_raised"
    RESOLUTION_PROPOSED = "resolution_proposed"
    RESOLUTION_WITHDRAWN = "resolution_withdrawn"
    REOPENED = "reopened"
    EVIDENCE_FROZEN = "evidence_frozen"
    EVIDENCE_SAMPLED = "evidence_sampled"
    SILENCED = "silenced"
    UNSILENCED = "unsilenced"
    NOTIFIED = "notified"
    NOTIFICATION_FAILED = "notification_failed"

    OPENED_BY_PERSON = "opened_by_person"
    EVIDENCE_OPENED = "evidence_opened"
    CONFIRMED = "confirmed"
    ACKNOWLEDGED = "acknowledged"
    CONTAINED = "contained"
    MONITORING = "monitoring"
    RESOLVED = "resolved"
    IN_REVIEW = "in_review"
    CLOSED = "closed"
    DISMISSED = "dismissed"
    MERGED = "merged"
    MERGED_FROM = "merged_from"
    LINKED = "linked"
    MOVED_BACK = "moved_back"
    SNOOZED = "snoozed"
    SEVERITY_DECIDED = "severity_decided"
    FACT_STATED = "fact_stated"
    FACT_WITHDRAWN = "fact_withdrawn"
    BELIEF_STATED = "belief_stated"
    DETERMINED = "determined"
    CAUSE_STATED = "cause_stated"
    CAUSAL_LINK_STATED = "causal_link_stated"
    HARM_STATED = "harm_stated"
    FINDING_SIGNED = "finding_signed"
    ROLE_ASSIGNED = "role_assigned"
    HANDED_OVER = "handed_over"
    NOTE = "note"
    ACTION_TAKEN = "action_taken"
    ACTION_ITEM = "action_item"
    ACTION_ITEM_DONE = "action_item_done"
    EFFECT_REVIEWED = "effect_reviewed"
    CORRECTED = "corrected"
    FLAGGED = "flagged"
    SEALED = "sealed"
    ERASED = "erased"
    ANCHORED = "anchored"

    TIMER_FIRED = "timer_fired"
    TIMER_CANCELLED = "timer_cancelled"

    ROLLBACK_OBSERVED = "rollback_observed"
    ROLLBACK_PLANNED = "rollback_planned"
    ROLLBACK_APPROVED = "rollback_approved"
    ROLLBACK_REFUSED = "rollback_refused"
    ROLLBACK_STEP = "rollback_step"
    ROLLBACK_APPLIED = "rollback_applied"
    ROLLBACK_VERIFIED = "rollback_verified"
    ROLLBACK_FAILED = "rollback_failed"
    ROLLBACK_ABORTED = "rollback_aborted"
    ROLLBACK_ARMED = "rollback_armed"
    ROLLBACK_DISARMED = "rollback_disarmed"

    DRAFT_CREATED = "draft_created"
    DRAFT_CHANGED = "draft_changed"
    DRAFT_SUBMITTED = "draft_submitted"
    DRAFT_APPROVED = "draft_approved"
    DRAFT_REJECTED = "draft_rejected"
    DRAFT_SENT = "draft_sent"
    DRAFT_WITHDRAWN = "draft_withdrawn"

    CLOCK_PROPOSED = "clock_proposed"
    CLOCK_SCREENED = "clock_screened"
    CLOCK_STARTED = "clock_started"
    CLOCK_DECIDED = "clock_decided"
    CLOCK_MET = "clock_met"
    CLOCK_MISSED = "clock_missed"
    CLOCK_STOPPED = "clock_stopped"

    REVIEW_STARTED = "review_started"
    REVIEW_CHANGED = "review_changed"
    REVIEW_PUBLISHED = "review_published"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """Something to write down; the timeline itself gives it a number and a hash.

    Parameters
    ----------
    kind
        What it tells.
    occurred_us
        When it happened in the world, a claim: for the monitor, the end of a window.
    known_us
        When the actor knew.
    actor
        Who: ``monitor``, or a person.
    body
        What there is to tell, as JSON. The keys ``role``, ``confidence``, ``supersedes``,
        ``reason`` and ``text`` mean the same in entries of every kind.
    """

    kind: EntryKind
    occurred_us: int
    known_us: int
    actor: str = MONITOR
    body: Record = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Return a sha256 of all but when it was known: the same thing is told once."""
        told = [self.kind, self.occurred_us, self.actor, self.body]
        return hashlib.sha256(canonical_json(told).encode()).hexdigest()

    @property
    def role(self) -> str | None:
        """Return the role in which the actor acted; None for the monitor."""
        role = self.body.get("role")
        return None if role is None else str(role)

    @property
    def confidence(self) -> Confidence:
        """Return how it is known: what the monitor says is observed, what people say stated."""
        said = self.body.get("confidence")
        if said is not None:
            return Confidence(said)
        return Confidence.OBSERVED if self.actor == MONITOR else Confidence.STATED

    @property
    def supersedes(self) -> int | None:
        """Return the number of the entry that it corrects, None if it corrects none."""
        number = self.body.get("supersedes")
        return None if number is None else int(number)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedEntry:
    """An entry in its place.

    Parameters
    ----------
    incident_id
        Whose timeline it is.
    seq
        Its number, from 1.
    entry
        What it tells.
    recorded_us
        When it was written down, by our clock.
    prev
        The hash of the entry before, `FIRST_PREV` for the first.
    hash
        A sha256 over all of the above.
    """

    incident_id: str
    seq: int
    entry: TimelineEntry
    recorded_us: int
    prev: str
    hash: str

    @property
    def expected_hash(self) -> str:
        """Return the hash that the contents give."""
        entry = self.entry
        content = {
            "incident_id": self.incident_id,
            "seq": self.seq,
            "kind": entry.kind,
            "occurred_us": entry.occurred_us,
            "known_us": entry.known_us,
            "recorded_us": self.recorded_us,
            "actor": entry.actor,
            "body": entry.body,
            "prev": self.prev,
        }
        return hashlib.sha256(canonical_json(content).encode()).hexdigest()


def chained(
    incident_id: str, entry: TimelineEntry, *, seq: int, recorded_us: int, prev: str
) -> RecordedEntry:
    """Return the entry in its place, with its hash."""
    place = RecordedEntry(
        incident_id=incident_id, seq=seq, entry=entry, recorded_us=recorded_us, prev=prev, hash=""
    )
    return RecordedEntry(
        incident_id=incident_id,
        seq=seq,
        entry=entry,
        recorded_us=recorded_us,
        prev=prev,
        hash=place.expected_hash,
    )


def broken_links(entries: Iterable[RecordedEntry]) -> tuple[int, ...]:
    """Return the numbers of the entries that do not follow from the ones before.

    It shows a change of single entries. Whoever rewrites the whole timeline, or cuts off its
    end, is found only by a hash that was kept elsewhere.
    """
    ordered = sorted(entries, key=lambda each: each.seq)
    broken = {each.seq for each in ordered if each.hash != each.expected_hash}
    if ordered and (ordered[0].seq != 1 or ordered[0].prev != FIRST_PREV):
        broken.add(ordered[0].seq)
    for before, after in pairwise(ordered):
        if after.seq != before.seq + 1 or after.prev != before.hash:
            broken.add(after.seq)
    return tuple(sorted(broken))


def superseded(entries: Iterable[RecordedEntry]) -> dict[int, int]:
    """Return which entries were corrected, each with the number of its latest correction.

    The text of a corrected entry stays where it is.
    """
    corrected: dict[int, int] = {}
    for each in sorted(entries, key=lambda each: each.seq):
        if (number := each.entry.supersedes) is not None:
            corrected[number] = each.seq
    return corrected
