"""Equalized odds: the larger of two gaps, whichever rate it is."""

import pytest

from baselines.schema import Column, Role
from detectors.base import Verdict
from detectors.equalized_odds_gap import EqualizedOddsGap
from detectors.error_rate_gap import ErrorRateGap
from detectors.gap_rules import GapComparison

COLUMNS = (
    Column(name="approved", role=Role.PREDICTION),
    Column(name="repaid", role=Role.LABEL),
    Column(name="sex", role=Role.GROUP),
)


def outcomes(**groups: tuple[int, int]) -> dict[str, list[str]]:
    """Return 400 positive and 400 negative labels a group, given (TP, FP)."""
    rows: dict[str, list[str]] = {"approved": [], "repaid": [], "sex": []}
    for name, (tp, fp) in groups.items():
        for label, said in (("true", tp), ("false", fp)):
            rows["approved"] += ["true"] * said + ["false"] * (400 - said)
            rows["repaid"] += [label] * 400
            rows["sex"] += [name] * 400
    return rows


def odds(**options: object) -> EqualizedOddsGap:
    return EqualizedOddsGap(prediction="approved", label="repaid", group="sex", **options)


@pytest.mark.parametrize(
    ("window", "worse"),
    [
        ({"F": (200, 40), "M": (320, 40)}, ("F",)),
        ({"F": (320, 40), "M": (320, 160)}, ("M",)),
        ({"F": (200, 40), "M": (320, 160)}, ("F", "M")),
    ],
)
def test_either_gap_is_enough_and_both_sides_are_named(judge, window, worse) -> None:
    finding = judge(odds(), COLUMNS, outcomes(**window))

    assert finding.verdict is Verdict.BEYOND
    assert finding.effect is not None
    assert finding.effect.value == pytest.approx(0.3)
    assert finding.worse_off == worse
    assert finding.n_affected == 400 * len(worse)


def test_the_larger_gap_is_the_effect(judge) -> None:
    finding = judge(odds(), COLUMNS, outcomes(F=(320, 40), M=(340, 120)))

    assert finding.measure("tpr_gap") == pytest.approx(0.05)
    assert finding.measure("fpr_gap") == pytest.approx(0.2)
    assert finding.effect is not None
    assert finding.effect.value == pytest.approx(0.2)


def test_both_rates_share_the_confidence(judge) -> None:
    rows = outcomes(F=(300, 40), M=(340, 40))
    alone = ErrorRateGap(prediction="approved", label="repaid", group="sex")

    both, one = judge(odds(), COLUMNS, rows), judge(alone, COLUMNS, rows)

    assert both.effect is not None
    assert one.effect is not None
    assert both.effect.high > one.effect.high


def test_a_group_without_negative_labels_leaves_too_little(judge) -> None:
    rows = outcomes(F=(300, 40), M=(340, 40))
    kept = [
        k
        for k, (sex, label) in enumerate(zip(rows["sex"], rows["repaid"], strict=True))
        if sex == "M" or label == "true"
    ]
    window = {name: [values[k] for k in kept] for name, values in rows.items()}

    finding = judge(odds(), COLUMNS, window, rows)

    assert finding.verdict is Verdict.INSUFFICIENT_DATA


def test_gaps_that_the_baseline_has_are_within_when_held_against_it(judge) -> None:
    rows = outcomes(F=(200, 40), M=(320, 160))

    finding = judge(odds(comparison=GapComparison.BASELINE), COLUMNS, rows)

    assert finding.verdict is Verdict.WITHIN


def test_notes_say_which_rate_they_are_about(judge) -> None:
    rows = outcomes(F=(300, 40), M=(340, 40))
    rows = {
        "approved": rows["approved"] + ["true"] * 9,
        "repaid": rows["repaid"] + ["true"] * 9,
        "sex": rows["sex"] + ["X"] * 9,
    }

    finding = judge(odds(), COLUMNS, rows)

    assert any(n.startswith("true positive rate: ") and "X (9)" in n for n in finding.notes)
    assert any(n.startswith("false positive rate: ") and "X (0)" in n for n in finding.notes)
