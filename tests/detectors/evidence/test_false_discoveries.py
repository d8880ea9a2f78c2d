"""Adjusted p-values: what is named holds the false discovery rate however series depend."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from detectors.evidence.false_discoveries import adjusted_p_values, benjamini_yekutieli

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=40).map(np.array)


def test_adjusted_p_values_of_benjamini_and_yekutieli_are_those_of_scipy() -> None:
    p_values = np.random.default_rng(4).random(30) ** 3

    adjusted = benjamini_yekutieli(p_values)

    assert np.allclose(adjusted, stats.false_discovery_control(p_values, method="by"))


@settings(max_examples=50)
@given(P_VALUES)
def test_the_rule_is_at_most_four_times_as_strict_as_benjamini_and_yekutieli(p_values) -> None:
    ours, theirs = adjusted_p_values(p_values), benjamini_yekutieli(p_values)

    assert (ours <= np.minimum(4 * theirs, 1) + 1e-12).all()


@settings(max_examples=50)
@given(P_VALUES)
def test_the_rule_is_at_most_a_third_stricter_than_bonferroni(p_values) -> None:
    ours = adjusted_p_values(p_values)

    assert (ours <= np.minimum(4 / 3 * p_values * len(p_values), 1) + 1e-12).all()


def test_a_single_series_keeps_its_p_value() -> None:
    assert adjusted_p_values([0.03]).tolist() == [0.03]


def test_the_least_favourable_dependence_is_within_the_rate_and_comes_near_it() -> None:
    # All hypotheses hold. With chance q v(k), k of the m p-values are small together: just at the
    # threshold of the k-th. Nothing that leaves every p-value uniform names more.
    rng, m, q, n_trials = np.random.default_rng(5), 10, 0.5, 4_000
    ranks = np.arange(1, m + 1)
    harmonic = (1 / ranks).sum()
    weights = 0.25 / (harmonic * ranks)
    weights[0] += 0.75
    thresholds = q * np.cumsum(ranks * weights) / m
    before = np.append(0.0, thresholds[:-1])

    named = 0
    for _ in range(n_trials):
        p_values = rng.uniform(thresholds[-1], 1.0, m)
        if rng.random() < q:
            k = int(rng.choice(ranks, p=weights))
            chosen = rng.choice(m, k, replace=False)
            p_values[chosen] = rng.uniform(before[k - 1], thresholds[k - 1], k)
        named += bool((adjusted_p_values(p_values) <= q).any())

    assert q - 0.03 < named / n_trials < q + 0.03
