"""Drops of the ROC area, rises of Brier score and calibration error."""

import numpy as np
import pytest

from baselines.schema import Column, Role
from detectors.auroc_change import AurocChange
from detectors.base import Direction, Verdict
from detectors.brier_score_change import BrierScoreChange
from detectors.calibration_error_change import CalibrationErrorChange
from detectors.roc import area_under_roc

COLUMNS = (Column(name="score", role=Role.SCORE), Column(name="label", role=Role.LABEL))
DETECTORS = [
    AurocChange(score="score", label="label"),
    BrierScoreChange(score="score", label="label"),
    CalibrationErrorChange(score="score", label="label"),
]
every_detector = pytest.mark.parametrize("detector", DETECTORS, ids=lambda one: one.name)


def scored(seed: int, n: int, *, informed: float = 1.0) -> dict[str, object]:
    """Return n rows; labels follow the score with the weight `informed`, else a coin."""
    random = np.random.default_rng(seed)
    score = random.beta(0.7, 0.7, n)
    chance = informed * score + (1 - informed) * 0.5
    return {
        "score": score,
        "label": np.where(random.random(n) < chance, "true", "false").tolist(),
    }


@every_detector
def test_a_score_that_stops_predicting_is_beyond(judge, detector) -> None:
    finding = judge(detector, COLUMNS, scored(1, 3000, informed=0.2), scored(2, 6000))

    assert finding.verdict is Verdict.BEYOND
    expected = Direction.DOWN if detector.name == "auroc_change" else Direction.UP
    assert finding.direction is expected


@every_detector
def test_a_score_as_good_as_ever_is_rarely_called(judge, detector) -> None:
    tight = type(detector)(
        score="score", label="label", confidence=0.95, **{_tolerance(detector): 0.0001}
    )
    reference = scored(3, 3000)

    called = sum(
        judge(tight, COLUMNS, scored(seed, 400), reference).verdict is Verdict.BEYOND
        for seed in range(10, 110)
    )

    assert called <= 8


@every_detector
def test_late_labels_are_insufficient_data(judge, detector) -> None:
    reference = scored(4, 1000)

    finding = judge(detector, COLUMNS, {**reference, "label": [None] * 1000}, reference)

    assert finding.verdict is Verdict.INSUFFICIENT_DATA
    assert "0 of 1 000" in finding.sentence


@pytest.mark.parametrize("detector", DETECTORS[1:], ids=lambda one: one.name)
def test_a_score_that_is_no_probability_cannot_be_seen(judge, detector) -> None:
    rows = scored(5, 1000)

    finding = judge(detector, COLUMNS, {**rows, "score": np.asarray(rows["score"]) * 9})

    assert finding.verdict is Verdict.CANNOT_SEE


def test_a_class_of_few_rows_gives_no_area(judge) -> None:
    rows = scored(6, 1000)
    label = ["true"] * 10 + ["false"] * 990

    finding = judge(DETECTORS[0], COLUMNS, {**rows, "label": label}, rows)

    assert finding.verdict is Verdict.INSUFFICIENT_DATA
    assert "10 rows" in finding.sentence


def test_perfect_separation_still_has_an_interval() -> None:
    area = area_under_roc(np.array([30, 0]), np.array([0, 30]), 0.95)

    assert area.value == area.high == 1
    assert 0.8 < area.low < 0.99


def test_a_useless_score_has_the_area_one_half() -> None:
    area = area_under_roc(np.array([50, 50]), np.array([20, 20]), 0.95)

    assert area.value == pytest.approx(0.5)
    assert area.low < 0.5 < area.high


def test_bounds_of_the_area_cover_it_as_often_as_they_say() -> None:
    random = np.random.default_rng(31)
    negative = np.array([0.4, 0.3, 0.2, 0.1])
    positive = np.array([0.1, 0.2, 0.3, 0.4])
    truth = float(positive @ (negative.cumsum() - negative / 2))

    covered = 0
    for _ in range(1000):
        area = area_under_roc(
            random.multinomial(60, negative), random.multinomial(40, positive), 0.95
        )
        covered += area.low <= truth <= area.high

    assert covered / 1000 == pytest.approx(0.95, abs=0.025)


def _tolerance(detector: object) -> str:
    return "tolerance_drop" if isinstance(detector, AurocChange) else "tolerance_rise"
