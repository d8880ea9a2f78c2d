"""What every act has: who, why and when, and what comes of it."""

from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from monitor.incidents.model import Incident
from monitor.incidents.records import Record
from monitor.incidents.rights import Decision
from monitor.incidents.roles import People, Person
from monitor.incidents.suggestion import Tier
from monitor.incidents.timeline import Confidence, EntryKind, RecordedEntry, TimelineEntry

__all__ = ["Act", "Occasion", "Plain", "Step"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """Who acts, why, and when.

    Parameters
    ----------
    by
        Who acts.
    reason
        Why; most acts need one.
    now_us
        The time by the clock.
    second
        Who stands by the act, where it takes two.
    occurred_us
        When it happened, if before now: a claim.
    known_us
        When the actor knew, if before now: a claim.
    confidence
        How it is known.
    people
        Who may act.
    timeline
        What has been written down so far.
    """

    by: Person
    reason: str = ""
    now_us: int
    second: Person | None = None
    occurred_us: int | None = None
    known_us: int | None = None
    confidence: Confidence = Confidence.STATED
    people: People = field(default_factory=People)
    timeline: tuple[RecordedEntry, ...] = ()

    def entry(self, kind: EntryKind, body: Record) -> TimelineEntry:
        """Return an entry by the actor: `body` with role, reason, confidence and second person."""
        told: Record = {"role": self.by.role.value, "confidence": self.confidence.value, **body}
        if self.reason:
            told["reason"] = self.reason
        if self.second is not None:
            told["second"] = {"name": self.second.name, "role": self.second.role.value}
        known_us = self.now_us if self.known_us is None else self.known_us
        return TimelineEntry(
            kind=kind,
            occurred_us=known_us if self.occurred_us is None else self.occurred_us,
            known_us=known_us,
            actor=self.by.name,
            body=told,
        )

    @property
    def has_opened_evidence(self) -> bool:
        """Return whether the actor had looked at the evidence before."""
        return any(
            each.entry.kind is EntryKind.EVIDENCE_OPENED and each.entry.actor == self.by.name
            for each in self.timeline
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What an act makes of an incident."""

    incident: Incident
    kind: EntryKind
    body: Record = field(default_factory=dict)


class Act(Protocol):
    """Something that a person does to one incident.

    Attributes
    ----------
    needs_reason
        Whether it must say why.
    """

    needs_reason: ClassVar[bool]

    def decision(self) -> Decision:
        """Return what is decided by it."""
        ...

    def lowers(self, incident: Incident) -> bool:
        """Return whether the incident becomes milder by it."""
        ...

    def grave_tier(self, incident: Incident) -> Tier:
        """Return the tier that says whether it takes two."""
        ...

    def applied(self, incident: Incident, occasion: Occasion) -> Step:
        """Return what it makes of the incident.

        Raises
        ------
        RefusedActError
            If the rules do not allow it.
        """
        ...


class Plain:
    """An act that makes nothing milder and is as grave as its incident."""

    __slots__ = ()
    needs_reason: ClassVar[bool] = True

    def lowers(self, incident: Incident) -> bool:
        """Return that the incident does not become milder."""
        del incident
        return False

    def grave_tier(self, incident: Incident) -> Tier:
        """Return the tier of the incident."""
        return incident.tier
