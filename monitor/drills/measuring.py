"""How long each step of a response took, beside the time that its tier allows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from monitor.incidents.awareness import AwarenessKind, awareness
from monitor.incidents.drafts.audiences import Audience
from monitor.incidents.model import Incident
from monitor.incidents.suggestion import Tier
from monitor.incidents.timeline import EntryKind, RecordedEntry
from monitor.incidents.timers import PLAN, TimerKind

__all__ = ["GOALS", "Milestone", "Reached", "Standing", "milestones"]

_MINUTE: Final = 60_000_000


class Milestone(StrEnum):
    """What a drill waits for."""

    DETECTED = "detected"
    ACKNOWLEDGED = "acknowledged"
    SEVERITY = "severity decided"
    LEGAL_SCREEN = "legal screen"
    ROLLBACK = "rollback verified"
    CONTAINED = "contained"
    DRAFT = "first draft approved"
    RESOLVED = "resolved"
    POST_MORTEM = "post-mortem begun"


class Standing(StrEnum):
    """How a milestone stands to its target."""

    IN_TIME = "in time"
    LATE = "late"
    NOT_YET = "not yet"
    NO_TARGET = "no target"


GOALS: Final[Mapping[Tier, Mapping[Milestone, int]]] = {
    Tier.SEV1: {Milestone.ROLLBACK: 60, Milestone.CONTAINED: 60, Milestone.DRAFT: 120},
    Tier.SEV2: {Milestone.ROLLBACK: 240, Milestone.CONTAINED: 240, Milestone.DRAFT: 480},
    Tier.SEV3: {Milestone.CONTAINED: 1_440},
    Tier.SEV4: {},
}
"""Minutes from the first signal for what no timer waits for: a starting point, like the timers."""

_TIMERS: Final = {
    Milestone.ACKNOWLEDGED: TimerKind.ACKNOWLEDGE,
    Milestone.SEVERITY: TimerKind.DECIDE_SEVERITY,
    Milestone.LEGAL_SCREEN: TimerKind.LEGAL_SCREEN,
    Milestone.POST_MORTEM: TimerKind.REVIEW,
}
_ENTRIES: Final[Mapping[Milestone, frozenset[EntryKind]]] = {
    Milestone.ACKNOWLEDGED: frozenset({EntryKind.ACKNOWLEDGED}),
    Milestone.SEVERITY: frozenset({EntryKind.SEVERITY_DECIDED}),
    Milestone.LEGAL_SCREEN: frozenset({EntryKind.CLOCK_SCREENED, EntryKind.CLOCK_DECIDED}),
    Milestone.ROLLBACK: frozenset({EntryKind.ROLLBACK_VERIFIED}),
    Milestone.CONTAINED: frozenset({EntryKind.CONTAINED}),
    Milestone.DRAFT: frozenset({EntryKind.DRAFT_APPROVED}),
    Milestone.RESOLVED: frozenset({EntryKind.RESOLVED}),
    Milestone.POST_MORTEM: frozenset({EntryKind.REVIEW_CHANGED}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """One milestone.

    Parameters
    ----------
    milestone
        Which.
    at_us
        When it was reached; None if it was not.
    took_us
        How long after the first signal, of the post-mortem after the resolution; for the
        detection after the earliest onset. None if it was not reached.
    target_us
        How long it may take; None if nothing is set.
    seq
        The entry of the timeline that shows it.
    """

    milestone: Milestone
    at_us: int | None = None
    took_us: int | None = None
    target_us: int | None = None
    seq: int | None = None

    @property
    def standing(self) -> Standing:
        """Return how it stands to its target."""
        if self.took_us is None:
            return Standing.NOT_YET
        if self.target_us is None:
            return Standing.NO_TARGET
        return Standing.IN_TIME if self.took_us <= self.target_us else Standing.LATE


def milestones(incident: Incident, timeline: Iterable[RecordedEntry]) -> tuple[Reached, ...]:
    """Return every milestone of an incident, reached or not.

    Times are taken from entries of the timeline and nowhere else, as known at the time.

    Parameters
    ----------
    incident, timeline
        The incident and its entries.
    """
    entries = sorted(timeline, key=lambda each: each.seq)
    times = {each.kind: each for each in awareness(entries)}
    signal, onset = times[AwarenessKind.FIRST_SIGNAL], times.get(AwarenessKind.ONSET_ESTIMATED)
    found = [
        Reached(
            milestone=Milestone.DETECTED,
            at_us=signal.from_us,
            took_us=None if onset is None else signal.from_us - onset.from_us,
            seq=signal.seq,
        )
    ]
    resolved_us: int | None = None
    for milestone, kinds in _ENTRIES.items():
        end = next((each for each in entries if _shows(each, kinds)), None)
        from_us = resolved_us if milestone is Milestone.POST_MORTEM else signal.from_us
        target_us = _target_us(milestone, incident, from_us)
        if end is None or from_us is None:
            found.append(Reached(milestone=milestone, target_us=target_us))
            continue
        at_us = end.entry.known_us
        if milestone is Milestone.RESOLVED:
            resolved_us = at_us
        found.append(
            Reached(
                milestone=milestone,
                at_us=at_us,
                took_us=at_us - from_us,
                target_us=target_us,
                seq=end.seq,
            )
        )
    return tuple(found)


def _shows(each: RecordedEntry, kinds: frozenset[EntryKind]) -> bool:
    if each.entry.kind not in kinds:
        return False
    # A note to those who work on it is no text that people outside wait for.
    return each.entry.body.get("subject") not in {Audience.STAFF.value, Audience.BOARD.value}


def _target_us(milestone: Milestone, incident: Incident, from_us: int | None) -> int | None:
    acknowledging = milestone is Milestone.ACKNOWLEDGED
    tier = incident.highest if acknowledging else incident.tier
    if milestone in _TIMERS:
        waits = PLAN[tier].get(_TIMERS[milestone], ())
        return None if not waits or from_us is None else waits[0].end(from_us) - from_us
    minutes = GOALS[tier].get(milestone)
    return None if minutes is None else minutes * _MINUTE
