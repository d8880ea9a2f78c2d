"""Whether the distribution of a column has moved: total variation with its bounds."""

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

import annotated_types as at
import numpy as np
import numpy.typing as npt

from baselines.layout import Axis, AxisNeed, NumericAxis, TableNeed
from baselines.reference import Reference
from baselines.schema import Schema
from baselines.summary import Window
from detectors.base import Direction, Estimate, Finding, Measure
from detectors.comparison import Comparison, TableCounts, read_table
from detectors.distances import (
    Counts,
    chi_square,
    g_statistic,
    hellinger_distance,
    jensen_shannon_distance,
    kolmogorov_smirnov,
    population_stability_index,
    total_variation,
    wasserstein,
)
from detectors.evidence.mix_tests import MixTest
from detectors.evidence.questions import MixQuestion, Question
from detectors.grouping import Grouping, group_values, most_changed
from detectors.options import ColumnOption, CommonOptions
from detectors.registry import detector
from detectors.total_variation_intervals import (
    sampling_noise,
    tolerance_floor,
    total_variation_estimate,
)
from detectors.wording import count_text, plain, rows_text, share_text

__all__ = ["DistributionShift"]


@detector
@dataclass(frozen=True, slots=True, kw_only=True)
class DistributionShift(CommonOptions):
    """Compares the distribution of one column with the baseline's.

    The effect is the total variation on a few groups of values (16 of equal reference rows,
    or the 31 most frequent levels): the share of outputs that would have to move to restore
    the normal mix. Missing and non-finite values are left out; ``missing_rate`` watches them.
    Outputs beyond the baseline's range are counted at its edge: the mean is then bounded on one
    side only, and a note says how many they are.

    Parameters
    ----------
    column
        A numeric or categorical column, or one safety check (``check:stage/filter/category``).
    tolerance
        The accepted share of outputs that moved, above 0 and below 1.
    """

    name: ClassVar[str] = "distribution_shift"
    column: Annotated[str, ColumnOption()]
    tolerance: Annotated[float, at.Gt(0), at.Lt(1)] = 0.1
    min_rows: Annotated[int, at.Ge(1)] = 100

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
        axis, (expected, observed) = counts.table.axes[0], _values(counts)
        if not (expected.any() and observed.any()):
            return None
        grouping = group_values(axis, expected)
        return MixQuestion(
            counts=grouping.merge(observed),
            reference=grouping.merge(expected),
            tolerance=self.tolerance,
            ordered=isinstance(axis, NumericAxis),
        )

    def compare(self, reference: Reference, window: Window) -> Finding:
        """Return what the window shows against the reference."""
        return self._compared(reference, window, tested=False)

    def p_value(self, reference: Reference, window: Window) -> float | None:
        """Return the p-value of "within tolerance" in a single batch; see `TestedInBatches`."""
        counts = read_table(reference, window, self.column)
        if counts is None or not _has_rows(_values(counts), self.min_rows):
            return None
        axis, values = counts.table.axes[0], _values(counts)
        return _test(axis, group_values(axis, values[0]), values).p_value(self.tolerance)

    def compare_batch(self, reference: Reference, window: Window) -> Finding:
        """Return what a single batch shows, with the lower bound of the test of `p_value`."""
        return self._compared(reference, window, tested=True)

    def _compared(self, reference: Reference, window: Window, *, tested: bool) -> Finding:
        blank = Comparison(
            detector=self,
            columns=(self.column,),
            tolerance=self.tolerance,
            unit="share of outputs that moved",
        )
        counts = read_table(reference, window, self.column)
        if counts is None:
            return blank.not_in_baseline(self.column)
        axis, (expected, observed) = counts.table.axes[0], _values(counts)
        comparison = blank.with_rows(
            int(observed.sum()),
            int(expected.sum()),
            notes=(
                *_notes(window.summary.n_rows, int(observed.sum())),
                *_beyond_the_bins(axis, observed),
            ),
        )
        too_few = comparison.too_few(self.min_rows, n_seen=window.summary.n_rows)
        if too_few is not None:
            return too_few
        grouping = group_values(axis, expected, _unit(reference.schema, self.column))
        effect = self._effect(axis, grouping, (expected, observed), tested=tested)
        return self._decide(comparison, axis, grouping, (expected, observed), effect)

    def _effect(
        self, axis: Axis, grouping: Grouping, values: tuple[Counts, Counts], *, tested: bool
    ) -> Estimate:
        expected, observed = grouping.merge(values[0]), grouping.merge(values[1])
        effect = total_variation_estimate(expected, observed, self.confidence)
        if not tested:
            return effect
        test = _test(axis, grouping, values)
        low = test.lower_bound(self.tolerance, 1 - self.confidence)
        return replace(effect, low=min(max(effect.low, low), effect.value))

    def _decide(
        self,
        comparison: Comparison,
        axis: Axis,
        grouping: Grouping,
        values: tuple[Counts, Counts],
        effect: Estimate,
    ) -> Finding:
        expected, observed = values
        groups = grouping.merge(expected), grouping.merge(observed)
        measures = _group_measures(*groups)
        direction = Direction.NONE
        if isinstance(axis, NumericAxis):
            ordered = _ordered_measures(axis, expected, observed)
            measures += ordered
            direction = _direction(ordered)
        return comparison.decided(
            effect=effect,
            departure=effect.scaled(1 / self.tolerance),
            direction=direction,
            headline=f"{share_text(effect.value)} of outputs left the normal mix of "
            f"{plain(self.column)}",
            sentence=self._sentence(effect, grouping, groups),
            measures=measures,
            n_affected=round(effect.value * comparison.n_rows),
        )

    def _sentence(
        self, effect: Estimate, grouping: Grouping, groups: tuple[Counts, Counts]
    ) -> str:
        column, accepted = plain(self.column), share_text(self.tolerance, exact=True)
        if effect.low > self.tolerance:
            return (
                f"about {share_text(effect.value)} of outputs (at least "
                f"{share_text(effect.low)}) have moved from the normal mix of {column}, "
                f"{accepted} is accepted; {most_changed(grouping, *groups)}"
            )
        most = share_text(effect.high)
        if effect.high <= self.tolerance:
            return f"the mix of {column} is within the accepted {accepted} (at most {most} moved)"
        return (
            f"the mix of {column} is not shown to have moved by more than the accepted "
            f"{accepted} of outputs (at most {most})"
        )


def _values(counts: TableCounts) -> tuple[Counts, Counts]:
    """Return the counts of finite values, of the reference and of the window."""
    values = counts.table.axes[0].values
    return counts.reference[values], counts.window[values]


def _has_rows(values: tuple[Counts, Counts], min_rows: int) -> bool:
    return min(int(values[0].sum()), int(values[1].sum())) >= min_rows


def _test(axis: Axis, grouping: Grouping, values: tuple[Counts, Counts]) -> MixTest:
    expected, observed = grouping.merge(values[0]), grouping.merge(values[1])
    return MixTest(expected=expected, observed=observed, ordered=isinstance(axis, NumericAxis))


def _unit(schema: Schema, column: str) -> str:
    return schema[column].unit if column in schema else ""


def _notes(n_rows: int, n_values: int) -> tuple[str, ...]:
    if n_rows == 0 or n_values >= 0.95 * n_rows:
        return ()
    left_out, all_rows = count_text(n_rows - n_values), rows_text(n_rows)
    return (f"{left_out} of {all_rows} in the window have no finite value and are left out",)


def _group_measures(expected: Counts, observed: Counts) -> tuple[Measure, ...]:
    chi, chi_p = chi_square(expected, observed)
    g, g_p = g_statistic(expected, observed)
    numbers = {
        "psi": population_stability_index(expected, observed),
        "jensen_shannon": jensen_shannon_distance(expected, observed),
        "hellinger": hellinger_distance(expected, observed),
        "chi_square": chi,
        "chi_square_p": chi_p,
        "g": g,
        "g_p": g_p,
        "expected_by_chance": float(sampling_noise(expected, observed)),
        "tolerance_floor": tolerance_floor(len(expected), int(expected.sum())),
    }
    return tuple(Measure(name, value) for name, value in numbers.items())


def _ordered_measures(
    axis: NumericAxis, expected: Counts, observed: Counts
) -> tuple[Measure, ...]:
    centres = _centres(axis)
    distance, in_deviations = wasserstein(expected, observed, centres)
    numbers = {
        "total_variation_fine": total_variation(expected, observed),
        "ks": kolmogorov_smirnov(expected, observed),
        "wasserstein": distance,
        "wasserstein_normalised": in_deviations,
    }
    measures = [Measure(name, value) for name, value in numbers.items() if np.isfinite(value)]
    return (
        *measures,
        _mean("reference_mean", axis, expected),
        _mean("mean", axis, observed),
    )


def _mean(name: str, axis: NumericAxis, counts: Counts) -> Measure:
    """Return the mean, bounded where values lie beyond the outermost bins.

    Those values are counted at the edge. Above the bins they leave the mean without an upper
    bound, below them without a lower one; the other bound takes every value at the end of its
    bin.
    """
    shares = counts / counts.sum()
    value = float((shares * _centres(axis)).sum())
    below, above = int(counts[0]), int(counts[-1])
    low = high = None
    if above and not below:
        low = float((shares * np.append(axis.edges[:1], axis.edges)).sum())
    if below and not above:
        high = float((shares * np.append(axis.edges, axis.edges[-1:])).sum())
    return Measure(name, value, low, high)


def _beyond_the_bins(axis: Axis, observed: Counts) -> tuple[str, ...]:
    beyond = int(observed[0] + observed[-1]) if isinstance(axis, NumericAxis) else 0
    if not beyond:
        return ()
    lie = "lies" if beyond == 1 else "lie"
    whose = "its" if beyond == 1 else "their"
    return (f"{rows_text(beyond)} {lie} beyond the baseline's range; {whose} size is not known",)


def _centres(axis: NumericAxis) -> npt.NDArray[np.float64]:
    """Return a typical value of every value code; of under- and overflow the outer edges."""
    return np.concatenate([axis.edges[:1], axis.centres, axis.edges[-1:]])


def _direction(measures: tuple[Measure, ...]) -> Direction:
    means = {measure.name: measure.value for measure in measures}
    change = means["mean"] - means["reference_mean"]
    if change == 0:
        return Direction.NONE
    return Direction.UP if change > 0 else Direction.DOWN
