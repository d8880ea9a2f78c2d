"""Whether a safety filter fails more often: errors and timeouts."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import annotated_types as at

from baselines.layout import TableNeed
from baselines.reference import Reference
from baselines.schema import Schema
from baselines.summary import Window
from detectors.base import FailureMode, Finding
from detectors.comparison import Comparison
from detectors.evidence.questions import Question
from detectors.options import CheckOption, CommonOptions
from detectors.rates import RateTerms, rate_finding
from detectors.registry import detector
from detectors.safety_checks import ATTEMPTED, FAILED, check_counts, outcome_rates, pooled
from detectors.wording import plain

__all__ = ["FilterErrorRate"]


@detector
@dataclass(frozen=True, slots=True, kw_only=True)
class FilterErrorRate(CommonOptions):
    """Watches the share of a filter's attempted checks that failed or timed out, upwards.

    Checks of all its categories are pooled; skipped and absent checks do not count.

    Parameters
    ----------
    check
        The filter, ``stage/filter``.
    tolerance
        The accepted rise of the share, above 0 and below 1.
    """

    name: ClassVar[str] = "filter_error_rate"
    check: Annotated[str, CheckOption(parts=2)]
    tolerance: Annotated[float, at.Gt(0), at.Lt(1)] = 0.02
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
        """Return the counts that evidence is gathered from; see `Detector`."""
        checks = check_counts(reference, window, self.check)
        counts = outcome_rates(pooled(checks), FAILED, ATTEMPTED)
        return self._terms.question(*counts, repeats=max(len(checks), 1))

    def compare(self, reference: Reference, window: Window) -> Finding:
        """Return what the window shows against the reference."""
        terms = self._terms
        checks = check_counts(reference, window, self.check)
        blank = Comparison(
            detector=self,
            columns=tuple(check.column for check in checks),
            tolerance=self.tolerance,
            unit=terms.unit,
        )
        if not checks:
            return blank.not_in_baseline(f"the check {self.check}")
        outcomes = pooled(checks)
        now, before = outcome_rates(outcomes, FAILED, ATTEMPTED)
        too_few = blank.with_rows(now[1], before[1]).too_few(
            self.min_rows, n_seen=int(outcomes[1].sum()), of="checks attempted"
        )
        return too_few or rate_finding(blank, terms, now, before)

    @property
    def _terms(self) -> RateTerms:
        return RateTerms(
            subject=f"{plain(self.check)} failed or timed out in",
            of="checks attempted",
            confidence=self.confidence,
            watch="up",
            tolerance_difference=self.tolerance,
        )
