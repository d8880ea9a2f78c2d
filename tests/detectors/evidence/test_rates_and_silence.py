import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from detectors.evidence.beta_binomial import log_probability_of_none
from detectors.evidence.rates import log_evidence_above, log_evidence_below, rate_bounds
from detectors.evidence.silence import (
    log_evidence_of_silence,
    outputs_needed,
    probability_of_silence,
)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 300), st.integers(300, 50_000), st.floats(1.05, 4), st.floats(0.01, 0.5))
def test_bounds_hold_the_baseline_and_widen_with_tolerance(
    count, total, ratio, difference
) -> None:
    bounds = rate_bounds(count, total, ratio=ratio)
    both = rate_bounds(count, total, ratio=ratio, difference=difference)

    assert 0 <= both.low <= bounds.low <= bounds.baseline <= bounds.high <= both.high <= 1
    assert bounds.high >= ratio * bounds.baseline or bounds.high == 1
    assert both.high >= min(bounds.baseline + difference, 1)


@pytest.mark.parametrize(
    ("rate", "total"), [(0.0005, 2000), (0.004, 5000), (0.02, 500), (0.3, 80)]
)
def test_an_unchanged_rate_is_inside_its_bounds_however_small_the_baseline(rate, total) -> None:
    counts = np.arange(total + 1)
    weights = stats.binom.pmf(counts, total, rate)

    bounds = rate_bounds(counts, np.full(total + 1, total), ratio=1.05)

    assert weights[rate > bounds.high].sum() <= 0.005
    assert weights[rate < bounds.low].sum() <= 0.005


def test_standard_errors_would_not_do_for_rare_events() -> None:
    rate, total = 0.0005, 2000
    counts = np.arange(30)
    weights = stats.binom.pmf(counts, total, rate)
    observed = counts / total

    naive = np.maximum(
        1.25 * observed, observed + 2.5 * np.sqrt(observed * (1 - observed) / total)
    )

    assert weights[rate > naive].sum() > 0.3


def test_correlated_baselines_are_less_certain() -> None:
    independent = rate_bounds(200, 10_000, ratio=1.05)
    correlated = rate_bounds(200, 10_000, ratio=1.05, correlation=0.01, window_events=500)

    assert correlated.high > independent.high
    assert correlated.low < independent.low


def test_no_rate_is_too_low_when_the_baseline_may_be_zero() -> None:
    bounds = rate_bounds([0, 3], [1000, 1000], ratio=1.25, difference=0.05)

    evidence = log_evidence_below([0, 0], [5000, 5000], bounds.low, 0.0)

    assert np.array_equal(bounds.low, [0.0, 0.0])
    assert np.array_equal(evidence, np.zeros((2, 3)))


def test_a_rate_far_beyond_its_bound_is_evidence_on_its_side_only() -> None:
    above = log_evidence_above([60], [1000], [0.025], 0.001)
    below = log_evidence_below([60], [1000], [0.016], 0.001)

    assert above.max() > 5
    assert below.max() < 0


def test_a_tolerance_is_required_and_checked() -> None:
    with pytest.raises(ValueError, match="a rate needs a tolerance"):
        rate_bounds(1, 10)
    with pytest.raises(ValueError, match=r"ratio must be above 1, got 0\.8"):
        rate_bounds(1, 10, ratio=0.8)
    with pytest.raises(ValueError, match="difference must be between 0 and 1, got 5"):
        rate_bounds(1, 10, difference=5)


@pytest.mark.parametrize("chance", [1e-4, 1e-6])
def test_the_time_to_notice_silence_is_exact(chance) -> None:
    rates = np.array([0.05, 0.01, 0.004, 0.001, 0.0005])

    needed = outputs_needed(rates, chance)

    assert np.all(probability_of_silence(needed, rates) <= chance)
    assert np.all(probability_of_silence(needed - 1, rates) > chance)
    assert np.all(needed <= outputs_needed(rates, chance, bound=True))


def test_the_rule_of_thumb_gives_the_published_table() -> None:
    rates = [0.05, 0.01, 0.004, 0.001, 0.0005]

    assert outputs_needed(rates, 1e-4, bound=True).tolist() == [185, 922, 2303, 9211, 18421]
    assert outputs_needed(rates, 1e-6, bound=True).tolist() == [277, 1382, 3454, 13816, 27632]


@settings(max_examples=40, deadline=None)
@given(
    st.floats(0.0005, 0.5),
    st.floats(1, 10),
    st.integers(0, 2000),
    st.sampled_from([0.0, 0.001, 0.05]),
    st.floats(0, 1),
)
def test_silence_has_mean_at_most_one_at_every_living_rate(
    least, factor, total, used, part
) -> None:
    rate, true = min(least * factor, 0.99), used * part

    evidence = float(log_evidence_of_silence(0, total, least, used))

    log_mean = evidence + float(log_probability_of_none(total, rate, true))
    assert log_mean <= 1e-9


def test_one_event_ends_the_evidence_of_silence() -> None:
    evidence = log_evidence_of_silence([0, 1, 1], [1000, 1000, 1000], [0.004, 0.004, 0.0])

    assert evidence[0] > 4
    assert evidence[1] == -np.inf
    assert evidence[2] == 0


def test_impossible_rates_of_silence_are_refused() -> None:
    with pytest.raises(ValueError, match="must be strictly between 0 and 1"):
        outputs_needed(0.0, 1e-4)
