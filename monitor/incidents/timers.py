"""Until when somebody must have acted: acknowledge, decide, ask counsel, report, review."""

import datetime
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from monitor.incidents.model import ACTIVE, Incident, IncidentState
from monitor.incidents.suggestion import Tier

__all__ = [
    "PLAN",
    "UNSEEN",
    "NotificationRequest",
    "Timer",
    "TimerKind",
    "after_working_days",
    "timers_wanted",
]

_MINUTE: Final = 60_000_000
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
_SATURDAY: Final = 5


class TimerKind(StrEnum):
    """What is due."""

    ACKNOWLEDGE = "acknowledge"
    ESCALATE = "escalate"
    DECIDE_SEVERITY = "decide_severity"
    LEGAL_SCREEN = "legal_screen"
    UPDATE = "update"
    REVIEW = "review"


@dataclass(frozen=True, slots=True)
class _Wait:
    """A time to wait: by the clock, or in working days, Monday to Friday in UTC."""

    us: int = 0
    working_days: int = 0

    def end(self, start_us: int) -> int:
        """Return when the wait is over."""
        if self.working_days:
            return after_working_days(start_us, self.working_days)
        return start_us + self.us


PLAN: Final[Mapping[Tier, Mapping[TimerKind, tuple[_Wait, ...]]]] = {
    Tier.SEV1: {
        TimerKind.ACKNOWLEDGE: (_Wait(5 * _MINUTE),),
        TimerKind.ESCALATE: (_Wait(5 * _MINUTE), _Wait(10 * _MINUTE), _Wait(15 * _MINUTE)),
        TimerKind.DECIDE_SEVERITY: (_Wait(30 * _MINUTE),),
        TimerKind.LEGAL_SCREEN: (_Wait(_HOUR),),
        TimerKind.UPDATE: (_Wait(30 * _MINUTE),),
        TimerKind.REVIEW: (_Wait(working_days=5),),
    },
    Tier.SEV2: {
        TimerKind.ACKNOWLEDGE: (_Wait(15 * _MINUTE),),
        TimerKind.ESCALATE: (_Wait(15 * _MINUTE), _Wait(30 * _MINUTE)),
        TimerKind.DECIDE_SEVERITY: (_Wait(_HOUR),),
        TimerKind.LEGAL_SCREEN: (_Wait(4 * _HOUR),),
        TimerKind.UPDATE: (_Wait(_HOUR),),
        TimerKind.REVIEW: (_Wait(working_days=5),),
    },
    Tier.SEV3: {
        TimerKind.ACKNOWLEDGE: (_Wait(4 * _HOUR),),
        TimerKind.ESCALATE: (_Wait(_DAY),),
        TimerKind.DECIDE_SEVERITY: (_Wait(working_days=1),),
        TimerKind.UPDATE: (_Wait(_DAY),),
        TimerKind.REVIEW: (_Wait(working_days=10),),
    },
    Tier.SEV4: {TimerKind.ACKNOWLEDGE: (_Wait(working_days=1),)},
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
        What is due, and which repetition of it.
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


def timers_wanted(incident: Incident, since_us: int) -> tuple[Timer, ...]:
    """Return the timers that an incident needs as it stands.

    The time to acknowledge follows the tier that it could be as high as; everything else
    follows the tier that counts.

    Parameters
    ----------
    incident
        The incident.
    since_us
        From when on the waits are counted.
    """
    kinds: dict[TimerKind, Tier] = {}
    if incident.state in UNSEEN:
        kinds[TimerKind.ACKNOWLEDGE] = kinds[TimerKind.ESCALATE] = incident.highest
    if incident.is_active and incident.confirmed is None:
        kinds[TimerKind.DECIDE_SEVERITY] = incident.tier
    if incident.is_active:
        kinds[TimerKind.LEGAL_SCREEN] = incident.tier
    if incident.state in ACTIVE - UNSEEN:
        kinds[TimerKind.UPDATE] = incident.tier
    if incident.state is IncidentState.RESOLVED:
        kinds[TimerKind.REVIEW] = incident.tier
    return tuple(
        _timer(incident, kind, step, tier, since_us, wait)
        for kind, tier in kinds.items()
        for step, wait in enumerate(PLAN[tier].get(kind, ()), start=1)
    )


def after_working_days(start_us: int, days: int) -> int:
    """Return the same time of day so many working days later, Saturdays and Sundays left out.

    Examples
    --------
    >>> friday = 1_767_348_000_000_000  # 2026-01-02T10:00Z
    >>> (after_working_days(friday, 1) - friday) // 86_400_000_000
    3
    """
    end_us, left = start_us, days
    while left > 0:
        end_us += _DAY
        moment = datetime.datetime.fromtimestamp(end_us / 1_000_000, tz=datetime.UTC)
        if moment.weekday() < _SATURDAY:
            left -= 1
    return end_us


def _timer(
    incident: Incident, kind: TimerKind, step: int, tier: Tier, since_us: int, wait: _Wait
) -> Timer:
    due_us = wait.end(since_us)
    asleep_us = incident.snoozed_until_us
    if asleep_us is not None and (asleep_us <= since_us or incident.has_floor):
        asleep_us = None
    if asleep_us is not None:
        due_us = max(due_us, asleep_us)
    name = "\x1f".join((incident.id, kind, str(step), tier, str(since_us)))
    return Timer(
        id=hashlib.sha256(name.encode()).hexdigest(),
        incident_id=incident.id,
        kind=kind,
        step=step,
        tier=tier,
        created_us=since_us,
        due_us=due_us,
        not_before_us=asleep_us,
    )
