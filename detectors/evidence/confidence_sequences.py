"""Intervals that hold at all times at once: look at them after every window, stop when you like.

A value stays in the sequence as long as the evidence against it is below 1 / alpha. The
probability that the truth is EVER outside is at most alpha.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from detectors.evidence.array_state import ArrayState
from detectors.evidence.beta_binomial import Array
from detectors.evidence.group_gaps import (
    GapTolerance,
    LearnedRates,
    ToleratedGap,
    guesses,
    learn_rates,
    log_group_evidence,
)

__all__ = ["GapSequence", "MeanSequence", "rate_sequence"]

_PRIOR = 0.5
_HALVINGS = 60
_MEAN_GRID = 1001
_TRUNCATION = 0.5


def rate_sequence(
    count: npt.ArrayLike, total: npt.ArrayLike, chance: float
) -> tuple[Array, Array]:
    """Return low and high of a rate, given the cumulative counts of a stream.

    The rates p with ``ln B(1/2 + x, 1/2 + n - x) - ln B(1/2, 1/2) - x ln p - (n - x) ln(1 - p) <
    ln(1 / alpha)``. Valid for independent events of one constant rate; about 1.7 to 2 times
    as wide as an interval for a single look.

    Parameters
    ----------
    count, total
        Since the start, that broadcast.
    chance
        alpha, of ever missing the rate.

    References
    ----------
    .. [1] H. Robbins, Annals of Mathematical Statistics 41 (1970), 1397-1409.

    Examples
    --------
    >>> low, high = rate_sequence([0, 30], [0, 1000], 0.05)
    >>> low.round(4), high.round(4)
    (array([0. , 0.0143]), array([1. , 0.054]))
    """
    x, n = np.broadcast_arrays(np.asarray(count, np.float64), np.asarray(total, np.float64))
    mixed = special.betaln(_PRIOR + x, _PRIOR + n - x) - special.betaln(_PRIOR, _PRIOR)
    limit = np.log(1 / chance)
    observed = np.where(n > 0, x / np.maximum(n, 1.0), 0.5)
    low = _edge(x, n, observed, np.zeros_like(n), mixed - limit)
    high = _edge(x, n, observed, np.ones_like(n), mixed - limit)
    return np.where(x > 0, low, 0.0), np.where(x < n, high, 1.0)


def _edge(x: Array, n: Array, inside: Array, outside: Array, offset: Array) -> Array:
    for _ in range(_HALVINGS):
        p = (inside + outside) / 2
        kept = offset - special.xlogy(x, p) - special.xlog1py(n - x, -p) < 0
        inside, outside = np.where(kept, p, inside), np.where(kept, outside, p)
    return outside


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class MeanSequence(ArrayState):
    """A confidence sequence for the mean of values in [0, 1]: hedged capital on a grid.

    Two bettors, one on each side, hold half the capital each; their stakes shrink with the
    spread seen so far. The grid has 1001 means, so bounds are within 0.001 outwards.

    Parameters
    ----------
    n_values
        Values so far, of shape (S,).
    total, spread
        Their sum, and the sum of squared distances from the running mean, of shape (S,).
    log_up, log_down
        Log capital against each mean of the grid, of shape (S, 1001).
    low, high
        Bounds so far, of shape (S,); they only narrow.

    References
    ----------
    .. [1] I. Waudby-Smith and A. Ramdas, Journal of the Royal Statistical Society B 86
       (2024), 1-27.
    """

    n_values: npt.NDArray[np.int64]
    total: Array
    spread: Array
    log_up: Array
    log_down: Array
    low: Array
    high: Array

    @classmethod
    def start(cls, n_series: int) -> "MeanSequence":
        """Return the sequence before the first value: 0 to 1."""
        nothing, grid = np.zeros(n_series), np.zeros((n_series, _MEAN_GRID))
        return cls(
            n_values=np.zeros(n_series, dtype=np.int64),
            total=nothing,
            spread=nothing,
            log_up=grid,
            log_down=grid,
            low=nothing,
            high=np.ones(n_series),
        )

    def after(self, values: npt.ArrayLike, chance: float) -> "MeanSequence":
        """Return the sequence after one more value of each series, in [0, 1]."""
        x = np.asarray(values, dtype=np.float64)
        t = self.n_values + 1
        variance = (0.25 + self.spread) / t
        stake = np.sqrt(2 * np.log(2 / chance) / (t * np.log1p(t) * variance))[:, None]
        mean = np.linspace(0.0, 1.0, _MEAN_GRID)
        # At the ends of the grid the stake on that side has no limit.
        up = np.minimum(stake, _TRUNCATION / np.maximum(mean, 1e-12))
        down = np.minimum(stake, _TRUNCATION / np.maximum(1 - mean, 1e-12))
        gain = x[:, None] - mean
        log_up = self.log_up + np.log1p(up * gain)
        log_down = self.log_down + np.log1p(-down * gain)
        kept = np.maximum(log_up, log_down) - np.log(2) < np.log(1 / chance)
        total = self.total + x
        running = (0.5 + total) / (t + 1)
        low, high = _hull(kept)
        return MeanSequence(
            n_values=t,
            total=total,
            spread=self.spread + (x - running) ** 2,
            log_up=log_up,
            log_down=log_down,
            low=np.maximum(self.low, low),
            high=np.minimum(self.high, high),
        )


def _hull(kept: npt.NDArray[np.bool_]) -> tuple[Array, Array]:
    """Return the outermost kept means of the grid, one step outwards; 0 to 1 if none is."""
    step = 1 / (_MEAN_GRID - 1)
    some = kept.any(axis=1)
    first = kept.argmax(axis=1) * step - step
    last = 1 - kept[:, ::-1].argmax(axis=1) * step + step
    return (
        np.where(some, np.maximum(first, 0.0), 0.0),
        np.where(some, np.minimum(last, 1.0), 1.0),
    )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class GapSequence(ArrayState):
    """How large a gap between groups has been shown to be, at least, at any time.

    One e-process for each limit of a grid. The hypotheses are nested, so the limits that
    have ever been rejected, without a hole, bound the gap: with probability 1 - alpha it is
    beyond them at all times. For a gap that is the same throughout, or never smaller.

    Parameters
    ----------
    events, outputs
        What earlier windows have shown, of shape (S, 1, K); see `LearnedRates`.
    log_e
        Log e-process of each limit, of shape (S, G).
    rejected
        Limits that were ever rejected, bool of shape (S, G).
    """

    events: Array
    outputs: Array
    log_e: Array
    rejected: npt.NDArray[np.bool_]

    @classmethod
    def start(cls, n_series: int, n_groups: int, n_limits: int) -> "GapSequence":
        """Return the sequence before the first window."""
        return cls(
            events=np.zeros((n_series, 1, n_groups)),
            outputs=np.zeros((n_series, 1, n_groups)),
            log_e=np.zeros((n_series, n_limits)),
            rejected=np.zeros((n_series, n_limits), dtype=np.bool_),
        )

    def after(
        self,
        counts: npt.ArrayLike,
        totals: npt.ArrayLike,
        tolerated: tuple[ToleratedGap, ...],
        chance: float,
        memory: float = 1.0,
    ) -> "GapSequence":
        """Return the sequence after one more window.

        Parameters
        ----------
        counts, totals
            Events and outputs of the groups, of shape (S, K).
        tolerated
            The grid, of one kind, from the smallest to the largest set of tolerated rates:
            differences rising, ratios falling.
        chance
            alpha, of ever claiming too much.
        memory
            What is left of a window in the guesses after the next window.
        """
        learned = LearnedRates(events=self.events.copy(), outputs=self.outputs.copy())
        guess = guesses(learned)
        increments = [
            log_group_evidence(counts, totals, guess, limit)[:, 0] for limit in tolerated
        ]
        log_e = self.log_e + np.stack(increments, axis=-1)
        after = learn_rates(learned, counts, totals, (memory,))
        return GapSequence(
            events=after.events.copy(),
            outputs=after.outputs.copy(),
            log_e=log_e,
            rejected=self.rejected | (log_e >= np.log(1 / chance)),
        )

    def bound(self, tolerated: tuple[ToleratedGap, ...]) -> Array:
        """Return the limit that the gap is shown to be beyond, of shape (S,).

        A difference is above it, a ratio below it; 0 or 1 when nothing is shown.
        """
        run = np.logical_and.accumulate(self.rejected, axis=1).sum(axis=1)
        nothing = 0.0 if tolerated[0].kind is GapTolerance.DIFFERENCE else 1.0
        limits = np.array([nothing, *(limit.limit for limit in tolerated)])
        bound: Array = limits[run]
        return bound
