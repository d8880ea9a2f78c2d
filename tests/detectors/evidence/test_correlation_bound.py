"""With few windows the correlation is bounded from above, with many it is the estimate."""

import numpy as np
import pytest

from detectors.evidence.calibration import set_correlation
from detectors.evidence.correlation_bound import (
    FEW_WINDOWS,
    distribution_correlation_bound,
    gap_correlation_bound,
    set_correlation_bound,
    understated,
)

N_SERIES = 400


def beta_counts(
    rng: np.random.Generator, rate: float, correlation: float, totals: np.ndarray
) -> np.ndarray:
    s = 1 / correlation - 1
    return rng.binomial(totals, rng.beta(rate * s, (1 - rate) * s, totals.shape))


@pytest.mark.parametrize("n_windows", [8, 14, 22])
@pytest.mark.parametrize("correlation", [0.002, 0.05])
def test_the_bound_is_too_low_as_seldom_as_it_says(n_windows, correlation) -> None:
    rng = np.random.default_rng([n_windows, 1])
    totals = rng.integers(300, 1500, (N_SERIES, n_windows))
    counts = beta_counts(rng, 0.3, correlation, totals)

    bounds = np.array(
        [
            set_correlation_bound(x, n, x.sum() / n.sum())
            for x, n in zip(counts, totals, strict=True)
        ]
    )

    accepted = understated(n_windows)
    spread = np.sqrt(accepted * (1 - accepted) / N_SERIES)
    assert abs((bounds < correlation).mean() - accepted) < 0.03 + 3 * spread


def test_the_estimate_itself_is_too_low_far_more_often() -> None:
    rng = np.random.default_rng(2)
    totals = np.full((N_SERIES, 8), 1_000)
    counts = beta_counts(rng, 0.1, 0.05, totals)

    estimates = np.array(
        [set_correlation(x, n, x.sum() / n.sum()) for x, n in zip(counts, totals, strict=True)]
    )

    assert (estimates < 0.05).mean() > 0.5


def test_the_bound_meets_the_estimate_where_windows_stop_being_few() -> None:
    rng = np.random.default_rng(3)
    totals = np.full(FEW_WINDOWS - 1, 1_000)
    counts = beta_counts(rng, 0.2, 0.02, totals)
    share = counts.sum() / totals.sum()

    bound = set_correlation_bound(counts, totals, share)

    assert bound == pytest.approx(float(set_correlation(counts, totals, share)), rel=0.1)


def test_many_windows_and_single_ones_have_no_bound() -> None:
    totals = np.full(FEW_WINDOWS, 1_000)
    counts = np.where(np.arange(FEW_WINDOWS) % 2, 50, 150)

    assert set_correlation_bound(counts[:8], totals[:8], 0.1) > 0
    assert set_correlation_bound(counts, totals, 0.1) == 0
    assert set_correlation_bound(counts[:1], totals[:1], 0.1) == 0


def test_empty_windows_change_nothing() -> None:
    rng = np.random.default_rng(4)
    totals = np.full((10, 3), 500)
    counts = rng.multinomial(500, [0.5, 0.3, 0.2], 10)
    hits = rng.binomial(totals, rng.beta(4, 6, totals.shape))

    with_one = [np.insert(one, 4, 0, axis=0) for one in (counts, hits, totals)]

    shares = np.array([0.5, 0.3, 0.2])
    assert distribution_correlation_bound(with_one[0], shares) == pytest.approx(
        distribution_correlation_bound(counts, shares)
    )
    assert gap_correlation_bound(with_one[1], with_one[2]) == pytest.approx(
        gap_correlation_bound(hits, totals)
    )


def test_the_bound_of_a_mix_is_too_low_seldom() -> None:
    rng = np.random.default_rng(5)
    shares, correlation = np.arange(1, 13) / 78, 0.02
    drawn = rng.dirichlet(shares * (1 / correlation - 1), (N_SERIES, 8))
    counts = rng.multinomial(1_000, drawn)

    bounds = [distribution_correlation_bound(one, one.sum(axis=0) / 8_000) for one in counts]

    assert (np.array(bounds) < correlation).mean() < 0.15
    assert np.median(bounds) < 2 * correlation


@pytest.mark.parametrize("sizes", [(300, 700), (500, 300, 50)])
def test_the_bound_of_gaps_is_too_low_seldom_and_small_groups_do_not_blow_it_up(sizes) -> None:
    rng = np.random.default_rng(6)
    correlation = 0.02
    totals = np.broadcast_to(np.array(sizes), (N_SERIES, 8, len(sizes)))
    hits = beta_counts(rng, 0.4, correlation, totals)

    bounds = [gap_correlation_bound(x, n) for x, n in zip(hits, totals, strict=True)]

    assert (np.array(bounds) < correlation).mean() < 0.12
    assert np.median(bounds) < 5 * correlation


def test_what_groups_do_together_is_not_in_the_bound_of_gaps() -> None:
    rng = np.random.default_rng(7)
    totals = np.full((8, 2), 500)
    common = rng.uniform(0.2, 0.6, (8, 1))

    bound = gap_correlation_bound(rng.binomial(totals, common), totals)

    assert bound < 0.01
