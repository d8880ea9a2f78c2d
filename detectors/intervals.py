"""Confidence intervals for rates, their differences and their ratios.

All functions take arrays that broadcast and return `(low, high)` arrays. `confidence` is that
of the two-sided interval. Nothing here fails on empty samples: an interval of no rows is the
whole range of the quantity.
"""

import numpy as np
import numpy.typing as npt
from scipy import special

from detectors.base import Estimate

__all__ = [
    "RATIO_LIMIT",
    "Bounds",
    "bounded_estimate",
    "clopper_pearson",
    "difference_estimate",
    "mover_ratio",
    "newcombe_difference",
    "normal_quantile",
    "rate_estimate",
    "ratio_estimate",
    "simultaneous",
    "wilson",
]

Array = npt.NDArray[np.float64]
Bounds = tuple[Array, Array]

RATIO_LIMIT = 1000.0
"""Ratios beyond this, up or down, are reported as this: no tolerance lies further out."""


def normal_quantile(confidence: float) -> float:
    """Return z such that a standard normal lies within -z and z with `confidence`.

    Examples
    --------
    >>> round(normal_quantile(0.95), 3)
    1.96
    """
    return float(special.ndtri(0.5 + confidence / 2))


def simultaneous(confidence: float, n_comparisons: int) -> float:
    """Return the confidence each interval needs for all to hold together (Bonferroni).

    Parameters
    ----------
    confidence
        That all intervals hold at the same time.
    n_comparisons
        How many intervals there are, at least 1.

    Raises
    ------
    ValueError
        If `n_comparisons` is below 1.

    Examples
    --------
    >>> round(simultaneous(0.95, 5), 3)
    0.99
    """
    if n_comparisons < 1:
        message = f"n_comparisons must be at least 1, got {n_comparisons!r}"
        raise ValueError(message)
    return 1 - (1 - confidence) / n_comparisons


def wilson(successes: npt.ArrayLike, trials: npt.ArrayLike, confidence: float) -> Bounds:
    """Return the score interval of a rate, inside [0, 1]; (0, 1) where there are no trials.

    References
    ----------
    .. [1] E. B. Wilson, JASA 22 (1927), 209-212.

    Examples
    --------
    >>> low, high = wilson(10, 100, 0.95)
    >>> round(float(low), 4), round(float(high), 4)
    (0.0552, 0.1744)
    """
    return _wilson(*_pair(successes, trials), normal_quantile(confidence))


def _wilson(x: Array, n: Array, z: float) -> Bounds:
    some = np.maximum(n, 1.0)
    rate = x / some
    centre = (rate + z * z / (2 * some)) / (1 + z * z / some)
    spread = rate * (1 - rate) / some + z * z / (4 * some * some)
    half = z * np.sqrt(spread) / (1 + z * z / some)
    # Rounding must not push a bound across the rate or out of [0, 1].
    low = np.where(x <= 0, 0.0, np.minimum(np.maximum(centre - half, 0.0), rate))
    high = np.where(x >= n, 1.0, np.maximum(np.minimum(centre + half, 1.0), rate))
    return low, high


def clopper_pearson(successes: npt.ArrayLike, trials: npt.ArrayLike, confidence: float) -> Bounds:
    """Return the exact interval of a rate: covers at least `confidence`; (0, 1) for no trials.

    Counts may be fractions: those of over-dispersed samples, divided by the dispersion.

    References
    ----------
    .. [1] C. J. Clopper and E. S. Pearson, Biometrika 26 (1934), 404-413.

    Examples
    --------
    >>> low, high = clopper_pearson(0, 100, 0.95)
    >>> float(low), round(float(high), 4)
    (0.0, 0.0362)
    """
    x, n = _pair(successes, trials)
    tail = (1 - confidence) / 2
    low = special.betaincinv(np.where(x > 0, x, 1.0), n - x + 1, tail)
    high = special.betaincinv(x + 1, np.where(x < n, n - x, 1.0), 1 - tail)
    return np.where(x <= 0, 0.0, low), np.where(x >= n, 1.0, high)


def newcombe_difference(
    successes: npt.ArrayLike,
    trials: npt.ArrayLike,
    other_successes: npt.ArrayLike,
    other_trials: npt.ArrayLike,
    confidence: float,
) -> Bounds:
    """Return the interval of a rate minus another rate; (-1, 1) where either has no trials.

    Each bound joins the distances from the two rates to their Wilson bounds.

    References
    ----------
    .. [1] R. G. Newcombe, Statistics in Medicine 17 (1998), 873-890, method 10.

    Examples
    --------
    >>> low, high = newcombe_difference(56, 70, 48, 80, 0.95)
    >>> round(float(low), 4), round(float(high), 4)
    (0.0524, 0.3339)
    """
    x1, n1 = _pair(successes, trials)
    x2, n2 = _pair(other_successes, other_trials)
    p1, p2 = x1 / np.maximum(n1, 1.0), x2 / np.maximum(n2, 1.0)
    z = normal_quantile(confidence)
    l1, u1 = _wilson(x1, n1, z)
    l2, u2 = _wilson(x2, n2, z)
    difference = p1 - p2
    low = difference - np.hypot(p1 - l1, u2 - p2)
    high = difference + np.hypot(u1 - p1, p2 - l2)
    empty = (n1 <= 0) | (n2 <= 0)
    return (
        np.where(empty, -1.0, np.maximum(low, -1.0)),
        np.where(empty, 1.0, np.minimum(high, 1.0)),
    )


def mover_ratio(
    successes: npt.ArrayLike,
    trials: npt.ArrayLike,
    other_successes: npt.ArrayLike,
    other_trials: npt.ArrayLike,
    confidence: float,
) -> Bounds:
    """Return the interval of a rate divided by another rate, within [0, infinity].

    The lower bound is 0 where the first rate is 0, the upper one infinite where the second
    is 0; (0, infinity) where either has no trials. Both are written in the form that does
    not divide by a difference near zero.

    References
    ----------
    .. [1] A. Donner and G. Y. Zou, Statistical Methods in Medical Research 21 (2012),
       347-359 (MOVER-R on Wilson bounds).

    Examples
    --------
    >>> low, high = mover_ratio(56, 70, 48, 80, 0.95)
    >>> round(float(low), 3), round(float(high), 3)
    (1.078, 1.663)
    """
    x1, n1 = _pair(successes, trials)
    x2, n2 = _pair(other_successes, other_trials)
    p1, p2 = x1 / np.maximum(n1, 1.0), x2 / np.maximum(n2, 1.0)
    z = normal_quantile(confidence)
    l1, u1 = _wilson(x1, n1, z)
    l2, u2 = _wilson(x2, n2, z)
    product = p1 * p2
    lower_top, lower_bottom = l1 * (2 * p1 - l1), u2 * (2 * p2 - u2)
    lower_root = product + np.sqrt(np.maximum(product**2 - lower_top * lower_bottom, 0.0))
    low = np.where(lower_root > 0, lower_top / np.where(lower_root > 0, lower_root, 1.0), 0.0)
    upper_top, upper_bottom = u1 * (2 * p1 - u1), l2 * (2 * p2 - l2)
    upper_root = product + np.sqrt(np.maximum(product**2 - upper_top * upper_bottom, 0.0))
    divisor = np.where(upper_bottom > 0, upper_bottom, 1.0)
    high = np.where(upper_bottom > 0, upper_root / divisor, np.inf)
    empty = (n1 <= 0) | (n2 <= 0)
    return np.where(empty, 0.0, low), np.where(empty, np.inf, high)


def rate_estimate(successes: int, trials: int, confidence: float) -> Estimate:
    """Return a rate with its Wilson bounds; `trials` must be positive."""
    low, high = wilson(successes, trials, confidence)
    return bounded_estimate(successes / trials, low, high)


def difference_estimate(
    first: tuple[int, int], second: tuple[int, int], confidence: float
) -> Estimate:
    """Return rate minus rate with Newcombe's bounds, each rate given as (successes, trials)."""
    low, high = newcombe_difference(*first, *second, confidence)
    return bounded_estimate(first[0] / first[1] - second[0] / second[1], low, high)


def ratio_estimate(first: tuple[int, int], second: tuple[int, int], confidence: float) -> Estimate:
    """Return rate over rate with MOVER-R bounds, each rate given as (successes, trials).

    All three numbers are kept within 1 / `RATIO_LIMIT` and `RATIO_LIMIT`, so that they are
    finite and have logarithms; two rates of zero have the ratio 1.
    """
    low, high = mover_ratio(*first, *second, confidence)
    p1, p2 = first[0] / first[1], second[0] / second[1]
    without_events = RATIO_LIMIT if p1 > 0 else 1.0
    value = p1 / p2 if p2 > 0 else without_events
    inside = np.clip([value, float(low), float(high)], 1 / RATIO_LIMIT, RATIO_LIMIT)
    return bounded_estimate(float(inside[0]), inside[1], inside[2])


def bounded_estimate(value: float, low: npt.ArrayLike, high: npt.ArrayLike) -> Estimate:
    """Return a value with its bounds, which rounding cannot put on the wrong side of it."""
    return Estimate(value, min(_scalar(low), value), max(_scalar(high), value))


def _scalar(number: npt.ArrayLike) -> float:
    return float(np.asarray(number, dtype=np.float64))


def _pair(successes: npt.ArrayLike, trials: npt.ArrayLike) -> tuple[Array, Array]:
    x = np.asarray(successes, dtype=np.float64)
    n = np.asarray(trials, dtype=np.float64)
    if not ((x >= 0) & (x <= n)).all():
        message = "successes must be between 0 and the number of trials"
        raise ValueError(message)
    return x, n
