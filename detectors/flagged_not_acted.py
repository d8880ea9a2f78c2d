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
from detectors.options import CheckOption, CommonOptions
from detectors.rates import RateQuestion, rate_finding
from detectors.registry import detector
from detectors.safety_checks import FLAGGED, NOT_ACTED, check_counts, pooled
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

    def tables(self, schema: Schema) -> tuple[TableNeed, ...]:
        """Return nothing: a layout holds a table for every check that the reference saw."""
        return ()

    def compare(self, reference: Reference, window: Window) -> Finding:
        """Return what the window shows against the reference."""
        question = RateQuestion(
            subject=f"{plain(self.check)} flagged and nothing was done in",
            of="flagged checks",
            confidence=self.confidence,
            watch="up",
            tolerance_difference=self.tolerance,
        )
        checks = check_counts(reference, window, self.check)
        blank = Comparison(
            detector=self,
            columns=tuple(check.column for check in checks),
            tolerance=self.tolerance,
            unit=question.unit,
        )
        if not checks:
            return blank.not_in_baseline(f"the check {self.check}")
        normal, present = pooled(checks)
        rows, reference_rows = int(present[FLAGGED].sum()), int(normal[FLAGGED].sum())
        # Few flags are few rows, not a blind spot: coverage has a detector of its own.
        too_few = blank.with_rows(rows, reference_rows).too_few(
            self.min_rows, n_seen=rows, of="flagged checks"
        )
        if too_few is not None:
            return too_few
        return rate_finding(
            blank,
            question,
            window=(int(present[NOT_ACTED].sum()), rows),
            reference=(int(normal[NOT_ACTED].sum()), reference_rows),
        )
