"""Growth of errors of numeric predictions, from bins of the values or of the residual."""

import numpy as np
import pytest

from baselines.schema import Column, Dtype, Role, Schema
from detectors.base import Direction, Verdict
from detectors.regression_error import RegressionError
from detectors.residuals import ErrorMetric, difference_cells
from detectors.score_bins import BinValues

COLUMNS = (
    Column(name="estimate", role=Role.PREDICTION, dtype=Dtype.FLOAT64),
    Column(name="price", role=Role.LABEL, dtype=Dtype.FLOAT64),
    Column(name="residual", role=Role.NUMERIC),
)


def priced(seed: int, n: int, spread: float) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    price = random.uniform(100, 500, n)
    residual = random.normal(0, spread, n)
    return {"price": price, "estimate": price + residual, "residual": residual}


def binned(**options: object) -> RegressionError:
    return RegressionError(prediction="estimate", label="price", **options)


@pytest.mark.parametrize("metric", list(ErrorMetric))
def test_errors_twice_as_large_are_beyond(judge, metric) -> None:
    reference, window = priced(1, 6000, 40), priced(2, 2000, 80)

    from_bins = judge(binned(metric=metric), COLUMNS, window, reference)
    from_residual = judge(
        RegressionError(residual="residual", metric=metric), COLUMNS, window, reference
    )

    for finding in (from_bins, from_residual):
        assert finding.verdict is Verdict.BEYOND
        assert finding.direction is Direction.UP
        assert finding.effect is not None
        assert finding.effect.value == pytest.approx(2, rel=0.1)
    assert from_residual.effect.low > from_bins.effect.low


@pytest.mark.parametrize("metric", list(ErrorMetric))
def test_errors_of_the_usual_size_are_within(judge, metric) -> None:
    reference, window = priced(3, 6000, 40), priced(4, 2000, 40)

    for detector in (binned(metric=metric), RegressionError(residual="residual", metric=metric)):
        assert judge(detector, COLUMNS, window, reference).verdict is Verdict.WITHIN


def test_values_beyond_the_baselines_are_told(judge) -> None:
    reference, window = priced(5, 1000, 40), priced(6, 1000, 40)
    window = {**window, "estimate": window["estimate"] + 5000}

    finding = judge(binned(), COLUMNS, window, reference)

    assert finding.verdict is Verdict.BEYOND
    assert any("1 000 outputs beyond" in note for note in finding.notes)


def test_late_labels_are_insufficient_data(judge) -> None:
    reference = priced(7, 1000, 40)
    window = {"estimate": reference["estimate"], "residual": reference["residual"]}

    finding = judge(binned(), COLUMNS, window, reference)

    assert finding.verdict is Verdict.INSUFFICIENT_DATA


def test_a_baseline_without_errors_has_no_multiple(judge) -> None:
    reference = {"residual": np.zeros(1000)}

    finding = judge(RegressionError(residual="residual"), COLUMNS, reference)

    assert finding.verdict is Verdict.INSUFFICIENT_DATA


def test_two_columns_or_a_residual_must_be_named() -> None:
    schema = Schema(columns=COLUMNS)

    assert dict(RegressionError(prediction="estimate").problems(schema)).keys() == {"label"}
    assert dict(RegressionError(label="price").problems(schema)).keys() == {"prediction"}
    assert not RegressionError(residual="residual").problems(schema)


def test_errors_of_a_cell_lie_between_the_least_and_the_most_its_bins_allow() -> None:
    cells = difference_cells(
        BinValues(centre=np.array([1.5]), low=np.array([0.0]), high=np.array([2.0])),
        BinValues(
            centre=np.array([1.6, 7.0]), low=np.array([1.0, 5.0]), high=np.array([5.0, 9.0])
        ),
    )

    assert cells.least.tolist() == [[0, 3]]
    assert cells.typical.tolist() == [[pytest.approx(0.1), 5.5]]
    assert cells.most.tolist() == [[5, 9]]
