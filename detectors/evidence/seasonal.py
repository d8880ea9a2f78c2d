"""A baseline for every hour of the day, weekdays and weekends apart.

Daily rhythm is normal. Comparing each window with its own hour takes it out of what has to be
tolerated; hours with few events lean on the whole baseline.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detectors.evidence.beta_binomial import Array
from detectors.evidence.total_variation import smoothed_shares

__all__ = ["N_CELLS", "SeasonalShares", "cell_of", "seasonal_shares"]

N_CELLS = 48
"""Hours of a weekday, then hours of a weekend day."""

_PRIOR_EVENTS = 2000
_LEAST_WINDOWS = 20
_HOUR_US = 3_600_000_000

Counts = npt.NDArray[np.int64]


def cell_of(start_us: npt.ArrayLike, utc_offset_seconds: int = 0) -> npt.NDArray[np.int64]:
    """Return which cell of the week windows belong to, by their start: 0 to 47.

    Parameters
    ----------
    start_us
        Microseconds since 1970-01-01T00:00Z, integers of any shape.
    utc_offset_seconds
        Of the traffic's local time.

    Examples
    --------
    >>> monday_noon, saturday_one = 4 * 86_400 + 12 * 3_600, 2 * 86_400 + 3_600
    >>> cell_of(np.array([monday_noon, saturday_one]) * 1_000_000)
    array([12, 25])
    """
    hours = (np.asarray(start_us, dtype=np.int64) + utc_offset_seconds * 1_000_000) // _HOUR_US
    # 1970-01-01 was a Thursday: three days after a Monday.
    weekday = (hours // 24 + 3) % 7
    return np.asarray(np.where(weekday >= 5, 24, 0) + hours % 24, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SeasonalShares:
    """Baseline shares by cell of the week.

    Parameters
    ----------
    shares
        Of shape (N_CELLS, ..., B).
    own
        Which cells have shares of their own, bool of shape (N_CELLS,).
    """

    shares: Array
    own: npt.NDArray[np.bool_]

    def at(self, start_us: npt.ArrayLike, utc_offset_seconds: int = 0) -> Array:
        """Return the shares of windows that start at `start_us`; see `cell_of`."""
        chosen: Array = self.shares[cell_of(start_us, utc_offset_seconds)]
        return chosen


def seasonal_shares(counts: Counts, cells: npt.NDArray[np.int64]) -> SeasonalShares:
    """Return the baseline shares of every cell of the week.

    ``(n_cell + 2000 p0) / (N_cell + 2000)``, p0 being the smoothed shares of all windows; p0
    itself for cells with fewer than 20 windows.

    Parameters
    ----------
    counts
        Of the baseline's windows, of shape (K, B) or (K, S, B). For a rate, B = 2: events and
        the other outputs.
    cells
        Of the windows, of shape (K,).

    Raises
    ------
    ValueError
        If there is no window, or not one cell for each.

    Examples
    --------
    >>> counts = np.tile([[30, 70], [10, 90]], (20, 1))
    >>> seasonal_shares(counts, np.tile([3, 4], 20)).shares[[3, 4, 5], 0].round(2)
    array([0.25, 0.15, 0.2 ])
    """
    if len(counts) == 0 or cells.shape != (len(counts),):
        message = (
            f"every window needs one cell, got {len(counts)} windows and cells of shape "
            f"{cells.shape!r}"
        )
        raise ValueError(message)
    overall = smoothed_shares(counts.sum(axis=0))
    by_cell = np.zeros((N_CELLS, *counts.shape[1:]), dtype=np.int64)
    np.add.at(by_cell, cells, counts)
    own = np.bincount(cells, minlength=N_CELLS) >= _LEAST_WINDOWS
    total = by_cell.sum(axis=-1, keepdims=True)
    shrunk = (by_cell + _PRIOR_EVENTS * overall) / (total + _PRIOR_EVENTS)
    where = own.reshape(-1, *[1] * (counts.ndim - 1))
    return SeasonalShares(shares=np.where(where, shrunk, overall), own=own)
