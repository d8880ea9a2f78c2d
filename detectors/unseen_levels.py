"""Whether a category takes values that the baseline does not know."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import annotated_types as at

from baselines.layout import AxisNeed, CategoryAxis, TableNeed
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

__all__ = ["UnseenLevels"]


@detector
@dataclass(frozen=True, slots=True, kw_only=True)
class UnseenLevels(CommonOptions):
    """Watches the share of values that are not a level of the baseline, upwards.

    The baseline keeps its most frequent levels only; what it did not keep is its normal
    share of unseen levels.

    Parameters
    ----------
    column
        A categorical column.
    tolerance
        The accepted rise of the share among outputs with a value, above 0 and below 1.
    """

    name: ClassVar[str] = "unseen_levels"
    column: Annotated[str, ColumnOption(kind="category")]
    tolerance: Annotated[float, at.Gt(0), at.Lt(1)] = 0.01

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
        if counts is None or not isinstance(counts.table.axes[0], CategoryAxis):
            return None
        return self._terms.question(*_unseen(counts, counts.table.axes[0]))

    def compare(self, reference: Reference, window: Window) -> Finding:
        """Return what the window shows against the reference."""
        terms = self._terms
        blank = Comparison(
            detector=self, columns=(self.column,), tolerance=self.tolerance, unit=terms.unit
        )
        counts = read_table(reference, window, self.column)
        if counts is None:
            return blank.not_in_baseline(self.column)
        axis = counts.table.axes[0]
        if not isinstance(axis, CategoryAxis):
            return blank.cannot_see(f"{plain(self.column)} has no levels in the baseline")
        now, before = _unseen(counts, axis)
        too_few = blank.with_rows(now[1], before[1]).too_few(
            self.min_rows, n_seen=window.summary.n_rows
        )
        return too_few or rate_finding(blank, terms, now, before)

    @property
    def _terms(self) -> RateTerms:
        return RateTerms(
            subject=f"{plain(self.column)} has a level that the baseline does not know in",
            of="outputs with a value",
            confidence=self.confidence,
            watch="up",
            tolerance_difference=self.tolerance,
        )


def _unseen(counts: TableCounts, axis: CategoryAxis) -> tuple[Count, Count]:
    """Return unseen levels and all values, of the window and the reference."""
    now, before = (
        (int(cells[axis.other]), int(cells[axis.values].sum()))
        for cells in (counts.window, counts.reference)
    )
    return now, before
