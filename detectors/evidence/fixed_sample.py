"""Tests of a single sample against a tolerance, for comparisons without a stream.

Every p-value is valid in samples of any size: under the null hypothesis it is at most alpha
with probability at most alpha. Events are taken as independent. For the intervals that go
with them see `detectors.intervals`.
"""

import numpy as np
import numpy.typing as npt
from scipy import special

from detectors.evidence.beta_binomial import Array
from detectors.evidence.two_group_gaps import GapLimit

__all__ = [
    "gap_p_value",
    "group_gap_p_value",
    "rate_p_value_above",
    "rate_p_value_below",
    "total_variation_p_value",
]

_BASELINE_CHANCE = 1e-4
"""Part of every p-value: that the baseline's rate is outside its own bounds."""

_HALVINGS = 50

Counts = npt.NDArray[np.int64]


def total_variation_p_value(
    expected: Counts, observed: Counts, tolerance: float, *, ordered: bool
) -> Array:
    """Return the p-value of "the total variation is at most `tolerance`".

    Twice the smaller of two. One is of the whole distance D: ``exp(-2 n' (D - noise -
    delta)^2)``, where 1 / n' = 1 / m + 1 / n and the noise is ``sqrt((B - 1) / n') / 2``. The
    other is of the worst set (half-lines of ordered bins, else single levels and their
    complements): the exact binomial tail at the baseline's upper bound plus delta, times the
    number of sets.

    Parameters
    ----------
    expected, observed
        Counts of the baseline and of the sample, of shape (..., B).
    tolerance
        delta.
    ordered
        Whether neighbouring bins hold neighbouring values.

    References
    ----------
    .. [1] C. McDiarmid, Surveys in Combinatorics (1989), 148-188 (bounded differences).
    .. [2] R. L. Berger and D. D. Boos, JASA 89 (1994), 1012-1016 (nuisance parameters).
    """
    m, n = expected.sum(axis=-1).astype(np.float64), observed.sum(axis=-1).astype(np.float64)
    some_m, some_n = np.maximum(m, 1.0)[..., None], np.maximum(n, 1.0)[..., None]
    distance = 0.5 * np.abs(expected / some_m - observed / some_n).sum(axis=-1)
    inverse = 1 / some_m[..., 0] + 1 / some_n[..., 0]
    noise = 0.5 * np.sqrt((expected.shape[-1] - 1) * inverse)
    beyond = np.maximum(distance - noise - tolerance, 0.0)
    whole = np.exp(-2 * beyond**2 / inverse)
    sets = _worst_set(expected, observed, tolerance, ordered=ordered)
    p_value: Array = np.where((m > 0) & (n > 0), np.minimum(2 * np.minimum(whole, sets), 1.0), 1.0)
    return p_value


def _worst_set(expected: Counts, observed: Counts, tolerance: float, *, ordered: bool) -> Array:
    m, n = expected.sum(axis=-1, keepdims=True), observed.sum(axis=-1, keepdims=True)
    if ordered:
        base, seen = np.cumsum(expected, axis=-1)[..., :-1], np.cumsum(observed, axis=-1)[..., :-1]
    else:
        base, seen = expected, observed
    base, seen = np.concatenate([base, m - base], -1), np.concatenate([seen, n - seen], -1)
    n_sets = max(base.shape[-1], 1)
    chance = _BASELINE_CHANCE / n_sets
    bound = np.minimum(_upper(base, m, chance) + tolerance, 1.0)
    worst: Array = (chance + _tail(seen, n, bound)).min(axis=-1, initial=1.0) * n_sets
    return worst


def rate_p_value_above(
    count: npt.ArrayLike,
    total: npt.ArrayLike,
    baseline_count: npt.ArrayLike,
    baseline_total: npt.ArrayLike,
    *,
    ratio: float = 1.0,
    difference: float = 0.0,
) -> Array:
    """Return the p-value of "the rate is within tolerance of the baseline's, or below it".

    The exact binomial tail at ``max(k p, p + d)``, p being the baseline's upper
    Clopper-Pearson bound of chance 0.0001, plus that chance.

    Parameters
    ----------
    count, total, baseline_count, baseline_total
        That broadcast.
    ratio, difference
        Tolerances k >= 1 and d >= 0: a rate is beyond if it is beyond both.

    References
    ----------
    .. [1] R. L. Berger and D. D. Boos, JASA 89 (1994), 1012-1016.

    Examples
    --------
    >>> float(rate_p_value_above(60, 1000, 200, 10_000, ratio=1.25).round(5))
    0.0001
    """
    p = _upper(np.asarray(baseline_count), np.asarray(baseline_total), _BASELINE_CHANCE)
    bound = np.minimum(np.maximum(p * ratio, p + difference), 1.0)
    tail = _tail(np.asarray(count), np.asarray(total), bound)
    return np.minimum(_BASELINE_CHANCE + tail, 1.0)


def rate_p_value_below(
    count: npt.ArrayLike,
    total: npt.ArrayLike,
    baseline_count: npt.ArrayLike,
    baseline_total: npt.ArrayLike,
    *,
    ratio: float = 1.0,
    difference: float = 0.0,
) -> Array:
    """Return the p-value of "the rate is within tolerance of the baseline's, or above it".

    As `rate_p_value_above`, at ``min(p / k, p - d)`` of the baseline's lower bound.

    Examples
    --------
    >>> float(rate_p_value_below(2, 1000, 200, 10_000, ratio=1.25).round(4))
    0.0005
    """
    x, n = np.asarray(count), np.asarray(total)
    x0, n0 = np.asarray(baseline_count), np.asarray(baseline_total)
    p = 1 - _upper(n0 - x0, n0, _BASELINE_CHANCE)
    bound = np.maximum(np.minimum(p / ratio, p - difference), 0.0)
    return np.minimum(_BASELINE_CHANCE + _tail(n - x, n, 1 - bound), 1.0)


def gap_p_value(
    counts: tuple[npt.ArrayLike, npt.ArrayLike],
    totals: tuple[npt.ArrayLike, npt.ArrayLike],
    limit: GapLimit,
) -> Array:
    """Return the p-value of "a p1 - b p2 is at most d", for two groups.

    With D the observed ``a x1 / n1 - b x2 / n2``, it is the exponential of minus the least
    ``n1 KL(u1 || p1) + n2 KL(u2 || p2)`` over tolerated rates p and rates u with
    ``a u1 - b u2 >= D``. This is Chernoff's bound of the probability of D or more, at the worst
    tolerated rates: no approximation in small groups, and less power than a normal test (by a
    factor of about 1.2 in standard errors).

    Parameters
    ----------
    counts, totals
        Events and outputs of the groups, that broadcast.
    limit
        The null hypothesis.

    References
    ----------
    .. [1] H. Chernoff, Annals of Mathematical Statistics 23 (1952), 493-507.

    Examples
    --------
    >>> float(gap_p_value((60, 30), (100, 100), GapLimit.difference(0.05)).round(4))
    0.0017
    """
    (x1, x2), (n1, n2) = (
        tuple(np.asarray(one, dtype=np.float64) for one in pair) for pair in (counts, totals)
    )
    x1, x2, n1, n2 = np.broadcast_arrays(x1, x2, n1, n2)
    seen = limit.first * x1 / np.maximum(n1, 1.0) - limit.second * x2 / np.maximum(n2, 1.0)
    beyond = (seen > limit.most) & (n1 > 0) & (n2 > 0)
    # Where nothing is beyond, any statistic that is will do: the result is not used.
    statistic = np.where(beyond, seen, (limit.most + limit.first) / 2)
    exponent = _least_divergence(statistic, np.maximum(n1, 1.0), np.maximum(n2, 1.0), limit)
    return np.where(beyond, np.exp(-exponent), 1.0)


def _least_divergence(statistic: Array, n1: Array, n2: Array, limit: GapLimit) -> Array:
    """Return the least divergence between the lines of tolerated and of observed rates."""
    a, b, d = limit.first, limit.second, limit.most
    low = np.full(statistic.shape, max(0.0, d / a))
    high = np.full(statistic.shape, min(1.0, (b + d) / a))
    # The divergence is jointly convex, so its least value over u is convex in p.
    for _ in range(_HALVINGS):
        p1 = (low + high) / 2
        p2 = (a * p1 - d) / b
        u1, u2 = _tilted(p1, p2, statistic, n1, n2, limit)
        slope = n1 * (p1 - u1) * p2 * (1 - p2) + n2 * (a / b) * (p2 - u2) * p1 * (1 - p1)
        low, high = np.where(slope > 0, low, p1), np.where(slope > 0, p1, high)
    p1 = (low + high) / 2
    p2 = (a * p1 - d) / b
    u1, u2 = _tilted(p1, p2, statistic, n1, n2, limit)
    return n1 * _divergence(u1, p1) + n2 * _divergence(u2, p2)


def _tilted(
    p1: Array, p2: Array, statistic: Array, n1: Array, n2: Array, limit: GapLimit
) -> tuple[Array, Array]:
    """Return the rates of the observed statistic that are closest to (p1, p2)."""
    a, b = limit.first, limit.second
    low, high = np.maximum(0.0, statistic / a), np.minimum(1.0, (b + statistic) / a)
    for _ in range(_HALVINGS):
        u1 = (low + high) / 2
        u2 = np.clip((a * u1 - statistic) / b, 0.0, 1.0)
        rising = n1 * (_logit(u1) - _logit(p1)) + n2 * (a / b) * (_logit(u2) - _logit(p2)) > 0
        low, high = np.where(rising, low, u1), np.where(rising, u1, high)
    u1 = (low + high) / 2
    return u1, np.clip((a * u1 - statistic) / b, 0.0, 1.0)


def _logit(rate: Array) -> Array:
    inside = np.clip(rate, 1e-300, 1 - 1e-16)
    logit: Array = np.log(inside) - np.log1p(-inside)
    return logit


def _divergence(first: Array, second: Array) -> Array:
    divergence: Array = special.rel_entr(first, second) + special.rel_entr(1 - first, 1 - second)
    return divergence


def group_gap_p_value(counts: npt.ArrayLike, totals: npt.ArrayLike, limit: GapLimit) -> Array:
    """Return the p-value of "no group is beyond the limit of any other".

    The smallest `gap_p_value` over the ordered pairs of groups, times their number.

    Parameters
    ----------
    counts, totals
        Events and outputs of shape (..., K), K at least 2.
    limit
        For every ordered pair.

    Examples
    --------
    >>> float(group_gap_p_value([60, 45, 30], [200, 200, 200], GapLimit.ratio(0.8)).round(3))
    0.797
    """
    x, n = np.asarray(counts, dtype=np.float64), np.asarray(totals, dtype=np.float64)
    first, second = np.nonzero(~np.eye(x.shape[-1], dtype=np.bool_))
    pairs = gap_p_value((x[..., first], x[..., second]), (n[..., first], n[..., second]), limit)
    joint: Array = np.minimum(pairs.min(axis=-1) * len(first), 1.0)
    return joint


def _upper(count: npt.NDArray[np.int64], total: npt.NDArray[np.int64], chance: float) -> Array:
    rest = np.maximum(total - count, 0)
    bound = special.betaincinv(count + 1.0, np.maximum(rest, 1.0), 1 - chance)
    return np.where(rest > 0, bound, 1.0)


def _tail(count: npt.NDArray[np.int64], total: npt.NDArray[np.int64], rate: Array) -> Array:
    """Return P(X >= count) for X binomial."""
    some = np.maximum(count, 1)
    tail = special.betainc(some.astype(np.float64), np.maximum(total - some, 0) + 1.0, rate)
    return np.where(count > 0, tail, 1.0)
