"""The gap between the rates of K groups: difference, ratio, and what chance alone would show.

All bounds hold together for the K (K - 1) / 2 pairs of groups (Bonferroni), so the widest
pair may be picked after looking at the rates. If every pair's true difference lies within its
bounds, then the largest one lies between the largest lower and the largest upper bound.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from detectors.base import Estimate
from detectors.groups import GroupRates
from detectors.intervals import RATIO_LIMIT, mover_ratio, newcombe_difference, simultaneous

__all__ = [
    "PairwiseBounds",
    "expected_range_if_equal",
    "homogeneity_chi_square",
    "pairwise_bounds",
    "rate_difference",
    "rate_ratio",
    "worse_by_difference",
    "worse_by_ratio",
]

Array = npt.NDArray[np.float64]

_QUADRATURE_POINTS = 2001
_QUADRATURE_REACH = 8.5


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PairwiseBounds:
    """Simultaneous bounds of every ordered pair of groups, each of shape (K, K).

    Entry (i, j) is about the rate of group i minus, or over, the rate of group j.
    """

    difference_low: Array
    difference_high: Array
    ratio_low: Array
    ratio_high: Array


def pairwise_bounds(rates: GroupRates, confidence: float, n_families: int = 1) -> PairwiseBounds:
    """Return Newcombe's and MOVER-R bounds of every pair of at least two compared groups.

    Parameters
    ----------
    rates
        The groups, none of them empty.
    confidence
        That all bounds hold at the same time.
    n_families
        How many sets of rates share that confidence: 2 for equalized odds.
    """
    x, n = rates.positives, rates.rows
    n_pairs = len(x) * (len(x) - 1) // 2
    each = simultaneous(confidence, n_pairs * n_families)
    first, second = (x[:, None], n[:, None]), (x[None, :], n[None, :])
    difference_low, difference_high = newcombe_difference(*first, *second, each)
    ratio_low, ratio_high = mover_ratio(*first, *second, each)
    return PairwiseBounds(
        difference_low=difference_low,
        difference_high=difference_high,
        ratio_low=ratio_low,
        ratio_high=ratio_high,
    )


def rate_difference(rates: GroupRates, bounds: PairwiseBounds) -> Estimate:
    """Return the highest rate minus the lowest, between 0 and 1, with simultaneous bounds."""
    apart = ~np.eye(len(rates.compared), dtype=np.bool_)
    value = float(rates.rates.max() - rates.rates.min())
    low = max(float(bounds.difference_low[apart].max()), 0.0)
    high = float(bounds.difference_high[apart].max())
    # Rounding may put a bound an ulp on the wrong side of the value.
    return Estimate(value, min(low, value), max(high, value))


def rate_ratio(rates: GroupRates, bounds: PairwiseBounds) -> Estimate:
    """Return the lowest rate over the highest, between 1 / `RATIO_LIMIT` and 1, with bounds.

    Rates that are all zero have the ratio 1.
    """
    apart = ~np.eye(len(rates.compared), dtype=np.bool_)
    highest = float(rates.rates.max())
    value = float(rates.rates.min()) / highest if highest > 0 else 1.0
    low, high = float(bounds.ratio_low[apart].min()), float(bounds.ratio_high[apart].min())
    inside = np.clip([value, min(low, value), max(high, value)], 1 / RATIO_LIMIT, 1.0)
    return Estimate(float(inside[0]), float(inside[1]), float(inside[2]))


def worse_by_difference(
    rates: GroupRates, bounds: PairwiseBounds, tolerance: float, *, low_is_worse: bool
) -> tuple[str, ...]:
    """Return the groups on the worse side of any pair whose difference is beyond `tolerance`.

    Beyond: the pair's whole simultaneous interval is.
    """
    beyond = bounds.difference_low > tolerance
    return _worse(rates, beyond, low_is_worse=low_is_worse)


def worse_by_ratio(
    rates: GroupRates, bounds: PairwiseBounds, tolerance: float, *, low_is_worse: bool
) -> tuple[str, ...]:
    """Return the groups on the worse side of any pair whose ratio is below `tolerance`.

    Below: the pair's whole simultaneous interval is.
    """
    beyond = (bounds.ratio_high < tolerance).T
    return _worse(rates, beyond, low_is_worse=low_is_worse)


def expected_range_if_equal(rates: GroupRates) -> float:
    """Return the mean of highest minus lowest rate if all groups had the pooled rate.

    Equal groups never show equal rates; this much gap is chance. Each group's rate is taken
    as normal about the pooled one; the mean range of independent variables is the integral of
    ``1 - prod F - prod (1 - F)``.

    References
    ----------
    .. [1] H. A. David and H. N. Nagaraja, Order Statistics, 3rd ed., Wiley, 2003, sec. 3.1.

    Examples
    --------
    >>> from detectors.base import GroupCount
    >>> groups = tuple(GroupCount(name, 200, 60) for name in "ABCDE")
    >>> round(expected_range_if_equal(GroupRates(compared=groups)), 3)
    0.075
    """
    pooled = float(rates.positives.sum() / rates.rows.sum())
    deviation = np.sqrt(pooled * (1 - pooled) / rates.rows)
    widest = float(deviation.max())
    if widest == 0:
        return 0.0
    points = np.linspace(-_QUADRATURE_REACH, _QUADRATURE_REACH, _QUADRATURE_POINTS) * widest
    below = special.ndtr(points[:, None] / deviation)
    above = special.ndtr(-points[:, None] / deviation)
    return float(np.trapezoid(1 - below.prod(axis=1) - above.prod(axis=1), points))


def homogeneity_chi_square(rates: GroupRates) -> tuple[float, int]:
    """Return Pearson's statistic of equal rates and its degrees of freedom, groups minus one.

    Zero when the pooled rate is 0 or 1.

    References
    ----------
    .. [1] A. Agresti, Categorical Data Analysis, 3rd ed., Wiley, 2013, sec. 3.2.
    """
    x, n = rates.positives, rates.rows
    pooled = x.sum() / n.sum()
    variance = pooled * (1 - pooled)
    degrees = len(x) - 1
    if variance == 0:
        return 0.0, degrees
    return float(((x - n * pooled) ** 2 / (n * variance)).sum()), degrees


def _worse(
    rates: GroupRates, beyond: npt.NDArray[np.bool_], *, low_is_worse: bool
) -> tuple[str, ...]:
    # beyond[i, j]: the rate of group i is established to be too far above that of group j.
    worse = np.any(beyond, axis=0 if low_is_worse else 1, keepdims=True).ravel()
    return tuple(name for name, is_worse in zip(rates.names, worse, strict=True) if is_worse)
