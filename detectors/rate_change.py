"""Whether a rate has changed: refusals, a predicted class, any level of a category."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import annotated_types as at
import numpy as np
import numpy.typing as npt

from baselines.layout import Axis, AxisNeed, CategoryAxis, TableNeed, table_name
from baselines.reference import Reference
from baselines.schema import Role, Schema
from baselines.summary import Window
from detectors.base import Finding
from detectors.comparison import Comparison, TableCounts, read_table
from detectors.evidence.questions import Question
from detectors.options import ColumnOption, CommonOptions, column_problems
from detectors.outcomes import (
    counted_codes,
    knows_positive,
    positive_codes,
    positive_levels,
)
from detectors.rates import Count, RateTerms, Watch, rate_finding
from detectors.registry import detector
from detectors.wording import count_text, plain, rows_text

__all__ = ["RateChange"]


@detector
@dataclass(frozen=True, slots=True, kw_only=True)
class RateChange(CommonOptions):
    """Compares how often a column is positive with the baseline.

    With both tolerances set the rate must be beyond both. `where_column` and `where_level`
    restrict the comparison to the outputs of one group, for example to one language.

    Parameters
    ----------
    column
        A categorical column, or one safety check (``check:stage/filter/category``).
    level
        The level whose rate is watched; None: the positive levels of the schema, flagged for
        a safety check.
    tolerance_difference
        The accepted difference of rates, above 0 and below 1; None: no limit.
    tolerance_ratio
        The accepted ratio of the larger to the smaller rate, above 1; None: no limit.
    direction
        Which way counts: ``up``, ``down`` or ``both``.
    where_column, where_level
        A categorical column and its level that outputs must have; both or neither.
    """

    name: ClassVar[str] = "rate_change"
    column: Annotated[str, ColumnOption(kind="category")]
    level: Annotated[str, at.MinLen(1)] | None = None
    tolerance_difference: Annotated[float, at.Gt(0), at.Lt(1)] | None = 0.05
    tolerance_ratio: Annotated[float, at.Gt(1), at.Le(1000)] | None = None
    direction: Watch = "both"
    where_column: Annotated[
        str | None,
        ColumnOption(
            roles=frozenset({Role.GROUP, Role.CATEGORY, Role.SLICE, Role.LABEL, Role.PREDICTION}),
            kind="category",
        ),
    ] = None
    where_level: Annotated[str, at.MinLen(1)] | None = None

    @property
    def series(self) -> str:
        """Return the name of the series, unique within a monitor."""
        what = self.column if self.level is None else f"{self.column}={self.level}"
        where = f" where {self.where_column}={self.where_level}" if self.where_column else ""
        way = "" if self.direction == "both" else f", {self.direction}"
        return f"{self.name}({what}{where}{way})"

    def problems(self, schema: Schema) -> Sequence[tuple[str, str]]:
        """Return (option, what is wrong) for every option that does not fit `schema`."""
        problems = column_problems(self, schema)
        if self.tolerance_difference is None and self.tolerance_ratio is None:
            problems.append(("tolerance_difference", "set this or tolerance_ratio, both are null"))
        if (self.where_column is None) != (self.where_level is None):
            problems.append(("where_level", "where_column and where_level go together, got one"))
        if self.where_column == self.column:
            problems.append(
                ("where_column", f"must differ from the column watched, got {self.column!r}")
            )
        return problems

    @property
    def asks(self) -> bool:
        """Return that evidence can be gathered over windows."""
        return True

    def tables(self, schema: Schema) -> tuple[TableNeed, ...]:
        """Return the tables that `compare` reads."""
        return (self._need(),)

    def question(self, reference: Reference, window: Window) -> Question | None:
        """Return the counts that evidence is gathered from; see `Detector`."""
        counts = read_table(reference, window, table_name(self._need()))
        if counts is None:
            return None
        levels = positive_levels(reference.schema, self.column, self.level)
        present, normal = self._selected(counts)
        axis = counts.table.axes[-1]
        if present is None or normal is None or not knows_positive(axis, levels):
            return None
        now, before = _rate(axis, levels, present), _rate(axis, levels, normal)
        return self._terms(levels).question(now, before)

    def compare(self, reference: Reference, window: Window) -> Finding:
        """Return what the window shows against the reference."""
        levels = positive_levels(reference.schema, self.column, self.level)
        terms = self._terms(levels)
        blank = Comparison(
            detector=self,
            columns=tuple(need.column for need in self._need()),
            tolerance=terms.tolerance,
            unit=terms.unit,
        )
        counts = read_table(reference, window, table_name(self._need()))
        if counts is None:
            return blank.not_in_baseline(table_name(self._need()))
        present, normal = self._selected(counts)
        if present is None or normal is None:
            return blank.cannot_see(
                f"the baseline has no level {plain(str(self.where_level))!r} of "
                f"{plain(str(self.where_column))}"
            )
        axis = counts.table.axes[-1]
        if not knows_positive(axis, levels):
            named = " or ".join(repr(plain(level)) for level in levels)
            return blank.cannot_see(f"the baseline has no level {named} of {plain(self.column)}")
        now, before = _rate(axis, levels, present), _rate(axis, levels, normal)
        n_seen = int(present.sum())
        comparison = blank.with_rows(
            now[1], before[1], notes=self._left_out(n_seen - now[1], n_seen)
        )
        too_few = comparison.too_few(self.min_rows, n_seen=n_seen)
        return too_few or rate_finding(comparison, terms, now, before)

    def _need(self) -> TableNeed:
        if self.where_column is None:
            return (AxisNeed(self.column),)
        return (AxisNeed(self.where_column), AxisNeed(self.column))

    def _terms(self, levels: tuple[str, ...]) -> RateTerms:
        named = " or ".join(plain(level) for level in levels) or "flagged"
        where = ""
        if self.where_column is not None:
            where = f" where {plain(self.where_column)} is {plain(str(self.where_level))}"
        return RateTerms(
            subject=f"{plain(self.column)} is {named} in",
            of=f"outputs{where}",
            confidence=self.confidence,
            watch=self.direction,
            tolerance_difference=self.tolerance_difference,
            tolerance_ratio=self.tolerance_ratio,
        )

    def _left_out(self, n_left_out: int, n_seen: int) -> tuple[str, ...]:
        """Return the note that the rate is not one of all outputs, if 1 in 20 is left out."""
        if n_seen == 0 or n_left_out <= 0.05 * n_seen:
            return ()
        return (
            f"{count_text(n_left_out)} of {rows_text(n_seen)} in the window have no value of "
            f"{plain(self.column)} and are left out",
        )

    def _selected(
        self, counts: TableCounts
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]] | tuple[None, None]:
        """Return the column's counts in window and reference, for the wanted group only."""
        if self.where_column is None:
            return counts.window, counts.reference
        code = _code(counts.table.axes[0], str(self.where_level))
        return (None, None) if code is None else (counts.window[code], counts.reference[code])


def _rate(axis: Axis, levels: tuple[str, ...], cells: npt.NDArray[np.int64]) -> Count:
    positive, counted = positive_codes(axis, levels), counted_codes(axis)
    return int(cells[positive & counted].sum()), int(cells[counted].sum())


def _code(axis: Axis, level: str) -> int | None:
    if isinstance(axis, CategoryAxis) and level in axis.levels:
        return axis.levels.index(level)
    return None
