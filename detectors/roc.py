"""The area under the ROC curve of binned scores, with DeLong's bounds."""

import numpy as np
import numpy.typing as npt
from scipy import special

from detectors.base import Estimate
from detectors.intervals import normal_quantile

__all__ = ["area_under_roc", "area_under_roc_binning_error", "area_under_roc_variance"]

Counts = npt.NDArray[np.int64]

_BISECTIONS = 60


def area_under_roc(negatives: Counts, positives: Counts, confidence: float) -> Estimate:
    """Return the chance that a positive row scores above a negative one, ties counting half.

    Bounds are those of DeLong's variance on the logit scale. Where that variance vanishes
    (scores that separate perfectly) they invert Hanley and McNeil's variance, which does not.

    Parameters
    ----------
    negatives, positives
        Counts of shape (n_bins,), bins in order of score; two rows of each or more.
    confidence
        Of the two-sided interval.

    References
    ----------
    .. [1] E. R. DeLong, D. M. DeLong and D. L. Clarke-Pearson, Biometrics 44 (1988), 837-845.
    .. [2] M. S. Pepe, The Statistical Evaluation of Medical Tests, Oxford, 2003, sec. 5.2.
    .. [3] R. G. Newcombe, Statistics in Medicine 25 (2006), 559-573, method 5.

    Examples
    --------
    >>> area = area_under_roc(np.array([60, 30, 10]), np.array([20, 30, 50]), 0.95)
    >>> round(area.value, 3), round(area.low, 3), round(area.high, 3)
    (0.76, 0.692, 0.817)
    """
    area, variance = area_under_roc_variance(negatives, positives)
    z = normal_quantile(confidence)
    if variance <= 0 or not 0 < area < 1:
        n, m = int(negatives.sum()), int(positives.sum())
        return Estimate(area, _inverted(area, n, m, z, 0.0), _inverted(area, n, m, z, 1.0))
    centre = special.logit(area)
    half = z * variance**0.5 / (area * (1 - area))
    return Estimate(area, float(special.expit(centre - half)), float(special.expit(centre + half)))


def area_under_roc_variance(negatives: Counts, positives: Counts) -> tuple[float, float]:
    """Return the area under the ROC curve and DeLong's variance of it; both classes needed."""
    n, m = negatives.sum(), positives.sum()
    # For each bin: the share of negatives below it, and of positives above it.
    below = (negatives.cumsum() - negatives / 2) / n
    above = (m - positives.cumsum() + positives / 2) / m
    area = float((positives * below).sum() / m)
    of_positives = float((positives * (below - area) ** 2).sum() / max(m - 1, 1))
    of_negatives = float((negatives * (above - area) ** 2).sum() / max(n - 1, 1))
    return area, of_positives / m + of_negatives / n


def area_under_roc_binning_error(negatives: Counts, positives: Counts) -> float:
    """Return how far the area of binned scores can be from that of the scores themselves.

    Pairs in one bin count half; the scores may order all of them either way.
    """
    pairs = negatives.sum() * positives.sum()
    return float((negatives * positives).sum() / 2 / pairs)


def _inverted(area: float, n: int, m: int, z: float, end: float) -> float:
    """Return the bound towards `end` whose own standard error reaches back to `area`."""
    weight = (n + m) / 2 - 1
    inside, outside = area, end
    for _ in range(_BISECTIONS):
        theta = (inside + outside) / 2
        spread = 1 + weight * (1 - theta) / (2 - theta) + weight * theta / (1 + theta)
        reach = z * z * theta * (1 - theta) * spread / (n * m)
        if (theta - area) ** 2 <= reach:
            inside = theta
        else:
            outside = theta
    return inside
