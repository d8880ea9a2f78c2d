"""The gap between groups in how often an outcome is positive: adverse impact, disparity."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, ClassVar

import annotated_types as at
import numpy as np
import numpy.typing as npt

from baselines.layout import AxisNeed, Table, TableNeed, table_name
from baselines.reference import Reference
from baselines.schema import Role, Schema
from baselines.summary import Window
from detectors.base import FailureMode, Finding
from detectors.comparison import Comparison, read_table
from detectors.evidence.questions import Question
from detectors.gap_findings import GapTerms, gap_finding, why_no_outcome
from detectors.gap_questions import gap_question, strata_of, tolerated_by
from detectors.gap_rules import DifferenceRule, GapComparison, GapRule, RatioRule
from detectors.groups import GroupRates, group_table, rates_by_group
from detectors.options import (
    ColumnOption,
    CommonOptions,
    GroupName,
    GroupOption,
    group_columns,
    group_label,
    group_need,
)
from detectors.outcomes import (
    counted_codes,
    knows_positive,
    positive_codes,
    positive_levels,
    why_no_positive,
)
from detectors.registry import detector
from detectors.wording import plain, rate_words

__all__ = ["GapPolicy", "SelectionRateGap"]

_OUTCOME_ROLES = frozenset({Role.PREDICTION, Role.LABEL, Role.CATEGORY, Role.SLICE})


class GapPolicy(StrEnum):
    """Which number decides whether a gap is too large.

    `FOUR_FIFTHS` is `RATIO` at 0.8: the rule of thumb of the US Uniform Guidelines. Others set
    no threshold (New York City's Local Law 144 asks for the ratio only), so it is a choice.
    """

    FOUR_FIFTHS = "four_fifths"
    RATIO = "ratio"
    DIFFERENCE = "difference"


@detector
@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionRateGap(CommonOptions):
    """Compares how often groups get a positive outcome.

    With many groups some ratio is under 0.8 by chance alone: among five groups of 200 equal
    ones, more often than not. So the point estimate is reported, and the verdict is beyond
    only if the whole simultaneous interval is and at least one decision is short.

    With ``comparison: baseline`` it is decided by its interval in each window, without a
    false-alarm guarantee.

    Parameters
    ----------
    outcome
        The prediction, category or safety check (``check:...``) whose rate is compared.
    group
        A group attribute, or several for their intersection.
    level
        The outcome's level that counts as positive; None: the schema's positive levels, and
        for a safety check that it flagged.
    policy
        Which number decides; the others are reported.
    tolerance_ratio
        The accepted ratio of the lowest to the highest rate, for the ratio policies.
    tolerance_difference
        The accepted difference of rates, for the policy ``difference``, which needs it.
    favourable
        Whether a positive outcome is good for the person: it decides which groups are worse
        off, those of low or those of high rates.
    comparison
        Whether the gap is held against the tolerance alone, or against the baseline's gap.
    min_group_rows
        Groups of fewer outputs are neither compared nor shown.
    """

    name: ClassVar[str] = "selection_rate_gap"

    outcome: Annotated[str, ColumnOption(roles=_OUTCOME_ROLES, kind="category")]
    group: Annotated[GroupName, GroupOption()]
    level: str | None = None
    policy: GapPolicy = GapPolicy.FOUR_FIFTHS
    tolerance_ratio: Annotated[float, at.Gt(0), at.Lt(1)] = 0.8
    tolerance_difference: Annotated[float, at.Gt(0), at.Lt(1)] | None = None
    favourable: bool = True
    comparison: GapComparison = GapComparison.ABSOLUTE
    min_group_rows: Annotated[int, at.Ge(1)] = 30
    failure_mode: FailureMode = FailureMode.BIAS

    @property
    def series(self) -> str:
        """Return the name of the series, unique within a monitor."""
        what = self.outcome if self.level is None else f"{self.outcome}={self.level}"
        return f"{self.name}({what}, {group_label(self.group)})"

    def problems(self, schema: Schema) -> list[tuple[str, str]]:
        """Return (option, what is wrong) for every option that does not fit `schema`."""
        found = list(CommonOptions.problems(self, schema))
        if self.outcome in group_columns(self.group):
            found.append(("outcome", f"must not be a group attribute, got {self.outcome!r}"))
        if self.policy == GapPolicy.DIFFERENCE and self.tolerance_difference is None:
            found.append(("tolerance_difference", "must be set for the policy 'difference'"))
        if self.policy == GapPolicy.FOUR_FIFTHS and self.tolerance_ratio != 0.8:
            message = f"must be 0.8 for 'four_fifths', got {self.tolerance_ratio!r}; use 'ratio'"
            found.append(("tolerance_ratio", message))
        return found

    @property
    def asks(self) -> bool:
        """Return whether the gap is held against the tolerance alone.

        Rates whose gap is near the baseline's gap are not a convex set (the gap may turn
        round), and evidence against a set of rates needs a convex one.
        """
        return self.comparison == GapComparison.ABSOLUTE

    def tables(self, schema: Schema) -> tuple[TableNeed, ...]:
        """Return the table of groups and outcomes."""
        return ((*group_need(self.group), AxisNeed(self.outcome)),)

    def question(self, reference: Reference, window: Window) -> Question | None:
        """Return the counts that evidence is gathered from; see `Detector`."""
        counts = read_table(reference, window, table_name(self.tables(reference.schema)[0]))
        if counts is None or not self.asks:
            return None
        levels = positive_levels(reference.schema, self.outcome, self.level)
        outcome = counts.table.axes[-1]
        if not knows_positive(outcome, levels):
            return None
        cells = [(positive_codes(outcome, levels), counted_codes(outcome))]
        now, before = (
            group_table(counts.table, each, len(group_columns(self.group)), keep_empty=True)
            for each in (counts.window, counts.reference)
        )
        return gap_question(
            now.groups, strata_of(now, cells), strata_of(before, cells), tolerated_by(self._rule)
        )

    def compare(self, reference: Reference, window: Window) -> Finding:
        """Return how far apart the groups' rates are."""
        comparison = Comparison(
            detector=self,
            columns=(self.outcome, *group_columns(self.group)),
            tolerance=self._rule.accepted,
            unit=self._rule.unit,
        )
        counts = read_table(reference, window, table_name(self.tables(reference.schema)[0]))
        if counts is None:
            return comparison.not_in_baseline(f"{self.outcome} by {group_label(self.group)}")
        levels = positive_levels(reference.schema, self.outcome, self.level)
        sentence = why_no_positive(counts.table.axes[-1], levels)
        if sentence is not None:
            return comparison.cannot_see(sentence)
        rates = self._rates(counts.table, counts.window, levels)
        before = self._rates(counts.table, counts.reference, levels)
        unable = why_no_outcome(
            comparison,
            rates,
            outcome=self.outcome,
            n_seen=int(counts.window.sum()),
            min_rows=self.min_rows,
        )
        if unable is not None:
            return unable
        terms = GapTerms(
            subject=f"{rate_words(favourable=self.favourable)} of {plain(self._outcome_text)}",
            attribute=group_label(self.group),
            rule=self._rule,
            min_rows=self.min_rows,
            min_group_rows=self.min_group_rows,
            comparison=self.comparison,
        )
        return gap_finding(comparison, terms, rates, before)

    def _rates(
        self, table: Table, cells: npt.NDArray[np.int64], levels: tuple[str, ...]
    ) -> GroupRates:
        by_group = group_table(table, cells, len(group_columns(self.group)))
        outcome = by_group.axes[0]
        positive, counted = positive_codes(outcome, levels), counted_codes(outcome)
        return rates_by_group(by_group, positive, counted, self.min_group_rows)

    @property
    def _outcome_text(self) -> str:
        return self.outcome if self.level is None else f"{self.outcome} {self.level}"

    @property
    def _rule(self) -> GapRule:
        if self.policy == GapPolicy.DIFFERENCE and self.tolerance_difference is not None:
            return DifferenceRule(
                tolerance=self.tolerance_difference,
                confidence=self.confidence,
                low_is_worse=self.favourable,
            )
        return RatioRule(
            tolerance=self.tolerance_ratio,
            confidence=self.confidence,
            low_is_worse=self.favourable,
        )
