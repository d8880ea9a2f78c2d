"""Charts with memory: CUSUM of standardised windows, and ADWIN on their means."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from benchmarks.simulation.families import CENTRES, Counts, Family, Gap, Numbers
from benchmarks.simulation.worlds import Array
from detectors.evidence.group_gaps import GapTolerance
from detectors.evidence.seasonal import N_CELLS, cell_of

__all__ = ["Adwin", "Chart", "Cusum", "cusum_threshold", "plotted_value"]

_ALLOWANCE = 0.5
_CELL_WINDOWS = 20
_SHIFT_OF_5_PERCENT = 0.1254
"""Standard deviations by which a normal mean must move for 5 % of the outputs to move."""


def plotted_value(family: Family, counts: Counts) -> tuple[Array, Array]:
    """Return the mean, rate or gap of each window, and how many outputs it rests on.

    For a gap of the group that changes to the others, the outputs are ``n1 n2 / (n1 + n2)``.

    Parameters
    ----------
    family
        Not one of levels: a mix of levels has no mean.
    counts
        Of shape (..., the family's own).
    """
    if isinstance(family, Numbers):
        n = counts.sum(axis=-1)
        return np.asarray((counts * CENTRES).sum(axis=-1) / n), n.astype(np.float64)
    if not isinstance(family, Gap):
        return np.asarray(counts[..., 0] / counts[..., 1]), counts[..., 1].astype(np.float64)
    hits, totals = counts[..., 0, :], counts[..., 1, :]
    others = np.delete(np.arange(hits.shape[-1]), family.changed)
    n1 = np.maximum(totals[..., family.changed], 1)
    n2 = np.maximum(totals[..., others].sum(axis=-1), 1)
    gap = hits[..., others].sum(axis=-1) / n2 - hits[..., family.changed] / n1
    return np.asarray(gap), np.asarray(n1 * n2 / (n1 + n2))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Chart:
    """What a control chart plots: windows in standard errors from their centre.

    Parameters
    ----------
    family
        What is plotted.
    centre
        Of each cell of the week and series, of shape (N_CELLS, S).
    variance
        Of one output, of shape (S,).
    correlation
        Of two outputs of one window, of shape (S,).
    slack
        How far from the centre is tolerated, below and above, of shape (N_CELLS, S).
    """

    family: Family
    centre: Array
    variance: Array
    correlation: Array
    slack: tuple[Array | float, Array | float] = (0.0, 0.0)

    @classmethod
    def plain(cls, family: Family, baseline: Counts) -> "Chart":
        """Return the textbook's chart: one centre, independent outputs."""
        total = baseline.sum(axis=0)
        centre, _ = plotted_value(family, total)
        if isinstance(family, Numbers):
            share = total / total.sum(axis=-1, keepdims=True)
            variance = (share * CENTRES**2).sum(axis=-1) - centre**2
        else:
            pooled = total.reshape(len(total), 2, -1).sum(axis=-1)
            rate = pooled[:, 0] / pooled[:, 1]
            variance = rate * (1 - rate)
        return cls(
            family=family,
            centre=np.broadcast_to(centre, (N_CELLS, len(total))),
            variance=variance,
            correlation=np.zeros(len(total)),
        )

    @classmethod
    def calibrated(cls, family: Family, baseline: Counts, starts: list[int]) -> "Chart":
        """Return the chart given what our detectors get: centres by cell, correlation."""
        plain = cls.plain(family, baseline)
        cells = cell_of(np.array(starts))
        centre = plain.centre.copy()
        for cell in range(N_CELLS):
            if (cells == cell).sum() >= _CELL_WINDOWS:
                centre[cell] = plotted_value(family, baseline[cells == cell].sum(axis=0))[0]
        value, n = plotted_value(family, baseline)
        z2 = (value - centre[cells]) ** 2 * n / plain.variance
        excess = (z2 - 1).sum(axis=0) + 1
        correlation = np.maximum(excess / (n - 1).sum(axis=0), 0)
        return cls(family=family, centre=centre, variance=plain.variance, correlation=correlation)

    def beyond_tolerance(self) -> "Chart":
        """Return the chart measured from the edge of what our detectors tolerate."""
        if isinstance(self.family, Numbers):
            return replace(self, slack=(_SHIFT_OF_5_PERCENT, _SHIFT_OF_5_PERCENT))
        if isinstance(self.family, Gap):
            limit = self.family.tolerated.limit
            pair = self.family.tolerated.kind is GapTolerance.DIFFERENCE
            most = limit if pair else (1 - limit) * self.family.rate
            # Ours tolerates gaps around 0, whatever the baseline's own gap.
            return replace(self, slack=(most + self.centre, most - self.centre))
        return replace(self, slack=(self.centre * 0.2, self.centre * 0.25))

    def plotted(self, counts: Counts, starts: list[int] | None = None) -> tuple[Array, Array]:
        """Return how far each window is above and below, in standard errors, of shape (T, S)."""
        cells = np.zeros(len(counts), np.int64) if starts is None else cell_of(np.array(starts))
        value, n = plotted_value(self.family, counts)
        error = np.sqrt(self.variance * (1 + (n - 1) * self.correlation) / n)
        below, above = ((0 * self.centre + one)[cells] for one in self.slack)
        apart = value - self.centre[cells]
        return (apart - above) / error, (-apart - below) / error


def cusum_threshold(mean_windows: float, allowance: float = _ALLOWANCE) -> float:
    """Return h such that a two-sided CUSUM of independent normal z alarms once in so many.

    Parameters
    ----------
    mean_windows
        Between false alarms, in mean.
    allowance
        k, in standard errors of one window.

    References
    ----------
    .. [1] D. Siegmund, Sequential Analysis, Springer, 1985, ch. 2: with b = h + 1.166 the mean
       of one side is ``(exp(2 k b) - 2 k b - 1) / (2 k^2)``, of both sides half of it.
    """
    low, high = 0.0, 200.0
    for _ in range(100):
        h = (low + high) / 2
        b = 2 * allowance * (h + 1.166)
        mean = (np.exp(b) - b - 1) / (2 * allowance**2) / 2
        low, high = (low, h) if mean > mean_windows else (h, high)
    return (low + high) / 2


@dataclass(slots=True)
class Cusum:
    """Two-sided CUSUMs of S series at several thresholds; each begins anew after an alarm.

    Parameters
    ----------
    thresholds
        h, of shape (H,).
    """

    thresholds: Array
    high: Array
    low: Array
    allowance: float = _ALLOWANCE

    @classmethod
    def start(cls, n_series: int, thresholds: Array) -> "Cusum":
        """Return the charts before the first window."""
        nothing = np.zeros((n_series, len(thresholds)))
        return cls(thresholds=thresholds, high=nothing, low=nothing.copy())

    def advance(self, above: Array, below: Array) -> npt.NDArray[np.bool_]:
        """Return which charts alarm, (S, H), with windows in standard errors, of shape (S,)."""
        self.high = np.maximum(self.high + above[:, None] - self.allowance, 0)
        self.low = np.maximum(self.low + below[:, None] - self.allowance, 0)
        alarm = (self.high > self.thresholds) | (self.low > self.thresholds)
        self.high = np.where(alarm, 0, self.high)
        self.low = np.where(alarm, 0, self.low)
        return alarm


@dataclass(slots=True)
class Adwin:
    """One adaptive window, without compression of its memory.

    A cut is called where the means of the two sides differ by more than
    ``sqrt(2 m v d) + 2 m d / 3``, m = 1 / n0 + 1 / n1, d = ln(2 ln(n) / delta), v the variance;
    looked for at every 32nd value, with five values on each side. These are river's defaults.

    References
    ----------
    .. [1] A. Bifet and R. Gavalda, SIAM International Conference on Data Mining (2007), 443-448.
    """

    values: list[float]
    seen: int = 0
    delta: float = 0.002
    clock: int = 32
    least: int = 5

    def advance(self, value: float) -> bool:
        """Return whether a change is called with this value."""
        self.values.append(value)
        self.seen += 1
        if self.seen % self.clock or len(self.values) < 2 * self.least:
            return False
        cut = self._cut()
        if cut:
            self.values = self.values[cut:]
        return cut > 0

    def _cut(self) -> int:
        x = np.array(self.values)
        n = len(x)
        sums = np.cumsum(x)
        n0 = np.arange(self.least, n - self.least + 1)
        n1 = n - n0
        apart = np.abs(sums[n0 - 1] / n0 - (sums[-1] - sums[n0 - 1]) / n1)
        m = 1 / (n0 - self.least + 1) + 1 / (n1 - self.least + 1)
        d = np.log(2 * np.log(n) / self.delta)
        beyond = np.flatnonzero(apart > np.sqrt(2 * m * x.var() * d) + 2 / 3 * m * d)
        return int(n0[beyond[-1]]) if len(beyond) else 0
