"""Estimates combined by the method of variance estimates recovery (MOVER).

Each estimate brings its own, possibly lopsided, bounds; the distance to the bound that
matters stands in for z standard errors, and independent distances add as squares.
"""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from detectors.base import Estimate
from detectors.intervals import RATIO_LIMIT, wilson

__all__ = ["combined_rates", "difference_of", "linear_combination", "ratio_of", "widened"]


def linear_combination(estimates: Sequence[Estimate], weights: Sequence[float]) -> Estimate:
    """Return the weighted sum of independent estimates with its bounds.

    Parameters
    ----------
    estimates
        Independent of each other, all with bounds of one confidence.
    weights
        One factor an estimate, of any sign.

    References
    ----------
    .. [1] G. Y. Zou, W. Huang and X. Zhang, Computational Statistics and Data Analysis 53
       (2009), 1080-1085.

    Examples
    --------
    >>> linear_combination([Estimate(4, 1, 8), Estimate(1, 0, 5)], [1.0, -1.0])
    Estimate(value=3.0, low=-2.0, high=7.123)
    """
    pairs = list(zip(estimates, weights, strict=True))
    value = math.fsum(weight * estimate.value for estimate, weight in pairs)
    below = [_towards_low(estimate, weight) for estimate, weight in pairs]
    above = [_towards_low(estimate, -weight) for estimate, weight in pairs]
    return Estimate(value, value - math.hypot(*below), value + math.hypot(*above))


def difference_of(first: Estimate, second: Estimate) -> Estimate:
    """Return `first` minus `second`, two independent estimates, with its bounds.

    References
    ----------
    .. [1] R. G. Newcombe, Statistics in Medicine 17 (1998), 873-890, method 10.
    """
    return linear_combination((first, second), (1.0, -1.0))


def ratio_of(first: Estimate, second: Estimate) -> Estimate:
    """Return `first` over `second`, two independent positive estimates, with its bounds.

    The logarithms are subtracted; everything is first kept within 1 / `RATIO_LIMIT` and
    `RATIO_LIMIT`, so that it has a logarithm.

    References
    ----------
    .. [1] G. Y. Zou and A. Donner, Statistics in Medicine 27 (2008), 1693-1702.
    """
    difference = difference_of(_logarithm(first), _logarithm(second))
    return Estimate(
        math.exp(difference.value), math.exp(difference.low), math.exp(difference.high)
    )


def widened(estimate: Estimate, below: float, above: float) -> Estimate:
    """Return the estimate with bounds moved outwards by an error that does not average out."""
    return Estimate(estimate.value, estimate.low - below, estimate.high + above)


def combined_rates(
    successes: npt.ArrayLike, trials: npt.ArrayLike, weights: npt.ArrayLike, confidence: float
) -> Estimate:
    """Return the weighted sum of independent rates, on their Wilson bounds.

    Parameters
    ----------
    successes, trials
        Counts of shape (n_rates,), no trials being zero.
    weights
        One factor a rate, of any sign, of shape (n_rates,).
    confidence
        Of the two-sided interval.

    References
    ----------
    .. [1] G. Y. Zou, W. Huang and X. Zhang, Computational Statistics and Data Analysis 53
       (2009), 1080-1085.
    """
    x, n, weight = (np.asarray(v, dtype=np.float64) for v in (successes, trials, weights))
    rate = x / n
    low, high = wilson(x, n, confidence)
    down = np.where(weight > 0, rate - low, rate - high) * weight
    up = np.where(weight > 0, high - rate, low - rate) * weight
    value = math.fsum(weight * rate)
    return Estimate(value, value - math.hypot(*down), value + math.hypot(*up))


def _towards_low(estimate: Estimate, weight: float) -> float:
    bound = estimate.low if weight > 0 else estimate.high
    return weight * (estimate.value - bound)


def _logarithm(estimate: Estimate) -> Estimate:
    value, low, high = (
        math.log(min(max(number, 1 / RATIO_LIMIT), RATIO_LIMIT))
        for number in (estimate.value, estimate.low, estimate.high)
    )
    return Estimate(value, low, high)
