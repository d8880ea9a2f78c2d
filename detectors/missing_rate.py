"""Whether a column has become empty: the share of outputs without a usable value."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import annotated_types as at

from baselines.layout import AxisNeed, TableNeed
from baselines.reference import Reference
from baselines.schema import Schema
from baselines.summary import Window
from detectors.base import Finding
from detectors.comparison import Comparison, read_table
from detectors.options import ColumnOption, CommonOptions
from detectors.rates import RateQuestion, rate_finding
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

    def tables(self, schema: Schema) -> tuple[TableNeed, ...]:
        """Return the tables that `compare` reads."""
        return ((AxisNeed(self.column),),)

    def compare(self, reference: Reference, window: Window) -> Finding:
        """Return what the window shows against the reference."""
        schema = reference.schema
        is_numeric = self.column in schema and schema[self.column].is_numeric
        question = RateQuestion(
            subject=f"{plain(self.column)} has no {'finite ' if is_numeric else ''}value in",
            of="outputs",
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
        rows, reference_rows = int(counts.window.sum()), int(counts.reference.sum())
        too_few = blank.with_rows(rows, reference_rows).too_few(self.min_rows, n_seen=rows)
        if too_few is not None:
            return too_few
        values = counts.table.axes[0].values
        return rate_finding(
            blank,
            question,
            window=(rows - int(counts.window[values].sum()), rows),
            reference=(reference_rows - int(counts.reference[values].sum()), reference_rows),
        )
