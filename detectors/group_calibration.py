"""How far scores are from what then happened, group by group."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detectors.base import Estimate
from detectors.groups import GroupRates, GroupTable, rates_by_group
from detectors.intervals import newcombe_difference, simultaneous
from detectors.outcomes import counted_codes, positive_codes
from detectors.score_bins import BinValues

__all__ = ["GroupCalibration", "calibration_difference", "group_calibration"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class GroupCalibration:
    """Labels against scores, one entry a group.

    Parameters
    ----------
    rates
        Each compared group's rows and positive labels.
    mean_score
        Mean score, from bin centres, of shape (n_groups,).
    binning_error
        How far the mean score can be off because scores are binned, of shape (n_groups,).
    calibration_error
        Mean over a group's rows of the bin's ``|share of positive labels - mean score|``.
    """

    rates: GroupRates
    mean_score: Array
    binning_error: Array
    calibration_error: Array

    @property
    def excess(self) -> Array:
        """Return the mean of label minus score by group, in [-1, 1], of shape (n_groups,)."""
        return self.rates.rates - self.mean_score


def calibration_difference(groups: GroupCalibration, confidence: float) -> tuple[Estimate, Array]:
    """Return the largest difference of mean (label - score), and every pair's lower bound.

    Given the scores, a group's positive labels vary no more than a binomial count of the same
    mean, so that the bounds of a difference of rates hold; they are moved by the scores'
    difference and widened by the binning error.

    Parameters
    ----------
    groups
        At least two.
    confidence
        That all pairs' bounds hold together.

    Returns
    -------
    tuple
        The estimate, and the lower bounds of group i minus group j of shape (K, K).

    References
    ----------
    .. [1] W. Hoeffding, Annals of Mathematical Statistics 27 (1956), 713-721.
    .. [2] R. G. Newcombe, Statistics in Medicine 17 (1998), 873-890, method 10.
    """
    x, n = groups.rates.positives, groups.rates.rows
    each = simultaneous(confidence, len(x) * (len(x) - 1) // 2)
    low, high = newcombe_difference(x[:, None], n[:, None], x[None, :], n[None, :], each)
    scores = groups.mean_score[:, None] - groups.mean_score[None, :]
    error = groups.binning_error[:, None] + groups.binning_error[None, :]
    apart = ~np.eye(len(x), dtype=np.bool_)
    value = float(groups.excess.max() - groups.excess.min())
    lower, upper = low - scores - error, high - scores + error
    least, most = max(float(lower[apart].max()), 0.0), float(upper[apart].max())
    return Estimate(value, min(least, value), max(most, value)), lower


def group_calibration(
    table: GroupTable, values: BinValues, *, positive: tuple[str, ...], min_group_rows: int
) -> GroupCalibration:
    """Return labels against scores by group.

    Parameters
    ----------
    table
        Counts by group, score bin and label.
    values
        Where the scores of each bin lie.
    positive
        The label's positive levels.
    min_group_rows
        Groups with fewer rows that have both score and label are suppressed.
    """
    score, label = table.axes
    is_positive, has_label = positive_codes(label, positive), counted_codes(label)
    counted = np.logical_and.outer(counted_codes(score), has_label)
    rates = rates_by_group(
        table, np.broadcast_to(is_positive, counted.shape), counted, min_group_rows
    )
    compared = [table.groups.index(name) for name in rates.names]
    cells = table.counts[compared][:, counted_codes(score)]
    in_bin = cells[:, :, has_label].sum(axis=2)
    positives = cells[:, :, is_positive].sum(axis=2)
    total = np.maximum(in_bin.sum(axis=1), 1)
    return GroupCalibration(
        rates=rates,
        mean_score=in_bin @ values.centre / total,
        binning_error=in_bin @ values.error / total,
        calibration_error=np.abs(positives - in_bin * values.centre).sum(axis=1) / total,
    )
