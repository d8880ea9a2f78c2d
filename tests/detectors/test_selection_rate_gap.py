"""Gaps of selection rates: what is established, what is not, and who is worse off."""

import numpy as np
import pytest

from baselines.checks import CheckAction, CheckFlag, CheckStatus, check_column, check_outcome
from baselines.schema import Column, Role, Schema
from detectors.base import Verdict
from detectors.gap_rules import GapComparison
from detectors.selection_rate_gap import GapPolicy, SelectionRateGap

COLUMNS = (
    Column(name="approved", role=Role.PREDICTION),
    Column(name="sex", role=Role.GROUP),
    Column(name="race", role=Role.GROUP),
    Column(name="any", role=Role.SAFETY_CHECK),
)


def people(**groups: tuple[int, int]) -> dict[str, list[str | None]]:
    """Return rows of groups given as (approved, all); the group ``unknown`` is missing."""
    approved: list[str | None] = []
    sex: list[str | None] = []
    for name, (positives, rows) in groups.items():
        approved += ["true"] * positives + ["false"] * (rows - positives)
        sex += [None if name == "unknown" else name] * rows
    return {"approved": approved, "sex": sex}


def selection(**options: object) -> SelectionRateGap:
    return SelectionRateGap(outcome="approved", group="sex", **options)


def test_a_ratio_far_under_four_fifths_is_beyond_and_names_the_worse_off(judge) -> None:
    finding = judge(selection(), COLUMNS, people(F=(300, 1000), M=(500, 1000)))

    assert finding.verdict is Verdict.BEYOND
    assert finding.measure("impact_ratio") == pytest.approx(0.6)
    assert finding.effect is not None
    assert finding.effect.value == pytest.approx(0.4)
    assert finding.departure is not None
    assert finding.departure.value == pytest.approx(np.log(1 / 0.6) / np.log(1 / 0.8))
    assert finding.worse_off == ("F",)
    assert finding.n_affected == 1000
    assert "F 30 %" in finding.sentence


def test_four_fifths_broken_by_chance_is_reported_but_not_called(judge) -> None:
    finding = judge(selection(), COLUMNS, people(F=(35, 120), M=(50, 120)))

    assert finding.measure("impact_ratio") == pytest.approx(0.7)
    assert finding.verdict is Verdict.WITHIN
    assert finding.worse_off == ()
    assert any("four-fifths rule is broken on the point" in note for note in finding.notes)


def test_the_shortfall_is_the_number_of_decisions_to_turn(judge) -> None:
    finding = judge(selection(), COLUMNS, people(F=(300, 1000), M=(500, 1000)))

    assert finding.measure("shortfall") == pytest.approx(100)


def test_an_unfavourable_outcome_turns_who_is_worse_off(judge) -> None:
    rows = people(F=(300, 1000), M=(500, 1000))

    finding = judge(selection(favourable=False), COLUMNS, rows)

    assert finding.worse_off == ("M",)
    assert finding.measure("shortfall") == pytest.approx(125)


def test_small_groups_are_named_with_their_rows_but_not_with_their_rates(judge) -> None:
    rows = people(F=(300, 600), M=(300, 600), X=(1, 29))

    finding = judge(selection(), COLUMNS, rows)

    assert [count.group for count in finding.groups] == ["F", "M"]
    assert any("X (29)" in note for note in finding.notes)
    assert finding.measure("gap") == 0


def test_a_missing_attribute_is_unknown_and_never_compared(judge) -> None:
    rows = people(F=(300, 600), M=(300, 600), unknown=(0, 200))

    finding = judge(selection(), COLUMNS, rows)

    assert finding.measure("unknown_group_rows") == 200
    assert finding.measure("gap") == 0
    assert finding.n_rows == 1200


def test_values_that_the_baseline_did_not_know_are_one_group(judge) -> None:
    reference = people(F=(300, 600), M=(300, 600))
    window = people(F=(300, 600), M=(300, 600), D=(10, 100), N=(10, 100))

    finding = judge(selection(), COLUMNS, window, reference)

    assert finding.verdict is Verdict.BEYOND
    assert finding.worse_off == ("other",)
    assert finding.n_affected == 200


def test_an_attribute_that_is_nearly_always_missing_cannot_be_seen(judge) -> None:
    window = people(F=(10, 20), M=(10, 20), unknown=(500, 1000))

    finding = judge(selection(), COLUMNS, window, people(F=(300, 600), M=(300, 600)))

    assert finding.verdict is Verdict.CANNOT_SEE
    assert "sex is known for 40 of 1 040" in finding.sentence


def test_an_outcome_that_is_never_there_cannot_be_seen(judge) -> None:
    window = {"approved": [None] * 400, "sex": ["F", "M"] * 200}

    finding = judge(selection(), COLUMNS, window, people(F=(300, 600), M=(300, 600)))

    assert finding.verdict is Verdict.CANNOT_SEE
    assert "approved has a value in 0 of 400" in finding.sentence


def test_one_large_group_is_too_little_to_compare(judge) -> None:
    finding = judge(selection(), COLUMNS, people(F=(300, 600), M=(3, 6)))

    assert finding.verdict is Verdict.INSUFFICIENT_DATA


def test_rates_that_are_all_zero_have_no_ratio(judge) -> None:
    reference = people(F=(300, 600), M=(300, 600))

    finding = judge(selection(), COLUMNS, people(F=(0, 600), M=(0, 600)), reference)

    assert finding.verdict is Verdict.INSUFFICIENT_DATA
    assert "no ratio" in finding.sentence


def test_an_outcome_without_positive_levels_cannot_be_seen(judge) -> None:
    rows = {"approved": ["yes", "no"] * 300, "sex": ["F", "F", "M", "M"] * 150}

    finding = judge(selection(), COLUMNS, rows)

    assert finding.verdict is Verdict.CANNOT_SEE
    assert "'true'" in finding.sentence
    assert judge(selection(level="yes"), COLUMNS, rows).verdict is Verdict.WITHIN


def test_a_gap_that_the_baseline_has_is_within_when_held_against_it(judge) -> None:
    rows = people(F=(300, 1000), M=(500, 1000))
    against_baseline = selection(comparison=GapComparison.BASELINE)

    same = judge(against_baseline, COLUMNS, rows)
    wider = judge(against_baseline, COLUMNS, people(F=(200, 1000), M=(600, 1000)), rows)

    assert same.verdict is Verdict.WITHIN
    assert same.effect is not None
    assert same.effect.value == pytest.approx(0)
    assert wider.verdict is Verdict.BEYOND
    assert wider.worse_off == ("F",)


@pytest.mark.parametrize("comparison", list(GapComparison))
def test_a_difference_policy_decides_on_the_difference(judge, comparison) -> None:
    detector = selection(
        policy=GapPolicy.DIFFERENCE, tolerance_difference=0.1, comparison=comparison
    )
    reference = people(F=(500, 1000), M=(500, 1000))

    finding = judge(detector, COLUMNS, people(F=(300, 1000), M=(500, 1000)), reference)

    assert finding.verdict is Verdict.BEYOND
    assert finding.effect is not None
    assert finding.effect.value == pytest.approx(0.2)
    assert finding.tolerance == 0.1


def test_an_intersection_finds_what_its_attributes_hide(judge) -> None:
    cells = {("F", "a"): 100, ("F", "b"): 300, ("M", "a"): 300, ("M", "b"): 100}
    rows: dict[str, list[str]] = {"approved": [], "sex": [], "race": []}
    for (sex, race), positives in cells.items():
        rows["approved"] += ["true"] * positives + ["false"] * (500 - positives)
        rows["sex"] += [sex] * 500
        rows["race"] += [race] * 500

    by_sex = judge(selection(), COLUMNS, rows)
    by_both = judge(SelectionRateGap(outcome="approved", group=("sex", "race")), COLUMNS, rows)

    assert by_sex.measure("gap") == 0
    assert by_both.verdict is Verdict.BEYOND
    assert set(by_both.worse_off) == {"F & a", "M & b"}


def test_a_safety_check_counts_flagged_among_given_verdicts(judge) -> None:
    column = check_column("output", "filter", "hate")
    flagged = check_outcome(CheckStatus.OK, CheckFlag.FLAGGED, CheckAction.BLOCK)
    clean = check_outcome(CheckStatus.OK, CheckFlag.CLEAN, CheckAction.ALLOW)
    error = check_outcome(CheckStatus.ERROR, CheckFlag.UNKNOWN, CheckAction.NONE)
    verdicts = ([flagged] * 50 + [clean] * 200 + [error] * 250) + ([flagged] * 10 + [clean] * 490)
    rows = {column: verdicts, "sex": ["F"] * 500 + ["M"] * 500}

    finding = judge(SelectionRateGap(outcome=column, group="sex"), COLUMNS, rows)

    assert [(c.group, c.rows, c.positives) for c in finding.groups] == [
        ("F", 250, 50),
        ("M", 500, 10),
    ]


def test_a_policy_without_its_tolerance_is_a_problem() -> None:
    schema = Schema(columns=COLUMNS)

    difference = selection(policy=GapPolicy.DIFFERENCE)
    four_fifths = selection(tolerance_ratio=0.9)

    assert dict(difference.problems(schema)).keys() == {"tolerance_difference"}
    assert dict(four_fifths.problems(schema)).keys() == {"tolerance_ratio"}
