"""Silences and maintenance windows: what is recorded, but not told."""

import fnmatch
from collections.abc import Iterable
from dataclasses import dataclass, replace

from detectors.base import FailureMode
from monitor.incidents.model import Incident
from monitor.incidents.observations import Signal
from monitor.incidents.right_checks import check_right
from monitor.incidents.rights import Decision
from monitor.incidents.roles import People, Person, RefusedActError

__all__ = ["Silence", "check_silence", "ended", "muting"]

_LONGEST_US = 30 * 86_400_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Signals about which nobody is told for a while.

    Parameters
    ----------
    id
        A short name.
    owner, role
        Who answers for it, and in which role.
    reason
        Why.
    from_us, until_us
        From when until when; a maintenance window begins later than it is made.
    series, slice
        Patterns as of a shell; ``*`` is any.
    failure_mode
        Only signals of this kind; None: of any.
    created_us
        When it was made.
    ended_us, ended_by
        When it was ended before its time, and by whom.
    """

    id: str
    owner: str
    role: str
    reason: str
    from_us: int
    until_us: int
    series: str = "*"
    slice: str = "*"
    failure_mode: FailureMode | None = None
    created_us: int
    ended_us: int | None = None
    ended_by: str | None = None

    def is_on(self, now_us: int) -> bool:
        """Return whether it holds at a time."""
        end_us = self.until_us if self.ended_us is None else min(self.ended_us, self.until_us)
        return self.from_us <= now_us < end_us

    def is_to_come(self, now_us: int) -> bool:
        """Return whether it begins after a time."""
        return self.ended_us is None and now_us < self.from_us

    def covers(self, signal: Signal) -> bool:
        """Return whether a signal is one of those."""
        identity = signal.identity
        return (
            fnmatch.fnmatchcase(identity.series, self.series)
            and fnmatch.fnmatchcase(identity.slice, self.slice)
            and self.failure_mode in (None, identity.failure_mode)
        )


def muting(incident: Incident, silences: Iterable[Silence], now_us: int) -> Silence | None:
    """Return the silence that keeps an incident from being told; None: tell.

    Every signal that has not recovered must be covered. A fact that sets a floor is never
    muted, nor is what a person reported.
    """
    firing = [signal for signal in incident.own_signals if not signal.recovered]
    if incident.has_floor or not firing:
        return None
    on = [silence for silence in silences if silence.is_on(now_us)]
    found: list[Silence] = []
    for signal in firing:
        covering = next((silence for silence in on if silence.covers(signal)), None)
        if covering is None:
            return None
        found.append(covering)
    return min(found, key=lambda silence: (silence.until_us, silence.id))


def check_silence(silence: Silence, by: Person, people: People) -> None:
    """Refuse a silence that says too little, lasts too long, or is not theirs to make.

    Raises
    ------
    RefusedActError
        With what must hold.
    """
    check_right(Decision.SILENCE, by, None, people=people)
    if not silence.reason.strip():
        message = "a silence needs a reason, got none; say why with --reason"
        raise RefusedActError(message)
    if (silence.series, silence.slice, silence.failure_mode) == ("*", "*", None):
        message = (
            "a silence must name a series, a slice or a failure mode, got none; silence only "
            "what you mean"
        )
        raise RefusedActError(message)
    if not silence.created_us < silence.until_us or not silence.from_us < silence.until_us:
        message = "a silence must end in the future and after it begins; check --until"
        raise RefusedActError(message)
    if silence.until_us - silence.from_us > _LONGEST_US:
        message = "a silence must end within 30 days; change the tolerance if it is to last"
        raise RefusedActError(message)


def ended(silence: Silence, by: Person, now_us: int, people: People) -> Silence:
    """Return the silence ended before its time.

    Raises
    ------
    RefusedActError
        If it has ended already, or is not theirs to end.
    """
    check_right(Decision.SILENCE, by, None, people=people)
    if silence.ended_us is not None or silence.until_us <= now_us:
        message = f"the silence {silence.id[:12]!r} must be on to be ended, it has ended already"
        raise RefusedActError(message)
    return replace(silence, ended_us=now_us, ended_by=by.name)
