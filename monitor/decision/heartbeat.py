"""How long a source may be silent before that is implausible, judged by its own history."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from baselines.summary import Window
from detectors.evidence.seasonal import N_CELLS, cell_of

__all__ = ["Heartbeat"]

_SECOND_US = 1_000_000
_LEAST_IN_CELL = 3
_STANDARD_ERRORS = 2.0
_LONGEST_SECONDS = 31 * 86_400
_MOST_WINDOWS = 1_000_000

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Heartbeat:
    """What a baseline's windows say about silence.

    A window of cell c of the week is taken to have Poisson many records whose rate varies from
    window to window by a gamma factor of mean 1 and variance `variation` [1]_. If that factor
    stays the same throughout the silence, which makes long silences the most likely, silence
    while `L` records are expected has the probability ``(1 + a L) ** (-1 / a)``; ``exp(-L)`` at
    a = 0.

    When records come within a window the history does not tell: a nightly job may write a
    whole day's at once. So only windows that lie in the silence from beginning to end count,
    unless `even_arrivals` says that records come all the time. It is then far quicker.

    Parameters
    ----------
    expected
        Records of a window by cell of the week, of shape (48,), two standard errors below the
        mean; 0 where the history has fewer than 3 windows and so expects nothing.
    variation
        a, the squared coefficient of variation of the rate beyond chance, at least 0.
    longest_empty_run
        The most windows in a row that were empty in the history; silence must outlast them.
    window_seconds, offset_seconds
        Length of a window, and where the first begins after 1970-01-01T00:00Z.
    utc_offset_seconds
        Of the traffic's local time.
    chance
        Of calling a living source silent, each time one looks.
    even_arrivals
        Whether records come evenly within a window.

    References
    ----------
    .. [1] A. C. Cameron and P. K. Trivedi, Regression Analysis of Count Data, CUP, 2013,
       ch. 3.3.
    """

    expected: Floats
    variation: float
    longest_empty_run: int
    window_seconds: float
    offset_seconds: float = 0.0
    utc_offset_seconds: int = 0
    chance: float = 1e-6
    even_arrivals: bool = False

    @classmethod
    def from_history(
        cls,
        history: Iterable[Window],
        *,
        utc_offset_seconds: int = 0,
        chance: float = 1e-6,
        even_arrivals: bool = False,
    ) -> "Heartbeat | None":
        """Return what the complete windows of time of one slice say; None: too little.

        Windows that are missing between the first and the last count as empty. Hours of
        weekdays and of weekends are kept apart where some of them have 3 windows at least;
        otherwise all windows are taken together, of which there must be 3.

        Raises
        ------
        ValueError
            If the chance is not strictly between 0 and 1.
        """
        if not 0 < chance < 1:
            message = f"the chance must be strictly between 0 and 1, got {chance!r}"
            raise ValueError(message)
        windows = [w for w in history if w.complete and w.key.has_times and not w.key.ordinal]
        if not windows:
            return None
        starts_us, counts, length_us = _filled(windows)
        cells = cell_of(starts_us, utc_offset_seconds)
        if np.bincount(cells).max() < _LEAST_IN_CELL:
            if len(counts) < _LEAST_IN_CELL:
                return None
            cells = np.zeros_like(cells)
        expected, variation = _profile(cells, counts)
        if not cells.any():
            expected[:] = expected[0]
        return cls(
            expected=expected,
            variation=variation,
            longest_empty_run=_longest_run(counts == 0),
            window_seconds=length_us / _SECOND_US,
            offset_seconds=int(starts_us[0] % length_us) / _SECOND_US,
            utc_offset_seconds=utc_offset_seconds,
            chance=chance,
            even_arrivals=even_arrivals,
        )

    def limit_seconds(self, last_record_us: int, *, poll_seconds: float = 0.0) -> float | None:
        """Return after how many seconds of silence the chance is used up.

        Parameters
        ----------
        last_record_us
            When the last record arrived, or the source was opened.
        poll_seconds
            Between two looks at the source; the limit is never less than two of them.

        Returns
        -------
        float or None
            None: not within 31 days; the history does not support a limit.
        """
        length = self.window_seconds
        last = last_record_us / _SECOND_US
        begin = math.floor((last - self.offset_seconds) / length) * length + self.offset_seconds
        needed, told, whole = self._records_needed(), 0.0, 0
        while begin - last < _LONGEST_SECONDS:
            covered = min(1.0, (begin + length - last) / length)
            if covered == 1.0 or self.even_arrivals:
                here = float(self._expected_at(begin)) * covered
                if here > 0 and told + here >= needed and whole >= self.longest_empty_run:
                    share = (needed - told) / here if self.even_arrivals else 1.0
                    reached = max(begin, last) + max(share, 0.0) * covered * length
                    return max(reached - last, 2 * poll_seconds)
                told += here
                whole += covered == 1.0
            begin += length
        return None

    def is_silent(self, last_record_us: int, now_us: int, *, poll_seconds: float = 0.0) -> bool:
        """Return whether the silence from the last record until now is implausible."""
        limit = self.limit_seconds(last_record_us, poll_seconds=poll_seconds)
        return limit is not None and (now_us - last_record_us) / _SECOND_US >= limit

    def _records_needed(self) -> float:
        """Return the expectation at which the probability of silence falls to the chance.

        Solves ``(1 + a L) ** (-1 / a) = chance`` for L.
        """
        log_chance = math.log(self.chance)
        exponent = -self.variation * log_chance
        if exponent > _MOST_LOG:
            return math.inf
        return math.expm1(exponent) / self.variation if exponent > _LEAST_LOG else -log_chance

    def _expected_at(self, begin_seconds: float) -> float:
        cell = cell_of(round(begin_seconds * _SECOND_US), self.utc_offset_seconds)
        return float(self.expected[cell])


_MOST_LOG: Final = 700.0
_LEAST_LOG: Final = 1e-12


def _filled(windows: list[Window]) -> tuple[npt.NDArray[np.int64], Floats, int]:
    """Return starts and counts of consecutive windows, and their length in microseconds."""
    length_us = min(window.key.end_us - window.key.start_us for window in windows)
    first_us = min(window.key.start_us for window in windows)
    place = [(window.key.start_us - first_us) // length_us for window in windows]
    counts = np.zeros(min(max(place) + 1, _MOST_WINDOWS))
    for index, window in zip(place, windows, strict=True):
        if index < len(counts):
            counts[index] += window.summary.n_rows
    return first_us + length_us * np.arange(len(counts), dtype=np.int64), counts, length_us


def _profile(cells: npt.NDArray[np.int64], counts: Floats) -> tuple[Floats, float]:
    """Return the expected counts by cell, and the variation beyond chance within cells.

    The variation is ``sum((x - m)^2 k / (k - 1) - m) / sum(m^2)`` over windows of cells with
    mean m and k of them, at least 0: the method of moments.
    """
    n_windows = np.bincount(cells, minlength=N_CELLS).astype(np.float64)
    known = n_windows >= _LEAST_IN_CELL
    k = np.where(known, n_windows, np.inf)
    means = np.bincount(cells, weights=counts, minlength=N_CELLS) / k
    use = known[cells]
    m, size = means[cells[use]], k[cells[use]]
    excess = float(np.sum((counts[use] - m) ** 2 * size / (size - 1) - m))
    squares = float(np.sum(m**2))
    variation = max(0.0, excess / squares) if squares > 0 else 0.0
    errors = np.sqrt((means + variation * means**2) / k)
    return np.maximum(means - _STANDARD_ERRORS * errors, 0.0), variation


def _longest_run(empty: npt.NDArray[np.bool_]) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], empty, [False])).astype(np.int8)))
    return int((edges[1::2] - edges[::2]).max(initial=0))
