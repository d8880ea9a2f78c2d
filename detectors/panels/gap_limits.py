"""Limits on the gap of two groups: what is out of tolerance, and what is back within it."""

import numpy as np
import numpy.typing as npt

from detectors.evidence.beta_binomial import Array
from detectors.evidence.group_gaps import GapTolerance, ToleratedGap
from detectors.evidence.two_group_gaps import GapLimit

__all__ = ["RATES", "back_within", "gap_limit"]

RATES = (1e-4, 1 - 1e-4)
"""The least and the largest rate that a bet may stand on."""

_REMAINING = (0.6, 0.3, 0.0)


def gap_limit(tolerated: ToleratedGap) -> GapLimit:
    """Return what is tolerated as a limit on the two rates."""
    if tolerated.kind is GapTolerance.RATIO:
        return GapLimit.ratio(tolerated.limit)
    return GapLimit.difference(tolerated.limit)


def back_within(
    tolerated: ToleratedGap,
    pooled_rate: Array,
    n_low: npt.NDArray[np.int64],
    n_high: npt.NDArray[np.int64],
) -> tuple[GapLimit, Array, Array]:
    """Return "still out of tolerance" as a half-plane, and rates inside tolerance.

    The alternatives keep the baseline's pooled rate, so nothing of the window decides them but
    the groups' sizes.

    Parameters
    ----------
    tolerated
        What is accepted.
    pooled_rate
        The baseline's, of shape (S,).
    n_low, n_high
        Outputs of the two groups furthest apart when the gap opened, of shape (S,).

    Returns
    -------
    tuple
        The half-plane, then the lower and the higher group's rates, of shape (S, alternatives).
    """
    pooled = pooled_rate[:, None]
    share = (n_low / np.maximum(n_low + n_high, 1))[:, None]
    remaining = np.array(_REMAINING)
    if tolerated.kind is GapTolerance.RATIO:
        ratio = 1 - remaining * (1 - tolerated.limit)
        high = pooled / (1 - share + share * ratio)
        low = ratio * high
        limit = GapLimit(first=1.0, second=tolerated.limit, most=0.0)
    else:
        gap = remaining * tolerated.limit
        low, high = pooled - (1 - share) * gap, pooled + share * gap
        limit = GapLimit(most=-tolerated.limit)
    return limit, np.clip(low, *RATES), np.clip(high, *RATES)
