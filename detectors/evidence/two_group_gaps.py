"""E-values for a gap between the rates of two groups, whatever the rates themselves do.

The null hypothesis is a half-plane of rates, ``a p1 - b p2 <= d``: a = b = 1 tolerates a
difference of d; a = 1, b = 1 / 0.8, d = 0 is the four-fifths rule. For an alternative (q1, q2)
beyond it, let p° be the point of the half-plane that is closest in the divergence
``n1 KL(q1 || p1) + n2 KL(q2 || p2)``. The likelihood ratio of q to p° has a mean of at most 1
at every point of the half-plane: its logarithm, ``sum n_g ln(1 + (p_g - p°_g) slope_g)``, is
at most ``sum n_g (p_g - p°_g) slope_g``, which is at most 0 because p° is the closest point.
The rates may drift together at will.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detectors.evidence.beta_binomial import Array, effective_share

__all__ = [
    "CORRELATION_FACTOR",
    "N_ALTERNATIVES",
    "GapLimit",
    "excess_beyond",
    "gap_alternatives",
    "log_gap_evidence",
    "project",
    "two_sided_gap_evidence",
]

CORRELATION_FACTOR = 1.5
"""How many times the measured correlation is allowed for."""

N_ALTERNATIVES = 3
"""How many alternatives `excess_beyond` gives each direction."""

_DIFFERENCES = (0.03, 0.08, 0.2)
_OF_TOLERANCE = (0.6, 1.6, 4.0)
_OF_POOLED_RATE = (0.08, 0.2, 0.5)
_GUESS_LIMITS = (1e-4, 1 - 1e-4)
_HALVINGS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class GapLimit:
    """The half-plane ``first p1 - second p2 <= most`` of tolerated rates.

    Examples
    --------
    >>> GapLimit.ratio(0.8)
    GapLimit(first=1.0, second=1.25, most=0.0)
    """

    first: float = 1.0
    second: float = 1.0
    most: float = 0.0

    def __post_init__(self) -> None:
        if not (self.first > 0 and self.second > 0 and -self.second < self.most < self.first):
            message = f"the limit must leave rates on either side of it, got {self!r}"
            raise ValueError(message)

    @classmethod
    def difference(cls, tolerance: float) -> "GapLimit":
        """Return p1 - p2 <= tolerance."""
        return cls(most=tolerance)

    @classmethod
    def ratio(cls, least: float) -> "GapLimit":
        """Return p2 / p1 >= least."""
        return cls(second=1 / least)


def excess_beyond(pooled: npt.ArrayLike, limit: GapLimit) -> Array:
    """Return how far beyond the limit the alternatives lie, on the scale that fits it.

    Ratios (limits of 0): 0.08, 0.2 and 0.5 of the pooled rate, because fixed differences are
    out of reach of rare events: with rates of 2 % they never bet on a ratio at all.
    Differences: 0.6, 1.6 and 4 times the tolerance, but at most 0.03, 0.08 and 0.2.

    Parameters
    ----------
    pooled
        The rate of both groups together, from earlier windows, of shape (S,).
    limit
        The null hypothesis.

    Returns
    -------
    ndarray
        Of shape (S, 3).

    Examples
    --------
    >>> excess_beyond([0.02], GapLimit.ratio(0.8)).round(4)
    array([[0.0016, 0.004 , 0.01 ]])
    >>> excess_beyond([0.4], GapLimit.difference(0.05)).round(2)
    array([[0.03, 0.08, 0.2 ]])
    """
    m = np.asarray(pooled, dtype=np.float64)[..., None]
    if limit.most == 0:
        relative: Array = m * np.array(_OF_POOLED_RATE)
        return relative
    by_tolerance = abs(limit.most) * np.array(_OF_TOLERANCE)
    absolute: Array = np.minimum(by_tolerance, np.array(_DIFFERENCES)) + 0 * m
    return absolute


def gap_alternatives(
    pooled: npt.ArrayLike, first_share: npt.ArrayLike, limit: GapLimit, excess: npt.ArrayLike
) -> tuple[Array, Array]:
    """Return the rates that are bet on: pooled rate kept, gap beyond the limit by `excess`.

    Solves ``w q1 + (1 - w) q2 = m`` and ``a q1 - b q2 = d + excess``, then keeps the rates
    within 0.0001 and 0.9999 (an alternative that is thereby tolerated bets nothing).

    Parameters
    ----------
    pooled
        m, the rate of both groups together, from earlier windows, of shape (S,).
    first_share
        w, share of the first group among the events, from earlier windows or this window's
        sizes, of shape (S,).
    limit
        The null hypothesis.
    excess
        How far beyond, of shape (H,) or (S, H).

    Returns
    -------
    tuple of ndarray
        Of shape (S, H) each.

    Examples
    --------
    >>> gap_alternatives([0.4], [0.5], GapLimit.difference(0.05), [0.03])
    (array([[0.44]]), array([[0.36]]))
    """
    m = np.asarray(pooled, dtype=np.float64)[..., None]
    w = np.asarray(first_share, dtype=np.float64)[..., None]
    beyond = limit.most + np.asarray(excess, dtype=np.float64)
    scale = limit.first * (1 - w) + limit.second * w
    first = (limit.second * m + (1 - w) * beyond) / scale
    second = (limit.first * m - w * beyond) / scale
    return np.clip(first, *_GUESS_LIMITS), np.clip(second, *_GUESS_LIMITS)


def project(
    first: Array, second: Array, first_weight: Array, second_weight: Array, limit: GapLimit
) -> tuple[Array, Array]:
    """Return the tolerated rates that are closest to an alternative.

    Minimises ``n1 KL(q1 || p1) + n2 KL(q2 || p2)`` over the half-plane by bisection of the
    derivative along its edge, which is increasing. Alternatives inside are returned as they
    are. Where a weight is 0 the other rate is free to stay.

    Parameters
    ----------
    first, second
        Alternatives strictly between 0 and 1; all four arrays broadcast.
    first_weight, second_weight
        Effective events of each group.
    limit
        The half-plane.

    References
    ----------
    .. [1] R. J. Turner and P. Grünwald, arXiv:2203.09785 (2022).

    Examples
    --------
    >>> one = np.array(100.0)
    >>> project(np.array(0.6), np.array(0.4), one, one, GapLimit.difference(0.1))
    (array(0.55), array(0.45))
    """
    a, b, d = limit.first, limit.second, limit.most
    n1, n2 = np.maximum(first_weight, 0.0), np.maximum(second_weight, 0.0)
    shape = np.broadcast_shapes(first.shape, second.shape, n1.shape, n2.shape)
    low = np.full(shape, max(0.0, d / a))
    high = np.full(shape, min(1.0, (b + d) / a))
    for _ in range(_HALVINGS):
        p1 = (low + high) / 2
        p2 = (a * p1 - d) / b
        v1, v2 = p1 * (1 - p1), p2 * (1 - p2)
        # The derivative times v1 v2, which are positive: no division near the corners.
        rising = n1 * (p1 - first) * v2 + n2 * (a / b) * (p2 - second) * v1 > 0
        high = np.where(rising, p1, high)
        low = np.where(rising, low, p1)
    p1 = (low + high) / 2
    inside = a * first - b * second <= d
    return np.where(inside, first, p1), np.where(inside, second, (a * p1 - d) / b)


def log_gap_evidence(
    counts: tuple[npt.ArrayLike, npt.ArrayLike],
    totals: tuple[npt.ArrayLike, npt.ArrayLike],
    alternatives: tuple[Array, Array],
    limit: GapLimit,
    correlation: npt.ArrayLike = 0.0,
) -> Array:
    """Return the log e-values against "the gap is within the limit", in nats.

    ``sum_g f_g [x_g ln(q_g / p°_g) + (n_g - x_g) ln((1 - q_g) / (1 - p°_g))]``.

    Exact at correlation 0. Above it each group's part is tempered by its effective share f_g,
    with `CORRELATION_FACTOR` times the correlation, which is an approximation: the mean was
    at most 1.07 over random settings once each window's evidence was capped, as
    `detectors.evidence.shiryaev_roberts` does. (A beta-binomial ratio at p° is not valid.)
    A window in which either group is empty carries no evidence.

    Parameters
    ----------
    counts, totals
        Events and outputs of the two groups, of shape (S,) each.
    alternatives
        Fixed before the window's counts are seen, of shape (S, H) each.
    limit
        The null hypothesis.
    correlation
        As measured on the baseline's gaps (`calibration.gap_correlation`).

    Returns
    -------
    ndarray
        Of shape (S, H).
    """
    x1, x2 = (np.asarray(one, dtype=np.float64)[..., None] for one in counts)
    n1, n2 = (np.asarray(one, dtype=np.float64)[..., None] for one in totals)
    rho = np.asarray(correlation, dtype=np.float64)[..., None] * CORRELATION_FACTOR
    f1, f2 = effective_share(n1, rho), effective_share(n2, rho)
    q1, q2 = alternatives
    p1, p2 = project(q1, q2, n1 * f1, n2 * f2, limit)
    evidence = f1 * _binomial_ratio(x1, n1, q1, p1) + f2 * _binomial_ratio(x2, n2, q2, p2)
    return np.where((n1 > 0) & (n2 > 0), evidence, 0.0)


def two_sided_gap_evidence(
    counts: tuple[npt.ArrayLike, npt.ArrayLike],
    totals: tuple[npt.ArrayLike, npt.ArrayLike],
    pooled: npt.ArrayLike,
    limit: GapLimit,
    excess: npt.ArrayLike | None = None,
    correlation: npt.ArrayLike = 0.0,
) -> Array:
    """Return the log e-values of both directions: experts on group 1 above 2, then 2 above 1.

    Parameters
    ----------
    counts, totals, limit, correlation
        As in `log_gap_evidence`.
    pooled
        Rate of both groups from earlier windows, of shape (S,).
    excess
        Of the alternatives beyond the limit, of shape (H,) or (S, H); None: `excess_beyond`.

    Returns
    -------
    ndarray
        Of shape (S, 2 H).
    """
    n1, n2 = (np.asarray(one, dtype=np.float64) for one in totals)
    share = n1 / np.maximum(n1 + n2, 1.0)
    beyond = excess_beyond(pooled, limit) if excess is None else excess
    up = gap_alternatives(pooled, share, limit, beyond)
    down = gap_alternatives(pooled, 1 - share, limit, beyond)
    return np.concatenate(
        [
            log_gap_evidence(counts, totals, up, limit, correlation),
            log_gap_evidence(counts[::-1], totals[::-1], down, limit, correlation),
        ],
        axis=-1,
    )


def _binomial_ratio(x: Array, n: Array, alternative: Array, null: Array) -> Array:
    # A projection on the corner 0 or 1 only happens with a weight of 0.
    p = np.clip(null, np.finfo(np.float64).tiny, 1 - np.finfo(np.float64).eps)
    ratio: Array = x * np.log(alternative / p) + (n - x) * (np.log1p(-alternative) - np.log1p(-p))
    return ratio
