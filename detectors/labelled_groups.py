"""Predictions and labels by group: what gaps of error rates are computed from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import annotated_types as at
import numpy as np

from baselines.layout import AxisNeed, TableNeed, table_name
from baselines.reference import Reference
from baselines.schema import Role, Schema
from baselines.summary import Window
from detectors.base import FailureMode, Finding, Measure
from detectors.comparison import Comparison, TableCounts, read_table
from detectors.confusion import ConfusionCells, RateMetric, confusion_cells, unknown_positive
from detectors.evidence.group_gaps import ToleratedGap
from detectors.evidence.questions import Question
from detectors.gap_questions import gap_question, strata_of
from detectors.groups import GroupRates, GroupTable, group_table, rates_by_group
from detectors.label_coverage import label_note, n_with_label
from detectors.options import (
    ColumnOption,
    CommonOptions,
    GroupName,
    GroupOption,
    group_columns,
    group_label,
    group_need,
)
from detectors.outcomes import counted_codes
from detectors.wording import plain, rows_text, share_text

__all__ = ["LabelledGroupOptions", "LabelledGroups"]

_PREDICTION_ROLES = frozenset({Role.PREDICTION, Role.CATEGORY})
_LABEL_ROLES = frozenset({Role.LABEL})


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class LabelledGroups:
    """Predictions and labels by group, in the window and in the baseline.

    Parameters
    ----------
    window, reference
        Counts by group, prediction and label.
    cells
        The four cells of the confusion matrix.
    min_group_rows
        Groups with fewer rows in a rate's denominator are suppressed.
    """

    window: GroupTable
    reference: GroupTable
    cells: ConfusionCells
    min_group_rows: int

    def rates(self, metric: RateMetric) -> tuple[GroupRates, GroupRates]:
        """Return a rate by group, in the window and in the baseline."""
        positive, counted = self.cells.rate(metric)
        return (
            rates_by_group(self.window, positive, counted, self.min_group_rows),
            rates_by_group(self.reference, positive, counted, self.min_group_rows),
        )

    @property
    def measures(self) -> tuple[Measure, ...]:
        """Return the share of predictions that have a label, for groups large enough."""
        return tuple(
            Measure(f"label_coverage({count.group})", count.positives / count.rows)
            for count in self._coverage.compared
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """Return how many outputs have a label, and by group, if not all of them have one."""
        groups = self._coverage.compared
        # Those of unknown group are waited for too.
        counts = self.window.counts.sum(axis=0) + self.window.unknown
        notes = label_note(n_with_label(counts, self.window.axes[-1]), int(counts.sum()))
        if all(count.positives == count.rows for count in groups):
            return notes
        shares = ", ".join(f"{c.group} {share_text(c.positives / c.rows)}" for c in groups)
        return (*notes, f"predictions that have a label: {shares}")

    @property
    def _coverage(self) -> GroupRates:
        prediction, label = self.window.axes
        predicted = np.zeros((prediction.size, label.size), dtype=np.bool_)
        predicted[counted_codes(prediction), :] = True
        return rates_by_group(self.window, self.cells.labelled, predicted, self.min_group_rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledGroupOptions(CommonOptions):
    """Options of a gap between groups that needs labels.

    Parameters
    ----------
    prediction, label
        The columns whose positive levels, by the schema, are compared.
    group
        A group attribute, or several for their intersection.
    min_group_rows
        Groups with fewer rows in a rate's denominator are neither compared nor shown.
    """

    prediction: Annotated[str, ColumnOption(roles=_PREDICTION_ROLES, kind="category")]
    label: Annotated[str, ColumnOption(roles=_LABEL_ROLES, kind="category")]
    group: Annotated[GroupName, GroupOption()]
    min_group_rows: Annotated[int, at.Ge(1)] = 30
    failure_mode: FailureMode = FailureMode.BIAS

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the columns that are read."""
        return (self.prediction, self.label, *group_columns(self.group))

    def problems(self, schema: Schema) -> Sequence[tuple[str, str]]:
        """Return (option, what is wrong) for every option that does not fit `schema`."""
        found = list(CommonOptions.problems(self, schema))
        if self.prediction in group_columns(self.group):
            found.append(("prediction", f"must not be a group attribute, got {self.prediction!r}"))
        return found

    def tables(self, schema: Schema) -> tuple[TableNeed, ...]:
        """Return the table of groups, predictions and labels."""
        return ((*group_need(self.group), AxisNeed(self.prediction), AxisNeed(self.label)),)

    def gap_question(
        self,
        reference: Reference,
        window: Window,
        *,
        metrics: Sequence[RateMetric],
        tolerated: ToleratedGap,
    ) -> Question | None:
        """Return the counts that evidence is gathered from, each of `metrics` a stratum.

        None if the baseline has no counts of them, or window or baseline no labelled row.
        """
        counts = read_table(reference, window, table_name(self.tables(reference.schema)[0]))
        if counts is None:
            return None
        prediction, label = counts.table.axes[-2:]
        if any(unknown_positive(axis, reference.schema) for axis in (prediction, label)):
            return None
        cells = confusion_cells(prediction, label, reference.schema)
        rates = [cells.rate(metric) for metric in metrics]
        now, before = (
            group_table(counts.table, each, len(group_columns(self.group)), keep_empty=True)
            for each in (counts.window, counts.reference)
        )
        return gap_question(now.groups, strata_of(now, rates), strata_of(before, rates), tolerated)

    def labelled_groups(
        self, comparison: Comparison, reference: Reference, window: Window
    ) -> LabelledGroups | Finding:
        """Return predictions and labels by group, or the finding that they cannot be seen."""
        counts = read_table(reference, window, table_name(self.tables(reference.schema)[0]))
        if counts is None:
            what = f"{self.prediction} and {self.label} by {group_label(self.group)}"
            return comparison.not_in_baseline(what)
        prediction, label = counts.table.axes[-2:]
        for axis in (prediction, label):
            sentence = unknown_positive(axis, reference.schema)
            if sentence is not None:
                return comparison.cannot_see(sentence)
        cells = confusion_cells(prediction, label, reference.schema)
        unable = self._unlabelled(comparison, counts, cells)
        if unable is not None:
            return unable
        n_attributes = len(group_columns(self.group))
        return LabelledGroups(
            window=group_table(counts.table, counts.window, n_attributes),
            reference=group_table(counts.table, counts.reference, n_attributes),
            cells=cells,
            min_group_rows=self.min_group_rows,
        )

    def _unlabelled(
        self, comparison: Comparison, counts: TableCounts, cells: ConfusionCells
    ) -> Finding | None:
        n_labelled, n_seen = (
            int(counts.window[..., cells.labelled].sum()),
            int(counts.window.sum()),
        )
        if n_labelled >= self.min_rows:
            return None
        # Labels come late: that there are none yet is not a fault of the input.
        return comparison.insufficient(
            f"{plain(self.label)} is known for {n_labelled} of {rows_text(n_seen)}, a comparison "
            f"needs {self.min_rows} labelled predictions"
        )
