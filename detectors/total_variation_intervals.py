"""How far apart two samples of counts are, in total variation: intervals, noise and floor.

All functions take counts that broadcast. Nothing here fails on empty samples: an interval of no
rows is the whole range of the quantity.
"""

import numpy as np
import numpy.typing as npt

from detectors.base import Estimate
from detectors.intervals import Bounds, bounded_estimate

__all__ = [
    "sampling_noise",
    "tolerance_floor",
    "total_variation_estimate",
    "total_variation_interval",
]

Array = npt.NDArray[np.float64]


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
    return bounded_estimate(value, low, high)
