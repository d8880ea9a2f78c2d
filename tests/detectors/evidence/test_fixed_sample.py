import numpy as np
import pytest
from scipy import stats

from detectors.evidence.fixed_sample import (
    gap_p_value,
    group_gap_p_value,
    rate_p_value_above,
    rate_p_value_below,
    total_variation_p_value,
)
from detectors.evidence.two_group_gaps import GapLimit

LEVELS = (0.1, 0.05, 0.01)


def shifted(distance: float) -> np.ndarray:
    return np.full(16, 1 / 16) + distance / 4 * np.repeat([-1, 0, 1], [4, 8, 4])


@pytest.mark.parametrize(
    ("sizes", "limit", "rates"),
    [
        ((20, 30), GapLimit.difference(0.05), (0.55, 0.5)),
        ((20, 30), GapLimit.difference(0.05), (0.1, 0.05)),
        ((40, 15), GapLimit.ratio(0.8), (0.5, 0.4)),
        ((40, 15), GapLimit.ratio(0.8), (0.1, 0.08)),
        ((200, 10), GapLimit.ratio(0.8), (0.9, 0.72)),
    ],
)
def test_a_tolerated_gap_has_small_p_values_as_rarely_as_they_say(sizes, limit, rates) -> None:
    x1, x2 = np.arange(sizes[0] + 1)[:, None], np.arange(sizes[1] + 1)
    weights = stats.binom.pmf(x1, sizes[0], rates[0]) * stats.binom.pmf(x2, sizes[1], rates[1])

    p_values = gap_p_value((x1, x2), sizes, limit)

    for level in LEVELS:
        assert weights[p_values <= level].sum() <= level


def test_a_gap_far_beyond_tolerance_is_found() -> None:
    assert gap_p_value((300, 150), (500, 500), GapLimit.difference(0.05)) < 1e-6
    assert gap_p_value((50, 50), (100, 100), GapLimit.difference(0.05)) == 1
    assert gap_p_value((5, 0), (5, 0), GapLimit.difference(0.05)) == 1


def test_the_least_divergence_is_that_of_a_search() -> None:
    rates = np.linspace(0.001, 0.999, 600)
    first, tilted = rates[rates > 0.06][:, None], rates[rates > 0.31]

    def kl(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return a * np.log(a / b) + (1 - a) * np.log((1 - a) / (1 - b))

    searched = (100 * kl(tilted, first) + 100 * kl(tilted - 0.3, first - 0.05)).min()

    p_value = gap_p_value((60, 30), (100, 100), GapLimit.difference(0.05))

    assert np.isclose(p_value, np.exp(-searched), rtol=1e-3)


def test_groups_within_tolerance_are_rarely_rejected_together() -> None:
    rng = np.random.default_rng(0)
    totals = np.array([300, 120, 80, 40])
    counts = rng.binomial(totals, [0.4, 0.35, 0.35, 0.32], (1000, 4))

    p_values = group_gap_p_value(
        counts, np.broadcast_to(totals, counts.shape), GapLimit.ratio(0.8)
    )

    assert (p_values <= 0.05).mean() <= 0.05
    assert group_gap_p_value([200, 30], [300, 120], GapLimit.ratio(0.8)) < 1e-4


@pytest.mark.parametrize(("rate", "baseline_total"), [(0.02, 5000), (0.0005, 20_000), (0.3, 300)])
def test_a_rate_on_its_tolerance_has_small_p_values_as_rarely_as_they_say(
    rate, baseline_total
) -> None:
    rng = np.random.default_rng(1)
    baseline = rng.binomial(baseline_total, rate, 20_000)
    high, low = rng.binomial(2000, rate * 1.25, 20_000), rng.binomial(2000, rate / 1.25, 20_000)

    above = rate_p_value_above(high, 2000, baseline, baseline_total, ratio=1.25)
    below = rate_p_value_below(low, 2000, baseline, baseline_total, ratio=1.25)

    for level in LEVELS:
        assert (above <= level).mean() <= level
        assert (below <= level).mean() <= level


def test_rates_far_beyond_tolerance_are_found() -> None:
    assert rate_p_value_above(120, 2000, 200, 10_000, ratio=1.25) < 0.001
    assert rate_p_value_above(120, 2000, 200, 10_000, difference=0.05) > 0.5
    assert rate_p_value_below(0, 2000, 200, 10_000, ratio=2.0) < 0.001
    assert rate_p_value_above(0, 0, 200, 10_000, ratio=1.25) == 1
    assert rate_p_value_below(0, 0, 200, 10_000, ratio=1.25) == 1


@pytest.mark.parametrize("ordered", [True, False])
def test_a_distribution_on_its_tolerance_is_rarely_rejected(ordered) -> None:
    rng = np.random.default_rng(2)
    expected = rng.multinomial(8000, np.full(16, 1 / 16), 4000)
    observed = rng.multinomial(1500, shifted(0.05), 4000)

    p_values = total_variation_p_value(expected, observed, 0.05, ordered=ordered)

    for level in LEVELS:
        assert (p_values <= level).mean() <= level


@pytest.mark.parametrize(("ordered", "least"), [(True, 0.5), (False, 0.01)])
def test_a_distribution_beyond_tolerance_is_found(ordered, least) -> None:
    rng = np.random.default_rng(3)
    expected = rng.multinomial(10_000, np.full(16, 1 / 16), 400)
    near = rng.multinomial(2000, shifted(0.1), 400)
    far = rng.multinomial(2000, shifted(0.2), 400)

    near_p = total_variation_p_value(expected, near, 0.05, ordered=ordered)
    far_p = total_variation_p_value(expected, far, 0.05, ordered=ordered)

    assert (near_p <= 0.01).mean() > least
    assert (far_p <= 0.01).mean() > 0.95


def test_empty_samples_reject_nothing() -> None:
    some, none = np.array([5, 5]), np.array([0, 0])

    assert total_variation_p_value(some, none, 0.05, ordered=True) == 1
    assert total_variation_p_value(none, some, 0.05, ordered=False) == 1
