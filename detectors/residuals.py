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
    """Return the absolute errors of cells of prediction x label.

    Where the two bins do not overlap, a typical error is the distance of their centres; where
    they do, it is the mean distance of two values spread evenly over their bins.
    """
    a, b = prediction.low[:, None], prediction.high[:, None]
    c, d = label.low[None, :], label.high[None, :]
    apart = np.maximum(np.maximum(c - b, a - d), 0.0)
    distance = np.abs(prediction.centre[:, None] - label.centre[None, :])
    area = (b - a) * (d - c)
    cubes = np.abs(b - c) ** 3 - np.abs(b - d) ** 3 + np.abs(a - d) ** 3 - np.abs(a - c) ** 3
    even = cubes / 6 / np.where(area > 0, area, 1.0)
    most = np.maximum(b - c, d - a)
    overlap = (np.minimum(b, d) > np.maximum(a, c)) & (area > 0)
    typical = np.where(overlap, even, distance)
    return ErrorCells(typical=np.clip(typical, apart, most), least=apart, most=most)


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
