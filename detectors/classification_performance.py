"""How much worse predictions are than in the baseline, once labels arrive."""

import dataclasses
from dataclasses import dataclass
from typing import Annotated, ClassVar

import annotated_types as at

from baselines.layout import AxisNeed, TableNeed, table_name
from baselines.reference import Reference
from baselines.schema import Role, Schema
from baselines.summary import Window
from detectors.base import Finding, Measure
from detectors.classification_rates import (
    ClassificationMetric,
    classification_cells,
    hits_and_rows,
)
from detectors.comparison import Comparison, TableCounts, read_table
from detectors.confusion import unknown_positive
from detectors.evidence.questions import Question, RateQuestion, Watched
from detectors.label_coverage import label_note, n_with_label
from detectors.options import ColumnOption
from detectors.performance import (
    PerformanceChange,
    PerformanceOptions,
    performance_finding,
    why_unlabelled,
)
from detectors.registry import detector
from detectors.wording import plain

__all__ = ["ClassificationPerformance"]


@detector
@dataclass(frozen=True, slots=True, kw_only=True)
class ClassificationPerformance(PerformanceOptions):
    """Compares a metric of classification with its value in the baseline.

    F1 and balanced accuracy are no proportions of rows; they are decided by their interval in
    each window, without a false-alarm guarantee.

    Parameters
    ----------
    prediction, label
        The columns that are compared: by their positive levels if both have at most two
        levels, else by the names of their levels.
    metric
        Which metric.
    tolerance_drop
        The accepted drop of the metric, a share.
    """

    name: ClassVar[str] = "classification_performance"

    prediction: Annotated[
        str, ColumnOption(roles=frozenset({Role.PREDICTION, Role.CATEGORY}), kind="category")
    ]
    label: Annotated[str, ColumnOption(roles=frozenset({Role.LABEL}), kind="category")]
    metric: ClassificationMetric = ClassificationMetric.ACCURACY
    tolerance_drop: Annotated[float, at.Gt(0), at.Lt(1)] = 0.05

    @property
    def series(self) -> str:
        """Return the name of the series, unique within a monitor."""
        return f"{self.name}({self.metric}, {self.prediction}, {self.label})"

    @property
    def asks(self) -> bool:
        """Return whether the metric is a proportion of rows: F1 and balanced accuracy are not."""
        return ClassificationMetric(self.metric).is_proportion

    def tables(self, schema: Schema) -> tuple[TableNeed, ...]:
        """Return the table of predictions and labels."""
        return ((AxisNeed(self.prediction), AxisNeed(self.label)),)

    def question(self, reference: Reference, window: Window) -> Question | None:
        """Return the counts that evidence is gathered from; see `Detector`."""
        counts = read_table(reference, window, table_name(self.tables(reference.schema)[0]))
        if counts is None:
            return None
        prediction, label = counts.table.axes
        metric = ClassificationMetric(self.metric)
        cells = classification_cells(prediction, label, reference.schema).proportion(metric)
        if cells is None:
            return None
        hits, total = hits_and_rows(counts.window, *cells)
        reference_hits, reference_total = hits_and_rows(counts.reference, *cells)
        if total == 0 or reference_total == 0:
            return None
        return RateQuestion(
            hits=hits,
            total=total,
            reference_hits=reference_hits,
            reference_total=reference_total,
            tolerance_difference=self.tolerance_drop,
            watched=Watched.DOWN,
        )

    def compare(self, reference: Reference, window: Window) -> Finding:
        """Return how far the metric dropped."""
        comparison = Comparison(
            detector=self,
            columns=(self.prediction, self.label),
            tolerance=self.tolerance_drop,
            unit=f"drop of {self._metric_text}",
        )
        counts = read_table(reference, window, table_name(self.tables(reference.schema)[0]))
        if counts is None:
            return comparison.not_in_baseline(f"{self.prediction} and {self.label}")
        prediction, label = counts.table.axes
        if ClassificationMetric(self.metric).needs_positive:
            for axis in (prediction, label):
                sentence = unknown_positive(axis, reference.schema)
                if sentence is not None:
                    return comparison.cannot_see(sentence)
        return self._finding(comparison, counts, reference.schema)

    def _finding(self, comparison: Comparison, counts: TableCounts, schema: Schema) -> Finding:
        cells = classification_cells(counts.table.axes[0], counts.table.axes[1], schema)
        n_seen, n_rows = int(counts.window.sum()), int(counts.window[cells.labelled].sum())
        comparison = comparison.with_rows(
            n_rows,
            int(counts.reference[cells.labelled].sum()),
            label_note(n_with_label(counts.window, counts.table.axes[1]), n_seen),
        )
        unable = why_unlabelled(comparison, plain(self.label), n_seen, self.min_rows)
        if unable is not None:
            return unable
        subject = f"{self._metric_text} of {plain(self.prediction)}"
        found = cells.estimates(self.metric, counts.window, counts.reference, self.confidence)
        if found is None:
            return comparison.insufficient(
                f"{subject} has no value: none of the labelled outputs "
                f"is of the class that it is a share of"
            )
        now, before = found
        change = PerformanceChange(
            metric=subject,
            now=now,
            before=before,
            tolerance=self.tolerance_drop,
        )
        finding = performance_finding(comparison, change)
        return dataclasses.replace(
            finding,
            measures=(*finding.measures, Measure("label_coverage", n_rows / n_seen)),
            n_affected=max(round((before.value - now.value) * n_rows), 0),
        )

    @property
    def _metric_text(self) -> str:
        return ClassificationMetric(self.metric).value.replace("_", " ")
