"""Single values."""

import math
from decimal import Decimal

import numpy as np
import pytest

from baselines.schema import Dtype
from monitor.decoding.values import (
    InvalidValueError,
    as_boolean,
    as_float,
    as_text,
    category_text,
    fit_dtype,
)


@pytest.mark.parametrize(
    ("value", "number"),
    [("1", 1.0), (" -2.5e3 ", -2500.0), (".5", 0.5), ("+7", 7.0), (True, 1.0), (2**60, 2.0**60)],
)
def test_numbers_and_their_text_are_numbers(value: object, number: float) -> None:
    assert as_float(value) == number


@pytest.mark.parametrize("value", ["nan", "NaN", float("nan")])
def test_nan_is_a_number_that_is_not_finite(value: object) -> None:
    number = as_float(value)

    assert number is not None
    assert math.isnan(number)


@pytest.mark.parametrize(
    ("value", "number"),
    [("inf", math.inf), ("-Infinity", -math.inf), (10**400, math.inf), (Decimal("0.5"), 0.5)],
)
def test_numbers_beyond_float64_become_infinite(value: object, number: float) -> None:
    assert as_float(value) == number


@pytest.mark.parametrize("value", ["1_0", "0x10", "one", "1,5", "\u0661", [], {}, b"1"])
def test_what_is_no_number_is_refused(value: object) -> None:
    with pytest.raises(InvalidValueError, match="must be a number"):
        as_float(value)


@pytest.mark.parametrize("text", ["", "  "])
def test_blank_text_is_a_missing_number_and_a_missing_boolean(text: str) -> None:
    assert as_float(text) is None
    assert as_boolean(text) is None


@pytest.mark.parametrize("value", [True, "true", "True", "TRUE", "1", "1.0", 1, 1.0])
def test_true_in_any_of_its_forms_is_true(value: object) -> None:
    assert category_text(value, Dtype.BOOLEAN) == "true"


@pytest.mark.parametrize("value", [False, "false", "False", "0", 0, 0.0])
def test_false_in_any_of_its_forms_is_false(value: object) -> None:
    assert category_text(value, Dtype.BOOLEAN) == "false"


@pytest.mark.parametrize("value", [2, 0.5, "yes", "truee", []])
def test_other_values_are_no_booleans(value: object) -> None:
    with pytest.raises(InvalidValueError, match="must be true or false"):
        as_boolean(value)


@pytest.mark.parametrize("value", [1, 1.0, "1", "1.0", " 01 ", True])
def test_an_integer_category_has_one_text_however_it_is_written(value: object) -> None:
    assert category_text(value, Dtype.INT64) == "1"


def test_an_integer_category_keeps_integers_beyond_float64_apart() -> None:
    assert category_text(2**53 + 1, Dtype.INT64) == "9007199254740993"
    assert category_text("9007199254740993", Dtype.INT64) == "9007199254740993"


@pytest.mark.parametrize("value", [1.5, "1.5", 1e19, "x"])
def test_an_integer_category_refuses_what_is_no_integer(value: object) -> None:
    with pytest.raises(InvalidValueError):
        category_text(value, Dtype.INT64)


def test_a_float_category_is_written_in_its_own_precision() -> None:
    assert category_text("0.1", Dtype.FLOAT64) == "0.1"
    assert category_text(0.1, Dtype.FLOAT32) == "0.1"
    assert category_text(float(np.float32(0.1)), Dtype.FLOAT32) == "0.1"


def test_numbers_and_booleans_have_one_text() -> None:
    assert [as_text(value) for value in (1, 1.0, 1e300, True, None, "x")] == [
        "1",
        "1.0",
        "1e+300",
        "true",
        None,
        "x",
    ]


def test_an_integer_of_more_than_four_thousand_digits_has_no_text() -> None:
    longest = 10**4_000 - 1

    assert as_text(-longest) == "-" + "9" * 4_000
    with pytest.raises(InvalidValueError, match="got a int"):
        as_text(longest + 1)


def test_float32_numbers_are_rounded_before_they_are_binned() -> None:
    values, unfit = fit_dtype(np.array([0.1, 1e39, np.nan]), Dtype.FLOAT32)

    assert values[0] == float(np.float32(0.1))
    assert np.isinf(values[1])
    assert unfit is None


def test_int64_numbers_refuse_fractions_but_not_what_is_not_finite() -> None:
    values, unfit = fit_dtype(np.array([1.0, 1.5, 1e300, np.nan, np.inf]), Dtype.INT64)

    assert unfit is not None
    assert unfit.tolist() == [False, True, True, False, False]
    assert values[0] == 1.0
