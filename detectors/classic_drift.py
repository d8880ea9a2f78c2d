"""The thresholds that drift tools are known for, window by window, without any guarantee."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, ClassVar, Final

import annotated_types as at
import numpy as np
from scipy import special

from baselines.layout import AxisNeed, NumericAxis, TableNeed
from baselines.reference import Reference
from baselines.schema import Schema
from baselines.summary import Window
from detectors.base import Estimate, Finding, Measure
from detectors.comparison import Comparison, TableCounts, read_table
from detectors.distances import (
    Counts,
    chi_square,
    jensen_shannon_distance,
    kolmogorov_smirnov,
    population_stability_index,
    wasserstein,
)
from detectors.grouping import group_values
from detectors.options import ColumnOption, CommonOptions, column_problems
from detectors.registry import detector
from detectors.wording import number_text, plain

__all__ = ["ClassicDrift", "ClassicMeasure"]

NO_GUARANTEE: Final = (
    "a threshold of each window alone: no false-alarm guarantee; streams in which nothing "
    "changes cross it as often as their noise does"
)


class ClassicMeasure(StrEnum):
    """The number that is held against the threshold."""

    PSI = "psi"
    JENSEN_SHANNON = "jensen_shannon"
    WASSERSTEIN = "wasserstein"
    KS_P_VALUE = "ks_p_value"
    CHI_SQUARE_P_VALUE = "chi_square_p_value"


USUAL_THRESHOLDS: Mapping[ClassicMeasure, float] = MappingProxyType(
    {
        ClassicMeasure.PSI: 0.2,
        ClassicMeasure.JENSEN_SHANNON: 0.1,
        ClassicMeasure.WASSERSTEIN: 0.1,
        ClassicMeasure.KS_P_VALUE: 0.05,
        ClassicMeasure.CHI_SQUARE_P_VALUE: 0.05,
    }
)
_P_VALUES = frozenset({ClassicMeasure.KS_P_VALUE, ClassicMeasure.CHI_SQUARE_P_VALUE})
_ORDERED = frozenset({ClassicMeasure.WASSERSTEIN, ClassicMeasure.KS_P_VALUE})
_LEAST_P = 1e-300


@detector
@dataclass(frozen=True, slots=True, kw_only=True)
class ClassicDrift(CommonOptions):
    """Holds a classic drift measure of one column against a threshold, in every window alone.

    For those who have such rules and want to keep them. There is no interval, no tolerance of
    what does not matter and no false-alarm guarantee: in measurements common thresholds flagged
    12 % to 99 % of windows of streams in which nothing changed. `distribution_shift` is decided
    on evidence over windows instead. Never asks for evidence.

    Parameters
    ----------
    column
        A numeric or categorical column.
    measure
        ``psi`` (nats, Jeffreys half counts), ``jensen_shannon`` (base 2, 0 to 1),
        ``wasserstein`` (in standard deviations of the baseline), ``ks_p_value`` or
        ``chi_square_p_value``; the third and fourth need a numeric column.
    threshold
        Above it, or below it for p-values, a window is beyond. None: the usual one: 0.2, 0.1,
        0.1, 0.05, 0.05.

    References
    ----------
    .. [1] N. Siddiqi, Credit Risk Scorecards, Wiley, 2006, ch. 10 (0.2 of the index).
    .. [2] W. J. Conover, Practical Nonparametric Statistics, 3rd ed., Wiley, 1999, ch. 4 and 6.
    """

    name: ClassVar[str] = "classic_drift"
    column: Annotated[str, ColumnOption()]
    measure: ClassicMeasure
    threshold: Annotated[float, at.Gt(0), at.Le(1_000)] | None = None
    min_rows: Annotated[int, at.Ge(1)] = 100

    @property
    def series(self) -> str:
        """Return the name of the series, unique within a monitor."""
        return f"{self.name}({self.column}, {self.measure})"

    def problems(self, schema: Schema) -> list[tuple[str, str]]:
        """Return (option, what is wrong) for every option that does not fit `schema`."""
        found = list(column_problems(self, schema))
        known = self.column in schema and schema[self.column]
        if self.measure in _ORDERED and known and not known.is_numeric:
            found.append(("measure", f"{self.measure} needs a numeric column"))
        if self.measure in _P_VALUES and self._accepted >= 1:
            found.append(("threshold", f"must be below 1 for a p-value, got {self._accepted!r}"))
        return found

    def tables(self, schema: Schema) -> tuple[TableNeed, ...]:
        """Return the tables that `compare` reads."""
        return ((AxisNeed(self.column),),)

    def compare(self, reference: Reference, window: Window) -> Finding:
        """Return what the window shows against the reference."""
        blank = Comparison(
            detector=self,
            columns=(self.column,),
            tolerance=self._accepted,
            unit=str(self.measure),
        )
        counts = read_table(reference, window, self.column)
        if counts is None:
            return blank.not_in_baseline(self.column)
        values = counts.table.axes[0].values
        rows, reference_rows = (
            int(one[values].sum()) for one in (counts.window, counts.reference)
        )
        comparison = blank.with_rows(rows, reference_rows, notes=(NO_GUARANTEE,))
        too_few = comparison.too_few(self.min_rows, n_seen=window.summary.n_rows)
        if too_few is not None:
            return too_few
        return self._decide(comparison, self._value(counts))

    @property
    def _accepted(self) -> float:
        return USUAL_THRESHOLDS[self.measure] if self.threshold is None else self.threshold

    def _decide(self, comparison: Comparison, value: float) -> Finding:
        departure = value / self._accepted
        side = "above"
        if self.measure in _P_VALUES:
            # The departure grows with the evidence: how many times as many nats.
            departure = math.log(max(value, _LEAST_P)) / math.log(self._accepted)
            side = "below"
        beyond = departure > 1
        verb = "is" if beyond else "is not"
        return comparison.decided(
            effect=Estimate(value, value, value),
            departure=Estimate(departure, departure, departure),
            headline=f"{self.measure} of {plain(self.column)} {number_text(value)}",
            sentence=(
                f"{self.measure} of {plain(self.column)} is {number_text(value)}, which {verb} "
                f"{side} the threshold {number_text(self._accepted)} (no false-alarm guarantee)"
            ),
            measures=(Measure(str(self.measure), value),),
        )

    def _value(self, counts: TableCounts) -> float:
        axis = counts.table.axes[0]
        expected, observed = counts.reference[axis.values], counts.window[axis.values]
        if self.measure == ClassicMeasure.KS_P_VALUE:
            return _ks_p_value(kolmogorov_smirnov(expected, observed), expected, observed)
        if self.measure == ClassicMeasure.WASSERSTEIN and isinstance(axis, NumericAxis):
            edges = axis.edges
            centres = np.concatenate([edges[:1], axis.centres, edges[-1:]])
            return wasserstein(expected, observed, centres)[1]
        grouping = group_values(axis, expected)
        groups = grouping.merge(expected), grouping.merge(observed)
        if self.measure == ClassicMeasure.PSI:
            return population_stability_index(*groups)
        if self.measure == ClassicMeasure.JENSEN_SHANNON:
            return jensen_shannon_distance(*groups)
        return chi_square(*groups)[1]


def _ks_p_value(distance: float, expected: Counts, observed: Counts) -> float:
    """Return the asymptotic two-sided p-value of a two-sample Kolmogorov-Smirnov distance."""
    n, m = float(observed.sum()), float(expected.sum())
    return float(special.kolmogorov(distance * math.sqrt(n * m / (n + m))))
