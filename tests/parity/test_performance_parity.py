"""Performance metrics are the numbers that scikit-learn gives on the same rows."""

import numpy as np
import pytest
from sklearn import metrics

from baselines.schema import Column, Dtype, Role
from detectors.auroc_change import AurocChange
from detectors.base import Finding
from detectors.brier_score_change import BrierScoreChange
from detectors.calibration_error_change import CalibrationErrorChange
from detectors.classification_performance import ClassificationPerformance
from detectors.classification_rates import ClassificationMetric
from detectors.regression_error import RegressionError
from detectors.residuals import ErrorMetric
from detectors.roc import area_under_roc_binning_error, area_under_roc_variance

COLUMNS = (
    Column(name="said", role=Role.PREDICTION),
    Column(name="true", role=Role.LABEL),
    Column(name="intent", role=Role.PREDICTION),
    Column(name="true_intent", role=Role.LABEL),
    Column(name="score", role=Role.SCORE),
    Column(name="estimate", role=Role.PREDICTION, dtype=Dtype.FLOAT64),
    Column(name="price", role=Role.LABEL, dtype=Dtype.FLOAT64),
    Column(name="residual", role=Role.NUMERIC),
)
EXACT = 1e-12


@pytest.fixture(scope="module")
def rows() -> dict[str, np.ndarray]:
    random = np.random.default_rng(4)
    score = random.beta(1, 1.5, 4000)
    true_intent = random.choice(["ask", "buy", "end"], 4000, p=[0.5, 0.3, 0.2])
    wrong = random.random(4000) < 0.25
    price = np.exp(random.normal(5, 0.5, 4000))
    residual = random.normal(0, 30, 4000)
    return {
        "score": score,
        "said": score > 0.5,
        "true": random.random(4000) < score,
        "true_intent": true_intent,
        "intent": np.where(wrong, random.permutation(true_intent), true_intent),
        "price": price,
        "estimate": price + residual,
        "residual": residual,
    }


@pytest.fixture(scope="module")
def levels(rows) -> dict[str, object]:
    boolean = {name: np.where(rows[name], "true", "false").tolist() for name in ("said", "true")}
    texts = {name: rows[name].tolist() for name in ("intent", "true_intent")}
    return {**rows, **boolean, **texts}


@pytest.mark.parametrize(
    ("metric", "function"),
    [
        (ClassificationMetric.ACCURACY, metrics.accuracy_score),
        (ClassificationMetric.BALANCED_ACCURACY, metrics.balanced_accuracy_score),
        (ClassificationMetric.PRECISION, metrics.precision_score),
        (ClassificationMetric.RECALL, metrics.recall_score),
        (ClassificationMetric.F1, metrics.f1_score),
    ],
)
def test_metrics_of_two_classes(judge, rows, levels, metric, function) -> None:
    detector = ClassificationPerformance(prediction="said", label="true", metric=metric)

    finding = judge(detector, COLUMNS, levels)

    theirs = function(rows["true"], rows["said"])
    assert finding.measure("value") == pytest.approx(theirs, abs=EXACT)


@pytest.mark.parametrize(
    ("metric", "function"),
    [
        (ClassificationMetric.ACCURACY, metrics.accuracy_score),
        (ClassificationMetric.BALANCED_ACCURACY, metrics.balanced_accuracy_score),
    ],
)
def test_metrics_of_several_classes(judge, rows, levels, metric, function) -> None:
    detector = ClassificationPerformance(prediction="intent", label="true_intent", metric=metric)

    finding = judge(detector, COLUMNS, levels)

    theirs = function(rows["true_intent"], rows["intent"])
    assert finding.measure("value") == pytest.approx(theirs, abs=EXACT)


def test_the_area_of_binned_scores_is_exact_and_within_its_bound_of_the_scores(
    judge, rows, levels
) -> None:
    finding = judge(AurocChange(score="score", label="true"), COLUMNS, levels)

    theirs = metrics.roc_auc_score(rows["true"], rows["score"])
    assert finding.measure("value") == pytest.approx(theirs, abs=_stated(finding))
    assert finding.measure("value") == pytest.approx(theirs, abs=1e-4)
    deciles = np.ceil(10 * rows["score"])
    on_deciles = judge(
        AurocChange(score="score", label="true"), COLUMNS, {**levels, "score": deciles}
    )
    exact = metrics.roc_auc_score(rows["true"], deciles)
    assert on_deciles.measure("value") == pytest.approx(exact, abs=EXACT)


def test_delongs_variance_is_that_of_the_placements_of_every_row(rows) -> None:
    bins = np.ceil(10 * rows["score"]).astype(int)
    positive, negative = bins[rows["true"]], bins[~rows["true"]]
    wins = (positive[:, None] > negative) + 0.5 * (positive[:, None] == negative)
    by_rows = wins.mean(axis=1).var(ddof=1) / len(positive)
    by_columns = wins.mean(axis=0).var(ddof=1) / len(negative)

    area, variance = area_under_roc_variance(np.bincount(negative), np.bincount(positive))

    assert area == pytest.approx(wins.mean(), abs=EXACT)
    assert variance == pytest.approx(by_rows + by_columns, rel=1e-9)
    assert area_under_roc_binning_error(np.bincount(negative), np.bincount(positive)) > 0


def test_the_brier_score_is_within_its_bound_of_that_of_the_scores(judge, rows, levels) -> None:
    finding = judge(BrierScoreChange(score="score", label="true"), COLUMNS, levels)

    theirs = metrics.brier_score_loss(rows["true"], rows["score"])
    assert finding.measure("value") == pytest.approx(theirs, abs=_stated(finding) / 2)
    assert finding.measure("value") == pytest.approx(theirs, abs=1e-3)


def test_the_calibration_error_is_within_its_bound_of_that_of_the_scores(
    judge, rows, levels
) -> None:
    finding = judge(CalibrationErrorChange(score="score", label="true"), COLUMNS, levels)

    bins = np.minimum((16 * rows["score"]).astype(int), 15)
    excess = np.bincount(bins, rows["true"] - rows["score"])
    exact = np.abs(excess).sum() / len(bins)
    assert finding.measure("value") == pytest.approx(exact, abs=_stated(finding) / 2)


@pytest.mark.parametrize(
    ("metric", "function"),
    [
        (ErrorMetric.MAE, metrics.mean_absolute_error),
        (ErrorMetric.RMSE, metrics.root_mean_squared_error),
    ],
)
def test_regression_errors_lie_in_the_range_that_bins_leave_open(
    judge, rows, levels, metric, function
) -> None:
    from_bins = RegressionError(prediction="estimate", label="price", metric=metric)
    from_residual = RegressionError(residual="residual", metric=metric)

    coarse, fine = (judge(one, COLUMNS, levels) for one in (from_bins, from_residual))

    theirs = function(rows["price"], rows["estimate"])
    for finding in (coarse, fine):
        assert finding.measure("binning_low") <= theirs <= finding.measure("binning_high")
    assert coarse.measure("value") == pytest.approx(theirs, rel=0.03)
    assert fine.measure("value") == pytest.approx(theirs, rel=0.005)


def _stated(finding: Finding) -> float:
    """Return the binning error that the finding's notes state."""
    (note,) = [note for note in finding.notes if "at most" in note]
    return float(note.split("at most ")[1].split()[0].rstrip(";"))
