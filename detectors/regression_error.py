"""How many times larger the errors of numeric predictions are than in the baseline."""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import annotated_types as at
import numpy as np
import numpy.typing as npt

from baselines.layout import AxisNeed, NumericAxis, TableNeed, table_name
from baselines.reference import Reference
from baselines.schema import Role, Schema
from baselines.summary import Window
from detectors.base import Direction, Estimate, Finding, Measure
from detectors.comparison import Comparison, read_table
from detectors.intervals import RATIO_LIMIT
from detectors.label_coverage import label_note, n_with_label
from detectors.mover import ratio_of
from detectors.options import ColumnOption
from detectors.performance import PerformanceOptions, why_unlabelled
from detectors.registry import detector
from detectors.residuals import (
    ErrorCells,
    ErrorMetric,
    binned_error,
    difference_cells,
    residual_cells,
)
from detectors.score_bins import bin_values
from detectors.wording import number_text, plain, rows_text, times_text

__all__ = ["RegressionError"]

_NUMBERS = frozenset({Role.PREDICTION, Role.SCORE, Role.NUMERIC})


@detector
@dataclass(frozen=True, slots=True, kw_only=True)
class RegressionError(PerformanceOptions):
    """Compares the mean error of numeric predictions with its value in the baseline.

    Errors are read from bins of prediction and label, which hides errors smaller than the
    bins; the bounds allow for it. Where the record holds the error itself, name that column as
    `residual`: its own bins are much finer.

    It is decided by its interval in each window; there is no false-alarm guarantee.

    Parameters
    ----------
    prediction, label
        The numeric columns whose difference is the error.
    residual
        A numeric column that holds prediction minus label; read instead of the two.
    metric
        ``mae``, the mean absolute error, or ``rmse``, the root of the mean squared error.
    tolerance_ratio
        The accepted ratio of the error to the baseline's.
    bins
        Bins of prediction and of label.
    """

    name: ClassVar[str] = "regression_error"

    prediction: Annotated[str | None, ColumnOption(roles=_NUMBERS, kind="numeric")] = None
    label: Annotated[str | None, ColumnOption(roles=frozenset({Role.LABEL}), kind="numeric")] = (
        None
    )
    residual: Annotated[
        str | None, ColumnOption(roles=frozenset({Role.NUMERIC}), kind="numeric")
    ] = None
    metric: ErrorMetric = ErrorMetric.MAE
    tolerance_ratio: Annotated[float, at.Gt(1)] = 1.2
    bins: Annotated[int, at.Ge(2)] = 64

    @property
    def series(self) -> str:
        """Return the name of the series, unique within a monitor."""
        return f"{self.name}({self.metric}, {', '.join(self._columns)})"

    def problems(self, schema: Schema) -> Sequence[tuple[str, str]]:
        """Return (option, what is wrong) for every option that does not fit `schema`."""
        found = list(PerformanceOptions.problems(self, schema))
        if self.residual is None and (self.prediction is None or self.label is None):
            option = "label" if self.label is None else "prediction"
            found.append((option, "prediction and label must be set, or residual"))
        return found

    def tables(self, schema: Schema) -> tuple[TableNeed, ...]:
        """Return the table of the residual, or that of predictions and labels."""
        if self.residual is not None:
            return ((AxisNeed(self.residual),),)
        return (tuple(AxisNeed(column, self.bins) for column in self._columns),)

    def compare(self, reference: Reference, window: Window) -> Finding:
        """Return how many times the error grew."""
        comparison = Comparison(
            detector=self,
            columns=self._columns,
            tolerance=self.tolerance_ratio,
            unit=f"times the {self.metric} of the baseline",
        )
        counts = read_table(reference, window, table_name(self.tables(reference.schema)[0]))
        if counts is None:
            return comparison.not_in_baseline(" and ".join(self._columns))
        axes = [axis for axis in counts.table.axes if isinstance(axis, NumericAxis)]
        if len(axes) < len(counts.table.axes):
            return comparison.cannot_see(f"{' and '.join(self._columns)} must be numeric")
        finite = tuple(axis.values for axis in axes)
        now, before = counts.window[finite], counts.reference[finite]
        n_seen = int(counts.window.sum())
        comparison = comparison.with_rows(
            int(now.sum()),
            int(before.sum()),
            (*label_note(n_with_label(counts.window, axes[-1]), n_seen), *self._notes(now)),
        )
        what = " and ".join(map(plain, self._columns))
        unable = why_unlabelled(comparison, what, n_seen, max(self.min_rows, 2))
        return unable or self._finding(comparison, _cells(axes), now, before)

    def _finding(
        self,
        comparison: Comparison,
        cells: ErrorCells,
        now: npt.NDArray[np.int64],
        before: npt.NDArray[np.int64],
    ) -> Finding:
        error, open_now = binned_error(self.metric, cells, now, self.confidence)
        usual, open_before = binned_error(self.metric, cells, before, self.confidence)
        if usual.value == 0:
            return comparison.insufficient(
                f"the {self.metric} of the baseline is zero, and nothing is a multiple of zero"
            )
        ratio = ratio_of(error, usual)
        effect = _opened(ratio, error, usual, (open_now, open_before))
        ranges = f"{number_text(open_now[0])} to {number_text(open_now[1])}"
        note = f"values are binned, which leaves the error open from {ranges}; the bounds allow it"
        comparison = dataclasses.replace(comparison, notes=(*comparison.notes, note))
        return comparison.decided(
            effect=effect,
            departure=_logarithm(effect, self.tolerance_ratio),
            direction=_direction(ratio),
            measures=(
                Measure("value", error.value, error.low, error.high),
                Measure("reference_value", usual.value, usual.low, usual.high),
                Measure("binning_low", open_now[0]),
                Measure("binning_high", open_now[1]),
            ),
            headline=f"{self.metric} of {' and '.join(map(plain, self._columns))} "
            f"{number_text(error.value)}, normally {number_text(usual.value)}",
            sentence=(
                f"{self.metric} of {' and '.join(map(plain, self._columns))} "
                f"{number_text(error.value)}, normally {number_text(usual.value)}: "
                f"{times_text(ratio.value)} (between {times_text(effect.low)} and "
                f"{times_text(effect.high)}), {times_text(self.tolerance_ratio)} accepted"
            ),
        )

    def _notes(self, now: npt.NDArray[np.int64]) -> tuple[str, ...]:
        inside = now[tuple(slice(1, -1) for _ in range(now.ndim))]
        outside = int(now.sum() - inside.sum())
        if not outside:
            return ()
        return (
            f"{rows_text(outside)} beyond the baseline's smallest and largest values count as if "
            "at them, so that their errors may be understated",
        )

    @property
    def _columns(self) -> tuple[str, ...]:
        if self.residual is not None:
            return (self.residual,)
        return tuple(column for column in (self.prediction, self.label) if column is not None)


def _cells(axes: list[NumericAxis]) -> ErrorCells:
    values = [bin_values(axis) for axis in axes]
    return residual_cells(values[0]) if len(values) == 1 else difference_cells(*values)


def _opened(
    ratio: Estimate,
    error: Estimate,
    usual: Estimate,
    ranges: tuple[tuple[float, float], tuple[float, float]],
) -> Estimate:
    """Return the ratio with bounds moved by the worst that binning can hide on both sides."""
    (least, most), (usual_least, usual_most) = ranges
    down = _share(least, error.value) / max(_share(usual_most, usual.value), 1.0)
    up = max(_share(most, error.value), 1.0) / max(_share(usual_least, usual.value), 1e-9)
    low, high = ratio.low * min(down, 1.0), ratio.high * up
    return Estimate(ratio.value, max(low, 1 / RATIO_LIMIT), min(high, RATIO_LIMIT))


def _share(bound: float, value: float) -> float:
    return bound / value if value > 0 else 1.0


def _logarithm(ratio: Estimate, tolerance: float) -> Estimate:
    value, low, high = (
        math.log(number) / math.log(tolerance) for number in (ratio.value, ratio.low, ratio.high)
    )
    return Estimate(value, low, high)


def _direction(ratio: Estimate) -> Direction:
    if ratio.value == 1:
        return Direction.NONE
    return Direction.UP if ratio.value > 1 else Direction.DOWN
