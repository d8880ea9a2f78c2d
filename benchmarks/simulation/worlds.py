"""The three worlds: what varies from window to window while nothing changes."""

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import numpy.typing as npt

__all__ = ["DAY", "MONDAY_US", "WINDOW_US", "Conditions", "World", "conditions", "starts_us"]

Array = npt.NDArray[np.float64]

WINDOW_US = 300_000_000
"""Windows of five minutes."""

DAY = 288
"""Windows of a day."""

MONDAY_US = 4 * 86_400_000_000
"""Every simulated baseline begins on a Monday at 0:00."""

_SEASON = 0.1
_WOBBLE = 0.03
_PERSISTENCE = 0.9
_BURSTS = 0.001


class World(StrEnum):
    """How unkind the stream is.

    INDEPENDENT: 1,000 outputs in every window, all independent. UNEVEN: the same with 60
    outputs in a window at midnight and 1,600 at noon. SEASONAL: uneven traffic, a daily and a
    weekend rhythm, a wobble that lasts (autocorrelation 0.9), outputs that resemble each other
    within a window (correlation 0.001), and a burst of one window in a thousand.
    """

    INDEPENDENT = "independent"
    UNEVEN = "uneven traffic"
    SEASONAL = "seasonal, correlated, bursts"

    @property
    def correlation(self) -> float:
        """Return the correlation of two outputs of one window."""
        return 0.001 if self is World.SEASONAL else 0.0

    @property
    def baseline_windows(self) -> int:
        """Return windows of the baseline: 10,000 outputs, or 14 days."""
        return {World.INDEPENDENT: 10, World.UNEVEN: 48, World.SEASONAL: 14 * DAY}[self]

    def totals(self, first: int, n_windows: int) -> npt.NDArray[np.int64]:
        """Return the outputs of each window, of shape (n_windows,)."""
        if self is World.INDEPENDENT:
            return np.full(n_windows, 1_000, dtype=np.int64)
        hour = np.arange(first, first + n_windows) % DAY / DAY
        return np.rint(60 + 1_540 * (1 - np.cos(2 * np.pi * hour)) / 2).astype(np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What T windows of S series are drawn under.

    Parameters
    ----------
    first
        Number of the first window since Monday 0:00 of the baseline.
    totals
        Outputs of each window, of shape (T,).
    common
        Departure of the whole series from its mean, of shape (T, S), in standard deviations
        of a number or in log odds.
    apart
        Departure of one group from the others, of shape (T, S), in log odds.
    burst
        Windows that hold a burst, bool of shape (T, S).
    correlation
        Of two outputs of one window.
    """

    first: int
    totals: npt.NDArray[np.int64]
    common: Array
    apart: Array
    burst: npt.NDArray[np.bool_]
    correlation: float

    @property
    def n_windows(self) -> int:
        """Return T."""
        return len(self.totals)

    @property
    def n_series(self) -> int:
        """Return S."""
        return self.common.shape[1]

    def part(self, begin: int, end: int) -> "Conditions":
        """Return the windows from `begin` to before `end`."""
        return replace(
            self,
            first=self.first + begin,
            totals=self.totals[begin:end],
            common=self.common[begin:end],
            apart=self.apart[begin:end],
            burst=self.burst[begin:end],
        )


def conditions(
    world: World, n_series: int, n_windows: int, rng: np.random.Generator, *, first: int = 0
) -> Conditions:
    """Return what windows of a world are drawn under, baseline included."""
    shape = (n_windows, n_series)
    calm = np.zeros(shape)
    common, apart, burst = calm, calm, np.zeros(shape, dtype=np.bool_)
    if world is World.SEASONAL:
        window = np.arange(first, first + n_windows)
        weekend = window // DAY % 7 >= 5
        rhythm = 0.7 * np.sin(2 * np.pi * (window / DAY - 0.375)) + 0.3 * weekend
        strength = rng.uniform(0.5, 1.0, n_series) * rng.choice([-1, 1], n_series)
        common = _SEASON * rhythm[:, None] * strength + _wobble(shape, rng)
        apart = _wobble(shape, rng)
        burst = rng.random(shape) < _BURSTS
    return Conditions(
        first=first,
        totals=world.totals(first, n_windows),
        common=common,
        apart=apart,
        burst=burst,
        correlation=world.correlation,
    )


def starts_us(part: Conditions) -> list[int]:
    """Return the starts of the windows, microseconds."""
    return [MONDAY_US + (part.first + window) * WINDOW_US for window in range(part.n_windows)]


def _wobble(shape: tuple[int, int], rng: np.random.Generator) -> Array:
    steps = rng.normal(0.0, _WOBBLE * np.sqrt(1 - _PERSISTENCE**2), shape)
    steps[0] /= np.sqrt(1 - _PERSISTENCE**2)
    for window in range(1, shape[0]):
        steps[window] += _PERSISTENCE * steps[window - 1]
    return steps
