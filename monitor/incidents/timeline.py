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
    "EntryKind",
    "RecordedEntry",
    "TimelineEntry",
    "broken_links",
    "chained",
]

MONITOR = "monitor"
"""The actor of everything that nobody did by hand."""

FIRST_PREV = "0" * 64
"""What the first entry of a timeline is chained to."""


class EntryKind(StrEnum):
    """What an entry tells."""

    OPENED = "opened"
    SIGNAL_ADDED = "signal_added"
    SIGNAL_INHIBITED = "signal_inhibited"
    SIGNAL_RECOVERED = "signal_recovered"
    SIGNAL_RECURRED = "signal_recurred"
    SUGGESTION_RAISED = "suggestion_raised"
    RESOLUTION_PROPOSED = "resolution_proposed"
    RESOLUTION_WITHDRAWN = "resolution_withdrawn"
    REOPENED = "reopened"


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
        What there is to tell, as JSON.
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
