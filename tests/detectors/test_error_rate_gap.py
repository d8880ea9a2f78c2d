"""Gaps of error rates: what is counted, and what missing labels do."""

import numpy as np
import pytest

from baselines.schema import Column, Role
from detectors.base import Verdict
from detectors.confusion import RateMetric
from detectors.error_rate_gap import ErrorRateGap

COLUMNS = (
    Column(name="approved", role=Role.PREDICTION),
    Column(name="repaid", role=Role.LABEL, positive=("yes",)),
    Column(name="sex", role=Role.GROUP),
)

# Counts of (true positive, false positive, false negative, true negative).
EQUAL = {"F": (80, 30, 20, 270), "M": (160, 60, 40, 540)}
APART = {"F": (150, 90, 150, 210), "M": (240, 30, 60, 270)}


def outcomes(groups: dict[str, tuple[int, int, int, int]]) -> dict[str, list[str | None]]:
    rows: dict[str, list[str | None]] = {"approved": [], "repaid": [], "sex": []}
    for name, (tp, fp, fn, tn) in groups.items():
        rows["approved"] += ["true"] * (tp + fp) + ["false"] * (fn + tn)
        rows["repaid"] += ["yes"] * tp + ["no"] * fp + ["yes"] * fn + ["no"] * tn
        rows["sex"] += [name] * (tp + fp + fn + tn)
    return rows


def error_rate(**options: object) -> ErrorRateGap:
    return ErrorRateGap(prediction="approved", label="repaid", group="sex", **options)


@pytest.mark.parametrize(
    ("metric", "gap"),
    [
        (RateMetric.TPR, 240 / 300 - 150 / 300),
        (RateMetric.FPR, 90 / 300 - 30 / 300),
        (RateMetric.FNR, 150 / 300 - 60 / 300),
        (RateMetric.TNR, 270 / 300 - 210 / 300),
        (RateMetric.PPV, 240 / 270 - 150 / 240),
        (RateMetric.NPV, 270 / 330 - 210 / 360),
        (RateMetric.ACCURACY, 510 / 600 - 360 / 600),
    ],
)
def test_each_rate_is_a_share_of_its_own_rows_and_worse_for_more_errors(
    judge, metric, gap
) -> None:
    finding = judge(error_rate(metric=metric), COLUMNS, outcomes(APART))

    assert finding.verdict is Verdict.BEYOND
    assert finding.effect is not None
    assert finding.effect.value == pytest.approx(gap)
    assert finding.worse_off == ("F",)


def test_equal_rates_are_within(judge) -> None:
    finding = judge(error_rate(), COLUMNS, outcomes(EQUAL))

    assert finding.verdict is Verdict.WITHIN
    assert finding.measure("gap") == pytest.approx(0)


def test_a_ratio_decides_where_one_is_set(judge) -> None:
    finding = judge(error_rate(tolerance_ratio=0.8), COLUMNS, outcomes(APART))

    assert finding.verdict is Verdict.BEYOND
    assert finding.effect is not None
    assert finding.effect.value == pytest.approx(1 - 0.5 / 0.8)


def test_rows_without_a_label_are_not_counted_and_coverage_is_told_by_group(judge) -> None:
    rows = outcomes(EQUAL)
    for column, values in (("approved", "true"), ("repaid", None), ("sex", "F")):
        rows[column] += [values] * 400

    finding = judge(error_rate(), COLUMNS, rows)

    assert finding.measure("gap") == pytest.approx(0)
    assert finding.measure("label_coverage(F)") == pytest.approx(0.5)
    assert finding.measure("label_coverage(M)") == 1
    assert any("F 50 %" in note for note in finding.notes)


def test_a_window_whose_labels_have_not_come_has_insufficient_data(judge) -> None:
    reference = outcomes(EQUAL)
    window = {**reference, "repaid": [None] * len(reference["sex"])}

    finding = judge(error_rate(), COLUMNS, window, reference)

    assert finding.verdict is Verdict.INSUFFICIENT_DATA
    assert "repaid is known for 0 of 1 200" in finding.sentence


def test_small_denominators_are_suppressed_even_in_large_groups(judge) -> None:
    window = {**EQUAL, "X": (10, 300, 10, 300)}

    finding = judge(error_rate(), COLUMNS, outcomes(window))

    assert [count.group for count in finding.groups] == ["F", "M"]
    assert any("X (20)" in note for note in finding.notes)


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("metric", "african_american", "caucasian"),
    [(RateMetric.FPR, 44.85, 23.45), (RateMetric.FNR, 27.99, 47.72)],
)
def test_compas_error_rates_are_those_that_were_published(
    judge, real_data, metric, african_american, caucasian
) -> None:
    pandas = pytest.importorskip("pandas")
    table = pandas.read_parquet(real_data / "compas" / "compas_two_years.parquet")
    rows = {
        "approved": np.where(table["predicted_high"] == 1, "true", "false").tolist(),
        "repaid": np.where(table["two_year_recid"] == 1, "yes", "no").tolist(),
        "sex": table["race"].tolist(),
    }

    finding = judge(error_rate(metric=metric), COLUMNS, rows)

    percent = {count.group: 100 * (count.rate or 0.0) for count in finding.groups}
    assert percent["African-American"] == pytest.approx(african_american, abs=0.006)
    assert percent["Caucasian"] == pytest.approx(caucasian, abs=0.006)
    assert finding.verdict is Verdict.BEYOND


@pytest.mark.realdata
def test_compas_false_positive_rates_of_the_sexes_are_within(judge, real_data) -> None:
    pandas = pytest.importorskip("pandas")
    table = pandas.read_parquet(real_data / "compas" / "compas_two_years.parquet")
    rows = {
        "approved": np.where(table["predicted_high"] == 1, "true", "false").tolist(),
        "repaid": np.where(table["two_year_recid"] == 1, "yes", "no").tolist(),
        "sex": table["sex"].tolist(),
    }

    finding = judge(error_rate(metric=RateMetric.FPR), COLUMNS, rows)

    assert finding.verdict is Verdict.WITHIN
    assert finding.effect is not None
    assert finding.effect.high < 0.1
