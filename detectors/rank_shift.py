"""Whether values have become larger or smaller as a whole: the probability of superiority."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import annotated_types as at

from baselines.layout import AxisNeed, NumericAxis, TableNeed
from baselines.reference import Reference
from baselines.schema import Schema
from baselines.summary import Window
from detectors.base import Direction, Estimate, Finding, Measure
from detectors.comparison import Comparison, read_table
from detectors.options import ColumnOption, CommonOptions
from detectors.registry import detector
from detectors.roc import area_under_roc, area_under_roc_binning_error
from detectors.wording import plain, points_text, share_text

__all__ = ["RankShift"]

_EVEN = 0.5


@detector
@dataclass(frozen=True, slots=True, kw_only=True)
class RankShift(CommonOptions):
    """Compares how values of a column rank with the baseline's values.

    The effect is the distance from one half of the chance that an output of the window is
    larger than one of the baseline, ties counting half. It sees a small shift of all values
    long before their total variation does, and nothing of a change that leaves the ranks even
    (a wider spread, for example): it stands beside ``distribution_shift``. It is decided by its
    interval in each window or in a comparison; it never asks for evidence.

    Parameters
    ----------
    column
        A numeric column.
    tolerance
        The accepted distance from one half, above 0 and below 0.5; 0.05 is a shift of about
        0.18 standard deviations of normal values.

    References
    ----------
    .. [1] H. B. Mann, D. R. Whitney, Annals of Mathematical Statistics 18 (1947), 50-60.
    .. [2] E. R. DeLong, D. M. DeLong, D. L. Clarke-Pearson, Biometrics 44 (1988), 837-845.
    """

    name: ClassVar[str] = "rank_shift"
    column: Annotated[str, ColumnOption(kind="numeric")]
    tolerance: Annotated[float, at.Gt(0), at.Lt(0.5)] = 0.05
    min_rows: Annotated[int, at.Ge(1)] = 50

    @property
    def series(self) -> str:
        """Return the name of the series, unique within a monitor."""
        return f"{self.name}({self.column})"

    def tables(self, schema: Schema) -> tuple[TableNeed, ...]:
        """Return the tables that `compare` reads."""
        return ((AxisNeed(self.column),),)

    def compare(self, reference: Reference, window: Window) -> Finding:
        """Return what the window shows against the reference."""
        blank = Comparison(
            detector=self,
            columns=(self.column,),
            tolerance=self.tolerance,
            unit="distance of the chance to be larger from one half",
        )
        counts = read_table(reference, window, self.column)
        if counts is None or not isinstance(counts.table.axes[0], NumericAxis):
            return blank.not_in_baseline(self.column)
        values = counts.table.axes[0].values
        before, now = counts.reference[values], counts.window[values]
        comparison = blank.with_rows(int(now.sum()), int(before.sum()))
        too_few = comparison.too_few(self.min_rows, n_seen=window.summary.n_rows)
        if too_few is not None:
            return too_few
        chance = area_under_roc(before, now, self.confidence)
        hidden = area_under_roc_binning_error(before, now)
        return self._decide(comparison, chance, hidden)

    def _decide(self, comparison: Comparison, chance: Estimate, hidden: float) -> Finding:
        effect = _distance(chance)
        larger = chance.value >= _EVEN
        word = "larger" if larger else "smaller"
        share = chance.value if larger else 1 - chance.value
        column, accepted = plain(self.column), points_text(self.tolerance, exact=True)
        sentence = (
            f"an output has {word} {column} than a normal one in {share_text(share)} of pairs, "
            f"{points_text(effect.value)} from even (at least {points_text(effect.low)}), "
            f"{accepted} accepted"
        )
        if effect.low <= self.tolerance:
            sentence = (
                f"{column} is not shown to rank more than the accepted {accepted} from normal "
                f"(at most {points_text(effect.high)})"
            )
        return comparison.decided(
            effect=effect,
            departure=effect.scaled(1 / self.tolerance),
            direction=Direction.UP if larger else Direction.DOWN,
            headline=f"{column} {word} in {share_text(share)} of pairs",
            sentence=sentence,
            measures=(
                Measure("chance_to_be_larger", chance.value, chance.low, chance.high),
                Measure("binning_error", hidden),
            ),
        )


def _distance(chance: Estimate) -> Estimate:
    """Return the distance of a chance from one half, with its bounds."""
    low = max(chance.low - _EVEN, _EVEN - chance.high, 0.0)
    high = max(abs(chance.low - _EVEN), abs(chance.high - _EVEN))
    return Estimate(abs(chance.value - _EVEN), low, high)
