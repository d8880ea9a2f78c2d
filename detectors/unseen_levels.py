"""Whether a category takes values that the baseline does not know."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import annotated_types as at

from baselines.layout import AxisNeed, CategoryAxis, TableNeed
from baselines.reference import Reference
from baselines.schema import Schema
from baselines.summary import Window
from detectors.base import Finding
from detectors.comparison import Comparison, read_table
from detectors.options import ColumnOption, CommonOptions
from detectors.rates import RateQuestion, rate_finding
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

    def tables(self, schema: Schema) -> tuple[TableNeed, ...]:
        """Return the tables that `compare` reads."""
        return ((AxisNeed(self.column),),)

    def compare(self, reference: Reference, window: Window) -> Finding:
        """Return what the window shows against the reference."""
        question = RateQuestion(
            subject=f"{plain(self.column)} has a level that the baseline does not know in",
            of="outputs with a value",
            confidence=self.confidence,
            watch="up",
            tolerance_difference=self.tolerance,
        )
        blank = Comparison(
            detector=self, columns=(self.column,), tolerance=self.tolerance, unit=question.unit
        )
        counts = read_table(reference, window, self.column)
        if counts is None:
            return blank.not_in_baseline(self.column)
        axis = counts.table.axes[0]
        if not isinstance(axis, CategoryAxis):
            return blank.cannot_see(f"{plain(self.column)} has no levels in the baseline")
        rows = int(counts.window[axis.values].sum())
        reference_rows = int(counts.reference[axis.values].sum())
        too_few = blank.with_rows(rows, reference_rows).too_few(
            self.min_rows, n_seen=window.summary.n_rows
        )
        if too_few is not None:
            return too_few
        return rate_finding(
            blank,
            question,
            window=(int(counts.window[axis.other]), rows),
            reference=(int(counts.reference[axis.other]), reference_rows),
        )
