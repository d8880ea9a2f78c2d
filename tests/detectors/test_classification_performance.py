"""Drops of classification metrics against the baseline."""

import numpy as np
import pytest

from baselines.schema import Column, Role
from detectors.base import Direction, Verdict
from detectors.classification_performance import ClassificationPerformance
from detectors.classification_rates import ClassificationMetric

COLUMNS = (
    Column(name="said", role=Role.PREDICTION),
    Column(name="true", role=Role.LABEL),
)
BINARY = (
    Column(name="said", role=Role.PREDICTION, positive=("approve",)),
    Column(name="true", role=Role.LABEL, positive=("repaid",)),
)


def confusion(tp: int, fp: int, fn: int, tn: int) -> dict[str, list[str | None]]:
    return {
        "said": ["approve"] * (tp + fp) + ["deny"] * (fn + tn),
        "true": ["repaid"] * tp + ["lost"] * fp + ["repaid"] * fn + ["lost"] * tn,
    }


def performance(**options: object) -> ClassificationPerformance:
    return ClassificationPerformance(prediction="said", label="true", **options)


@pytest.mark.parametrize(
    ("metric", "before", "now"),
    [
        (ClassificationMetric.ACCURACY, 900 / 1000, 700 / 1000),
        (ClassificationMetric.BALANCED_ACCURACY, 0.9, (0.6 + 0.8) / 2),
        (ClassificationMetric.PRECISION, 450 / 500, 300 / 400),
        (ClassificationMetric.RECALL, 450 / 500, 300 / 500),
        (ClassificationMetric.SPECIFICITY, 450 / 500, 400 / 500),
        (ClassificationMetric.F1, 900 / 1000, 600 / 900),
    ],
)
def test_a_large_drop_is_beyond_for_every_metric(judge, metric, before, now) -> None:
    reference, window = confusion(450, 50, 50, 450), confusion(1200, 400, 800, 1600)

    finding = judge(performance(metric=metric), BINARY, window, reference)

    assert finding.verdict is Verdict.BEYOND
    assert finding.direction is Direction.DOWN
    assert finding.measure("reference_value") == pytest.approx(before)
    assert finding.measure("value") == pytest.approx(now)
    assert finding.effect is not None
    assert finding.effect.value == pytest.approx(before - now)


def test_a_gain_is_within(judge) -> None:
    reference, window = confusion(300, 100, 200, 400), confusion(450, 50, 50, 450)

    finding = judge(performance(), BINARY, window, reference)

    assert finding.verdict is Verdict.WITHIN
    assert finding.direction is Direction.UP
    assert finding.n_affected == 0


def test_a_drop_of_accuracy_affects_the_outputs_that_used_to_be_right(judge) -> None:
    reference, window = confusion(450, 50, 50, 450), confusion(300, 100, 200, 400)

    finding = judge(performance(), BINARY, window, reference)

    assert finding.n_affected == 200


def test_several_classes_are_right_where_the_names_agree(judge) -> None:
    said = ["buy"] * 100 + ["ask"] * 100 + ["end"] * 100
    true = ["buy"] * 90 + ["ask"] * 10 + ["ask"] * 80 + ["end"] * 20 + ["end"] * 100

    finding = judge(performance(), COLUMNS, {"said": said, "true": true})

    assert finding.measure("value") == pytest.approx(270 / 300)


def test_two_classes_without_a_positive_level_are_compared_by_name(judge) -> None:
    said, true = ["cat"] * 200 + ["dog"] * 200, ["cat"] * 150 + ["dog"] * 250

    finding = judge(performance(), COLUMNS, {"said": said, "true": true})

    assert finding.measure("value") == pytest.approx(350 / 400)


def test_a_level_that_the_baseline_did_not_know_is_never_right(judge) -> None:
    reference = {"said": ["buy", "ask", "end"] * 200, "true": ["buy", "ask", "end"] * 200}
    window = {"said": ["buy", "new"] * 200, "true": ["buy", "new"] * 200}

    finding = judge(performance(), COLUMNS, window, reference)

    assert finding.measure("value") == pytest.approx(0.5)


def test_a_metric_of_the_positive_class_needs_one(judge) -> None:
    rows = {"said": ["cat", "dog"] * 200, "true": ["cat", "dog"] * 200}

    finding = judge(performance(metric=ClassificationMetric.F1), COLUMNS, rows)

    assert finding.verdict is Verdict.CANNOT_SEE
    assert "no positive level of said" in finding.sentence


def test_labels_that_have_not_come_are_insufficient_data(judge) -> None:
    reference = confusion(450, 50, 50, 450)

    finding = judge(performance(), BINARY, {**reference, "true": [None] * 1000}, reference)

    assert finding.verdict is Verdict.INSUFFICIENT_DATA
    assert "0 of 1 000" in finding.sentence


def test_precision_of_nothing_predicted_positive_is_insufficient_data(judge) -> None:
    reference, window = confusion(450, 50, 50, 450), confusion(0, 0, 500, 500)

    finding = judge(performance(metric=ClassificationMetric.PRECISION), BINARY, window, reference)

    assert finding.verdict is Verdict.INSUFFICIENT_DATA


@pytest.mark.parametrize("metric", list(ClassificationMetric))
def test_bounds_cover_the_drop_as_often_as_they_say(judge, metric) -> None:
    random = np.random.default_rng(23)
    chance = np.array([0.30, 0.10, 0.15, 0.45])
    detector = performance(metric=metric, confidence=0.95)

    def draw(n: int) -> dict[str, list[str | None]]:
        return confusion(*(int(count) for count in random.multinomial(n, chance)))

    findings = [judge(detector, BINARY, draw(400), draw(400)) for _ in range(150)]

    covered = [f.effect is not None and f.effect.low <= 0 <= f.effect.high for f in findings]
    assert np.mean(covered) >= 0.90
