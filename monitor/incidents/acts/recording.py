"""What people write down: free words and actions, statements, corrections, what they read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from monitor.incidents.acts.base import Occasion, Plain, Step
from monitor.incidents.model import Incident
from monitor.incidents.records import Record
from monitor.incidents.rights import Decision
from monitor.incidents.roles import RefusedActError
from monitor.incidents.timeline import MONITOR, EntryKind, RecordedEntry

__all__ = ["WRITTEN", "Correct", "OpenEvidence", "WriteDown", "has_seen_all"]

WRITTEN: Final[Mapping[EntryKind, Decision]] = {
    EntryKind.NOTE: Decision.RECORD,
    EntryKind.ACTION_TAKEN: Decision.RECORD,
    EntryKind.ACTION_ITEM: Decision.RECORD,
    EntryKind.ACTION_ITEM_DONE: Decision.RECORD,
    EntryKind.BELIEF_STATED: Decision.RECORD,
    EntryKind.FINDING_SIGNED: Decision.RECORD,
    EntryKind.DETERMINED: Decision.CONFIRM,
    EntryKind.CAUSE_STATED: Decision.CAUSE,
    EntryKind.CAUSAL_LINK_STATED: Decision.LEGAL_CLOCK,
    EntryKind.HARM_STATED: Decision.HARM,
}
"""The entries that people write in words, and what each of them decides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteDown(Plain):
    """Add an entry in a person's own words.

    Parameters
    ----------
    kind
        One of `WRITTEN`.
    text
        The words.
    details
        What else there is to tell, for example who does an action item and until when.
    """

    needs_reason: ClassVar[bool] = False

    kind: EntryKind = EntryKind.NOTE
    text: str
    details: Record | None = None

    def decision(self) -> Decision:
        """Return what is decided by it."""
        return WRITTEN.get(self.kind, Decision.RECORD)

    def applied(self, incident: Incident, occasion: Occasion) -> Step:
        """Return the incident as it is, with the words."""
        del occasion
        if self.kind not in WRITTEN:
            message = f"an entry of kind {self.kind.value!r} is written by its own act only"
            raise RefusedActError(message)
        if not self.text.strip():
            message = "an entry needs words, got none; say what happened"
            raise RefusedActError(message)
        return Step(
            incident=incident, kind=self.kind, body={**(self.details or {}), "text": self.text}
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Correct(Plain):
    """Correct an entry by a new one; the old text stays readable.

    Parameters
    ----------
    seq
        The number of the entry.
    text
        What holds instead.
    corrected_known_us
        When it was known in truth, if the entry says otherwise.
    withdrawn
        Whether the entry does not hold at all.
    """

    needs_reason: ClassVar[bool] = True

    seq: int
    text: str
    corrected_known_us: int | None = None
    withdrawn: bool = False

    def decision(self) -> Decision:
        """Return what is decided by it."""
        return Decision.RECORD

    def applied(self, incident: Incident, occasion: Occasion) -> Step:
        """Return the incident as it is, with the correction."""
        old = next((each for each in occasion.timeline if each.seq == self.seq), None)
        if old is None:
            message = (
                f"the timeline has {len(occasion.timeline)} entries, got number {self.seq}; "
                "see 'incident show'"
            )
            raise RefusedActError(message)
        if old.entry.actor == MONITOR and (self.withdrawn or self.corrected_known_us is not None):
            message = (
                f"what the monitor observed is not taken back, got entry {self.seq}; add a note "
                "that says what is wrong with it"
            )
            raise RefusedActError(message)
        body: Record = {"supersedes": self.seq, "corrects": old.hash, "text": self.text}
        if self.corrected_known_us is not None:
            if self.corrected_known_us > occasion.now_us:
                message = "what is known cannot have been known in the future; check the time"
                raise RefusedActError(message)
            body["known_us"] = self.corrected_known_us
        if self.withdrawn:
            body["withdrawn"] = True
        return Step(incident=incident, kind=EntryKind.CORRECTED, body=body)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenEvidence(Plain):
    """Note that a person looked at the evidence."""

    needs_reason: ClassVar[bool] = False

    def decision(self) -> Decision:
        """Return what is decided by it: nothing, it is recorded."""
        return Decision.RECORD

    def applied(self, incident: Incident, occasion: Occasion) -> Step:
        """Return the incident as it is."""
        del occasion
        return Step(incident=incident, kind=EntryKind.EVIDENCE_OPENED)


_SHOWN: Final = frozenset(
    {
        EntryKind.OPENED,
        EntryKind.OPENED_BY_PERSON,
        EntryKind.REOPENED,
        EntryKind.SIGNAL_ADDED,
        EntryKind.SIGNAL_RECURRED,
        EntryKind.SUGGESTION_RAISED,
    }
)


def has_seen_all(timeline: Iterable[RecordedEntry], name: str) -> bool:
    """Return whether a person has opened the evidence since something new was seen."""
    shown = looked = 0
    for each in timeline:
        if each.entry.kind in _SHOWN:
            shown = max(shown, each.seq)
        if each.entry.kind is EntryKind.EVIDENCE_OPENED and each.entry.actor == name:
            looked = max(looked, each.seq)
    return looked > shown
