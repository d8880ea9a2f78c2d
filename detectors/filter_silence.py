"""Whether a safety filter has fallen silent: hardly any flags where flags are normal."""

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar

import annotated_types as at
import numpy as np

from baselines.layout import TableNeed
from baselines.reference import Reference
from baselines.schema import Schema
from baselines.summary import Window
from detectors.base import Direction, Estimate, FailureMode, Finding, Measure
from detectors.comparison import Comparison
from detectors.evidence.questions import Question, SilenceQuestion
from detectors.intervals import clopper_pearson, simultaneous
from detectors.options import CheckOption, CommonOptions
from detectors.rates import Count
from detectors.registry import detector
from detectors.safety_checks import (
    ANSWERED,
    FLAGGED,
    check_columns,
    check_counts,
    outcome_rates,
    pooled,
)
from detectors.wording import count_text, plain, rows_text, share_text

__all__ = ["FilterSilence"]

_LEAST_HISTORY = 8
_MOST_HISTORY = 256


@detector
@dataclass(frozen=True, slots=True, kw_only=True)
class FilterSilence(CommonOptions):
    """Watches for flags that should be there and are not, all categories pooled.

    The effect is the share of expected flags that is missing. Its lower bound compares the
    exact upper bound of the window's flag rate with the exact lower bound of the baseline's,
    each with half of the error that `confidence` leaves. Without any flag that is a waiting
    time: about ``ln(1 / error) / (lower bound * (1 - tolerance))`` verdicts [1]_. Flags that
    come in bursts count for less: where the baseline has 8 windows or more, all counts are
    divided by their over-dispersion (Pearson's chi-square over its degrees of freedom,
    never below 1) [2]_.

    Parameters
    ----------
    check
        The filter, ``stage/filter``, or one category of it, ``stage/filter/category``.
    tolerance
        The accepted share of expected flags that is missing, above 0 and below 1.

    References
    ----------
    .. [1] C. J. Clopper and E. S. Pearson, Biometrika 26 (1934), 404-413.
    .. [2] P. McCullagh and J. A. Nelder, Generalized Linear Models, 1989, ch. 4.5.
    """

    name: ClassVar[str] = "filter_silence"
    check: Annotated[str, CheckOption(parts=2)]
    tolerance: Annotated[float, at.Gt(0), at.Lt(1)] = 0.5
    confidence: Annotated[float, at.Gt(0.5), at.Lt(1)] = 0.998
    failure_mode: FailureMode = FailureMode.SAFETY

    @property
    def series(self) -> str:
        """Return the name of the series, unique within a monitor."""
        return f"{self.name}({self.check})"

    @property
    def asks(self) -> bool:
        """Return that evidence can be gathered over windows."""
        return True

    def tables(self, schema: Schema) -> tuple[TableNeed, ...]:
        """Return nothing: a layout holds a table for every check that the reference saw."""
        return ()

    def question(self, reference: Reference, window: Window) -> Question | None:
        """Return the counts that evidence is gathered from; see `Detector`.

        None also where the baseline has no flag: silence is normal there.
        """
        checks = check_counts(reference, window, self.check)
        now, before = outcome_rates(pooled(checks), FLAGGED, ANSWERED)
        if now[1] == 0 or before[0] == 0:
            return None
        return SilenceQuestion(
            triggers=now[0],
            checked=now[1],
            reference_triggers=before[0],
            reference_checked=before[1],
            tolerance=self.tolerance,
            repeats=len(checks),
        )

    def compare(self, reference: Reference, window: Window) -> Finding:
        """Return what the window shows against the reference."""
        checks = check_counts(reference, window, self.check)
        blank = Comparison(
            detector=self,
            columns=tuple(check.column for check in checks),
            tolerance=self.tolerance,
            unit="share of expected flags that is missing",
        )
        if not checks:
            return blank.not_in_baseline(f"the check {self.check}")
        now, before = outcome_rates(pooled(checks), FLAGGED, ANSWERED)
        comparison = blank.with_rows(now[1], before[1])
        too_few = comparison.too_few(self.min_rows, n_seen=window.summary.n_rows, of="verdicts")
        if too_few is not None:
            return too_few
        return self._decide(comparison, now, before, _over_dispersion(reference, self.check))

    def _decide(
        self, comparison: Comparison, now: Count, before: Count, dispersion: float
    ) -> Finding:
        one_bound = simultaneous(self.confidence, 2)
        low_before, high_before = _bounds(before, dispersion, one_bound)
        check = plain(self.check)
        if low_before <= 0:
            return comparison.insufficient(
                f"the baseline has no flag in {rows_text(before[1], 'verdicts')} of {check}: "
                f"silence is normal"
            )
        least = low_before * (1 - self.tolerance)
        needed = math.ceil(math.log((1 - one_bound) / 2) / math.log1p(-least) * dispersion)
        if now[1] < needed:
            return comparison.insufficient(
                f"{rows_text(now[1], 'verdicts')} of {check} cannot tell silence from chance, "
                f"{count_text(needed)} can"
            )
        low_now, high_now = _bounds(now, dispersion, one_bound)
        rate_now, rate_before = now[0] / now[1], before[0] / before[1]
        effect = Estimate(
            _missing(rate_now, rate_before),
            _missing(high_now, low_before),
            _missing(low_now, high_before),
        )
        return comparison.decided(
            effect=effect,
            departure=effect.scaled(1 / self.tolerance),
            direction=_direction(now, before),
            headline=f"{plain(self.check)} has lost {share_text(effect.value)} of its flags",
            sentence=self._sentence(effect, now, rate_before),
            measures=(
                Measure("rate", rate_now, low_now, high_now),
                Measure("reference_rate", rate_before, low_before, high_before),
                Measure("over_dispersion", dispersion),
                Measure("verdicts_needed", float(needed)),
            ),
        )

    def _sentence(self, effect: Estimate, now: Count, rate_before: float) -> str:
        verdicts, accepted = rows_text(now[1], "verdicts"), share_text(self.tolerance, exact=True)
        seen = (
            f"{plain(self.check)} flagged {count_text(now[0])} of {verdicts}, "
            f"normal are about {count_text(round(now[1] * rate_before))}"
        )
        if effect.low > self.tolerance:
            return (
                f"{seen}: {share_text(effect.value)} of the expected flags are missing "
                f"(at least {share_text(effect.low)}), {accepted} accepted"
            )
        return f"{seen}: not shown that more than {accepted} are missing"


def _bounds(count: Count, dispersion: float, confidence: float) -> tuple[float, float]:
    low, high = clopper_pearson(count[0] / dispersion, count[1] / dispersion, confidence)
    return float(low), float(high)


def _missing(rate: float, normal: float) -> float:
    """Return the share of `normal` that `rate` lacks; -1 for twice the normal rate and more."""
    return max(1 - rate / normal, -1.0) if normal > 0 else -1.0


def _direction(now: Count, before: Count) -> Direction:
    change = now[0] * before[1] - before[0] * now[1]
    if change == 0:
        return Direction.NONE
    return Direction.UP if change > 0 else Direction.DOWN


def _over_dispersion(reference: Reference, check: str) -> float:
    """Return how many times the variance of the baseline's flags is that of chance, >= 1."""
    columns = check_columns(reference.summary.layout, check)
    # Evenly spread windows tell as much as thousands of them, at a bounded cost.
    step = math.ceil(len(reference.history) / _MOST_HISTORY) or 1
    flags, verdicts = [], []
    for window in reference.history[::step]:
        tables = [window.summary.table(column) for column in columns]
        flags.append(sum(int(table[FLAGGED].sum()) for table in tables))
        verdicts.append(sum(int(table[ANSWERED].sum()) for table in tables))
    x, n = np.array(flags, dtype=np.float64), np.array(verdicts, dtype=np.float64)
    x, n = x[n > 0], n[n > 0]
    if len(n) < _LEAST_HISTORY or not 0 < x.sum() < n.sum():
        return 1.0
    rate = x.sum() / n.sum()
    chi_square = (np.square(x - n * rate) / (n * rate * (1 - rate))).sum()
    return max(float(chi_square) / (len(n) - 1), 1.0)
