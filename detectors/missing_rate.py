"""Whether a column has become empty: the share of outputs without a usable value."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import annotated_types as at

from baselines.layout import AxisNeed, TableNeed
from baselines.reference import Reference
from baselines.schema import Schema
from baselines.summary import Window
from detectors.base import Finding
from detectors.comparison import Comparison, TableCounts, read_table
from detectors.evidence.questions import Question
from detectors.options import ColumnOption, CommonOptions
from detectors.rates import Count, RateTerms, rate_finding
from detectors.registry import detector
from detectors.wording import plain

__all__ = ["MissingRate"]


@detector
@dataclass(frozen=True, slots=True, kw_only=True)
class MissingRate(CommonOptions):
    """Watches the share of outputs in which a column is missing or not finite, upwards.

    Parameters
    ----------
    column
        A numeric or categorical column.
    tolerance
        The accepted rise of the share, above 0 and below 1.
    """

    name: ClassVar[str] = "missing_rate"
    column: Annotated[str, ColumnOption()]
    tolerance: Annotated[float, at.Gt(0), at.Lt(1)] = 0.02

    @property
    def series(self) -> str:
        """Return the name of the series, unique within a monitor."""
        return f"{self.name}({self.column})"

    @property
    def asks(self) -> bool:
        """Return that evidence can be gathered over windows."""
        return True

    def tables(self, schema: Schema) -> tuple[TableNeed, ...]:
        """Return the tables that `compare` reads."""
        return ((AxisNeed(self.column),),)

    def question(self, reference: Reference, window: Window) -> Question | None:
        """Return the counts that evidence is gathered from; see `Detector`."""
        counts = read_table(reference, window, self.column)
        if counts is None:
            return None
        return self._terms(reference.schema).question(*_missing(counts))

    def compare(self, reference: Reference, window: Window) -> Finding:
        """Return what the window shows against the reference."""
        terms = self._terms(reference.schema)
        blank = Comparison(
            detector=self, columns=(self.column,), tolerance=self.tolerance, unit=terms.unit
        )
        counts = read_table(reference, window, self.column)
        if counts is None:
            return blank.not_in_baseline(self.column)
        now, before = _missing(counts)
        too_few = blank.with_rows(now[1], before[1]).too_few(self.min_rows, n_seen=now[1])
        return too_few or rate_finding(blank, terms, now, before)

    def _terms(self, schema: Schema) -> RateTerms:
        is_numeric = self.column in schema and schema[self.column].is_numeric
        return RateTerms(
            subject=f"{plain(self.column)} has no {'finite ' if is_numeric else ''}value in",
            of="outputs",
            confidence=self.confidence,
            watch="up",
            tolerance_difference=self.tolerance,
        )


def _missing(counts: TableCounts) -> tuple[Count, Count]:
    """Return outputs without a value and all outputs, of the window and the reference."""
    values = counts.table.axes[0].values
    now, before = (
        (int(cells.sum()) - int(cells[values].sum()), int(cells.sum()))
        for cells in (counts.window, counts.reference)
    )
    return now, before
