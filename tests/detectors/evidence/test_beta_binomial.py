import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from detectors.evidence.beta_binomial import (
    Array,
    effective_share,
    log_likelihood_ratio,
    log_probability_of_none,
)

rates = st.floats(0.001, 0.999)
correlations = st.sampled_from([0.0, 1e-6, 0.0005, 0.002, 0.05, 0.4])


def log_probabilities(total: int, rate: float, correlation: float) -> Array:
    """Return the log beta-binomial probabilities of 0 to total events, by log-gammas."""
    x = np.arange(total + 1)
    choices = -special.betaln(x + 1, total - x + 1) - np.log(total + 1)
    if correlation == 0:
        return choices + x * np.log(rate) + (total - x) * np.log1p(-rate)
    s = 1 / correlation - 1
    a, b = rate * s, (1 - rate) * s
    return choices + special.betaln(x + a, total - x + b) - special.betaln(a, b)


def log_mean(log_values: Array, rate: float, correlation: float) -> float:
    """Return the log of the mean of a function of the count, given by its logs."""
    weights = log_probabilities(len(log_values) - 1, rate, correlation)
    return float(special.logsumexp(log_values + weights))


@settings(max_examples=60, deadline=None)
@given(rates, rates, st.integers(1, 300), st.sampled_from([0.0005, 0.002, 0.05, 0.4]))
def test_the_ratio_is_that_of_the_probabilities(alternative, bound, total, correlation) -> None:
    expected = log_probabilities(total, alternative, correlation) - log_probabilities(
        total, bound, correlation
    )

    ratio = log_likelihood_ratio(np.arange(total + 1), total, alternative, bound, correlation)

    assert np.allclose(ratio, expected, rtol=1e-8, atol=1e-7)


def test_large_counts_without_correlation_keep_all_digits() -> None:
    exact = 30_000 * np.log(0.03 / 0.029) + 970_000 * np.log(0.97 / 0.971)

    ratios = log_likelihood_ratio(30_000, 1_000_000, 0.03, 0.029, [0.0, 1e-300, 1e-18])

    assert np.allclose(ratios, exact, rtol=0, atol=1e-7)


def test_the_limit_of_no_correlation_is_approached_smoothly() -> None:
    correlations = np.logspace(-16, -6, 400)

    ratios = log_likelihood_ratio(40, 1000, 0.04, 0.025, correlations)

    assert np.all(np.abs(np.diff(ratios)) < 1e-3)
    assert abs(ratios[0] - log_likelihood_ratio(40, 1000, 0.04, 0.025, 0.0)) < 1e-9


@settings(max_examples=80, deadline=None)
@given(rates, st.floats(1.05, 10), st.integers(1, 400), correlations)
def test_the_mean_is_at_most_one_at_every_rate_up_to_the_bound(
    bound, factor, total, correlation
) -> None:
    odds = bound / (1 - bound) * factor
    ratio = log_likelihood_ratio(
        np.arange(total + 1), total, odds / (1 + odds), bound, correlation
    )

    for share in (1.0, 0.999, 0.9, 0.5, 0.1, 0.001):
        assert log_mean(ratio, bound * share, correlation) <= 1e-7


@settings(max_examples=40, deadline=None)
@given(rates, st.floats(1.05, 10), st.integers(1, 400), correlations)
def test_the_mean_is_at_most_one_at_every_rate_from_the_bound_up(
    bound, factor, total, correlation
) -> None:
    odds = bound / (1 - bound) / factor
    ratio = log_likelihood_ratio(
        np.arange(total + 1), total, odds / (1 + odds), bound, correlation
    )

    for share in (1.0, 0.99, 0.5, 0.01):
        assert log_mean(ratio, 1 - (1 - bound) * share, correlation) <= 1e-7


@settings(max_examples=60, deadline=None)
@given(rates, rates, st.integers(1, 2000), correlations)
def test_the_ratio_is_monotone_in_the_count(alternative, bound, total, correlation) -> None:
    ratio = log_likelihood_ratio(np.arange(total + 1), total, alternative, bound, correlation)

    steps = np.diff(ratio) * np.sign(alternative - bound)
    assert np.all(steps >= -1e-9)


def test_overstating_the_correlation_is_safe_and_understating_it_is_not() -> None:
    total, bound, used = 1000, 0.02, 0.002
    ratio = log_likelihood_ratio(np.arange(total + 1), total, 0.04, bound, used)

    means = {true: log_mean(ratio, bound, true) for true in (0.0, 0.0005, 0.001, 0.002, 0.006)}

    assert all(means[true] <= 1e-9 for true in (0.0, 0.0005, 0.001, 0.002))
    assert means[0.006] > 0.1


def test_evidence_falls_as_the_correlation_rises() -> None:
    correlations = np.array([0.0, 1e-4, 5e-4, 1e-3, 2e-3, 5e-3, 2e-2, 0.1])

    evidence = log_likelihood_ratio(50, 1000, 0.04, 0.02, correlations)

    assert np.all(np.diff(evidence) < 0)
    assert evidence[-1] > 0


def test_no_events_are_no_evidence() -> None:
    evidence = log_likelihood_ratio(0, 0, [0.1, 0.9], 0.5, [0.0, 0.3])

    assert np.array_equal(evidence, [0.0, 0.0])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 500), rates, correlations)
def test_the_probability_of_none_is_that_of_the_distribution(total, rate, correlation) -> None:
    expected = log_probabilities(total, rate, correlation)[0]

    found = log_probability_of_none(total, rate, correlation)

    assert np.isclose(found, expected, rtol=1e-8, atol=1e-7)


def test_the_effective_share_of_one_event_is_all_of_it() -> None:
    shares = effective_share([0, 1, 2, 11], 0.1)

    assert np.allclose(shares, [1, 1, 1 / 1.1, 0.5])


@pytest.mark.parametrize("correlation", [-0.1, 1.0, np.nan])
def test_impossible_correlations_are_refused(correlation) -> None:
    with pytest.raises(ValueError, match="correlation must be at least 0 and below 1"):
        log_likelihood_ratio(1, 2, 0.5, 0.4, correlation)
