"""Tests of one batch's mix: as rarely small as they say where the change is tolerated."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from detectors.evidence.fixed_sample import total_variation_p_value
from detectors.evidence.mix_tests import MixTest, levels_p_value, rank_p_value

COUNTS = st.lists(st.integers(0, 400), min_size=2, max_size=12).map(np.array)
N_TRIALS = 1_500


def zipf(n_levels: int) -> np.ndarray:
    shares = np.arange(1.0, n_levels + 1) ** -1.2
    return shares / shares.sum()


def moved(shares: np.ndarray, share: float, *, spread: bool) -> np.ndarray:
    """Move a share of the outputs from the first levels to the last ones, or from one to one."""
    change = np.zeros_like(shares)
    half = len(shares) // 2 if spread else 1
    change[:half] = -shares[:half] / shares[:half].sum()
    change[-half:] = shares[-half:] / shares[-half:].sum()
    return shares + share * change


def test_without_tolerance_the_test_of_levels_is_pearsons_of_homogeneity() -> None:
    expected, observed = np.array([4000, 3000, 2000, 1000]), np.array([380, 330, 180, 110])

    p = levels_p_value(expected, observed, 0.0)

    pearson = stats.chi2_contingency([expected, observed], correction=False)
    ratio = stats.chi2_contingency(
        [expected, observed], correction=False, lambda_="log-likelihood"
    )
    assert p == pytest.approx(max(pearson.pvalue, ratio.pvalue), rel=1e-6)


def test_without_tolerance_the_test_of_ranks_is_that_of_mann_and_whitney() -> None:
    rng = np.random.default_rng(1)
    before, now = rng.integers(0, 12, 5000), rng.integers(1, 12, 500)
    expected, observed = (np.bincount(values, minlength=12) for values in (before, now))

    p = rank_p_value(expected, observed, 0.0)

    theirs = stats.mannwhitneyu(now, before, use_continuity=False, method="asymptotic").pvalue
    assert p == pytest.approx(theirs, rel=0.2)


@pytest.mark.parametrize("sizes", [(10_000, 1_000), (500, 100)])
@pytest.mark.parametrize("n_levels", [2, 5, 12, 32])
@pytest.mark.parametrize("share", [0.0, 0.05, 0.1])
@pytest.mark.parametrize("spread", [False, True])
def test_levels_at_their_tolerance_have_small_p_values_as_rarely_as_they_say(
    sizes, n_levels, share, spread
) -> None:
    rng = np.random.default_rng(2)
    before = zipf(n_levels)
    now = moved(before, share, spread=spread)
    pairs = zip(
        rng.multinomial(sizes[0], before, N_TRIALS // 3),
        rng.multinomial(sizes[1], now, N_TRIALS // 3),
        strict=True,
    )

    p_values = np.array([levels_p_value(*pair, share) for pair in pairs])

    for level in (0.05, 0.02):
        most = stats.binom.ppf(0.9995, len(p_values), 1.1 * level)
        assert (p_values <= level).sum() <= most


@pytest.mark.parametrize("sizes", [(10_000, 1_000), (500, 100)])
@pytest.mark.parametrize("share", [0.0, 0.05, 0.2])
def test_numbers_at_their_tolerance_have_small_p_values_as_rarely_as_they_say(
    sizes, share
) -> None:
    # Outputs move from one end to the other: no change of this size moves ranks further.
    rng = np.random.default_rng(3)
    before = np.full(20, 1 / 20)
    now = before.copy()
    n_ends = round(20 * share)
    now[:n_ends] = 0.0
    now[20 - 1] += share

    p_values = np.array(
        [
            rank_p_value(
                rng.multinomial(sizes[0], before),
                rng.multinomial(sizes[1], now),
                share * (1 - share / 2),
            )
            for _ in range(N_TRIALS)
        ]
    )

    for level in (0.05, 0.01):
        assert (p_values <= level).sum() <= stats.binom.ppf(0.9995, N_TRIALS, 1.1 * level)


@settings(max_examples=40)
@given(COUNTS, st.data(), st.sampled_from([0.0, 0.02, 0.1]), st.booleans())
def test_beyond_by_the_bound_and_by_the_p_value_are_the_same(
    expected, data, tolerance, ordered
) -> None:
    size = len(expected)
    observed = np.array(data.draw(st.lists(st.integers(0, 400), min_size=size, max_size=size)))
    test = MixTest(expected=expected, observed=observed, ordered=ordered)
    p = test.p_value(tolerance)

    assert 0 <= p <= 1
    assert test.lower_bound(tolerance, p * 1.01) >= tolerance or p == 1
    # A p-value below the smallest float is 0: no chance is smaller than it.
    assert p == 0 or test.lower_bound(tolerance, p * 0.99) <= tolerance


@settings(max_examples=40)
@given(COUNTS, st.data(), st.booleans())
def test_what_was_seen_is_never_rejected(expected, data, ordered) -> None:
    size = len(expected)
    observed = np.array(data.draw(st.lists(st.integers(0, 400), min_size=size, max_size=size)))
    if not (expected.any() and observed.any()):
        return
    distance = 0.5 * np.abs(expected / expected.sum() - observed / observed.sum()).sum()
    test = MixTest(expected=expected, observed=observed, ordered=ordered)

    assert test.lower_bound(0.05, 0.01) <= distance + 1e-9


@pytest.mark.parametrize("ordered", [False, True])
def test_a_change_beyond_the_tolerance_is_found_where_other_bounds_do_not_see_it(ordered) -> None:
    before = np.full(16, 1 / 16)
    expected = (before * 16_000).astype(np.int64)
    observed = (moved(before, 0.18, spread=True) * 1_600).astype(np.int64)

    p = MixTest(expected=expected, observed=observed, ordered=ordered).p_value(0.1)

    # The other one holds in samples of any size.
    assert p < 1e-3
    assert total_variation_p_value(expected, observed, 0.1, ordered=ordered) > 10 * p


def test_a_burst_of_a_rare_level_is_not_made_more_of_than_it_is() -> None:
    # 15 of 1,000 where about 5 were to be expected: far out, normal tails are too thin.
    expected, observed = np.array([9_950, 50]), np.array([985, 15])

    p = levels_p_value(expected, observed, 0.0)

    assert p >= 0.5 * stats.fisher_exact([expected, observed], alternative="greater").pvalue


def test_empty_samples_reject_nothing() -> None:
    some, none = np.array([50, 50]), np.array([0, 0])

    for pair in ((some, none), (none, some)):
        test = MixTest(expected=pair[0], observed=pair[1], ordered=True)
        assert test.p_value(0.05) == 1
        assert test.lower_bound(0.05, 0.01) == 0
