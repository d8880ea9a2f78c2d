"""The gap between groups in how often a label has come: whose errors cannot be seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import annotated_types as at
import numpy as np
import numpy.typing as npt

from baselines.layout import AxisNeed, Table, TableNeed, table_name
from baselines.reference import Reference
from baselines.schema import Role, Schema
from baselines.summary import Window
from detectors.base import FailureMode, Finding
from detectors.comparison import Comparison, read_table
from detectors.evidence.questions import Question
from detectors.gap_findings import GapTerms, gap_finding
from detectors.gap_questions import gap_question, strata_of, tolerated_by
from detectors.gap_rules import DifferenceRule, GapComparison
from detectors.groups import GroupRates, group_table, rates_by_group
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
from detectors.registry import detector
from detectors.wording import plain

__all__ = ["LabelCoverageGap"]


@detector
@dataclass(frozen=True, slots=True, kw_only=True)
class LabelCoverageGap(CommonOptions):
    """Compares between groups the share of outputs whose label is known.

    Gaps of error rates see labelled outputs only. Where the labels of one group stay away, they
    say less and less of it, and nothing else tells. Groups with few labels are called worse off.

    With ``comparison: baseline`` it is decided by its interval in each window, without a
    false-alarm guarantee.

    Parameters
    ----------
    label
        The column of labels, numeric or not.
    group
        A group attribute, or several for their intersection.
    tolerance_difference
        The accepted difference between the highest and the lowest share.
    comparison
        Whether the gap is held against the tolerance alone, or against the baseline's gap.
    min_group_rows
        Groups of fewer outputs are neither compared nor shown.
    """

    name: ClassVar[str] = "label_coverage_gap"

    label: Annotated[str, ColumnOption(roles=frozenset({Role.LABEL}))]
    group: Annotated[GroupName, GroupOption()]
    tolerance_difference: Annotated[float, at.Gt(0), at.Lt(1)] = 0.1
    comparison: GapComparison = GapComparison.ABSOLUTE
    min_group_rows: Annotated[int, at.Ge(1)] = 30
    failure_mode: FailureMode = FailureMode.BIAS

    @property
    def series(self) -> str:
        """Return the name of the series, unique within a monitor."""
        return f"{self.name}({self.label}, {group_label(self.group)})"

    def problems(self, schema: Schema) -> Sequence[tuple[str, str]]:
        """Return (option, what is wrong) for every option that does not fit `schema`."""
        found = list(CommonOptions.problems(self, schema))
        if self.label in group_columns(self.group):
            found.append(("label", f"must not be a group attribute, got {self.label!r}"))
        return found

    @property
    def asks(self) -> bool:
        """Return whether the gap is held against the tolerance alone, as evidence needs it."""
        return self.comparison == GapComparison.ABSOLUTE

    def tables(self, schema: Schema) -> tuple[TableNeed, ...]:
        """Return the table of groups and labels."""
        return ((*group_need(self.group), AxisNeed(self.label)),)

    def question(self, reference: Reference, window: Window) -> Question | None:
        """Return the counts that evidence is gathered from; see `Detector`."""
        counts = read_table(reference, window, table_name(self.tables(reference.schema)[0]))
        if counts is None or not self.asks:
            return None
        labelled = counted_codes(counts.table.axes[-1])
        cells = [(labelled, np.ones_like(labelled))]
        now, before = (
            group_table(counts.table, each, len(group_columns(self.group)), keep_empty=True)
            for each in (counts.window, counts.reference)
        )
        return gap_question(
            now.groups, strata_of(now, cells), strata_of(before, cells), tolerated_by(self._rule)
        )

    def compare(self, reference: Reference, window: Window) -> Finding:
        """Return how far apart the groups' shares are."""
        comparison = Comparison(
            detector=self,
            columns=(self.label, *group_columns(self.group)),
            tolerance=self._rule.accepted,
            unit=self._rule.unit,
        )
        counts = read_table(reference, window, table_name(self.tables(reference.schema)[0]))
        if counts is None:
            return comparison.not_in_baseline(f"{self.label} by {group_label(self.group)}")
        terms = GapTerms(
            subject=f"share of outputs with a known {plain(self.label)}",
            attribute=group_label(self.group),
            rule=self._rule,
            min_rows=self.min_rows,
            min_group_rows=self.min_group_rows,
            comparison=self.comparison,
        )
        now, before = (
            self._rates(counts.table, each) for each in (counts.window, counts.reference)
        )
        return gap_finding(comparison, terms, now, before)

    def _rates(self, table: Table, cells: npt.NDArray[np.int64]) -> GroupRates:
        by_group = group_table(table, cells, len(group_columns(self.group)))
        labelled = counted_codes(by_group.axes[0])
        return rates_by_group(by_group, labelled, np.ones_like(labelled), self.min_group_rows)

    @property
    def _rule(self) -> DifferenceRule:
        return DifferenceRule(
            tolerance=self.tolerance_difference, confidence=self.confidence, low_is_worse=True
        )
