"""How much outputs of one window may resemble each other, given few windows of a baseline.

Eight windows say little about over-dispersion: one estimate in six is below half of the truth,
and evidence that rests on it grows too fast. So below `FEW_WINDOWS` windows the correlation is
bounded from above, and the larger of the estimate by moments (`calibration`) and the bound is
allowed for.

If outputs have the correlation rho, ``Q(rho) = sum z^2 / (1 + l rho)`` is near chi-square with
nu degrees of freedom: z is a standardised count of one window, 1 + l rho its variance. The
bound is the rho at which Q is the alpha quantile of that distribution. With windows of one size
that is nu phi / chi2(alpha, nu) for the dispersion phi. Alpha is 0.05 for eight windows and
rises to 0.5 for thirty, where the bound is the estimate itself: chosen by simulation, with the
least delay at which the false alarms of rates stay within the budget (docs: false alarms).
"""

import numpy as np
import numpy.typing as npt
from scipy import special

from detectors.evidence.beta_binomial import Array

__all__ = [
    "FEW_WINDOWS",
    "distribution_correlation_bound",
    "gap_correlation_bound",
    "set_correlation_bound",
    "understated",
]

FEW_WINDOWS = 30
"""From so many windows on the estimate by moments is enough."""

_FEWEST = 8
_UNDERSTATED = (0.05, 0.5)
_LEAST_SHARE = 0.002
_MOST_CORRELATION = 0.5
_HALVINGS = 40
_TINY = np.finfo(np.float64).tiny

Counts = npt.NDArray[np.int64]


def understated(n_windows: int) -> float:
    """Return the accepted chance that the bound is below the true correlation.

    Examples
    --------
    >>> understated(8), round(understated(14), 2), understated(30)
    (0.05, 0.17, 0.5)
    """
    least, most = _UNDERSTATED
    along = (n_windows - _FEWEST) / (FEW_WINDOWS - _FEWEST)
    return float(least + (most - least) * min(max(along, 0.0), 1.0))


def set_correlation_bound(count: Counts, total: Counts, share: npt.ArrayLike) -> float:
    """Return the upper bound of the correlation of events of one window; 0 for many windows.

    Parameters
    ----------
    count, total
        Events in the set and all events of each window, of shape (K,).
    share
        The set's baseline share in each window, that broadcasts with them, strictly between
        0 and 1.

    References
    ----------
    .. [1] W. Viechtbauer, Statistics in Medicine 26 (2007), 37-52 (the Q profile).
    .. [2] P. McCullagh and J. A. Nelder, Generalized Linear Models, 2nd ed., Chapman and Hall,
       1989, sec. 4.5 (the dispersion statistic).

    Examples
    --------
    >>> n = np.full(8, 1001)
    >>> x = np.array([90, 110, 85, 115, 100, 100, 95, 105])
    >>> round(set_correlation_bound(x, n, 0.1), 4)
    0.0026
    """
    n = total.astype(np.float64)
    p = np.broadcast_to(np.asarray(share, dtype=np.float64), n.shape)
    z2 = (count - n * p) ** 2 / np.maximum(n * p * (1 - p), _TINY)
    return _bound(z2, n - 1, n > 0, 1.0)


def distribution_correlation_bound(counts: Counts, shares: Array) -> float:
    """Return the upper bound of the correlation that all bins have in common; 0 for many windows.

    Pearson's statistic of each window takes the place of z^2, with B - 1 degrees of freedom.
    Bins with a share below 0.002 or above 0.998 are left out: their squares say little.

    Parameters
    ----------
    counts
        Of each window, of shape (K, B).
    shares
        Baseline shares in each window, of shape (K, B) or (B,).

    Examples
    --------
    >>> counts = np.array([[420, 580], [380, 620]] * 4)
    >>> bound = distribution_correlation_bound(counts, np.array([0.4, 0.6]))
    >>> bound == set_correlation_bound(counts[:, 0], counts.sum(axis=1), 0.4)
    True
    """
    n = counts.sum(axis=-1).astype(np.float64)
    p = np.broadcast_to(shares, counts.shape)
    usable = ((p > _LEAST_SHARE) & (p < 1 - _LEAST_SHARE)).all(axis=0)
    expected = np.where(usable, n[:, None] * p, 1.0)
    squares = (counts - expected) ** 2 / np.maximum(expected, _TINY)
    pearson = np.where(usable, squares, 0.0).sum(axis=-1)
    # A bin's square has the mean 1 - p: B - 1 degrees of freedom if all bins are usable.
    freedom = float(np.where(usable, 1 - p, 0.0).sum(axis=-1).mean()) if len(counts) else 0.0
    return _bound(pearson, n - 1, n > 0, freedom)


def gap_correlation_bound(hits: Counts, totals: Counts) -> float:
    """Return the upper bound of the correlation that groups have in common; 0 for many windows.

    What all groups do together does not count. With z the standardised residual of the gap
    between group g and the others, and w its part of the outputs, ``sum (1 - w) z^2`` is the
    homogeneity chi-square of the groups, with one degree of freedom less than groups. One
    bound for all of them: a small group by itself cannot tell much.

    Parameters
    ----------
    hits, totals
        Events and outputs of each group in each window, of shape (K, G).
    """
    x1, n1 = hits.astype(np.float64), totals.astype(np.float64)
    x2, n2 = x1.sum(axis=1, keepdims=True) - x1, n1.sum(axis=1, keepdims=True) - n1
    both = (n1 > 0) & (n2 > 0)
    p1, p2 = _rates(x1, n1), _rates(x2, n2)
    v1, v2 = p1 * (1 - p1), p2 * (1 - p2)
    m1, m2 = np.maximum(n1, 1.0), np.maximum(n2, 1.0)
    spread = np.maximum(v1 / m1 + v2 / m2, _TINY)
    z2 = (x1 / m1 - x2 / m2 - (p1 - p2)) ** 2 / spread
    leverage = (v1 * (1 - 1 / m1) + v2 * (1 - 1 / m2)) / spread
    others = np.where(both, m2 / (m1 + m2), 0.0)
    n_windows = int(both.any(axis=1).sum())
    # Each group's rate was taken from the same windows.
    freedom = float(others.sum()) * (1 - 1 / max(n_windows, 1))
    return _solved(others * z2, np.where(both, leverage, 0.0), freedom, n_windows)


def _rates(hits: Array, totals: Array) -> Array:
    rates: Array = (hits.sum(axis=0) + 0.5) / (totals.sum(axis=0) + 1)
    return rates


def _bound(
    squares: Array, leverage: Array, seen: npt.NDArray[np.bool_], freedom_of_window: float
) -> float:
    """Return the bound from one square for each window, of shape (K,)."""
    n_windows = int(seen.sum())
    freedom = freedom_of_window * max(n_windows - 1, 0)
    return _solved(np.where(seen, squares, 0.0), np.maximum(leverage, 0.0), freedom, n_windows)


def _solved(squares: Array, leverage: Array, freedom: float, n_windows: int) -> float:
    """Return the correlation at which the squares have the quantile, between 0 and 0.5."""
    if not (1 < n_windows < FEW_WINDOWS and freedom > 0):
        return 0.0
    target = 2 * float(special.gammaincinv(freedom / 2, understated(n_windows)))
    if float(squares.sum()) <= target:
        return 0.0
    low, high = 0.0, _MOST_CORRELATION
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if float((squares / (1 + leverage * middle)).sum()) > target:
            low = middle
        else:
            high = middle
    return high
