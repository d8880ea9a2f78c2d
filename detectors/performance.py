"""Change of a performance metric against the baseline, in the same way for every metric."""

import dataclasses
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detectors.base import Direction, Estimate, FailureMode, Finding, Measure
from detectors.comparison import Comparison
from detectors.intervals import normal_quantile
from detectors.mover import difference_of, widened
from detectors.options import CommonOptions
from detectors.wording import number_text, rows_text

__all__ = [
    "PerformanceChange",
    "PerformanceOptions",
    "mean_estimate",
    "performance_finding",
    "why_unlabelled",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class PerformanceOptions(CommonOptions):
    """Options of every detector of a performance metric."""

    failure_mode: FailureMode = FailureMode.PERFORMANCE


@dataclass(frozen=True, slots=True, kw_only=True)
class PerformanceChange:
    """A metric now and in the baseline.

    Parameters
    ----------
    metric
        Its name in words.
    now, before
        The metric in the window and in the baseline.
    tolerance
        The accepted change for the worse, in the metric's unit.
    higher_is_better
        Which way is worse.
    binning_error
        How far the change can be off because values are binned; widens the bounds.
    """

    metric: str
    now: Estimate
    before: Estimate
    tolerance: float
    higher_is_better: bool = True
    binning_error: float = 0.0


def performance_finding(comparison: Comparison, change: PerformanceChange) -> Finding:
    """Return the finding on a metric that got better or worse."""
    first, second = (change.before, change.now)
    if not change.higher_is_better:
        first, second = second, first
    worse = difference_of(first, second)
    effect = widened(worse, change.binning_error, change.binning_error)
    if change.binning_error > 0:
        note = (
            f"scores are binned, which moves the change by at most "
            f"{number_text(change.binning_error)}; the bounds allow for it"
        )
        comparison = dataclasses.replace(comparison, notes=(*comparison.notes, note))
    way = "drop" if change.higher_is_better else "rise"
    return comparison.decided(
        effect=effect,
        departure=effect.scaled(1 / change.tolerance),
        direction=_direction(change),
        measures=(
            Measure("value", change.now.value, change.now.low, change.now.high),
            Measure("reference_value", change.before.value, change.before.low, change.before.high),
        ),
        headline=f"{change.metric} {number_text(change.now.value)}, normally "
        f"{number_text(change.before.value)}",
        sentence=(
            f"{change.metric} {number_text(change.now.value)}, normally "
            f"{number_text(change.before.value)}: {way} {number_text(effect.value)} (between "
            f"{number_text(effect.low)} and {number_text(effect.high)}), "
            f"{number_text(change.tolerance)} accepted"
        ),
    )


def why_unlabelled(
    comparison: Comparison, label: str, n_seen: int, min_rows: int
) -> Finding | None:
    """Return why too few rows have a label, None if they suffice.

    Labels come late: that there are none yet is not a fault of the input, so the window has
    insufficient data and not something that cannot be seen.
    """
    if comparison.n_reference_rows < min_rows:
        return comparison.insufficient(
            f"the baseline has {rows_text(comparison.n_reference_rows)} with {label}, a "
            f"comparison needs {min_rows}"
        )
    if comparison.n_rows < min_rows:
        return comparison.insufficient(
            f"{comparison.n_rows} of {rows_text(n_seen)} have {label}, a comparison needs "
            f"{min_rows}"
        )
    return None


def mean_estimate(
    values: npt.NDArray[np.float64], counts: npt.NDArray[np.int64], confidence: float
) -> Estimate:
    """Return the mean of a value with normal bounds.

    Parameters
    ----------
    values
        The value of each cell.
    counts
        Rows of each cell, of the same shape, two or more in all.
    confidence
        Of the two-sided interval.

    References
    ----------
    .. [1] A. A. Bradley, S. S. Schwartz and T. Hashino, Weather and Forecasting 23 (2008),
       992-1006 (for the Brier score).
    """
    total = int(counts.sum())
    mean = float((values * counts).sum() / total)
    variance = float(((values - mean) ** 2 * counts).sum() / (total - 1))
    half = normal_quantile(confidence) * (variance / total) ** 0.5
    return Estimate(mean, mean - half, mean + half)


def _direction(change: PerformanceChange) -> Direction:
    if change.now.value == change.before.value:
        return Direction.NONE
    return Direction.UP if change.now.value > change.before.value else Direction.DOWN
