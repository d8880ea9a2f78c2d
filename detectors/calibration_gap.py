"""The gap between groups in how far their scores are from what then happened."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import annotated_types as at
import numpy as np

from baselines.layout import AxisNeed, NumericAxis, TableNeed, table_name
from baselines.reference import Reference
from baselines.schema import Role, Schema
from baselines.summary import Window
from detectors.base import Estimate, FailureMode, Finding, Measure
from detectors.comparison import Comparison, TableCounts, read_table
from detectors.confusion import unknown_positive
from detectors.gap_findings import GapTerms, why_no_gap
from detectors.gap_rules import DifferenceRule
from detectors.group_calibration import (
    GroupCalibration,
    calibration_difference,
    group_calibration,
)
from detectors.groups import group_table
from detectors.intervals import wilson
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
from detectors.outcomes import positive_levels
from detectors.registry import detector
from detectors.score_bins import BinValues, probability_bins
from detectors.wording import number_text, plain, rows_text

__all__ = ["CalibrationGap"]


@detector
@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationGap(CommonOptions):
    """Compares the mean of label minus score between groups.

    A group whose scores are too high against what happens, next to one whose scores are too
    low, is treated differently at every threshold.

    It is decided by its interval in each window; there is no false-alarm guarantee.

    Parameters
    ----------
    score
        A score in [0, 1] that claims to be the probability of a positive label.
    label
        The column whose positive levels, by the schema, count as 1.
    group
        A group attribute, or several for their intersection.
    tolerance_difference
        The accepted difference between two groups' mean of label minus score.
    bins
        Bins of the score; half a bin's width is the error of a mean score.
    min_group_rows
        Groups of fewer labelled outputs are neither compared nor shown.
    """

    name: ClassVar[str] = "calibration_gap"

    score: Annotated[str, ColumnOption(roles=frozenset({Role.SCORE}), kind="numeric")]
    label: Annotated[str, ColumnOption(roles=frozenset({Role.LABEL}), kind="category")]
    group: Annotated[GroupName, GroupOption()]
    tolerance_difference: Annotated[float, at.Gt(0), at.Lt(1)] = 0.1
    bins: Annotated[int, at.Ge(2)] = 64
    min_group_rows: Annotated[int, at.Ge(1)] = 30
    failure_mode: FailureMode = FailureMode.BIAS

    @property
    def series(self) -> str:
        """Return the name of the series, unique within a monitor."""
        return f"{self.name}({self.score}, {self.label}, {group_label(self.group)})"

    def tables(self, schema: Schema) -> tuple[TableNeed, ...]:
        """Return the table of groups, scores and labels."""
        outcome = (AxisNeed(self.score, self.bins), AxisNeed(self.label))
        return ((*group_need(self.group), *outcome),)

    def compare(self, reference: Reference, window: Window) -> Finding:
        """Return how far apart the groups' calibration is."""
        comparison = Comparison(
            detector=self,
            columns=(self.score, self.label, *group_columns(self.group)),
            tolerance=self.tolerance_difference,
            unit="difference of the mean of label minus score",
        )
        counts = read_table(reference, window, table_name(self.tables(reference.schema)[0]))
        if counts is None:
            return comparison.not_in_baseline(f"{self.score} and {self.label} by group")
        score, label = counts.table.axes[-2:]
        values = probability_bins(score) if isinstance(score, NumericAxis) else None
        if values is None:
            return comparison.cannot_see(f"{plain(self.score)} must lie between 0 and 1")
        sentence = unknown_positive(label, reference.schema)
        if sentence is not None:
            return comparison.cannot_see(sentence)
        levels = positive_levels(reference.schema, self.label)
        return self._finding(comparison, counts, values, levels)

    def _finding(
        self,
        comparison: Comparison,
        counts: TableCounts,
        values: BinValues,
        levels: tuple[str, ...],
    ) -> Finding:
        n_attributes = len(group_columns(self.group))
        groups, before = (
            group_calibration(
                group_table(counts.table, cells, n_attributes),
                values,
                positive=levels,
                min_group_rows=self.min_group_rows,
            )
            for cells in (counts.window, counts.reference)
        )
        rates, attribute = groups.rates, group_label(self.group)
        n_seen = int(counts.window.sum())
        comparison = dataclasses.replace(
            comparison,
            n_rows=rates.n_rows,
            n_reference_rows=before.rates.n_counted,
            notes=(
                *label_note(n_with_label(counts.window, counts.table.axes[-1]), n_seen),
                *rates.notes(attribute, self.min_group_rows),
            ),
        )
        n_before = before.rates.n_counted
        if n_before < self.min_rows:
            return comparison.insufficient(
                f"{attribute}: the baseline has {rows_text(n_before)} with score and label, a "
                f"comparison needs {self.min_rows}"
            )
        if rates.n_counted < self.min_rows:
            return comparison.insufficient(
                f"{plain(self.label)} and {plain(self.score)} are both known for "
                f"{rates.n_counted} of {rows_text(n_seen)}, a comparison needs {self.min_rows}"
            )
        terms = GapTerms(
            subject=f"share of positive {plain(self.label)}",
            attribute=attribute,
            rule=DifferenceRule(tolerance=self.tolerance_difference, confidence=self.confidence),
            min_rows=self.min_rows,
            min_group_rows=self.min_group_rows,
        )
        unable = why_no_gap(comparison, terms, rates)
        return unable or self._decided(comparison, groups, n_seen)

    def _decided(self, comparison: Comparison, groups: GroupCalibration, n_seen: int) -> Finding:
        effect, lower = calibration_difference(groups, self.confidence)
        beyond = np.argwhere(lower > self.tolerance_difference)
        # Of a pair that is beyond, the group whose scores are further off is worse off.
        worse = {int(pair[np.abs(groups.excess[pair]).argmax()]) for pair in beyond}
        names, rows = groups.rates.names, groups.rates.rows
        error = float(groups.binning_error.max())
        comparison = dataclasses.replace(
            comparison,
            notes=(
                *comparison.notes,
                f"mean scores come from bins, which moves them by at most {number_text(error)}; "
                "the bounds allow for it",
            ),
        )
        finding = comparison.decided(
            effect=effect,
            departure=effect.scaled(1 / self.tolerance_difference),
            measures=(
                *self._measures(groups),
                Measure("label_coverage", groups.rates.n_counted / n_seen),
            ),
            n_affected=int(rows[sorted(worse)].sum()),
            headline=f"{plain(self.score)} is off from {plain(self.label)} unequally by "
            f"{group_label(self.group)}",
            sentence=self._sentence(groups, effect),
        )
        return dataclasses.replace(
            finding,
            groups=groups.rates.compared,
            worse_off=tuple(names[position] for position in sorted(worse)),
        )

    def _measures(self, groups: GroupCalibration) -> Sequence[Measure]:
        rates = groups.rates
        low, high = wilson(rates.positives, rates.rows, self.confidence)
        measures = []
        for position, name in enumerate(rates.names):
            score, error = groups.mean_score[position], groups.binning_error[position]
            measures += [
                Measure(
                    f"label_minus_score({name})",
                    float(groups.excess[position]),
                    float(low[position] - score - error),
                    float(high[position] - score + error),
                ),
                Measure(f"calibration_error({name})", float(groups.calibration_error[position])),
            ]
        return measures

    def _sentence(self, groups: GroupCalibration, effect: Estimate) -> str:
        lowest, highest = int(groups.excess.argmin()), int(groups.excess.argmax())
        named = ", ".join(
            f"{groups.rates.names[position]} {groups.excess[position]:+.3f}"
            for position in (lowest, highest)
        )
        return (
            f"mean of {plain(self.label)} minus {plain(self.score)} by "
            f"{group_label(self.group)}: {named}; gap {number_text(effect.value)} (between "
            f"{number_text(effect.low)} and {number_text(effect.high)}), "
            f"{number_text(self.tolerance_difference)} accepted"
        )
