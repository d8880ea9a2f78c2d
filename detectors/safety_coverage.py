"""Whether a safety filter still looks at outputs: the share with a working verdict."""

import dataclasses
from dataclasses import dataclass
from typing import Annotated, ClassVar

import annotated_types as at

from baselines.layout import TableNeed
from baselines.reference import Reference
from baselines.schema import Schema
from baselines.summary import Window
from detectors.base import FailureMode, Finding, Measure
from detectors.comparison import Comparison
from detectors.evidence.questions import Question
from detectors.intervals import newcombe_difference, simultaneous
from detectors.options import CheckOption, CommonOptions
from detectors.rates import RateTerms, rate_finding
from detectors.registry import detector
from detectors.safety_checks import WORKING, CheckCounts, check_counts, pooled
from detectors.wording import plain, share_text

__all__ = ["SafetyCoverage"]

_HALF_COVERED = 0.5


@detector
@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyCoverage(CommonOptions):
    """Watches the share of outputs for which a filter gave a working verdict, downwards.

    An output is covered in a category if the check's status is ok. The category that lost
    most against its own baseline decides; bounds allow for having looked at all of them.
    When no output at all is covered the detector does not wait for `min_rows`.

    Parameters
    ----------
    check
        The filter, ``stage/filter``.
    tolerance
        The accepted drop of the share of outputs, above 0 and below 1.
    """

    name: ClassVar[str] = "safety_coverage"
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
        """Return the counts that evidence is gathered from; see `Detector`.

        The categories are pooled: choosing the worst one by its counts would make chance
        look like evidence. If each of them is within tolerance, so is the pooled share.
        """
        checks = check_counts(reference, window, self.check)
        normal, present = pooled(checks)
        now = int(present[WORKING].sum()), window.summary.n_rows * len(checks)
        before = int(normal[WORKING].sum()), reference.summary.n_rows * len(checks)
        if before[0] <= self.tolerance * before[1]:
            return None  # no share could be too low
        return self._terms(1).question(now, before, repeats=len(checks))

    def compare(self, reference: Reference, window: Window) -> Finding:
        """Return what the window shows against the reference."""
        checks = check_counts(reference, window, self.check)
        terms = self._terms(max(len(checks), 1))
        rows, reference_rows = window.summary.n_rows, reference.summary.n_rows
        blank = Comparison(
            detector=self,
            columns=tuple(check.column for check in checks),
            tolerance=self.tolerance,
            unit=terms.unit,
        ).with_rows(rows, reference_rows)
        if not checks:
            return blank.not_in_baseline(f"the check {self.check}")
        silent = not any(check.window[WORKING].any() for check in checks)
        needed = 1 if silent else self.min_rows
        too_few = blank.too_few(needed, n_seen=rows)
        if too_few is not None:
            return too_few
        worst = max(checks, key=lambda check: self._drop(check, rows, reference_rows))
        normal = int(worst.reference[WORKING].sum())
        if normal / reference_rows <= self.tolerance:
            return blank.cannot_see(
                f"the baseline itself holds next to no working verdicts of {plain(self.check)}: "
                f"{share_text(normal / reference_rows)} of outputs; fix the filter or the "
                f"records of it, then fit the baseline again"
            )
        finding = rate_finding(
            dataclasses.replace(blank, notes=_notes(worst, normal / reference_rows)),
            terms,
            window=(int(worst.window[WORKING].sum()), rows),
            reference=(normal, reference_rows),
        )
        return dataclasses.replace(
            finding, measures=(*finding.measures, _least_covered(checks, rows))
        )

    def _terms(self, n_categories: int) -> RateTerms:
        return RateTerms(
            subject=f"{plain(self.check)} gave a working verdict on",
            of="outputs",
            confidence=simultaneous(self.confidence, n_categories),
            watch="down",
            tolerance_difference=self.tolerance,
        )

    def _drop(self, check: CheckCounts, rows: int, reference_rows: int) -> float:
        """Return the least drop of a category's coverage that its bounds allow."""
        low, _ = newcombe_difference(
            check.reference[WORKING].sum(),
            reference_rows,
            check.window[WORKING].sum(),
            rows,
            self.confidence,
        )
        return float(low)


def _notes(worst: CheckCounts, normal_share: float) -> tuple[str, ...]:
    notes = [f"decided on {plain(worst.column)}, the category that lost most"]
    if normal_share < _HALF_COVERED:
        notes.append(
            f"the baseline itself was covered on {share_text(normal_share)} of outputs only"
        )
    return tuple(notes)


def _least_covered(checks: tuple[CheckCounts, ...], rows: int) -> Measure:
    return Measure(
        "least_covered_category",
        min(int(check.window[WORKING].sum()) for check in checks) / rows,
    )
