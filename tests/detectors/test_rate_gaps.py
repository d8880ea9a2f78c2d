"""The arithmetic of gaps between K groups."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.base import GroupCount
from detectors.groups import GroupRates
from detectors.rate_gaps import (
    expected_range_if_equal,
    homogeneity_chi_square,
    pairwise_bounds,
    rate_difference,
    rate_ratio,
    worse_by_difference,
    worse_by_ratio,
)

groups = st.lists(
    st.tuples(st.integers(1, 500), st.floats(0, 1)).map(lambda g: (g[0], round(g[0] * g[1]))),
    min_size=2,
    max_size=6,
)


def rates(*counts: tuple[int, int]) -> GroupRates:
    return GroupRates(compared=tuple(GroupCount(f"g{k}", n, x) for k, (n, x) in enumerate(counts)))


@given(groups)
@settings(max_examples=60, deadline=None)
def test_bounds_hold_the_estimate_between_them(counts) -> None:
    some = rates(*counts)

    bounds = pairwise_bounds(some, 0.95)

    for estimate in (rate_difference(some, bounds), rate_ratio(some, bounds)):
        assert 0 <= estimate.low <= estimate.value <= estimate.high <= 1


@given(groups, st.floats(0.01, 0.5))
@settings(max_examples=60, deadline=None)
def test_somebody_is_worse_off_exactly_when_the_whole_interval_is_beyond(
    counts, tolerance
) -> None:
    some = rates(*counts)
    bounds = pairwise_bounds(some, 0.95)

    by_difference = worse_by_difference(some, bounds, tolerance, low_is_worse=True)
    by_ratio = worse_by_ratio(some, bounds, 1 - tolerance, low_is_worse=True)

    assert bool(by_difference) == (rate_difference(some, bounds).low > tolerance)
    assert bool(by_ratio) == (rate_ratio(some, bounds).high < 1 - tolerance)


@pytest.mark.parametrize(("k", "expected"), [(2, 0.037), (5, 0.075), (12, 0.106), (20, 0.121)])
def test_the_gap_of_equal_groups_is_that_of_simulations(k, expected) -> None:
    some = rates(*[(200, 60)] * k)

    assert expected_range_if_equal(some) == pytest.approx(expected, abs=0.0006)


def test_the_gap_of_equal_groups_of_unequal_size_is_that_of_exact_sampling() -> None:
    sizes = np.array([60, 400, 1000, 2500])
    draws = np.random.default_rng(5).binomial(sizes, 0.2, (40_000, 4)) / sizes
    simulated = np.ptp(draws, axis=1).mean()

    expected = expected_range_if_equal(rates(*((n, round(0.2 * n)) for n in sizes.tolist())))

    assert expected == pytest.approx(simulated, rel=0.02)


def test_homogeneity_is_zero_for_equal_rates_and_grows_with_rows() -> None:
    assert homogeneity_chi_square(rates((100, 20), (300, 60))) == (pytest.approx(0), 1)

    small, _ = homogeneity_chi_square(rates((100, 20), (100, 30)))
    large, _ = homogeneity_chi_square(rates((1000, 200), (1000, 300)))

    assert large == pytest.approx(10 * small)


@pytest.mark.parametrize("k", [2, 5])
def test_equal_groups_are_rarely_called_apart_however_many(k) -> None:
    draws = np.random.default_rng(11).binomial(300, 0.3, (2000, k))

    called = 0
    for row in draws:
        some = rates(*((300, int(x)) for x in row))
        called += rate_difference(some, pairwise_bounds(some, 0.95)).low > 0

    assert called / 2000 <= 0.05 + 3 * (0.05 * 0.95 / 2000) ** 0.5
