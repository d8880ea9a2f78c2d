"""From a judged gap between groups to a finding, in the same way for every gap detector."""

import dataclasses
from dataclasses import dataclass

from detectors.base import Direction, Estimate, Finding, Measure
from detectors.comparison import Comparison
from detectors.gap_rules import GapComparison, GapJudgement, GapRule, RatioRule
from detectors.groups import GroupRates, in_both
from detectors.rate_gaps import expected_range_if_equal, homogeneity_chi_square
from detectors.wording import number_text, plain, points_text, rows_text, share_text

__all__ = ["GapTerms", "gap_finding", "gap_measures", "why_no_gap", "why_no_outcome"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GapTerms:
    """On what terms a gap between groups is judged.

    Parameters
    ----------
    subject
        The rate in words: ``selection rate of approved``.
    attribute
        The group attribute in words: ``sex``.
    rule
        When the gap is too large.
    min_rows, min_group_rows
        The least number of rows in all, and of a group.
    comparison
        What the gap is held against.
    """

    subject: str
    attribute: str
    rule: GapRule
    min_rows: int
    min_group_rows: int
    comparison: GapComparison = GapComparison.ABSOLUTE


def gap_finding(
    comparison: Comparison, terms: GapTerms, rates: GroupRates, before: GroupRates
) -> Finding:
    """Return the finding on the gap between groups, whatever the rates are.

    Parameters
    ----------
    comparison
        What the finding is about; its rows and notes are completed here.
    terms
        On what terms it is judged.
    rates, before
        The window's and the baseline's rates by group.
    """
    against_baseline = terms.comparison == GapComparison.BASELINE
    if against_baseline:
        rates, before = in_both(rates, before)
    comparison = dataclasses.replace(
        comparison,
        n_rows=rates.n_rows,
        n_reference_rows=before.n_rows,
        notes=(*rates.notes(terms.attribute, terms.min_group_rows), *comparison.notes),
    )
    unable = why_no_gap(comparison, terms, rates)
    if unable is not None:
        return unable
    n_before = before.n_rows if against_baseline else before.n_counted
    if n_before < terms.min_rows:
        return comparison.insufficient(
            f"{terms.attribute}: the baseline has {rows_text(n_before)} to compare with, a "
            f"comparison needs {terms.min_rows}"
        )
    return _judged(comparison, terms, rates, before if against_baseline else None)


def why_no_outcome(
    comparison: Comparison, rates: GroupRates, *, outcome: str, n_seen: int, min_rows: int
) -> Finding | None:
    """Return that the outcome is hardly ever there (1 of 20 rows or fewer), None if it is.

    Parameters
    ----------
    comparison
        What the finding is about.
    rates
        The window's rates by group.
    outcome
        The column of the outcome.
    n_seen
        Rows of the window, with an outcome or without.
    min_rows
        The least number of rows that a window must have to be judged.
    """
    if n_seen < min_rows or rates.n_counted > n_seen / 20:
        return None
    return comparison.cannot_see(
        f"{plain(outcome)} has a value in {rates.n_counted} of {rows_text(n_seen)}"
    )


def why_no_gap(comparison: Comparison, terms: GapTerms, rates: GroupRates) -> Finding | None:
    """Return why the window's rates cannot be compared, None if they can."""
    n_seen, n_known = rates.n_counted, rates.n_counted - rates.n_unknown
    attribute = terms.attribute
    if n_seen >= terms.min_rows and n_known <= n_seen / 20:
        return comparison.cannot_see(
            f"{attribute} is known for {n_known} of {rows_text(n_seen)}: groups cannot be compared"
        )
    if len(rates.compared) < 2 or rates.n_rows < terms.min_rows:
        return comparison.insufficient(
            f"{attribute}: the window has {rows_text(rates.n_rows)} in groups of at least "
            f"{terms.min_group_rows} ({len(rates.compared)} groups), a comparison needs "
            f"{terms.min_rows} in two groups or more"
        )
    if isinstance(terms.rule, RatioRule) and not rates.positives.any():
        return comparison.insufficient(
            f"{terms.subject} by {attribute} is zero in every group, and zero rates have no ratio"
        )
    return None


def _judged(
    comparison: Comparison,
    terms: GapTerms,
    rates: GroupRates,
    reference: GroupRates | None,
) -> Finding:
    judgement = terms.rule.judge(rates, reference)
    comparison = dataclasses.replace(
        comparison, notes=(*_notes(terms, judgement), *comparison.notes)
    )
    finding = comparison.decided(
        effect=judgement.effect,
        departure=judgement.departure,
        direction=_direction(judgement, reference),
        measures=gap_measures(rates, judgement),
        n_affected=sum(c.rows for c in rates.compared if c.group in judgement.worse_off),
        headline=_headline(terms, rates, judgement),
        sentence=_sentence(terms, rates, judgement, reference),
    )
    return dataclasses.replace(finding, groups=rates.compared, worse_off=judgement.worse_off)


def gap_measures(rates: GroupRates, judgement: GapJudgement) -> tuple[Measure, ...]:
    """Return what is reported about every gap: see `detectors.rate_gaps` for the formulas."""
    chance = expected_range_if_equal(rates)
    chi_square, degrees = homogeneity_chi_square(rates)
    return (
        _measure("gap", judgement.difference),
        _measure("impact_ratio", judgement.ratio),
        Measure("expected_gap_if_equal", chance),
        Measure("gap_beyond_chance", judgement.difference.value - chance),
        Measure("homogeneity_chi_square", chi_square),
        Measure("homogeneity_degrees_of_freedom", degrees),
        Measure("shortfall", judgement.shortfall),
        Measure("unknown_group_rows", rates.n_unknown),
    )


def _measure(name: str, estimate: Estimate) -> Measure:
    return Measure(name, estimate.value, estimate.low, estimate.high)


def _direction(judgement: GapJudgement, reference: GroupRates | None) -> Direction:
    if reference is None or judgement.effect.value == 0:
        return Direction.NONE
    return Direction.UP if judgement.effect.value > 0 else Direction.DOWN


def _notes(terms: GapTerms, judgement: GapJudgement) -> tuple[str, ...]:
    if not judgement.is_unestablished:
        return ()
    rule = "four-fifths rule" if _is_four_fifths(terms.rule) else "tolerance"
    return (f"the {rule} is broken on the point estimate, but that is not established",)


def _is_four_fifths(rule: GapRule) -> bool:
    return isinstance(rule, RatioRule) and rule.tolerance == 0.8


def _extremes(rates: GroupRates) -> tuple[int, int]:
    """Return the positions of the lowest and the highest rate."""
    # Of equal rates the last is called the highest, so that two groups are always named.
    return int(rates.rates.argmin()), len(rates.names) - 1 - int(rates.rates[::-1].argmax())


def _headline(terms: GapTerms, rates: GroupRates, judgement: GapJudgement) -> str:
    lowest, highest = _extremes(rates)
    if rates.names[highest] in judgement.worse_off:
        lowest, highest = highest, lowest
    return (
        f"{terms.subject} by {terms.attribute}: {rates.names[lowest]} "
        f"{share_text(rates.rates[lowest])} against {rates.names[highest]} "
        f"{share_text(rates.rates[highest])}"
    )


def _sentence(
    terms: GapTerms,
    rates: GroupRates,
    judgement: GapJudgement,
    reference: GroupRates | None,
) -> str:
    lowest, highest = _extremes(rates)
    between = (
        f"{terms.subject} by {terms.attribute}: {rates.names[lowest]} "
        f"{share_text(rates.rates[lowest])}, {rates.names[highest]} "
        f"{share_text(rates.rates[highest])}"
    )
    against = "" if reference is None else " against the baseline's gap"
    if isinstance(terms.rule, RatioRule):
        ratio = judgement.effect
        return (
            f"{between}; ratio{against} {number_text(1 - ratio.value)} (between "
            f"{number_text(1 - ratio.high)} and {number_text(1 - ratio.low)}), "
            f"{number_text(terms.rule.tolerance)} accepted"
        )
    gap = judgement.effect
    grown = "gap" if reference is None else "growth of the gap"
    return (
        f"{between}; {grown} {points_text(gap.value)} (between {points_text(gap.low)} and "
        f"{points_text(gap.high)}), {points_text(judgement.accepted)} accepted"
    )
