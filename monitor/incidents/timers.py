"""Until when somebody must have acted: acknowledge, decide, ask counsel, report, review."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from detectors.base import FailureMode
from monitor.incidents.business_hours import OFFICE_HOURS, BusinessHours
from monitor.incidents.facts import Fact
from monitor.incidents.model import Incident
from monitor.incidents.states import ACTIVE, IncidentState
from monitor.incidents.suggestion import Tier

__all__ = [
    "NEVER_MUTED",
    "PLAN",
    "UNSEEN",
    "NotificationRequest",
    "Timer",
    "TimerKind",
    "Wait",
    "may_concern_rights",
    "timer_id",
    "timers_wanted",
]

_MINUTE: Final = 60_000_000
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR


class TimerKind(StrEnum):
    """What is due."""

    ACKNOWLEDGE = "acknowledge"
    ESCALATE = "escalate"
    DECIDE_SEVERITY = "decide_severity"
    LEGAL_SCREEN = "legal_screen"
    UPDATE = "update"
    REVIEW = "review"
    CLOCK_HALF_OVER = "clock_half_over"
    CLOCK_ENDS_SOON = "clock_ends_soon"
    CLOCK_ENDED = "clock_ended"
    ACTION_ITEM = "action_item"
    EFFECT_AFTER_30_DAYS = "effect_after_30_days"
    EFFECT_AFTER_90_DAYS = "effect_after_90_days"
    BREAK_GLASS_REVIEW = "break_glass_review"
    PROMISED_UPDATE = "promised_update"


NEVER_MUTED: Final = frozenset(
    {TimerKind.CLOCK_HALF_OVER, TimerKind.CLOCK_ENDS_SOON, TimerKind.CLOCK_ENDED}
)
"""What a silence of signals does not keep from being told: a duty that counsel let run."""


@dataclass(frozen=True, slots=True)
class Wait:
    """A time to wait: by the clock, or in hours or days in which people are at work."""

    us: int = 0
    business_hours: int = 0
    business_days: int = 0

    def end(self, start_us: int, hours: BusinessHours = OFFICE_HOURS) -> int:
        """Return when the wait is over."""
        if self.business_days:
            return hours.days_later(start_us, self.business_days)
        if self.business_hours:
            return hours.hours_later(start_us, self.business_hours)
        return start_us + self.us


PLAN: Final[Mapping[Tier, Mapping[TimerKind, tuple[Wait, ...]]]] = {
    Tier.SEV1: {
        TimerKind.ACKNOWLEDGE: (Wait(5 * _MINUTE),),
        TimerKind.ESCALATE: (Wait(5 * _MINUTE), Wait(10 * _MINUTE), Wait(15 * _MINUTE)),
        TimerKind.DECIDE_SEVERITY: (Wait(30 * _MINUTE),),
        TimerKind.LEGAL_SCREEN: (Wait(_HOUR),),
        TimerKind.UPDATE: (Wait(30 * _MINUTE),),
        TimerKind.REVIEW: (Wait(business_days=5),),
    },
    Tier.SEV2: {
        TimerKind.ACKNOWLEDGE: (Wait(15 * _MINUTE),),
        TimerKind.ESCALATE: (Wait(15 * _MINUTE), Wait(30 * _MINUTE)),
        TimerKind.DECIDE_SEVERITY: (Wait(_HOUR),),
        TimerKind.LEGAL_SCREEN: (Wait(4 * _HOUR),),
        TimerKind.UPDATE: (Wait(_HOUR),),
        TimerKind.REVIEW: (Wait(business_days=5),),
    },
    Tier.SEV3: {
        TimerKind.ACKNOWLEDGE: (Wait(business_hours=4),),
        TimerKind.ESCALATE: (Wait(business_days=1),),
        TimerKind.DECIDE_SEVERITY: (Wait(business_days=1),),
        # Only where it may concern rights of persons: see `may_concern_rights`.
        TimerKind.LEGAL_SCREEN: (Wait(business_days=1),),
        TimerKind.UPDATE: (Wait(_DAY),),
        TimerKind.REVIEW: (Wait(business_days=10),),
    },
    Tier.SEV4: {TimerKind.ACKNOWLEDGE: (Wait(business_days=1),)},
}
"""How long each tier may wait. A starting point, like the weights of the severity."""

UNSEEN: Final = frozenset({IncidentState.CANDIDATE, IncidentState.OPEN})
"""The states in which nobody has said yet that they look after it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """Something that is due.

    Parameters
    ----------
    id
        A sha256: the same need makes the same timer.
    incident_id
        Of which incident.
    kind, step
        What is due, and which repetition of it; for a promise, the entry that made it.
    tier
        The tier it was set for.
    created_us, due_us
        Since when, and until when.
    late
        Whether it fired long after it was due.
    not_before_us
        The end of a snooze that it waits for.
    """

    id: str
    incident_id: str
    kind: TimerKind
    step: int
    tier: Tier
    created_us: int
    due_us: int
    late: bool = False
    not_before_us: int | None = None

    @property
    def urgency(self) -> tuple[int, int, str]:
        """Return a key that sorts the worst first, then the one that is due longest."""
        return (self.tier.rank, self.due_us, self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationRequest:
    """That somebody is to be told: data for whoever delivers.

    Parameters
    ----------
    key
        Tells deliveries apart: the same key is delivered once.
    incident_id
        About which incident.
    timer
        The timer that fired.
    muted_by
        The silence that keeps it from being sent; it is recorded all the same.
    drill
        Whether it is practice: it must not leave the building.
    head
        The hash of the last entry, to be printed with the message.
    """

    key: str
    incident_id: str
    timer: Timer
    muted_by: str | None = None
    drill: bool = False
    head: str


def timers_wanted(
    incident: Incident, since_us: int, hours: BusinessHours = OFFICE_HOURS
) -> tuple[Timer, ...]:
    """Return the timers that an incident needs as it stands.

    The time to acknowledge follows the tier that it could be as high as; everything else
    follows the tier that counts.

    Parameters
    ----------
    incident
        The incident.
    since_us
        From when on the waits are counted.
    hours
        When people are at work.
    """
    kinds: dict[TimerKind, Tier] = {}
    if incident.state in UNSEEN:
        kinds[TimerKind.ACKNOWLEDGE] = kinds[TimerKind.ESCALATE] = incident.highest
    if incident.is_active and incident.confirmed is None:
        kinds[TimerKind.DECIDE_SEVERITY] = incident.tier
    grave = incident.tier.rank <= Tier.SEV2.rank
    if incident.is_active and (grave or may_concern_rights(incident)):
        kinds[TimerKind.LEGAL_SCREEN] = incident.tier
    if incident.state in ACTIVE - UNSEEN:
        kinds[TimerKind.UPDATE] = incident.tier
    if incident.state in {IncidentState.RESOLVED, IncidentState.IN_REVIEW}:
        kinds[TimerKind.REVIEW] = incident.tier
    return tuple(
        _timer(incident, kind, step, tier, since_us, wait.end(since_us, hours))
        for kind, tier in kinds.items()
        for step, wait in enumerate(PLAN[tier].get(kind, ()), start=1)
    )


def may_concern_rights(incident: Incident) -> bool:
    """Return whether a protected group is worse off, or personal data was shown to others.

    Where nobody has said which attributes are protected, an incident of bias may.
    """
    if any(each.fact is Fact.DATA_SHOWN_TO_ANOTHER for each in incident.facts):
        return True
    told = [
        (each.suggestion.inputs or {}).get("protected_group_worse_off")
        for each in incident.own_signals
    ]
    if any(told):
        return True
    unknown = all(each is None for each in told)
    return incident.failure_mode is FailureMode.BIAS and unknown


def _timer(
    incident: Incident, kind: TimerKind, step: int, tier: Tier, since_us: int, due_us: int
) -> Timer:
    asleep_us = incident.snoozed_until_us
    if asleep_us is not None and (asleep_us <= since_us or incident.has_floor):
        asleep_us = None
    if asleep_us is not None:
        due_us = max(due_us, asleep_us)
    return Timer(
        id=timer_id(incident.id, kind, step, tier, since_us),
        incident_id=incident.id,
        kind=kind,
        step=step,
        tier=tier,
        created_us=since_us,
        due_us=due_us,
        not_before_us=asleep_us,
    )


def timer_id(incident_id: str, kind: TimerKind, step: int, tier: Tier, since_us: int) -> str:
    """Return the id of a timer: the same need, found at the same time, gives the same one."""
    name = "\x1f".join((incident_id, kind, str(step), tier, str(since_us)))
    return hashlib.sha256(name.encode()).hexdigest()
