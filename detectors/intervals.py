"""Confidence intervals for rates, their differences and ratios, and for total variation.

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
    "clopper_pearson",
    "difference_estimate",
    "mover_ratio",
    "newcombe_difference",
    "normal_quantile",
    "rate_estimate",
    "ratio_estimate",
    "sampling_noise",
    "simultaneous",
    "tolerance_floor",
    "total_variation_estimate",
    "total_variation_interval",
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


def sampling_noise(expected: npt.ArrayLike, observed: npt.ArrayLike) -> Array:
    """Return by how much sampling raises a mean observed total variation, at most.

    Half the sum over bins of the standard deviation of the difference of two shares, which
    bounds its mean absolute value. Shares are estimated with half a row added to every bin,
    so that bins nobody has seen yet add their part.

    Parameters
    ----------
    expected, observed
        Non-negative counts of shape (..., n_bins), on the same bins.

    Returns
    -------
    ndarray
        Between 0 and 1, of shape (...).

    References
    ----------
    .. [1] D. Berend and A. Kontorovich, Statistics and Probability Letters 83 (2013),
       1254-1259 (for one sample).
    """
    variance = _share_variance(expected) + _share_variance(observed)
    noise: Array = np.minimum(0.5 * np.sqrt(variance).sum(axis=-1), 1.0)
    return noise


def _share_variance(counts: npt.ArrayLike) -> Array:
    rows = np.asarray(counts, dtype=np.float64)
    total = rows.sum(axis=-1, keepdims=True)
    share = (rows + 0.5) / (total + rows.shape[-1] / 2)
    variance: Array = share * (1 - share) / np.maximum(total, 1.0)
    return variance


def total_variation_interval(
    expected: npt.ArrayLike, observed: npt.ArrayLike, confidence: float
) -> Bounds:
    """Return the interval of the total variation between what two samples are drawn from.

    The observed total variation is too large on average, by at most `sampling_noise`, and
    never too small on average (it is convex); one row more or less moves it by at most one
    over the sample's size. So the lower bound subtracts noise and deviation, the upper one
    adds the deviation only.

    Parameters
    ----------
    expected, observed
        Non-negative counts of shape (..., n_bins), on the same bins.
    confidence
        Of the two-sided interval; holds for samples of any size.

    Returns
    -------
    tuple of ndarray
        Low and high within [0, 1]; (0, 1) where either sample is empty.

    References
    ----------
    .. [1] C. McDiarmid, Surveys in Combinatorics (1989), 148-188 (bounded differences).
    """
    first = np.asarray(expected, dtype=np.float64)
    second = np.asarray(observed, dtype=np.float64)
    m, n = first.sum(axis=-1), second.sum(axis=-1)
    some_m, some_n = np.maximum(m, 1.0), np.maximum(n, 1.0)
    distance = 0.5 * np.abs(first / some_m[..., None] - second / some_n[..., None]).sum(axis=-1)
    deviation = np.sqrt(np.log(2 / (1 - confidence)) / 2 * (1 / some_m + 1 / some_n))
    noise = sampling_noise(first, second)
    empty = (m <= 0) | (n <= 0)
    low = np.where(empty, 0.0, np.maximum(distance - noise - deviation, 0.0))
    high = np.where(empty, 1.0, np.minimum(distance + deviation, 1.0))
    return low, high


def tolerance_floor(n_bins: int, n_reference_rows: int) -> float:
    """Return the total variation that a baseline of this size cannot tell from none.

    The mean total variation between a sample and its source is at most
    ``sqrt((n_bins - 1) / n) / 2``; the second term is exceeded in at most 5 % of samples.

    References
    ----------
    .. [1] C. McDiarmid, Surveys in Combinatorics (1989), 148-188 (bounded differences).

    Examples
    --------
    >>> round(tolerance_floor(16, 10_000), 3)
    0.032
    """
    rows = max(n_reference_rows, 1)
    mean = 0.5 * np.sqrt(max(n_bins - 1, 0) / rows)
    return float(min(mean + np.sqrt(np.log(20) / (2 * rows)), 1.0))


def total_variation_estimate(
    expected: npt.ArrayLike, observed: npt.ArrayLike, confidence: float
) -> Estimate:
    """Return the observed total variation of two non-empty samples with its bounds."""
    first = np.asarray(expected, dtype=np.float64)
    second = np.asarray(observed, dtype=np.float64)
    low, high = total_variation_interval(first, second, confidence)
    value = 0.5 * float(np.abs(first / first.sum() - second / second.sum()).sum())
    return _estimate(value, low, high)


def rate_estimate(successes: int, trials: int, confidence: float) -> Estimate:
    """Return a rate with its Wilson bounds; `trials` must be positive."""
    low, high = wilson(successes, trials, confidence)
    return _estimate(successes / trials, low, high)


def difference_estimate(
    first: tuple[int, int], second: tuple[int, int], confidence: float
) -> Estimate:
    """Return rate minus rate with Newcombe's bounds, each rate given as (successes, trials)."""
    low, high = newcombe_difference(*first, *second, confidence)
    return _estimate(first[0] / first[1] - second[0] / second[1], low, high)


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
    return _estimate(float(inside[0]), inside[1], inside[2])


def _estimate(value: float, low: npt.ArrayLike, high: npt.ArrayLike) -> Estimate:
    # Rounding may put a bound an ulp on the wrong side of the value.
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
