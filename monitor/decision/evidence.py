"""What the evidence says of one series after a window."""

from dataclasses import dataclass
from enum import StrEnum

from baselines.summary import WindowKey
from detectors.base import Direction, Estimate

__all__ = ["Calibration", "DatedChange", "Evidence", "EvidenceEvent", "Onset", "Shadow"]


class EvidenceEvent(StrEnum):
    """What a window did to a series."""

    NONE = "none"
    ALARM = "alarm"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shadow:
    """Why a series is watched without alarms.

    Parameters
    ----------
    n_windows
        Windows of its own that the baseline has.
    needed
        Windows that it takes to know how much the series normally varies.
    loud
        Whether there were enough, and they are not quiet at any tolerance.
    """

    n_windows: int
    needed: int
    loud: bool = False

    @property
    def sentence(self) -> str:
        """Return the reason in words."""
        if self.loud:
            return (
                "in shadow: not covered by the budget of false alarms, because the baseline's own "
                "windows are not quiet at any tolerance tried: they hold an incident, or this "
                "series cannot be watched in windows this long; to be told all the same, without "
                "that guarantee, write 'rule: threshold'"
            )
        return (
            f"in shadow: the baseline has {self.n_windows} windows of this series, "
            f"{self.needed} are needed to know how much it normally varies"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What the baseline's own windows say of a series.

    Parameters
    ----------
    n_windows
        Windows that were replayed.
    correlation
        Of two outputs of one window: 0 for independent outputs.
    widened
        What the tolerance was multiplied by until the baseline's own windows were quiet.
    floor
        The tolerance that the baseline's size allows, if it is above the one asked for.
    quiet
        Whether the replay was quiet in the end; if not, the series goes into shadow.
    standing
        Whether the departure is there in the baseline itself: it is not widened away.
    """

    n_windows: int
    correlation: float
    widened: float = 1.0
    floor: float | None = None
    quiet: bool = True
    standing: bool = False

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what was raised and what could not be had, in words."""
        notes: list[str] = []
        if self.floor is not None:
            notes.append(
                f"the baseline is too small for the tolerance asked for; {self.floor:.3g} is used"
            )
        if self.widened > 1:
            notes.append(
                f"this series swings in the baseline itself: its tolerance is taken "
                f"{self.widened:g} times as wide"
            )
        if self.standing:
            notes.append("as measured in the baseline itself, the gap is beyond tolerance already")
        return tuple(notes)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatedChange:
    """The onset of a change, in windows of the series before the last one.

    Parameters
    ----------
    windows_ago, earliest, latest
        The likeliest window, and the plausible range: 0 is the last window.
    n_windows
        Windows with outputs from the likeliest one on.
    may_be_older
        Whether the range reaches the first window that is remembered.
    """

    windows_ago: int
    earliest: int
    latest: int
    n_windows: int
    may_be_older: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Onset:
    """The same as windows, with the outputs that they concern.

    Parameters
    ----------
    window, earliest, latest
        The window in which the change most likely began, and the plausible range.
    n_windows
        Windows with outputs from `window` on, the one of the alarm included.
    n_exposed
        Outputs concerned from `window` until before the window of the alarm.
    may_be_older
        Whether `earliest` is only the first window that is remembered.
    """

    window: WindowKey
    earliest: WindowKey
    latest: WindowKey
    n_windows: int
    n_exposed: int
    may_be_older: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Where one series stands.

    Parameters
    ----------
    event
        What the window did.
    firing
        Whether the series fires after it.
    seen
        Whether the window had outputs to judge.
    log_r, log_threshold
        Evidence of a change and what an alarm takes, in nats; the evidence rests while the
        series fires.
    log_return, log_return_threshold
        Evidence that a firing series is back within tolerance, and what it takes.
    change, onset
        When the change of an alarm began; None without one, `onset` also while the windows
        are not known by their keys.
    least_windows
        Windows that an alarm rests on at least, those that were learned from included.
    departure
        The departure since the onset in multiples of the tolerance; None for kinds that
        measure none.
    direction
        Which way the series went.
    """

    event: EvidenceEvent
    firing: bool
    seen: bool
    log_r: float
    log_threshold: float
    log_return: float
    log_return_threshold: float
    change: DatedChange | None = None
    onset: Onset | None = None
    least_windows: int = 2
    departure: Estimate | None = None
    direction: Direction = Direction.NONE

    @property
    def recovering(self) -> bool:
        """Return whether half of the evidence of a return is there."""
        return self.firing and self.log_return >= self.log_return_threshold / 2

    @property
    def leaning(self) -> bool:
        """Return whether the evidence is within a thirtieth of an alarm."""
        return not self.firing and self.log_r >= self.log_threshold - _LN_30


_LN_30 = 3.4011973816621555
