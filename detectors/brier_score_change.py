"""How much worse a score is as a probability than in the baseline, by the Brier score."""

import dataclasses
from dataclasses import dataclass
from typing import Annotated, ClassVar

import annotated_types as at
import numpy as np

from baselines.layout import AxisNeed, TableNeed
from baselines.reference import Reference
from baselines.schema import Role, Schema
from baselines.summary import Window
from detectors.base import Estimate, Finding
from detectors.labelled_scores import ScoreCounts, labelled_scores
from detectors.options import ColumnOption
from detectors.performance import (
    PerformanceChange,
    PerformanceOptions,
    mean_estimate,
    performance_finding,
)
from detectors.registry import detector
from detectors.score_bins import BinValues, probability_bins
from detectors.wording import plain

__all__ = ["BrierScoreChange", "brier_score"]


@detector
@dataclass(frozen=True, slots=True, kw_only=True)
class BrierScoreChange(PerformanceOptions):
    """Compares the mean of (score - label) squared with its value in the baseline.

    It is decided by its interval in each window; there is no false-alarm guarantee.

    Parameters
    ----------
    score
        A score in [0, 1] that claims to be the probability of a positive label.
    label
        The column whose positive levels, by the schema, count as 1.
    tolerance_rise
        The accepted rise; a score that always says 0.5 has 0.25.
    bins
        Bins of the score.
    """

    name: ClassVar[str] = "brier_score_change"

    score: Annotated[str, ColumnOption(roles=frozenset({Role.SCORE}), kind="numeric")]
    label: Annotated[str, ColumnOption(roles=frozenset({Role.LABEL}), kind="category")]
    tolerance_rise: Annotated[float, at.Gt(0), at.Lt(1)] = 0.05
    bins: Annotated[int, at.Ge(2)] = 64

    @property
    def series(self) -> str:
        """Return the name of the series, unique within a monitor."""
        return f"{self.name}({self.score}, {self.label})"

    def tables(self, schema: Schema) -> tuple[TableNeed, ...]:
        """Return the table of scores and labels."""
        return ((AxisNeed(self.score, self.bins), AxisNeed(self.label)),)

    def compare(self, reference: Reference, window: Window) -> Finding:
        """Return how far the Brier score rose."""
        scores = labelled_scores(
            self,
            reference,
            window,
            need=self.tables(reference.schema)[0],
            tolerance=self.tolerance_rise,
            unit="rise of the Brier score",
            min_rows=max(self.min_rows, 2),
        )
        if isinstance(scores, Finding):
            return scores
        values = probability_bins(scores.axis)
        if values is None:
            return scores.comparison.cannot_see(f"{plain(self.score)} must lie between 0 and 1")
        now, error = brier_score(scores.window, values, self.confidence)
        before, error_before = brier_score(scores.reference, values, self.confidence)
        change = PerformanceChange(
            metric=f"Brier score of {plain(self.score)}",
            now=now,
            before=before,
            tolerance=self.tolerance_rise,
            higher_is_better=False,
            binning_error=error + error_before,
        )
        return scores.with_coverage(performance_finding(scores.comparison, change))


def brier_score(
    counts: ScoreCounts, values: BinValues, confidence: float
) -> tuple[Estimate, float]:
    """Return the mean of (score - label) squared, and how far binning can have moved it.

    Parameters
    ----------
    counts
        Labelled rows by bin, two or more.
    values
        Where the scores of each bin lie, within [0, 1].
    confidence
        Of the two-sided interval.

    References
    ----------
    .. [1] G. W. Brier, Monthly Weather Review 78 (1950), 1-3.
    """
    rows = np.stack([counts.negatives, counts.positives])
    squares, least, most = (
        np.stack([score**2, (1 - score) ** 2])
        for score in (values.centre, values.low, values.high)
    )
    error = np.maximum(np.abs(squares - least), np.abs(squares - most))
    estimate = mean_estimate(squares, rows, confidence)
    inside = dataclasses.replace(
        estimate, low=max(estimate.low, 0.0), high=min(estimate.high, 1.0)
    )
    return inside, float((error * rows).sum() / rows.sum())
