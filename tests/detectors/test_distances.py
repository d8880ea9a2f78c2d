import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors import distances

DISTANCES = [
    distances.total_variation,
    distances.population_stability_index,
    distances.jensen_shannon_distance,
    distances.hellinger_distance,
    distances.kolmogorov_smirnov,
]
every_distance = pytest.mark.parametrize("distance", DISTANCES)


@st.composite
def pairs(draw) -> tuple[np.ndarray, np.ndarray]:
    n_bins = draw(st.integers(1, 12))
    counts = st.lists(st.integers(0, 1000), min_size=n_bins, max_size=n_bins).filter(any)
    return np.array(draw(counts)), np.array(draw(counts))


@every_distance
@settings(max_examples=40)
@given(pair=pairs())
def test_distances_are_symmetric_finite_and_never_negative(distance, pair) -> None:
    there, back = distance(*pair), distance(*reversed(pair))

    assert there == pytest.approx(back, abs=1e-12)
    assert 0 <= there < math.inf


@every_distance
@settings(max_examples=40)
@given(pair=pairs())
def test_a_sample_is_at_no_distance_from_itself(distance, pair) -> None:
    assert distance(pair[0], pair[0]) == pytest.approx(0, abs=1e-7)


@settings(max_examples=60)
@given(pair=pairs())
def test_distances_keep_the_known_inequalities(pair) -> None:
    tv = distances.total_variation(*pair)
    hellinger = distances.hellinger_distance(*pair)

    assert hellinger**2 <= tv + 1e-12
    assert tv <= math.sqrt(2) * hellinger + 1e-12
    assert distances.kolmogorov_smirnov(*pair) <= tv + 1e-12
    assert distances.jensen_shannon_distance(*pair) ** 2 <= tv + 1e-12


@settings(max_examples=40)
@given(pair=pairs(), data=st.data())
def test_distances_but_the_ordered_ones_do_not_depend_on_the_order_of_bins(pair, data) -> None:
    order = data.draw(st.permutations(range(len(pair[0]))))

    for distance in DISTANCES[:4]:
        moved = distance(pair[0][order], pair[1][order])

        assert moved == pytest.approx(distance(*pair), abs=1e-12)


def test_disjoint_samples_are_as_far_apart_as_can_be() -> None:
    one, other = np.array([7, 0]), np.array([0, 9])

    assert distances.total_variation(one, other) == 1
    assert distances.hellinger_distance(one, other) == 1
    assert distances.jensen_shannon_distance(one, other) == 1
    assert distances.kolmogorov_smirnov(one, other) == 1


def test_wasserstein_is_the_shift_of_a_shifted_sample() -> None:
    counts = np.array([3, 5, 2, 0, 0])
    shifted = np.array([0, 0, 3, 5, 2])
    centres = np.array([0.0, 10.0, 20.0, 30.0, 40.0])

    distance, in_deviations = distances.wasserstein(counts, shifted, centres)

    assert distance == pytest.approx(20)
    assert in_deviations == pytest.approx(20 / 7)


def test_wasserstein_of_a_constant_reference_has_no_deviation_to_divide_by() -> None:
    counts, moved, centres = np.array([4, 0]), np.array([0, 4]), np.array([1.0, 2.0])

    assert distances.wasserstein(counts, moved, centres) == (1.0, math.inf)
    assert distances.wasserstein(counts, counts, centres) == (0.0, 0.0)


def test_wasserstein_refuses_centres_out_of_order() -> None:
    with pytest.raises(ValueError, match="non-decreasing"):
        distances.wasserstein(np.array([1, 2]), np.array([2, 1]), np.array([2.0, 1.0]))


def test_one_bin_has_nothing_to_test() -> None:
    assert distances.chi_square(np.array([9, 0]), np.array([4, 0])) == (0, 1)
    assert distances.g_statistic(np.array([9]), np.array([4])) == (0, 1)


@every_distance
@pytest.mark.parametrize(
    ("expected", "observed", "message"),
    [
        ([1, 2], [1, 2, 3], "the same bins"),
        ([0, 0], [1, 2], "without rows"),
        ([1, 2], [0, 0], "without rows"),
        ([1, -2], [1, 2], "must not be negative"),
    ],
)
def test_counts_that_cannot_be_compared_are_refused(distance, expected, observed, message) -> None:
    with pytest.raises(ValueError, match=message):
        distance(np.array(expected), np.array(observed))
