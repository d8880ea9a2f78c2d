"""One column's counts and the rates that are read off them."""

import numpy as np
import pytest

from baselines.baseline import Baseline
from baselines.checks import CHECK_OUTCOMES
from baselines.layout import AxisNeed, CategoryAxis, Layout, NumericAxis, Table
from baselines.marginals import Marginal, marginal, marginal_columns
from baselines.summary import WindowSummary


def check(**counts: int) -> Marginal:
    axis = CategoryAxis(AxisNeed("check:output/toxicity/hate"), CHECK_OUTCOMES)
    cells = np.zeros(axis.size, dtype=np.int64)
    for outcome, count in counts.items():
        code = axis.missing if outcome == "missing" else CHECK_OUTCOMES.index(outcome)
        cells[code] = count
    return Marginal(axis, cells)


def test_a_check_has_its_rate_of_flags_among_verdicts_and_of_runs_without_one() -> None:
    counts = {"ok/flagged/block": 3, "ok/flagged/none": 1, "ok/clean/allow": 16}
    found = check(**counts, **{"timeout/unknown/allow": 5, "missing": 75})

    rates = {rate.name: (rate.count, rate.rows) for rate in found.rates()}

    assert rates == {"flagged": (4, 20), "no verdict": (5, 25)}
    assert found.missing.value == 0.75


def test_a_rate_of_no_rows_is_unknown() -> None:
    assert [rate.value for rate in check().rates()] == [None, None]
    assert check().missing.value is None


def test_a_boolean_has_its_rate_of_true_among_values_that_are_there() -> None:
    axis = CategoryAxis(AxisNeed("approved"), ("false", "true"))

    (rate,) = Marginal(axis, np.array([6, 2, 0, 90])).rates()

    assert (rate.name, rate.value) == ("true", 0.25)


def test_the_mean_rests_on_the_centres_of_the_bins() -> None:
    axis = NumericAxis(AxisNeed("x"), np.array([0.0, 1.0, 2.0]), np.array([0.5, 1.5]))

    assert Marginal(axis, np.array([9, 3, 1, 9, 9, 9])).mean() == 0.75
    assert Marginal(axis, np.array([9, 0, 0, 9, 9, 9])).mean() is None


def test_the_finest_table_of_a_column_is_used() -> None:
    coarse = NumericAxis(AxisNeed("x", 1), np.array([0.0, 2.0]), np.array([1.0]))
    fine = NumericAxis(AxisNeed("x"), np.array([0.0, 1.0, 2.0]), np.array([0.5, 1.5]))
    layout = Layout((Table((coarse,)), Table((fine,)), Table((coarse, fine))))

    found = marginal(WindowSummary.zero(layout), "x")

    assert found.axis is fine
    assert marginal_columns(layout) == ("x",)


def test_an_unknown_column_or_level_is_refused_by_name(golden_baseline: Baseline) -> None:
    summary = golden_baseline.references["all"]

    with pytest.raises(ValueError, match="no table holds column 'nowhere' alone"):
        marginal(summary, "nowhere")
    with pytest.raises(ValueError, match="column 'sex' has no level 'x'"):
        marginal(summary, "sex").level("x")
    with pytest.raises(ValueError, match="column 'score' has no level 'x'"):
        marginal(summary, "score").level("x")
