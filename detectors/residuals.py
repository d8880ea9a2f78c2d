"""Errors of numeric predictions from binned values: their size, and what binning hides."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from detectors.base import Estimate
from detectors.performance import mean_estimate
from detectors.score_bins import BinValues

__all__ = ["ErrorCells", "ErrorMetric", "binned_error", "difference_cells", "residual_cells"]

Array = npt.NDArray[np.float64]


class ErrorMetric(StrEnum):
    """How errors are averaged: mean absolute error, root mean squared error."""

    MAE = "mae"
    RMSE = "rmse"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ErrorCells:
    """The absolute error in each cell: a typical one, the least and the most possible."""

    typical: Array
    least: Array
    most: Array


def residual_cells(residual: BinValues) -> ErrorCells:
    """Return the absolute errors of bins of the residual itself, of shape (n_bins + 2,)."""
    straddles = (residual.low < 0) & (residual.high > 0)
    ends = np.abs(np.stack([residual.low, residual.high]))
    return ErrorCells(
        typical=np.abs(residual.centre),
        least=np.where(straddles, 0.0, ends.min(axis=0)),
        most=ends.max(axis=0),
    )


def difference_cells(prediction: BinValues, label: BinValues) -> ErrorCells:
    """Return the absolute errors of cells of prediction x label, both of n_bins + 2 codes.

    A typical error is the distance of the bins' centres, where those are means of reference
    rows; in the wide bins of a long tail that is nearer the truth than spreading rows evenly.
    """
    low, high = prediction.low[:, None], prediction.high[:, None]
    label_low, label_high = label.low[None, :], label.high[None, :]
    return ErrorCells(
        typical=np.abs(prediction.centre[:, None] - label.centre[None, :]),
        least=np.maximum(np.maximum(label_low - high, low - label_high), 0.0),
        most=np.maximum(high - label_low, label_high - low),
    )


def binned_error(
    metric: ErrorMetric, cells: ErrorCells, counts: npt.NDArray[np.int64], confidence: float
) -> tuple[Estimate, tuple[float, float]]:
    """Return the error with its sampling bounds, and the range that binning leaves open.

    Parameters
    ----------
    metric
        How errors are averaged.
    cells
        The absolute error in each cell.
    counts
        Rows of each cell, of the same shape, two or more in all.
    confidence
        Of the two-sided interval.
    """
    total = counts.sum()
    power = 1 if metric == ErrorMetric.MAE else 2
    mean = mean_estimate(cells.typical**power, counts, confidence)
    least, most = (
        float((error**power * counts).sum() / total) for error in (cells.least, cells.most)
    )
    value, low, high, least, most = (
        max(number, 0.0) ** (1 / power)
        for number in (mean.value, mean.low, mean.high, least, most)
    )
    return Estimate(value, low, high), (least, most)
