"""What became of one incident, for looking back: suggestion, decision, and how long it took."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from detectors.base import FailureMode
from monitor.incidents.model import Incident
from monitor.incidents.postmortem.metrics import Duration, durations
from monitor.incidents.states import IncidentState
from monitor.incidents.suggestion import Tier
from monitor.incidents.timeline import EntryKind, RecordedEntry

__all__ = ["Case", "DecidedTier", "case_of"]

_OPENED: Final = frozenset({EntryKind.OPENED, EntryKind.OPENED_BY_PERSON})
_CONFIRMING: Final = frozenset({EntryKind.CONFIRMED, EntryKind.SEVERITY_DECIDED})


@dataclass(frozen=True, slots=True, kw_only=True)
class DecidedTier:
    """A person's latest decision about the tier, and what was suggested to them."""

    suggested: Tier
    decided: Tier

    @property
    def overridden(self) -> int:
        """Return by how many tiers a person decided graver, negative: milder, 0: as suggested."""
        return self.suggested.rank - self.decided.rank


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One incident, looked back at.

    Parameters
    ----------
    known_us
        When its first signal was known, or a person reported it.
    first
        What was suggested as it opened.
    decision
        What a person decided about the tier; None if nobody did.
    final
        The tier that counted once its review was published or it was closed; None before.
    sev4_us
        How long it counted as SEV4, from its opening on, before something raised it; None if
        it did not begin as SEV4 or was never raised.
    n_confirmations, n_evidence_opened
        Confirmations and decisions about the tier, and those by somebody who had opened the
        evidence before.
    durations
        How long its steps took.
    """

    id: str
    number: int | None
    title: str
    failure_mode: FailureMode
    state: IncidentState
    drill: bool
    known_us: int
    first: Tier
    decision: DecidedTier | None
    final: Tier | None
    sev4_us: int | None
    n_confirmations: int
    n_evidence_opened: int
    durations: tuple[Duration, ...]

    @property
    def dismissed(self) -> bool:
        """Return whether a person dismissed it as false."""
        return self.state is IncidentState.DISMISSED


def case_of(incident: Incident, timeline: Iterable[RecordedEntry]) -> Case:
    """Return what became of an incident, from its entries; nothing else is taken for granted.

    Parameters
    ----------
    incident
        As it is now.
    timeline
        Its entries.
    """
    entries = sorted(timeline, key=lambda each: each.seq)
    opening = next((each for each in entries if each.entry.kind in _OPENED), None)
    first = incident.suggestion.tier if opening is None else _first(opening)
    known_us = incident.first_window.end_us if opening is None else opening.entry.known_us
    confirmed = [each for each in entries if each.entry.kind in _CONFIRMING]
    return Case(
        id=incident.id,
        number=incident.number,
        title=incident.title,
        failure_mode=incident.failure_mode,
        state=incident.state,
        drill=incident.drill,
        known_us=known_us,
        first=first,
        decision=_decision(entries),
        final=_final(incident, entries),
        sev4_us=_at_sev4(first, known_us, entries),
        n_confirmations=len(confirmed),
        n_evidence_opened=sum(_had_opened(each, entries) for each in confirmed),
        durations=durations(entries),
    )


def _first(opening: RecordedEntry) -> Tier:
    body = opening.entry.body
    return Tier(body["suggestion"]["tier"] if "suggestion" in body else body["tier"])


def _decision(entries: Sequence[RecordedEntry]) -> DecidedTier | None:
    bodies = [e.entry.body for e in entries if e.entry.kind is EntryKind.SEVERITY_DECIDED]
    if not bodies:
        return None
    latest = bodies[-1]
    return DecidedTier(suggested=Tier(latest["suggested"]), decided=Tier(latest["decided"]))


def _final(incident: Incident, entries: Sequence[RecordedEntry]) -> Tier | None:
    published = any(each.entry.kind is EntryKind.REVIEW_PUBLISHED for each in entries)
    if published or incident.state is IncidentState.CLOSED:
        return incident.tier
    return None


def _had_opened(confirming: RecordedEntry, entries: Iterable[RecordedEntry]) -> bool:
    return any(
        each.seq < confirming.seq
        and each.entry.kind is EntryKind.EVIDENCE_OPENED
        and each.entry.actor == confirming.entry.actor
        for each in entries
    )


def _at_sev4(first: Tier, known_us: int, entries: Iterable[RecordedEntry]) -> int | None:
    if first is not Tier.SEV4:
        return None
    decided = False
    for each in entries:
        body = each.entry.body
        tier: Tier | None = None
        match each.entry.kind:
            case EntryKind.SUGGESTION_RAISED if not decided:
                tier = Tier(body["to"]["tier"])
            case EntryKind.SEVERITY_DECIDED:
                # From now on what is suggested does not count.
                decided, tier = True, Tier(body["decided"])
            case EntryKind.FACT_STATED:
                tier = Tier(body["after"])
        if tier is not None and tier is not Tier.SEV4:
            return max(0, each.entry.known_us - known_us)
    return None
