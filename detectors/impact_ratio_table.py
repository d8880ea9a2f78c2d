"""The impact ratio table of a window, as a detector that reports and never decides."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import annotated_types as at
import numpy as np
import numpy.typing as npt

from baselines.layout import AxisNeed, CategoryAxis, NumericAxis, Table, TableNeed, table_name
from baselines.reference import Reference
from baselines.schema import Role, Schema
from baselines.summary import Window
from detectors.base import Estimate, FailureMode, Finding, GroupCount, Measure
from detectors.comparison import Comparison, read_table
from detectors.groups import GroupRates, group_table
from detectors.impact_ratios import ImpactRatioTable, above_median, impact_ratios
from detectors.options import (
    ColumnOption,
    CommonOptions,
    GroupName,
    GroupOption,
    group_columns,
    group_label,
    group_need,
)
from detectors.outcomes import counted_codes, positive_codes, positive_levels, why_no_positive
from detectors.rate_gaps import pairwise_bounds, rate_ratio
from detectors.registry import detector
from detectors.wording import number_text, rows_text

__all__ = ["ImpactRatioReport"]

_OUTCOME_ROLES = frozenset({Role.PREDICTION, Role.CATEGORY, Role.SCORE, Role.NUMERIC})
_NO_THRESHOLD = 1.0


@detector
@dataclass(frozen=True, slots=True, kw_only=True)
class ImpactRatioReport(CommonOptions):
    """Reports impact ratios by each attribute of `group` and by their intersection.

    A categorical outcome gives selection rates, a numeric one scoring rates: the share of a
    category above the sample's median. New York City's Local Law 144 names no threshold, so
    the verdict is never beyond; `selection_rate_gap` decides.

    Parameters
    ----------
    outcome
        A prediction or category (selection rates), or a score (scoring rates).
    group
        A group attribute, or several: each is reported, and their intersection.
    minimum_share
        Categories of less than this share of the data get no ratio.
    min_group_rows
        Categories of fewer outputs are left out of the finding, though not out of `report`.
    """

    name: ClassVar[str] = "impact_ratio_table"

    outcome: Annotated[str, ColumnOption(roles=_OUTCOME_ROLES)]
    group: Annotated[GroupName, GroupOption()]
    minimum_share: Annotated[float, at.Ge(0), at.Lt(1)] = 0.02
    min_group_rows: Annotated[int, at.Ge(1)] = 30
    failure_mode: FailureMode = FailureMode.BIAS

    @property
    def series(self) -> str:
        """Return the name of the series, unique within a monitor."""
        return f"{self.name}({self.outcome}, {group_label(self.group)})"

    def problems(self, schema: Schema) -> Sequence[tuple[str, str]]:
        """Return (option, what is wrong) for every option that does not fit `schema`."""
        found = list(CommonOptions.problems(self, schema))
        if self.outcome in group_columns(self.group):
            found.append(("outcome", f"must not be a group attribute, got {self.outcome!r}"))
        return found

    def tables(self, schema: Schema) -> tuple[TableNeed, ...]:
        """Return the table of groups and outcomes, scores at the baseline's full resolution."""
        return ((*group_need(self.group), AxisNeed(self.outcome)),)

    def report(self, reference: Reference, window: Window) -> tuple[ImpactRatioTable, ...]:
        """Return one table an attribute, then that of the intersection, small groups included.

        Raises
        ------
        KeyError
            If the baseline has no counts of the outcome by group.
        """
        need = self.tables(reference.schema)[0]
        counts = read_table(reference, window, table_name(need))
        if counts is None:
            raise KeyError(table_name(need))
        levels = positive_levels(reference.schema, self.outcome)
        return tuple(
            self._table(table, cells, levels)
            for table, cells in _marginals(counts.table, counts.window)
        )

    def compare(self, reference: Reference, window: Window) -> Finding:
        """Return the tables as measures and groups; the verdict is never beyond."""
        comparison = Comparison(
            detector=self,
            columns=(self.outcome, *group_columns(self.group)),
            tolerance=_NO_THRESHOLD,
            unit="one minus the lowest impact ratio; the law names no threshold",
        )
        counts = read_table(reference, window, table_name(self.tables(reference.schema)[0]))
        if counts is None:
            return comparison.not_in_baseline(f"{self.outcome} by {group_label(self.group)}")
        outcome = counts.table.axes[-1]
        levels = positive_levels(reference.schema, self.outcome)
        sentence = why_no_positive(outcome, levels)
        if sentence is not None and isinstance(outcome, CategoryAxis):
            return comparison.cannot_see(sentence)
        n_rows = int(counts.window[..., counted_codes(outcome)].sum())
        n_before = int(counts.reference[..., counted_codes(outcome)].sum())
        comparison = dataclasses.replace(comparison, n_rows=n_rows, n_reference_rows=n_before)
        unable = comparison.too_few(self.min_rows, n_seen=int(counts.window.sum()))
        return unable or self._finding(comparison, self.report(reference, window))

    def _table(
        self, table: Table, cells: npt.NDArray[np.int64], levels: tuple[str, ...]
    ) -> ImpactRatioTable:
        by_group = group_table(table, cells, len(table.axes) - 1)
        outcome = table.axes[-1]
        counted = counted_codes(outcome)
        if isinstance(outcome, NumericAxis):
            categories, _ = above_median(by_group)
        else:
            positive = positive_codes(outcome, levels)
            categories = [
                GroupCount(name, int(row[counted].sum()), int(row[positive & counted].sum()))
                for name, row in zip(by_group.groups, by_group.counts, strict=True)
            ]
        return impact_ratios(
            "*".join(axis.column for axis in table.axes[:-1]),
            categories,
            n_unknown=int(by_group.unknown[counted].sum()),
            minimum_share=self.minimum_share,
        )

    def _finding(self, comparison: Comparison, tables: tuple[ImpactRatioTable, ...]) -> Finding:
        tables_with_ratio = [table for table in tables if len(self._shown(table)) > 1]
        ratios = [self._lowest(table, len(tables_with_ratio)) for table in tables_with_ratio]
        if not ratios:
            return comparison.insufficient(
                f"{self.outcome}: no two categories of {group_label(self.group)} are large enough "
                f"for an impact ratio"
            )
        ratio = Estimate(
            min(r.value for r in ratios), min(r.low for r in ratios), min(r.high for r in ratios)
        )
        effect = Estimate(1 - ratio.value, 1 - ratio.high, 1 - ratio.low)
        comparison = dataclasses.replace(comparison, notes=self._notes(tables))
        finding = comparison.decided(
            effect=effect,
            departure=effect,
            measures=_measures(tables, self.min_group_rows),
            sentence=(
                f"the lowest impact ratio of {self.outcome} by {group_label(self.group)} is "
                f"{number_text(ratio.value)} (between {number_text(ratio.low)} and "
                f"{number_text(ratio.high)})"
            ),
        )
        groups = tuple(
            dataclasses.replace(count, group=f"{table.attribute}={count.group}")
            for table in tables
            for count in self._shown(table)
        )
        return dataclasses.replace(finding, groups=groups)

    def _shown(self, table: ImpactRatioTable) -> tuple[GroupCount, ...]:
        return tuple(count for count in table.compared if count.rows >= self.min_group_rows)

    def _lowest(self, table: ImpactRatioTable, n_tables: int) -> Estimate:
        rates = GroupRates(compared=self._shown(table))
        return rate_ratio(rates, pairwise_bounds(rates, self.confidence, n_tables))

    def _notes(self, tables: tuple[ImpactRatioTable, ...]) -> tuple[str, ...]:
        notes = []
        for table in tables:
            if table.n_unknown:
                notes.append(f"{rows_text(table.n_unknown)} of unknown {table.attribute}")
            small = [
                f"{row.category} ({row.rows})"
                for row in table.rows
                if row.is_excluded or row.rows < self.min_group_rows
            ]
            if small:
                notes.append(f"{table.attribute}, too small to compare: {', '.join(small)}")
        return tuple(notes)


def _marginals(
    table: Table, cells: npt.NDArray[np.int64]
) -> list[tuple[Table, npt.NDArray[np.int64]]]:
    n_attributes = len(table.axes) - 1
    found = []
    if n_attributes > 1:
        for kept in range(n_attributes):
            others = tuple(axis for axis in range(n_attributes) if axis != kept)
            found.append((Table((table.axes[kept], table.axes[-1])), cells.sum(axis=others)))
    return [*found, (table, cells)]


def _measures(tables: tuple[ImpactRatioTable, ...], min_group_rows: int) -> tuple[Measure, ...]:
    ratios = [
        Measure(f"impact_ratio({table.attribute}={row.category})", row.impact_ratio)
        for table in tables
        for row in table.rows
        if row.impact_ratio is not None and row.rows >= min_group_rows
    ]
    unknown = [Measure(f"unknown({table.attribute})", table.n_unknown) for table in tables]
    return (*ratios, *unknown)
