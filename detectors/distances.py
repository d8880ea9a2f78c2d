"""How far apart two binned samples are: distances and statistics on integer counts.

Every function takes counts of shape (n_bins,) on the same bins, reference first, and raises
ValueError if the shapes differ or a sample is empty: an empty window has no distance.
"""

import numpy as np
import numpy.typing as npt
from scipy import special

__all__ = [
    "Counts",
    "chi_square",
    "g_statistic",
    "hellinger_distance",
    "jensen_shannon_distance",
    "kolmogorov_smirnov",
    "population_stability_index",
    "total_variation",
    "wasserstein",
]

Counts = npt.NDArray[np.int64]
_Shares = npt.NDArray[np.float64]


def total_variation(expected: Counts, observed: Counts) -> float:
    """Return the share of a sample that would have to move to give the other's proportions.

    Returns
    -------
    float
        Between 0 and 1: half the sum of absolute differences of shares.

    References
    ----------
    .. [1] D. A. Levin and Y. Peres, Markov Chains and Mixing Times, AMS, 2017, ch. 4.

    Examples
    --------
    >>> round(total_variation(np.array([50, 50]), np.array([70, 30])), 3)
    0.2
    """
    p, q = _shares(expected, observed)
    return float(0.5 * np.abs(p - q).sum())


def population_stability_index(expected: Counts, observed: Counts) -> float:
    """Return the symmetrised Kullback-Leibler divergence between two samples, in nats.

    Half a row is added to every bin (Jeffreys prior), so an empty bin gives a finite score.

    Returns
    -------
    float
        Zero for identical proportions of large samples; unbounded above.

    References
    ----------
    .. [1] N. Siddiqi, Credit Risk Scorecards, Wiley, 2006, ch. 10.

    Examples
    --------
    >>> round(population_stability_index(np.array([900, 100]), np.array([700, 300])), 3)
    0.269
    """
    _check(expected, observed)
    p = (expected + 0.5) / (expected.sum() + len(expected) / 2)
    q = (observed + 0.5) / (observed.sum() + len(observed) / 2)
    return float(((p - q) * np.log(p / q)).sum())


def jensen_shannon_distance(expected: Counts, observed: Counts) -> float:
    """Return the square root of the Jensen-Shannon divergence with logarithms to base 2.

    Returns
    -------
    float
        Between 0 and 1; `scipy.spatial.distance.jensenshannon` with ``base=2``.

    References
    ----------
    .. [1] D. M. Endres and J. E. Schindelin, IEEE Transactions on Information Theory 49
       (2003), 1858-1860.

    Examples
    --------
    >>> jensen_shannon_distance(np.array([5, 0]), np.array([0, 5]))
    1.0
    """
    p, q = _shares(expected, observed)
    middle = (p + q) / 2
    divergence = special.rel_entr(p, middle).sum() + special.rel_entr(q, middle).sum()
    return float(np.sqrt(np.clip(divergence / 2 / np.log(2), 0.0, 1.0)))


def hellinger_distance(expected: Counts, observed: Counts) -> float:
    """Return the Hellinger distance, between 0 and 1.

    References
    ----------
    .. [1] A. W. van der Vaart, Asymptotic Statistics, CUP, 1998, ch. 14.

    Examples
    --------
    >>> round(hellinger_distance(np.array([50, 50]), np.array([70, 30])), 4)
    0.1452
    """
    p, q = _shares(expected, observed)
    return float(np.sqrt(np.square(np.sqrt(p) - np.sqrt(q)).sum() / 2))


def kolmogorov_smirnov(expected: Counts, observed: Counts) -> float:
    """Return the largest difference between the distribution functions at the bin edges.

    Returns
    -------
    float
        Between 0 and 1. Never above the statistic of the rows themselves; below it by at
        most the larger share that one sample has in a single bin.

    References
    ----------
    .. [1] N. Smirnov, Annals of Mathematical Statistics 19 (1948), 279-281.

    Examples
    --------
    >>> round(kolmogorov_smirnov(np.array([50, 30, 20]), np.array([20, 30, 50])), 3)
    0.3
    """
    p, q = _shares(expected, observed)
    return float(np.clip(np.abs(np.cumsum(p - q)).max(), 0.0, 1.0))


def wasserstein(
    expected: Counts, observed: Counts, centres: npt.NDArray[np.float64]
) -> tuple[float, float]:
    """Return the mean distance that values moved, in the column's unit and in reference sds.

    Every row is taken to sit at its bin's centre. The first number differs from that of the
    rows themselves by at most the mean distance of reference rows to their centre plus that
    of the window's rows: at most the widest bin for rows between the edges.

    Parameters
    ----------
    expected, observed
        Counts of shape (n_bins,).
    centres
        Non-decreasing values of shape (n_bins,), in the column's unit.

    Returns
    -------
    tuple of float
        The distance in the column's unit, and divided by the reference's standard deviation
        (of the binned reference; 0.0 if the distance is 0, infinite if only the sd is 0).

    References
    ----------
    .. [1] S. S. Vallender, Theory of Probability and its Applications 18 (1974), 784-786.

    Examples
    --------
    >>> wasserstein(np.array([2, 2]), np.array([0, 4]), np.array([10.0, 30.0]))
    (10.0, 1.0)
    """
    p, q = _shares(expected, observed)
    if centres.shape != p.shape or np.any(np.diff(centres) < 0):
        message = f"centres must be {len(p)} non-decreasing values, got shape {centres.shape!r}"
        raise ValueError(message)
    distance = float((np.abs(np.cumsum(p - q))[:-1] * np.diff(centres)).sum())
    mean = (p * centres).sum()
    deviation = float(np.sqrt((p * np.square(centres - mean)).sum()))
    if deviation > 0:
        return distance, distance / deviation
    return distance, np.inf if distance > 0 else 0.0


def chi_square(expected: Counts, observed: Counts) -> tuple[float, float]:
    """Return Pearson's statistic of homogeneity of two samples and its p-value.

    Both samples are random here: the reference is not taken for the truth. Bins that are
    empty in both are left out; one bin is left: (0.0, 1.0).

    References
    ----------
    .. [1] A. Agresti, Categorical Data Analysis, Wiley, 2013, ch. 3.2.

    Examples
    --------
    >>> statistic, p_value = chi_square(np.array([50, 50]), np.array([70, 30]))
    >>> round(statistic, 3), round(p_value, 4)
    (8.333, 0.0039)
    """
    table, fitted = _contingency(expected, observed)
    statistic = float((np.square(table - fitted) / fitted).sum())
    return statistic, _chi_square_tail(table.shape[1] - 1, statistic)


def g_statistic(expected: Counts, observed: Counts) -> tuple[float, float]:
    """Return the likelihood-ratio statistic of homogeneity of two samples and its p-value.

    Bins that are empty in both are left out; one bin is left: (0.0, 1.0).

    References
    ----------
    .. [1] A. Agresti, Categorical Data Analysis, Wiley, 2013, ch. 3.2.

    Examples
    --------
    >>> statistic, p_value = g_statistic(np.array([50, 50]), np.array([70, 30]))
    >>> round(statistic, 3), round(p_value, 4)
    (8.4, 0.0038)
    """
    table, fitted = _contingency(expected, observed)
    # The sum is never negative; rounding may leave it an ulp below zero.
    statistic = max(float(2 * special.xlogy(table, table / fitted).sum()), 0.0)
    return statistic, _chi_square_tail(table.shape[1] - 1, statistic)


def _check(expected: Counts, observed: Counts) -> None:
    if expected.ndim != 1 or expected.shape != observed.shape:
        message = (
            f"both samples must be counted on the same bins, "
            f"got shapes {expected.shape!r} and {observed.shape!r}"
        )
        raise ValueError(message)
    if np.any(expected < 0) or np.any(observed < 0):
        message = "counts must not be negative"
        raise ValueError(message)
    if expected.sum() == 0 or observed.sum() == 0:
        message = "a sample without rows has no distance to another; check the rows first"
        raise ValueError(message)


def _shares(expected: Counts, observed: Counts) -> tuple[_Shares, _Shares]:
    _check(expected, observed)
    return expected / expected.sum(), observed / observed.sum()


def _contingency(expected: Counts, observed: Counts) -> tuple[_Shares, _Shares]:
    _check(expected, observed)
    table = np.stack([expected, observed]).astype(np.float64)
    table = table[:, table.sum(axis=0) > 0]
    fitted = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / table.sum()
    return table, fitted


def _chi_square_tail(degrees: int, statistic: float) -> float:
    return float(special.chdtrc(degrees, statistic)) if degrees > 0 else 1.0
