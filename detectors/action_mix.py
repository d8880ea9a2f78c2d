"""Whether a safety filter acts differently: allow, annotate, redact, block, escalate."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import annotated_types as at
import numpy as np

from baselines.checks import CheckAction
from baselines.layout import TableNeed
from baselines.reference import Reference
from baselines.schema import Schema
from baselines.summary import Window
from detectors.base import Estimate, FailureMode, Finding, Measure
from detectors.comparison import Comparison
from detectors.distances import (
    Counts,
    hellinger_distance,
    jensen_shannon_distance,
    population_stability_index,
)
from detectors.evidence.questions import MixQuestion, Question
from detectors.grouping import Grouping, most_changed
from detectors.options import CheckOption, CommonOptions
from detectors.registry import detector
from detectors.safety_checks import action_counts, check_counts, pooled
from detectors.total_variation_intervals import total_variation_estimate
from detectors.wording import plain, share_text

__all__ = ["ActionMix"]

_ACTIONS = tuple(action.value for action in CheckAction)


@detector
@dataclass(frozen=True, slots=True, kw_only=True)
class ActionMix(CommonOptions):
    """Compares the mix of actions among a filter's verdicts with the baseline's.

    The effect is the total variation: the share of verdicts whose action would have to
    change to restore the normal mix. Verdicts of all the filter's categories are pooled.

    Parameters
    ----------
    check
        The filter, ``stage/filter``, or one category of it, ``stage/filter/category``.
    tolerance
        The accepted share of verdicts that moved, above 0 and below 1.
    """

    name: ClassVar[str] = "action_mix"
    check: Annotated[str, CheckOption(parts=2)]
    tolerance: Annotated[float, at.Gt(0), at.Lt(1)] = 0.05
    min_rows: Annotated[int, at.Ge(1)] = 100
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
        expected, observed = map(action_counts, pooled(checks))
        if not (expected.any() and observed.any()):
            return None
        return MixQuestion(
            counts=observed,
            reference=expected,
            tolerance=self.tolerance,
            ordered=False,
            repeats=len(checks),
        )

    def compare(self, reference: Reference, window: Window) -> Finding:
        """Return what the window shows against the reference."""
        checks = check_counts(reference, window, self.check)
        blank = Comparison(
            detector=self,
            columns=tuple(check.column for check in checks),
            tolerance=self.tolerance,
            unit="share of verdicts that moved",
        )
        if not checks:
            return blank.not_in_baseline(f"the check {self.check}")
        normal, present = pooled(checks)
        expected, observed = action_counts(normal), action_counts(present)
        comparison = blank.with_rows(int(observed.sum()), int(expected.sum()))
        too_few = comparison.too_few(self.min_rows, n_seen=int(present.sum()), of="verdicts")
        if too_few is not None:
            return too_few
        effect = total_variation_estimate(expected, observed, self.confidence)
        return comparison.decided(
            effect=effect,
            departure=effect.scaled(1 / self.tolerance),
            headline=f"{share_text(effect.value)} of the verdicts of {plain(self.check)} lead to "
            f"another action",
            sentence=self._sentence(effect, expected, observed),
            measures=(
                Measure("psi", population_stability_index(expected, observed)),
                Measure("jensen_shannon", jensen_shannon_distance(expected, observed)),
                Measure("hellinger", hellinger_distance(expected, observed)),
            ),
            n_affected=round(effect.value * comparison.n_rows),
        )

    def _sentence(self, effect: Estimate, expected: Counts, observed: Counts) -> str:
        check, accepted = plain(self.check), share_text(self.tolerance, exact=True)
        if effect.low > self.tolerance:
            grouping = Grouping(np.arange(len(_ACTIONS)), _ACTIONS)
            changes = most_changed(grouping, expected, observed, of="verdicts")
            return (
                f"about {share_text(effect.value)} of the verdicts of {check} (at least "
                f"{share_text(effect.low)}) lead to another action than normally, "
                f"{accepted} is accepted; {changes}"
            )
        most = share_text(effect.high)
        if effect.high <= self.tolerance:
            return (
                f"the actions of {check} are within the accepted {accepted} (at most {most} moved)"
            )
        return (
            f"the actions of {check} are not shown to have moved by more than the accepted "
            f"{accepted} of verdicts (at most {most})"
        )
