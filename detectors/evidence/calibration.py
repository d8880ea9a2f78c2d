"""What normal variation allows: correlation within windows and tolerances, from the baseline.

All functions take the integer counts of the baseline's own windows. Estimates of correlation
by moments are biased down a little where the baseline rates come from the same windows, so
one degree of freedom is given back; taking the worst of several sets biases them up.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from detectors.evidence.beta_binomial import Array
from detectors.total_variation_intervals import tolerance_floor

__all__ = [
    "TOLERANCE_STEPS",
    "attainable_tolerance",
    "distribution_correlation",
    "gap_correlation",
    "quiet_tolerance",
    "set_correlation",
]

TOLERANCE_STEPS = (1.0, 1.25, 1.5, 2.0, 3.0, 4.0)
"""What a tolerance is multiplied by, in turn, until the baseline itself is quiet."""

_QUIET_MARGIN = 3.0
_LEAST_SHARE = 0.002
_MOST_CORRELATION = 0.5

Counts = npt.NDArray[np.int64]


def set_correlation(count: Counts, total: Counts, share: npt.ArrayLike) -> Array:
    """Return the correlation of events of one window, by moments.

    ``rho = max(0, (sum z^2 - (K - 1)) / sum (n - 1))``, z = (x - n p) / sqrt(n p (1 - p)), over
    the K windows with events. At most 0.5; 0 for fewer than two windows.

    Parameters
    ----------
    count, total
        Events in the set and all events of each window, of shape (K, ...).
    share
        p, the set's baseline share in each window, that broadcasts with them, strictly
        between 0 and 1.

    References
    ----------
    .. [1] D. A. Williams, Applied Statistics 31 (1982), 144-148.

    Examples
    --------
    >>> n = np.full(4, 101)
    >>> float(set_correlation(np.array([0, 20, 0, 20]), n, 0.1).round(3))
    0.103
    """
    n = total.astype(np.float64)
    p = np.asarray(share, dtype=np.float64)
    variance = np.maximum(n * p * (1 - p), np.finfo(np.float64).tiny)
    z2 = np.where(n > 0, (count - n * p) ** 2 / variance, 0.0)
    n_windows = np.broadcast_to(n > 0, z2.shape).sum(axis=0)
    further = np.broadcast_to(np.maximum(n - 1, 0.0), z2.shape).sum(axis=0)
    excess = z2.sum(axis=0) - np.maximum(n_windows - 1, 0)
    estimate = np.where((n_windows > 1) & (further > 0), excess / np.maximum(further, 1.0), 0.0)
    return np.clip(estimate, 0.0, _MOST_CORRELATION)


def distribution_correlation(counts: Counts, shares: Array, *, ordered: bool) -> Array:
    """Return the correlation of the worst set of bins of each series.

    Ordered bins: every half-line; levels: every level against the others. Sets with a share
    below 0.002 or above 0.998 are left out: their moments say little.

    Parameters
    ----------
    counts
        Of each window, of shape (K, B) or (K, S, B).
    shares
        Baseline shares in each window, of the same shape or one that broadcasts.
    ordered
        Whether neighbouring bins hold neighbouring values.

    Returns
    -------
    ndarray
        Of shape () or (S,).
    """
    p = np.broadcast_to(shares, counts.shape)
    total = counts.sum(axis=-1, keepdims=True)
    if ordered:
        x, p = np.cumsum(counts, axis=-1)[..., :-1], np.cumsum(p, axis=-1)[..., :-1]
    else:
        x = counts
    usable = ((p > _LEAST_SHARE) & (p < 1 - _LEAST_SHARE)).all(axis=0)
    estimates = set_correlation(x, np.broadcast_to(total, x.shape), np.clip(p, 1e-9, 1 - 1e-9))
    worst: Array = np.where(usable, estimates, 0.0).max(axis=-1, initial=0.0)
    return worst


def gap_correlation(
    counts: tuple[Counts, Counts],
    totals: tuple[Counts, Counts],
    rates: tuple[npt.ArrayLike, npt.ArrayLike],
) -> Array:
    """Return the correlation that explains how much the gap of two groups varies.

    What both groups' rates do together does not count. With z the standardised residual of
    the gap, ``rho = max(0, sum (z^2 - 1) / sum lev)`` with ``lev = [v1 (1 - 1/n1) + v2 (1 -
    1/n2)] / (v1/n1 + v2/n2)``, v = p (1 - p). The detectors multiply it by
    `two_group_gaps.CORRELATION_FACTOR`.

    Parameters
    ----------
    counts, totals
        Events and outputs of each group in each window, of shape (K, ...); windows in which
        a group is empty are left out.
    rates
        Baseline rates of the groups, strictly between 0 and 1.
    """
    (x1, x2), (n1, n2) = counts, totals
    p1, p2 = (np.asarray(rate, dtype=np.float64) for rate in rates)
    v1, v2 = p1 * (1 - p1), p2 * (1 - p2)
    both = (n1 > 0) & (n2 > 0)
    m1, m2 = np.maximum(n1, 1).astype(np.float64), np.maximum(n2, 1).astype(np.float64)
    spread = np.maximum(v1 / m1 + v2 / m2, np.finfo(np.float64).tiny)
    z2 = (x1 / m1 - x2 / m2 - (p1 - p2)) ** 2 / spread
    leverage = (v1 * (1 - 1 / m1) + v2 * (1 - 1 / m2)) / spread
    excess = np.where(both, z2 - 1, 0.0).sum(axis=0) + np.minimum(both.sum(axis=0), 1)
    further = np.where(both, leverage, 0.0).sum(axis=0)
    estimate = np.where(further > 0, excess / np.where(further > 0, further, 1.0), 0.0)
    return np.clip(np.where(both.sum(axis=0) > 1, estimate, 0.0), 0.0, _MOST_CORRELATION)


def attainable_tolerance(wanted: float, n_bins: int, n_reference_rows: int) -> float:
    """Return the tolerance of total variation that the baseline's size allows.

    The larger of what is wanted and `intervals.tolerance_floor`: the baseline itself is that
    far from its source, so a smaller tolerance would call its noise a change.

    Examples
    --------
    >>> round(attainable_tolerance(0.05, 16, 2_000), 3)
    0.071
    """
    return max(wanted, tolerance_floor(n_bins, n_reference_rows))


def quiet_tolerance(
    replay: Callable[[float], float],
    log_threshold: float,
    steps: Sequence[float] = TOLERANCE_STEPS,
) -> float | None:
    """Return the least factor of the tolerance at which the baseline's own windows are quiet.

    Quiet: the largest ln R of a replay stays 3 nats below the threshold. None if no factor
    is enough: the series varies too much to be watched this way.

    Parameters
    ----------
    replay
        Returns the largest ln R of a replay of the baseline's windows, given the factor.
    log_threshold
        ln c.
    steps
        Factors to try, in order.

    Examples
    --------
    >>> quiet_tolerance(lambda factor: 20.0 - 10 * factor, 10.0)
    1.5
    """
    for factor in steps:
        if replay(factor) < log_threshold - _QUIET_MARGIN:
            return factor
    return None
