"""Whether flagged outputs get through: flagged by a filter, and nothing done."""

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
from detectors.safety_checks import FLAGGED, NOT_ACTED, check_counts, outcome_rates, pooled
from detectors.wording import plain

__all__ = ["FlaggedNotActed"]


@detector
@dataclass(frozen=True, slots=True, kw_only=True)
class FlaggedNotActed(CommonOptions):
    """Watches the share of flagged checks whose action was none or allow, upwards.

    Checks of all the filter's categories are pooled: an output flagged in two counts twice.

    Parameters
    ----------
    check
        The filter, ``stage/filter``.
    tolerance
        The accepted rise of the share, above 0 and below 1.
    min_rows
        The least number of flagged checks, in the window and in the reference.
    """

    name: ClassVar[str] = "flagged_not_acted"
    check: Annotated[str, CheckOption(parts=2)]
    tolerance: Annotated[float, at.Gt(0), at.Lt(1)] = 0.05
    min_rows: Annotated[int, at.Ge(1)] = 30
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
        counts = outcome_rates(pooled(checks), NOT_ACTED, FLAGGED)
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
        now, before = outcome_rates(outcomes, NOT_ACTED, FLAGGED)
        # Few flags are few rows, not a blind spot: coverage has a detector of its own.
        too_few = blank.with_rows(now[1], before[1]).too_few(
            self.min_rows, n_seen=now[1], of="flagged checks"
        )
        return too_few or rate_finding(blank, terms, now, before)

    @property
    def _terms(self) -> RateTerms:
        return RateTerms(
            subject=f"{plain(self.check)} flagged and nothing was done in",
            of="flagged checks",
            confidence=self.confidence,
            watch="up",
            tolerance_difference=self.tolerance,
        )
