"""Findings that need labels say how many of them have arrived."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from baselines.layout import AxisNeed, CategoryAxis
from baselines.schema import Column, Dtype, Role
from detectors.auroc_change import AurocChange
from detectors.brier_score_change import BrierScoreChange
from detectors.calibration_error_change import CalibrationErrorChange
from detectors.calibration_gap import CalibrationGap
from detectors.classification_performance import ClassificationPerformance
from detectors.equalized_odds_gap import EqualizedOddsGap
from detectors.error_rate_gap import ErrorRateGap
from detectors.label_coverage import label_note, n_with_label
from detectors.regression_error import RegressionError

COLUMNS = (
    Column(name="group", role=Role.GROUP),
    Column(name="decision", role=Role.PREDICTION, dtype=Dtype.BOOLEAN),
    Column(name="score", role=Role.SCORE),
    Column(name="outcome", role=Role.LABEL, dtype=Dtype.BOOLEAN),
    Column(name="paid", role=Role.LABEL, dtype=Dtype.FLOAT64),
)
DETECTORS = (
    AurocChange(score="score", label="outcome"),
    BrierScoreChange(score="score", label="outcome"),
    CalibrationErrorChange(score="score", label="outcome"),
    CalibrationGap(score="score", label="outcome", group="group", tolerance_difference=0.5),
    ClassificationPerformance(prediction="decision", label="outcome"),
    EqualizedOddsGap(prediction="decision", label="outcome", group="group"),
    ErrorRateGap(prediction="decision", label="outcome", group="group", metric="tpr"),
    RegressionError(prediction="score", label="paid"),
)


def outputs(n_rows: int, n_labelled: int) -> Mapping[str, Any]:
    chance = np.random.default_rng(1)
    decided = chance.random(n_rows) < 0.5
    happened = np.where(chance.random(n_rows) < 0.8, decided, ~decided)
    known = np.arange(n_rows) < n_labelled
    return {
        "group": ["F" if row % 2 else "M" for row in range(n_rows)],
        "decision": ["true" if each else "false" for each in decided],
        "score": 0.9 * decided + 0.1 * chance.random(n_rows),
        "outcome": [
            str(bool(h)).lower() if k else None for h, k in zip(happened, known, strict=True)
        ],
        "paid": np.where(known, happened + 0.1 * chance.random(n_rows), np.nan),
    }


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda each: each.series)
def test_the_share_of_outputs_whose_label_has_come_is_noted(detector: Any, judge: Any) -> None:
    reference = outputs(2_000, 2_000)

    partly = judge(detector, COLUMNS, outputs(2_000, 1_240), reference)
    fully = judge(detector, COLUMNS, outputs(2_000, 2_000), reference)

    assert partly.effect is not None
    assert "labels for 1 240 of 2 000 outputs (62 %) have arrived" in partly.notes
    assert not any("have arrived" in note for note in fully.notes)


@pytest.mark.parametrize("detector", DETECTORS[:3], ids=lambda each: each.series)
def test_it_is_noted_too_where_there_are_too_few_to_compare(detector: Any, judge: Any) -> None:
    finding = judge(detector, COLUMNS, outputs(2_000, 10), outputs(2_000, 2_000))

    assert finding.effect is None
    assert "labels for 10 of 2 000 outputs (0.5 %) have arrived" in finding.notes


def test_a_share_that_would_be_written_as_all_is_not_written_as_all() -> None:
    assert label_note(9_999, 10_000) == (
        "labels for 9 999 of 10 000 outputs (nearly all) have arrived",
    )
    assert label_note(0, 0) == ()


def test_a_label_that_the_baseline_did_not_know_has_arrived() -> None:
    axis = CategoryAxis(AxisNeed("outcome"), ("true", "false"))
    counts = np.zeros((3, axis.size), np.int64)
    counts[0, axis.other] = 2
    counts[1, 0] = 3
    counts[2, axis.missing] = 5

    assert n_with_label(counts, axis) == 5
