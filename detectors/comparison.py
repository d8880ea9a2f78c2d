"""From counts to a finding: the steps that every detector takes in the same way."""

import dataclasses
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from baselines.layout import LayoutMismatchError, Table
from baselines.reference import Reference
from baselines.summary import Window
from detectors.base import Detector, Direction, Estimate, Finding, Measure, Verdict
from detectors.wording import plain, rows_text

__all__ = ["Comparison", "TableCounts", "read_table"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableCounts:
    """The same table in the reference and in the window.

    Parameters
    ----------
    table
        Its axes.
    reference, window
        Int64 counts, shaped by the axes.
    """

    table: Table
    reference: npt.NDArray[np.int64]
    window: npt.NDArray[np.int64]


def read_table(reference: Reference, window: Window, name: str) -> TableCounts | None:
    """Return the counts of the table called `name`, None if the baseline does not hold it.

    Raises
    ------
    LayoutMismatchError
        If window and reference were counted on different grids.
    """
    layout = reference.summary.layout
    if window.summary.layout != layout:
        message = (
            f"the window was counted on layout {window.summary.layout.id}, the reference on "
            f"{layout.id}; count the window on the baseline's layout"
        )
        raise LayoutMismatchError(message)
    if name not in layout:
        return None
    return TableCounts(
        table=layout.table(name),
        reference=reference.summary.table(name),
        window=window.summary.table(name),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What a finding is about, before it is decided.

    Parameters
    ----------
    detector
        The detector that compares.
    columns
        The columns that it reads.
    tolerance, unit
        The effect that is accepted and its unit.
    n_rows, n_reference_rows
        Rows that the effect rests on.
    notes
        What a reader must know whatever the verdict is.
    """

    detector: Detector
    columns: tuple[str, ...]
    tolerance: float
    unit: str
    n_rows: int = 0
    n_reference_rows: int = 0
    notes: tuple[str, ...] = ()

    def with_rows(
        self, n_rows: int, n_reference_rows: int, notes: tuple[str, ...] = ()
    ) -> "Comparison":
        """Return the same comparison with its rows known, and further notes."""
        return dataclasses.replace(
            self,
            n_rows=n_rows,
            n_reference_rows=n_reference_rows,
            notes=self.notes + notes,
        )

    def insufficient(self, sentence: str) -> Finding:
        """Return the finding that there is too little to compare."""
        return self._finding(Verdict.INSUFFICIENT_DATA, sentence)

    def cannot_see(self, sentence: str) -> Finding:
        """Return the finding that what should be compared is not visible."""
        watched = ", ".join(plain(column.removeprefix("check:")) for column in self.columns)
        return self._finding(Verdict.CANNOT_SEE, sentence, headline=watched)

    def not_in_baseline(self, what: str) -> Finding:
        """Return the finding that the baseline holds no counts of `what`."""
        return self.cannot_see(
            f"the baseline holds no counts of {plain(what)}; fit it again with this detector on"
        )

    def too_few(self, min_rows: int, *, n_seen: int, of: str = "outputs") -> Finding | None:
        """Return why rows do not suffice, None if they do.

        Parameters
        ----------
        min_rows
            The least number of rows in the window and in the reference.
        n_seen
            Rows of the window whether or not they have a value. When these suffice and
            nearly all of them (19 of 20) have none, the window cannot be seen.
        of
            What rows are called.
        """
        what = ", ".join(plain(column) for column in self.columns) or "rows"
        if self.n_reference_rows < min_rows:
            return self.insufficient(
                f"{what}: the baseline has {rows_text(self.n_reference_rows, of)}, "
                f"a comparison needs {min_rows}"
            )
        if self.n_rows >= min_rows:
            return None
        if n_seen >= min_rows and self.n_rows <= n_seen / 20:
            return self.cannot_see(
                f"{what}: {rows_text(self.n_rows, of)} in a window of {rows_text(n_seen)}: "
                f"nearly all of them have no value"
            )
        return self.insufficient(
            f"{what}: the window has {rows_text(self.n_rows, of)}, a comparison needs {min_rows}"
        )

    def decided(
        self,
        *,
        effect: Estimate,
        departure: Estimate,
        sentence: str,
        headline: str = "",
        direction: Direction = Direction.NONE,
        measures: tuple[Measure, ...] = (),
        n_affected: int | None = None,
    ) -> Finding:
        """Return the finding on an effect: beyond if all of `departure` is above 1."""
        verdict = Verdict.BEYOND if departure.low > 1 else Verdict.WITHIN
        return self._finding(
            verdict,
            sentence,
            headline=headline,
            effect=effect,
            departure=departure,
            direction=direction,
            measures=measures,
            n_affected=n_affected,
        )

    def _finding(
        self,
        verdict: Verdict,
        sentence: str,
        *,
        headline: str = "",
        effect: Estimate | None = None,
        departure: Estimate | None = None,
        direction: Direction = Direction.NONE,
        measures: tuple[Measure, ...] = (),
        n_affected: int | None = None,
    ) -> Finding:
        return Finding(
            detector=self.detector.name,
            series=self.detector.series,
            failure_mode=self.detector.failure_mode,
            verdict=verdict,
            effect=effect,
            tolerance=self.tolerance,
            unit=self.unit,
            departure=departure,
            direction=direction,
            columns=self.columns,
            n_rows=self.n_rows,
            n_reference_rows=self.n_reference_rows,
            measures=measures,
            n_affected=n_affected,
            headline=headline,
            sentence=sentence,
            notes=self.notes,
        )
