"""The gap between groups in how often an outcome is positive, at equal strata."""

import dataclasses
from dataclasses import dataclass
from typing import Annotated, ClassVar

import annotated_types as at
import numpy as np
import numpy.typing as npt

from baselines.layout import AxisNeed, Table, TableNeed, table_name
from baselines.reference import Reference
from baselines.schema import Role, Schema
from baselines.summary import Window
from detectors.base import Estimate, FailureMode, Finding
from detectors.comparison import Comparison, TableCounts, read_table
from detectors.evidence.questions import Question
from detectors.gap_findings import GapTerms, why_no_gap, why_no_outcome
from detectors.gap_questions import gap_question, tolerated_by
from detectors.gap_rules import DifferenceRule
from detectors.group_strata import GroupStrata, group_strata
from detectors.groups import GroupRates, group_table
from detectors.intervals import simultaneous
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
    knows_positive,
    positive_levels,
    why_no_positive,
)
from detectors.registry import detector
from detectors.standardised_gaps import (
    StandardisedGap,
    gap_measures,
    largest_size,
    standardised_gap,
)
from detectors.wording import plain, points_text, rate_words, rows_text

__all__ = ["ConditionalGap"]

_OUTCOME_ROLES = frozenset({Role.PREDICTION, Role.LABEL, Role.CATEGORY, Role.SLICE})
_STRATA_ROLES = frozenset({Role.CATEGORY, Role.GROUP, Role.SLICE, Role.PREDICTION, Role.LABEL})

Counts = npt.NDArray[np.int64]


@detector
@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionalGap(CommonOptions):
    """Compares how often groups get a positive outcome among outputs of the same strata.

    Groups that apply for different jobs have different rates even where every job treats them
    alike, and the other way round (Simpson's paradox). The difference to the largest group is
    averaged over strata, each weighing its share of all compared outputs.

    Parameters
    ----------
    outcome
        The prediction, category or safety check (``check:...``) whose rate is compared.
    group
        A group attribute, or several for their intersection. Every group is compared with the
        one that has most rows in the baseline (in the window, if that one is too small).
    strata
        The columns within whose levels groups are compared.
    level
        The outcome's level that counts as positive; None: as in `selection_rate_gap`.
    tolerance_difference
        The accepted standardised difference of rates.
    favourable
        Whether a positive outcome is good for the person.
    min_group_rows
        Groups of fewer outputs are neither compared nor shown.
    """

    name: ClassVar[str] = "conditional_gap"

    outcome: Annotated[str, ColumnOption(roles=_OUTCOME_ROLES, kind="category")]
    group: Annotated[GroupName, GroupOption()]
    strata: Annotated[
        tuple[str, ...], ColumnOption(roles=_STRATA_ROLES, kind="category", many=True)
    ]
    level: str | None = None
    tolerance_difference: Annotated[float, at.Gt(0), at.Lt(1)] = 0.1
    favourable: bool = True
    min_group_rows: Annotated[int, at.Ge(1)] = 30
    failure_mode: FailureMode = FailureMode.BIAS

    @property
    def series(self) -> str:
        """Return the name of the series, unique within a monitor."""
        what = self.outcome if self.level is None else f"{self.outcome}={self.level}"
        return f"{self.name}({what}, {group_label(self.group)} | {'*'.join(self.strata)})"

    def problems(self, schema: Schema) -> list[tuple[str, str]]:
        """Return (option, what is wrong) for every option that does not fit `schema`."""
        found = list(CommonOptions.problems(self, schema))
        names = (self.outcome, *group_columns(self.group), *self.strata)
        if len(set(names)) < len(names):
            message = f"must differ from the outcome, the group and each other, got {names!r}"
            found.append(("strata", message))
        return found

    @property
    def asks(self) -> bool:
        """Return that evidence can be gathered over windows."""
        return True

    def tables(self, schema: Schema) -> tuple[TableNeed, ...]:
        """Return the table of groups, strata and outcomes."""
        strata = tuple(AxisNeed(column) for column in self.strata)
        return ((*group_need(self.group), *strata, AxisNeed(self.outcome)),)

    def question(self, reference: Reference, window: Window) -> Question | None:
        """Return the counts that evidence is gathered from; see `Detector`.

        Evidence is against "the rates of all groups are within tolerance in every stratum",
        which is stricter than the average over strata that `compare` decides on.
        """
        counts = read_table(reference, window, table_name(self.tables(reference.schema)[0]))
        if counts is None:
            return None
        levels = positive_levels(reference.schema, self.outcome, self.level)
        if not knows_positive(counts.table.axes[-1], levels):
            return None
        now, before = (
            self._by_stratum(counts.table, cells, levels, keep_empty=True)
            for cells in (counts.window, counts.reference)
        )
        return gap_question(
            now.groups,
            (now.positives.T, now.rows.T),
            (before.positives.T, before.rows.T),
            tolerated_by(self._rule),
        )

    def compare(self, reference: Reference, window: Window) -> Finding:
        """Return how far apart the groups' rates are within strata."""
        comparison = Comparison(
            detector=self,
            columns=(self.outcome, *group_columns(self.group), *self.strata),
            tolerance=self.tolerance_difference,
            unit="difference of rates to the largest group, at equal strata",
        )
        counts = read_table(reference, window, table_name(self.tables(reference.schema)[0]))
        if counts is None:
            return comparison.not_in_baseline(f"{self.outcome} by group and strata")
        levels = positive_levels(reference.schema, self.outcome, self.level)
        sentence = why_no_positive(counts.table.axes[-1], levels)
        if sentence is not None:
            return comparison.cannot_see(sentence)
        return self._finding(comparison, counts, levels)

    def _finding(
        self, comparison: Comparison, counts: TableCounts, levels: tuple[str, ...]
    ) -> Finding:
        strata = self._by_stratum(counts.table, counts.window, levels)
        before = self._by_stratum(counts.table, counts.reference, levels)
        rates = strata.rates(self.min_group_rows)
        attribute = group_label(self.group)
        notes = list(rates.notes(attribute, self.min_group_rows))
        if strata.n_unknown_stratum:
            notes.append(f"{rows_text(strata.n_unknown_stratum)} of unknown stratum not compared")
        comparison = dataclasses.replace(
            comparison,
            n_rows=rates.n_rows,
            n_reference_rows=int(before.rows.sum()),
            notes=tuple(notes),
        )
        terms = GapTerms(
            subject=f"{rate_words(favourable=self.favourable)} of {plain(self.outcome)}",
            attribute=attribute,
            rule=self._rule,
            min_rows=self.min_rows,
            min_group_rows=self.min_group_rows,
        )
        unable = self._unseen(comparison, rates, before, int(counts.window.sum()))
        unable = unable or why_no_gap(comparison, terms, rates)
        if unable is not None:
            return unable
        base = before.largest(rates)
        gaps = self._gaps(strata, rates, base)
        if not gaps:
            return comparison.insufficient(
                f"no group of {attribute} shares a stratum with the largest group, {base}"
            )
        return self._decided(comparison, rates, base, gaps)

    def _unseen(
        self, comparison: Comparison, rates: GroupRates, before: GroupStrata, n_seen: int
    ) -> Finding | None:
        n_before = int(before.rows.sum())
        if n_before < self.min_rows:
            return comparison.insufficient(
                f"{group_label(self.group)}: the baseline has {rows_text(n_before)} to compare "
                f"with, a comparison needs {self.min_rows}"
            )
        return why_no_outcome(
            comparison, rates, outcome=self.outcome, n_seen=n_seen, min_rows=self.min_rows
        )

    def _gaps(
        self, strata: GroupStrata, rates: GroupRates, base: str
    ) -> dict[str, StandardisedGap]:
        position = {name: strata.groups.index(name) for name in rates.names}
        weights = strata.rows[list(position.values())].sum(axis=0)
        each = simultaneous(self.confidence, len(rates.names) - 1)
        gaps = {}
        for name in rates.names:
            pair = [position[base], position[name]]
            gap = standardised_gap(strata.positives[pair], strata.rows[pair], weights, each)
            if name != base and gap is not None:
                gaps[name] = gap
        return gaps

    def _decided(
        self,
        comparison: Comparison,
        rates: GroupRates,
        base: str,
        gaps: dict[str, StandardisedGap],
    ) -> Finding:
        effect = largest_size([gap.standardised for gap in gaps.values()])
        widest = max(gaps, key=lambda name: abs(gaps[name].standardised.value))
        gap = gaps[widest]
        is_simpson = gap.is_simpson(self.tolerance_difference)
        worse = self._worse_off(gaps, base)
        notes = [*comparison.notes, f"every group is compared with the largest, {base}"]
        if is_simpson:
            notes.append(
                f"strata change the gap of {widest}: {points_text(gap.crude)} when they are "
                f"ignored, {points_text(gap.standardised.value)} at equal strata"
            )
        if gap.n_outside:
            notes.append(
                f"{rows_text(gap.n_outside)} of {base} and {widest} in strata without the other"
            )
        comparison = dataclasses.replace(comparison, notes=tuple(notes))
        finding = comparison.decided(
            effect=effect,
            departure=effect.scaled(1 / self.tolerance_difference),
            measures=gap_measures(gap, gaps, is_simpson=is_simpson),
            n_affected=sum(count.rows for count in rates.compared if count.group in worse),
            headline=self._headline(base, widest, gap),
            sentence=self._sentence(base, widest, gap, effect),
        )
        return dataclasses.replace(finding, groups=rates.compared, worse_off=worse)

    def _worse_off(self, gaps: dict[str, StandardisedGap], base: str) -> tuple[str, ...]:
        below = [n for n, g in gaps.items() if g.standardised.low > self.tolerance_difference]
        above = [n for n, g in gaps.items() if g.standardised.high < -self.tolerance_difference]
        if self.favourable:
            return (*below, base) if above else tuple(below)
        return (*above, base) if below else tuple(above)

    @property
    def _rule(self) -> DifferenceRule:
        return DifferenceRule(tolerance=self.tolerance_difference, confidence=self.confidence)

    def _by_stratum(
        self, table: Table, cells: Counts, levels: tuple[str, ...], *, keep_empty: bool = False
    ) -> GroupStrata:
        by_group = group_table(table, cells, len(group_columns(self.group)), keep_empty=keep_empty)
        return group_strata(by_group, levels)

    def _headline(self, base: str, widest: str, gap: StandardisedGap) -> str:
        side = "below" if gap.standardised.value >= 0 else "above"
        rate = rate_words(favourable=self.favourable)
        return (
            f"{rate} of {plain(self.outcome)} by {group_label(self.group)}: {widest} "
            f"{points_text(abs(gap.standardised.value))} {side} {base}"
        )

    def _sentence(self, base: str, widest: str, gap: StandardisedGap, effect: Estimate) -> str:
        what = self.outcome if self.level is None else f"{self.outcome} {self.level}"
        side = "below" if gap.standardised.value >= 0 else "above"
        strata = " and ".join(map(plain, self.strata))
        rate = rate_words(favourable=self.favourable)
        return (
            f"{rate} of {plain(what)} by {group_label(self.group)} at equal {strata}: "
            f"{widest} {points_text(abs(gap.standardised.value))} {side} {base}, largest gap "
            f"between {points_text(effect.low)} and {points_text(effect.high)}, "
            f"{points_text(self.tolerance_difference)} accepted"
        )
