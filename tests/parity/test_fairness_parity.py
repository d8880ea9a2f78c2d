"""Gaps between groups are the numbers that fairlearn gives on the same rows."""

import numpy as np
import pytest
from fairlearn import metrics

from baselines.schema import Column, Role
from detectors.calibration_gap import CalibrationGap
from detectors.conditional_gap import ConditionalGap
from detectors.confusion import RateMetric
from detectors.equalized_odds_gap import EqualizedOddsGap
from detectors.error_rate_gap import ErrorRateGap
from detectors.impact_ratio_table import ImpactRatioReport
from detectors.selection_rate_gap import SelectionRateGap

COLUMNS = (
    Column(name="approved", role=Role.PREDICTION),
    Column(name="repaid", role=Role.LABEL),
    Column(name="score", role=Role.SCORE),
    Column(name="group", role=Role.GROUP),
    Column(name="sex", role=Role.GROUP),
    Column(name="region", role=Role.CATEGORY),
)
EXACT = 1e-12


@pytest.fixture(scope="module")
def rows() -> dict[str, np.ndarray]:
    random = np.random.default_rng(2)
    group = random.choice(["a", "b", "c"], 5000, p=[0.6, 0.3, 0.1])
    shift = np.select([group == "a", group == "b"], [0.1, 0.0], -0.1)
    score = np.clip(random.beta(2, 2, 5000) + shift, 0, 1)
    return {
        "score": score,
        "approved": score > 0.5,
        "repaid": random.random(5000) < score,
        "group": group,
        "sex": random.choice(["f", "m"], 5000),
        "region": random.choice(["north", "south"], 5000),
    }


@pytest.fixture(scope="module")
def levels(rows) -> dict[str, object]:
    boolean = ("approved", "repaid")
    texts = {name: np.where(rows[name], "true", "false").tolist() for name in boolean}
    plain = {name: rows[name].tolist() for name in ("group", "sex", "region")}
    return {**texts, **plain, "score": rows["score"]}


def test_selection_rate_gap_is_demographic_parity(judge, rows, levels) -> None:
    finding = judge(SelectionRateGap(outcome="approved", group="group"), COLUMNS, levels)

    arguments = {
        "y_true": rows["repaid"],
        "y_pred": rows["approved"],
        "sensitive_features": rows["group"],
    }
    difference = metrics.demographic_parity_difference(**arguments)
    ratio = metrics.demographic_parity_ratio(**arguments)
    assert finding.measure("gap") == pytest.approx(difference, abs=EXACT)
    assert finding.measure("impact_ratio") == pytest.approx(ratio, abs=EXACT)


def test_selection_rates_of_an_intersection_are_those_of_a_metric_frame(
    judge, rows, levels
) -> None:
    detector = SelectionRateGap(outcome="approved", group=("group", "sex"))

    finding = judge(detector, COLUMNS, levels)

    frame = metrics.MetricFrame(
        metrics=metrics.selection_rate,
        y_true=rows["repaid"],
        y_pred=rows["approved"],
        sensitive_features={"group": rows["group"], "sex": rows["sex"]},
    )
    ours = {count.group: count.rate for count in finding.groups}
    theirs = {f"{group} & {sex}": rate for (group, sex), rate in frame.by_group.items()}
    assert ours == pytest.approx(theirs, abs=EXACT)


@pytest.mark.parametrize(
    ("metric", "function"),
    [
        (RateMetric.TPR, metrics.true_positive_rate),
        (RateMetric.FPR, metrics.false_positive_rate),
        (RateMetric.FNR, metrics.false_negative_rate),
        (RateMetric.TNR, metrics.true_negative_rate),
    ],
)
def test_error_rates_are_those_of_a_metric_frame(judge, rows, levels, metric, function) -> None:
    detector = ErrorRateGap(prediction="approved", label="repaid", group="group", metric=metric)

    finding = judge(detector, COLUMNS, levels)

    frame = metrics.MetricFrame(
        metrics=function,
        y_true=rows["repaid"],
        y_pred=rows["approved"],
        sensitive_features=rows["group"],
    )
    ours = {count.group: count.rate for count in finding.groups}
    assert ours == pytest.approx(frame.by_group.to_dict(), abs=EXACT)
    assert finding.measure("gap") == pytest.approx(frame.difference(), abs=EXACT)
    assert finding.measure("impact_ratio") == pytest.approx(frame.ratio(), abs=EXACT)


def test_equalized_odds_gap_is_the_equalized_odds_difference(judge, rows, levels) -> None:
    detector = EqualizedOddsGap(prediction="approved", label="repaid", group="group")

    finding = judge(detector, COLUMNS, levels)

    theirs = metrics.equalized_odds_difference(
        rows["repaid"], rows["approved"], sensitive_features=rows["group"]
    )
    assert finding.effect is not None
    assert finding.effect.value == pytest.approx(theirs, abs=EXACT)


def test_impact_ratios_are_the_ratios_to_the_highest_selection_rate(judge, rows, levels) -> None:
    finding = judge(ImpactRatioReport(outcome="approved", group="group"), COLUMNS, levels)

    rates = metrics.MetricFrame(
        metrics=metrics.selection_rate,
        y_true=rows["repaid"],
        y_pred=rows["approved"],
        sensitive_features=rows["group"],
    ).by_group
    for group in "abc":
        ratio = finding.measure(f"impact_ratio(group={group})")
        assert ratio == pytest.approx(rates[group] / rates.max(), abs=EXACT)


def test_standardised_gap_is_the_weighted_mean_over_a_metric_frame_with_control_features(
    judge, rows, levels
) -> None:
    detector = ConditionalGap(outcome="approved", group="group", strata=("region",))

    finding = judge(detector, COLUMNS, levels)

    rates = metrics.MetricFrame(
        metrics=metrics.selection_rate,
        y_true=rows["repaid"],
        y_pred=rows["approved"],
        sensitive_features=rows["group"],
        control_features=rows["region"],
    ).by_group
    weights = {region: (rows["region"] == region).mean() for region in ("north", "south")}
    for group in "bc":
        theirs = sum(w * (rates[(r, "a")] - rates[(r, group)]) for r, w in weights.items())
        ours = finding.measure(f"standardised_gap({group})")
        assert ours == pytest.approx(theirs, abs=EXACT)


def test_calibration_by_group_is_within_half_a_bin_of_that_of_the_rows(
    judge, rows, levels
) -> None:
    finding = judge(CalibrationGap(score="score", label="repaid", group="group"), COLUMNS, levels)

    for group in "abc":
        members = rows["group"] == group
        exact = (rows["repaid"][members] - rows["score"][members]).mean()
        assert finding.measure(f"label_minus_score({group})") == pytest.approx(exact, abs=1 / 128)
