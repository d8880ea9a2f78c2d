import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from detectors.intervals import (
    RATIO_LIMIT,
    clopper_pearson,
    difference_estimate,
    mover_ratio,
    newcombe_difference,
    ratio_estimate,
    simultaneous,
    wilson,
)
from detectors.total_variation_intervals import (
    sampling_noise,
    tolerance_floor,
    total_variation_estimate,
    total_variation_interval,
)

trials = st.integers(1, 10_000)


@st.composite
def samples(draw) -> tuple[int, int]:
    n = draw(trials)
    return draw(st.integers(0, n)), n


def binomial(n: int, p: float) -> np.ndarray:
    x = np.arange(n + 1)
    ways = special.gammaln(n + 1) - special.gammaln(x + 1) - special.gammaln(n - x + 1)
    return np.exp(ways + special.xlogy(x, p) + special.xlog1py(n - x, -p))


@settings(max_examples=60)
@given(samples(), st.floats(0.51, 0.9999))
def test_rate_intervals_hold_the_rate_and_stay_inside_zero_and_one(sample, confidence) -> None:
    for interval in (wilson, clopper_pearson):
        low, high = interval(*sample, confidence)

        assert 0 <= low <= sample[0] / sample[1] <= high <= 1


@settings(max_examples=60)
@given(samples(), samples(), st.floats(0.51, 0.9999))
def test_swapping_the_samples_turns_the_difference_and_the_ratio_round(
    one, other, confidence
) -> None:
    low, high = newcombe_difference(*one, *other, confidence)
    swapped_low, swapped_high = newcombe_difference(*other, *one, confidence)
    ratio_low, ratio_high = mover_ratio(*one, *other, confidence)
    swapped_ratio_low, swapped_ratio_high = mover_ratio(*other, *one, confidence)

    assert (low, high) == pytest.approx((-swapped_high, -swapped_low), abs=1e-12)
    assert 0 <= ratio_low <= ratio_high
    if min(one[0], other[0]) > 0:
        expected = (1 / swapped_ratio_high, 1 / swapped_ratio_low)
        assert (float(ratio_low), float(ratio_high)) == pytest.approx(expected, rel=1e-9)


@settings(max_examples=60)
@given(samples(), samples())
def test_estimates_are_finite_and_in_order(one, other) -> None:
    for estimate in (
        difference_estimate(one, other, 0.99),
        ratio_estimate(one, other, 0.99),
    ):
        assert estimate.low <= estimate.value <= estimate.high
        assert math.isfinite(estimate.low)
        assert estimate.high <= RATIO_LIMIT


@pytest.mark.parametrize(
    ("p1", "n1", "p2", "n2", "difference", "ratio"),
    [
        (0.05, 20, 0.10, 200, 0.953, 0.955),
        (0.02, 100, 0.05, 400, 0.965, 0.963),
        (0.30, 15, 0.30, 150, 0.951, 0.951),
        (0.90, 30, 0.95, 300, 0.959, 0.959),
    ],
)
def test_exact_coverage_of_difference_and_ratio_is_what_is_published(
    p1, n1, p2, n2, difference, ratio
) -> None:
    weight = np.outer(binomial(n1, p1), binomial(n2, p2))
    x1, x2 = np.arange(n1 + 1)[:, None], np.arange(n2 + 1)[None, :]

    low, high = newcombe_difference(x1, n1, x2, n2, 0.95)
    ratio_low, ratio_high = mover_ratio(x1, n1, x2, n2, 0.95)
    covers = (low <= p1 - p2) & (p1 - p2 <= high)
    ratio_covers = (ratio_low <= p1 / p2) & (p1 / p2 <= ratio_high)

    assert (weight * covers).sum() == pytest.approx(difference, abs=0.0006)
    assert (weight * ratio_covers).sum() == pytest.approx(ratio, abs=0.0006)


def test_exact_interval_covers_at_least_its_confidence() -> None:
    for n in (1, 7, 60):
        low, high = clopper_pearson(np.arange(n + 1), n, 0.9)
        for p in np.linspace(0.001, 0.999, 97):
            assert binomial(n, p)[(low <= p) & (p <= high)].sum() >= 0.9


def test_samples_without_trials_leave_everything_possible() -> None:
    assert [float(x) for x in wilson(0, 0, 0.99)] == [0, 1]
    assert [float(x) for x in clopper_pearson(0, 0, 0.99)] == [0, 1]
    assert [float(x) for x in newcombe_difference(0, 0, 3, 10, 0.99)] == [-1, 1]
    assert [float(x) for x in mover_ratio(3, 10, 0, 0, 0.99)] == [0, math.inf]
    assert [float(x) for x in total_variation_interval([0, 0], [3, 4], 0.99)] == [0, 1]


def test_ratio_of_a_rate_of_zero_has_one_open_end() -> None:
    assert float(mover_ratio(0, 50, 5, 50, 0.95)[0]) == 0
    assert float(mover_ratio(5, 50, 0, 50, 0.95)[1]) == math.inf
    assert float(mover_ratio(5, 50, 0, 50, 0.95)[0]) > 0
    assert ratio_estimate((0, 50), (0, 50), 0.95).value == 1


def test_more_successes_than_trials_are_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and the number of trials"):
        wilson(11, 10, 0.95)


def test_intervals_widen_with_the_number_of_comparisons() -> None:
    one = wilson(30, 100, simultaneous(0.95, 1))
    many = wilson(30, 100, simultaneous(0.95, 12))

    assert many[0] < one[0]
    assert one[1] < many[1]
    with pytest.raises(ValueError, match="at least 1"):
        simultaneous(0.95, 0)


SHAPES = {
    "equal bins": np.full(16, 1 / 16),
    "skewed levels": 0.5 ** np.arange(1, 33) / (1 - 0.5**32),
    "one bin": np.array([1.0]),
    "two rare levels": np.array([0.998, 0.001, 0.001]),
}


def moved(p: np.ndarray, share: float) -> np.ndarray:
    """Return proportions at total variation `share` from `p`, from the first half to the last."""
    half = len(p) // 2
    q = p.copy()
    taken = np.minimum(p[:half].cumsum(), share)
    q[:half] = p[:half] - np.diff(taken, prepend=0.0)
    q[-1] += p.sum() - q.sum()
    return q


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("share", [0.0, 0.15])
@pytest.mark.parametrize(("m", "n"), [(20_000, 500), (400, 40), (100, 3000)])
def test_total_variation_interval_misses_no_more_often_than_it_may(shape, share, m, n) -> None:
    random = np.random.default_rng(7)
    p = SHAPES[shape]
    q = moved(p, share) if len(p) > 1 else p
    truth = 0.5 * np.abs(p - q).sum()
    runs, confidence = 2000, 0.8

    low, high = total_variation_interval(
        random.multinomial(m, p, runs), random.multinomial(n, q, runs), confidence
    )

    # Each side may miss one time in ten: 250 is 3.7 standard deviations above 200.
    assert (low > truth + 1e-12).sum() <= 250
    assert (high < truth - 1e-12).sum() <= 250


def test_total_variation_interval_narrows_onto_the_truth() -> None:
    p = SHAPES["equal bins"]
    q = moved(p, 0.2)

    estimate = total_variation_estimate(p * 1_600_000, q * 1_600_000, 0.99)

    assert estimate.value == pytest.approx(0.2)
    assert estimate.high - estimate.low < 0.01


@pytest.mark.parametrize("shape", SHAPES)
def test_sampling_noise_bounds_what_chance_adds_to_the_mean_distance(shape) -> None:
    random = np.random.default_rng(3)
    p = SHAPES[shape]
    one, other = random.multinomial(300, p, 2000), random.multinomial(900, p, 2000)

    distance = 0.5 * np.abs(one / 300 - other / 900).sum(axis=-1)

    assert distance.mean() <= sampling_noise(one, other).mean()


def test_tolerance_floor_falls_with_the_size_of_the_baseline() -> None:
    floors = [tolerance_floor(16, rows) for rows in (0, 2_000, 10_000, 100_000)]

    assert floors == pytest.approx([1.0, 0.0707, 0.0316, 0.01], abs=0.0005)
