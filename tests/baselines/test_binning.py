"""Fast binning is bisection, only faster."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines.binning import BLOCK_ROWS, Binner

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
SUBNORMAL = st.integers(-40, 40).map(lambda steps: steps * 5e-324)
NEAR_ONE = st.integers(-40, 40).map(lambda steps: 1.0 + steps * 2.0**-53)
HUGE = st.floats(1e300, 1.7e308) | st.floats(-1.7e308, -1e300)
VALUES = st.one_of(FLOATS, SUBNORMAL, NEAR_ONE, HUGE, st.integers(-9, 9).map(float))


def bisected(
    edges: npt.NDArray[np.float64], values: npt.NDArray[np.float64]
) -> npt.NDArray[np.int64]:
    codes = np.searchsorted(edges, values, side="right")
    codes[~np.isfinite(values)] = len(edges) + 2
    return codes


def around(edges: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    with np.errstate(over="ignore"):
        neighbours = [np.nextafter(edges, np.inf), np.nextafter(edges, -np.inf), -edges]
    special = np.array([np.inf, -np.inf, np.nan, -np.nan, 0.0, -0.0, 1.7e308, -1.7e308])
    return np.concatenate([edges, *neighbours, special])


@settings(max_examples=400)
@given(st.lists(VALUES, min_size=2, max_size=60, unique=True), st.lists(VALUES, max_size=20))
def test_every_value_gets_the_bin_that_bisection_finds(
    numbers: list[float], more: list[float]
) -> None:
    edges = np.unique(np.array(numbers) + 0.0)
    if len(edges) < 2:
        edges = np.append(edges, edges[-1] + 1.0)
    values = np.concatenate([around(edges), np.array(more)])

    codes = Binner(edges).codes(values)

    assert codes.tolist() == bisected(edges, values).tolist()


@pytest.mark.parametrize(
    "name", ["normal", "pareto", "cauchy", "bits", "log-normal", "negative pareto", "narrow"]
)
def test_quantile_bins_of_any_shape_of_data_are_exact(name: str) -> None:
    random = np.random.default_rng(5)
    n_rows = BLOCK_ROWS + 1000
    bits = random.integers(-(2**63), 2**63 - 1, n_rows).view(np.float64)
    values = {
        "normal": lambda: random.normal(size=n_rows),
        "pareto": lambda: random.pareto(0.3, n_rows),
        "cauchy": lambda: random.standard_cauchy(n_rows),
        "bits": lambda: bits,
        "log-normal": lambda: np.exp(50 * random.normal(size=n_rows)),
        "negative pareto": lambda: -random.pareto(0.3, n_rows),
        "narrow": lambda: 1e15 + random.integers(0, 300, n_rows).astype(float),
    }[name]()
    finite = np.sort(values[np.isfinite(values)])
    edges = np.unique(finite[np.linspace(0, len(finite) - 1, 257).astype(int)])

    codes = Binner(edges).codes(np.concatenate([values, around(edges)]))

    assert np.array_equal(codes, bisected(edges, np.concatenate([values, around(edges)])))


def test_edges_too_far_apart_for_any_scale_are_binned_all_the_same() -> None:
    edges = np.array([-1.7976931348623157e308, -5e-324, 0.0, 5e-324, 1.7976931348623157e308])
    values = around(edges)

    codes = Binner(edges).codes(values)

    assert codes.tolist() == bisected(edges, values).tolist()


def test_a_missing_value_is_missing_whatever_stands_in_its_place() -> None:
    binner = Binner(np.array([0.0, 1.0]))
    values = np.array([0.5, np.nan, np.nan, 7.0])

    codes = binner.codes(values, np.array([True, True, False, False]))

    assert codes.tolist() == [3, 3, 4, 2]


def test_no_values_have_no_codes() -> None:
    assert Binner(np.array([0.0, 1.0])).codes(np.empty(0)).shape == (0,)


def test_more_bins_than_16_bits_hold_get_wider_codes() -> None:
    edges = np.arange(70_000.0)

    codes = Binner(edges).codes(np.array([-1.0, 65_534.0, 65_535.0, 69_998.5, 69_999.0]))

    assert codes.tolist() == [0, 65_535, 65_536, 69_999, 70_000]


def test_values_that_are_not_contiguous_are_binned_alike() -> None:
    values = np.random.default_rng(1).pareto(0.5, 2000)
    edges = np.unique(np.quantile(values, np.linspace(0, 1, 200)))

    strided = Binner(edges).codes(values[::2])

    assert strided.tolist() == Binner(edges).codes(values[::2].copy()).tolist()
