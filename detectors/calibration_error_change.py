"""How much further scores are from observed frequencies than in the baseline."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import annotated_types as at
import numpy as np

from baselines.layout import AxisNeed, TableNeed
from baselines.reference import Reference
from baselines.schema import Role, Schema
from baselines.summary import Window
from detectors.base import Estimate, Finding
from detectors.intervals import wilson
from detectors.labelled_scores import ScoreCounts, labelled_scores
from detectors.options import ColumnOption
from detectors.performance import PerformanceChange, PerformanceOptions, performance_finding
from detectors.registry import detector
from detectors.score_bins import BinValues, probability_bins
from detectors.wording import plain

__all__ = ["CalibrationErrorChange", "expected_calibration_error"]


@detector
@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationErrorChange(PerformanceOptions):
    """Compares the expected calibration error with its value in the baseline.

    The error of a well calibrated score is above zero by chance, the more so the fewer rows
    there are. The lower bound allows for that.

    It is decided by its interval in each window; there is no false-alarm guarantee.

    Parameters
    ----------
    score
        A score in [0, 1] that claims to be the probability of a positive label.
    label
        The column whose positive levels, by the schema, count as 1.
    tolerance_rise
        The accepted rise of the error.
    bins
        Bins that mean scores are computed from.
    calibration_bins
        Bins in which scores are compared with frequencies, each made of several `bins`.
    """

    name: ClassVar[str] = "calibration_error_change"

    score: Annotated[str, ColumnOption(roles=frozenset({Role.SCORE}), kind="numeric")]
    label: Annotated[str, ColumnOption(roles=frozenset({Role.LABEL}), kind="category")]
    tolerance_rise: Annotated[float, at.Gt(0), at.Lt(1)] = 0.05
    bins: Annotated[int, at.Ge(2)] = 64
    calibration_bins: Annotated[int, at.Ge(2)] = 16

    @property
    def series(self) -> str:
        """Return the name of the series, unique within a monitor."""
        return f"{self.name}({self.score}, {self.label})"

    def problems(self, schema: Schema) -> Sequence[tuple[str, str]]:
        """Return (option, what is wrong) for every option that does not fit `schema`."""
        found = list(PerformanceOptions.problems(self, schema))
        if self.calibration_bins > self.bins:
            message = f"must be at most bins, which is {self.bins}, got {self.calibration_bins}"
            found.append(("calibration_bins", message))
        return found

    def tables(self, schema: Schema) -> tuple[TableNeed, ...]:
        """Return the table of scores and labels."""
        return ((AxisNeed(self.score, self.bins), AxisNeed(self.label)),)

    def compare(self, reference: Reference, window: Window) -> Finding:
        """Return how far the calibration error rose."""
        scores = labelled_scores(
            self,
            reference,
            window,
            need=self.tables(reference.schema)[0],
            tolerance=self.tolerance_rise,
            unit="rise of the expected calibration error",
            min_rows=self.min_rows,
        )
        if isinstance(scores, Finding):
            return scores
        values = probability_bins(scores.axis)
        if values is None:
            return scores.comparison.cannot_see(f"{plain(self.score)} must lie between 0 and 1")
        (now, error), (before, error_before) = (
            expected_calibration_error(
                counts, values, n_bins=self.calibration_bins, confidence=self.confidence
            )
            for counts in (scores.window, scores.reference)
        )
        change = PerformanceChange(
            metric=f"expected calibration error of {plain(self.score)}",
            now=now,
            before=before,
            tolerance=self.tolerance_rise,
            higher_is_better=False,
            binning_error=error + error_before,
        )
        return scores.with_coverage(performance_finding(scores.comparison, change))


def expected_calibration_error(
    counts: ScoreCounts, values: BinValues, *, n_bins: int, confidence: float
) -> tuple[Estimate, float]:
    """Return the expected calibration error, and how far binning can have moved it.

    The mean over rows of the bin's distance between share of positive labels and mean score.
    Bounds join the bins' Wilson bounds; the lower one first subtracts what a calibrated score
    would show on average, sqrt(2 / pi) standard errors in every bin.

    Parameters
    ----------
    counts
        Labelled rows by fine bin, at least one.
    values
        Where the scores of each fine bin lie, within [0, 1].
    n_bins
        How many bins to merge the fine bins into.
    confidence
        Of the two-sided interval.

    References
    ----------
    .. [1] M. P. Naeini, G. F. Cooper and M. Hauskrecht, AAAI 2015, 2901-2907.
    .. [2] R. Roelofs et al., AISTATS 2022, PMLR 151, 4036-4054 (the bias).
    .. [3] G. Y. Zou, W. Huang and X. Zhang, Computational Statistics and Data Analysis 53
       (2009), 1080-1085 (the bounds of a weighted sum).
    """
    merged = np.minimum((values.centre * n_bins).astype(np.intp), n_bins - 1)
    rows = np.bincount(merged, counts.rows, n_bins)
    positives = np.bincount(merged, counts.positives, n_bins)[rows > 0]
    scores = np.bincount(merged, counts.rows * values.centre, n_bins)[rows > 0]
    rows = rows[rows > 0]
    share, score, weight = positives / rows, scores / rows, rows / rows.sum()
    distance = np.abs(share - score)
    low, high = wilson(positives, rows, confidence)
    nearest = np.maximum(np.maximum(low - score, score - high), 0.0)
    furthest = np.maximum(high - score, score - low)
    chance = weight @ np.sqrt(2 / np.pi * score * (1 - score) / rows)
    value = float(weight @ distance)
    below = float(np.linalg.norm(weight * (distance - nearest)) + chance)
    above = float(np.linalg.norm(weight * (furthest - distance)))
    estimate = Estimate(value, max(value - below, 0.0), min(value + above, 1.0))
    return estimate, float(counts.rows @ values.error / rows.sum())
