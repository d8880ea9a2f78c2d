"""Whether one category of a safety filter fires more or less often."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import annotated_types as at

from baselines.checks import CHECK_PREFIX
from baselines.layout import AxisNeed, TableNeed
from baselines.reference import Reference
from baselines.schema import Schema
from baselines.summary import Window
from detectors.base import FailureMode, Finding
from detectors.comparison import Comparison, read_table
from detectors.evidence.questions import Question
from detectors.options import CheckOption, CommonOptions, column_problems
from detectors.rates import RateTerms, Watch, rate_finding
from detectors.registry import detector
from detectors.safety_checks import ANSWERED, FLAGGED, outcome_rates
from detectors.wording import plain

__all__ = ["CheckTriggerRate"]


@detector
@dataclass(frozen=True, slots=True, kw_only=True)
class CheckTriggerRate(CommonOptions):
    """Compares the share of verdicts that are flags with the baseline, up and down.

    Parameters
    ----------
    check
        One category, ``stage/filter/category``.
    tolerance_ratio
        The accepted ratio of the larger to the smaller rate, above 1; None: no limit.
    tolerance_difference
        The accepted difference of rates, above 0 and below 1; None: no limit. With both
        tolerances set the rate must be beyond both.
    direction
        Which way counts: ``up``, ``down`` or ``both``.
    """

    name: ClassVar[str] = "check_trigger_rate"
    check: Annotated[str, CheckOption(parts=3)]
    tolerance_ratio: Annotated[float, at.Gt(1), at.Le(1000)] | None = 1.5
    tolerance_difference: Annotated[float, at.Gt(0), at.Lt(1)] | None = None
    direction: Watch = "both"
    failure_mode: FailureMode = FailureMode.SAFETY

    @property
    def series(self) -> str:
        """Return the name of the series, unique within a monitor."""
        way = "" if self.direction == "both" else f", {self.direction}"
        return f"{self.name}({self.check}{way})"

    def problems(self, schema: Schema) -> Sequence[tuple[str, str]]:
        """Return (option, what is wrong) for every option that does not fit `schema`."""
        problems = column_problems(self, schema)
        if self.tolerance_difference is None and self.tolerance_ratio is None:
            problems.append(("tolerance_ratio", "set this or tolerance_difference, both are null"))
        return problems

    @property
    def asks(self) -> bool:
        """Return that evidence can be gathered over windows."""
        return True

    def tables(self, schema: Schema) -> tuple[TableNeed, ...]:
        """Return the table of the check's outcomes."""
        return ((AxisNeed(CHECK_PREFIX + self.check),),)

    def question(self, reference: Reference, window: Window) -> Question | None:
        """Return the counts that evidence is gathered from; see `Detector`."""
        counts = read_table(reference, window, CHECK_PREFIX + self.check)
        if counts is None:
            return None
        outcomes = counts.reference, counts.window
        return self._terms.question(*outcome_rates(outcomes, FLAGGED, ANSWERED))

    def compare(self, reference: Reference, window: Window) -> Finding:
        """Return what the window shows against the reference."""
        column, terms = CHECK_PREFIX + self.check, self._terms
        blank = Comparison(
            detector=self, columns=(column,), tolerance=terms.tolerance, unit=terms.unit
        )
        counts = read_table(reference, window, column)
        if counts is None:
            return blank.not_in_baseline(f"the check {self.check}")
        now, before = outcome_rates((counts.reference, counts.window), FLAGGED, ANSWERED)
        too_few = blank.with_rows(now[1], before[1]).too_few(
            self.min_rows, n_seen=window.summary.n_rows, of="verdicts"
        )
        return too_few or rate_finding(blank, terms, now, before)

    @property
    def _terms(self) -> RateTerms:
        return RateTerms(
            subject=f"{plain(self.check)} flagged",
            of="outputs that it judged",
            confidence=self.confidence,
            watch=self.direction,
            tolerance_difference=self.tolerance_difference,
            tolerance_ratio=self.tolerance_ratio,
        )
