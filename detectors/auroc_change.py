"""How much worse a score ranks positives above negatives than in the baseline."""

import dataclasses
from dataclasses import dataclass
from typing import Annotated, ClassVar

import annotated_types as at

from baselines.layout import AxisNeed, TableNeed
from baselines.reference import Reference
from baselines.schema import Role, Schema
from baselines.summary import Window
from detectors.base import Finding
from detectors.labelled_scores import LabelledScores, labelled_scores
from detectors.options import ColumnOption
from detectors.performance import PerformanceChange, PerformanceOptions, performance_finding
from detectors.registry import detector
from detectors.roc import area_under_roc, area_under_roc_binning_error
from detectors.wording import number_text, plain

__all__ = ["AurocChange"]


@detector
@dataclass(frozen=True, slots=True, kw_only=True)
class AurocChange(PerformanceOptions):
    """Compares the area under the ROC curve with its value in the baseline.

    Scores are binned at the baseline's full resolution; pairs in one bin count half.

    It is decided by its interval in each window; there is no false-alarm guarantee.

    Parameters
    ----------
    score
        The numeric column that ranks outputs.
    label
        The column whose positive levels, by the schema, should rank high.
    tolerance_drop
        The accepted drop of the area.
    min_class_rows
        The least number of positive and of negative labels, in window and baseline.
    """

    name: ClassVar[str] = "auroc_change"

    score: Annotated[
        str,
        ColumnOption(roles=frozenset({Role.SCORE, Role.NUMERIC, Role.PREDICTION}), kind="numeric"),
    ]
    label: Annotated[str, ColumnOption(roles=frozenset({Role.LABEL}), kind="category")]
    tolerance_drop: Annotated[float, at.Gt(0), at.Lt(1)] = 0.05
    min_class_rows: Annotated[int, at.Ge(2)] = 20

    @property
    def series(self) -> str:
        """Return the name of the series, unique within a monitor."""
        return f"{self.name}({self.score}, {self.label})"

    def tables(self, schema: Schema) -> tuple[TableNeed, ...]:
        """Return the table of scores and labels."""
        return ((AxisNeed(self.score), AxisNeed(self.label)),)

    def compare(self, reference: Reference, window: Window) -> Finding:
        """Return how far the area under the ROC curve dropped."""
        scores = labelled_scores(
            self,
            reference,
            window,
            need=self.tables(reference.schema)[0],
            tolerance=self.tolerance_drop,
            unit="drop of the area under the ROC curve",
            min_rows=self.min_rows,
        )
        if isinstance(scores, Finding):
            return scores
        smallest = min(
            int(counts.sum())
            for side in (scores.window, scores.reference)
            for counts in (side.negatives, side.positives)
        )
        if smallest < self.min_class_rows:
            return scores.comparison.insufficient(
                f"the rarer {plain(self.label)} has {smallest} rows, a comparison needs "
                f"{self.min_class_rows} positive and as many negative ones"
            )
        return self._finding(scores)

    def _finding(self, scores: LabelledScores) -> Finding:
        now, before = scores.window, scores.reference
        error = area_under_roc_binning_error(now.negatives, now.positives)
        error_before = area_under_roc_binning_error(before.negatives, before.positives)
        note = (
            f"pairs of outputs in one score bin count half, which moves the area by at most "
            f"{number_text(error)} in the window and {number_text(error_before)} in the baseline"
        )
        comparison = dataclasses.replace(scores.comparison, notes=(*scores.comparison.notes, note))
        change = PerformanceChange(
            metric=f"area under the ROC curve of {plain(self.score)}",
            now=area_under_roc(now.negatives, now.positives, self.confidence),
            before=area_under_roc(before.negatives, before.positives, self.confidence),
            tolerance=self.tolerance_drop,
        )
        return scores.with_coverage(performance_finding(comparison, change))
