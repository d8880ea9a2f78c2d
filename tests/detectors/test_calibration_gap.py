"""Calibration by group: signed, bounded, and honest about bins."""

import numpy as np
import pytest

from baselines.schema import Column, Role
from detectors.base import Verdict
from detectors.calibration_gap import CalibrationGap

COLUMNS = (
    Column(name="score", role=Role.SCORE),
    Column(name="repaid", role=Role.LABEL),
    Column(name="sex", role=Role.GROUP),
)
DETECTOR = CalibrationGap(score="score", label="repaid", group="sex")


def scored(seed: int, n: int, **shift: float) -> dict[str, object]:
    """Return n rows a group whose chance of a positive label is score + shift."""
    random = np.random.default_rng(seed)
    score = random.uniform(0.2, 0.8, n * len(shift))
    group = np.repeat(list(shift), n)
    chance = score + np.repeat(list(shift.values()), n)
    label = np.where(random.random(len(score)) < chance, "true", "false")
    return {"score": score, "repaid": label.tolist(), "sex": group.tolist()}


def test_scores_too_high_for_one_group_and_too_low_for_another_are_beyond(judge) -> None:
    finding = judge(DETECTOR, COLUMNS, scored(1, 4000, F=-0.15, M=0.1))

    assert finding.verdict is Verdict.BEYOND
    assert finding.measure("label_minus_score(F)") == pytest.approx(-0.15, abs=0.03)
    assert finding.measure("label_minus_score(M)") == pytest.approx(0.1, abs=0.03)
    assert finding.worse_off == ("F",)
    assert finding.n_affected == 4000


def test_scores_off_by_the_same_for_everybody_are_no_gap(judge) -> None:
    finding = judge(DETECTOR, COLUMNS, scored(2, 4000, F=0.15, M=0.15))

    assert finding.verdict is Verdict.WITHIN
    assert finding.measure("label_minus_score(F)") == pytest.approx(0.15, abs=0.03)


def test_the_binning_error_is_half_a_bin_and_holds(judge) -> None:
    rows = scored(3, 2000, F=0.0, M=0.1)
    detector = CalibrationGap(score="score", label="repaid", group="sex", bins=5)

    finding = judge(detector, COLUMNS, rows)

    score, sex = np.asarray(rows["score"]), np.asarray(rows["sex"])
    label = np.asarray(rows["repaid"]) == "true"
    for name in ("F", "M"):
        exact = (label[sex == name] - score[sex == name]).mean()
        assert abs(finding.measure(f"label_minus_score({name})") - exact) <= 0.1
    assert any("at most 0.1;" in note for note in finding.notes)


def test_calibrated_groups_are_rarely_called_apart(judge) -> None:
    detector = CalibrationGap(
        score="score", label="repaid", group="sex", tolerance_difference=0.001, confidence=0.95
    )

    called = sum(
        judge(detector, COLUMNS, scored(seed, 300, F=0.0, M=0.0, X=0.0)).verdict is Verdict.BEYOND
        for seed in range(100)
    )

    assert called <= 10


def test_a_score_outside_zero_and_one_cannot_be_seen(judge) -> None:
    rows = scored(4, 300, F=0.0, M=0.0)

    finding = judge(DETECTOR, COLUMNS, {**rows, "score": np.asarray(rows["score"]) * 10})

    assert finding.verdict is Verdict.CANNOT_SEE
    assert "between 0 and 1" in finding.sentence


def test_labels_that_have_not_come_are_insufficient_data(judge) -> None:
    rows = scored(5, 300, F=0.0, M=0.0)

    finding = judge(DETECTOR, COLUMNS, {**rows, "repaid": [None] * 600}, rows)

    assert finding.verdict is Verdict.INSUFFICIENT_DATA
    assert "0 of 600" in finding.sentence
