import numpy as np
import pytest

from detectors.evidence.calibration import (
    attainable_tolerance,
    distribution_correlation,
    gap_correlation,
    quiet_tolerance,
    set_correlation,
)
from detectors.evidence.seasonal import N_CELLS, cell_of, seasonal_shares
from detectors.evidence.total_variation import smoothed_shares


def beta_rates(
    rng: np.random.Generator, mean: float, correlation: float, size: tuple[int, ...]
) -> np.ndarray:
    s = 1 / correlation - 1
    return rng.beta(mean * s, (1 - mean) * s, size)


@pytest.mark.parametrize("correlation", [0.0005, 0.005, 0.05])
def test_the_correlation_of_a_set_is_found(correlation) -> None:
    rng = np.random.default_rng(0)
    totals = rng.integers(60, 1600, (2000, 20))
    counts = rng.binomial(totals, beta_rates(rng, 0.1, correlation, (2000, 20)))

    estimates = set_correlation(counts, totals, 0.1)

    assert abs(estimates.mean() / correlation - 1) < 0.1


def test_independent_events_have_next_to_no_correlation() -> None:
    rng = np.random.default_rng(1)
    totals = rng.integers(60, 1600, (300, 50))
    counts = rng.binomial(totals, 0.1)

    estimates = set_correlation(counts, totals, counts.sum(axis=0) / totals.sum(axis=0))

    assert estimates.mean() < 0.0002
    assert estimates.min() == 0


def test_empty_and_single_windows_have_no_correlation() -> None:
    counts = np.array([[5, 3], [0, 9], [0, 0]])
    totals = np.array([[10, 10], [0, 10], [0, 10]])

    estimates = set_correlation(counts, totals, 0.5)

    assert estimates[0] == 0
    assert estimates[1] > 0


@pytest.mark.parametrize("ordered", [True, False])
def test_the_correlation_of_a_distribution_is_that_of_its_worst_set(ordered) -> None:
    rng = np.random.default_rng(2)
    shares, correlation = np.array([0.4, 0.3, 0.2, 0.0995, 0.0005]), 0.004
    drawn = rng.dirichlet(shares * (1 / correlation - 1), 3000)
    counts = rng.multinomial(800, drawn)

    estimate = distribution_correlation(counts, shares, ordered=ordered)

    assert 0.9 * correlation < estimate < 1.35 * correlation


def test_series_are_calibrated_together_as_they_are_alone() -> None:
    rng = np.random.default_rng(3)
    counts = rng.multinomial(500, [0.5, 0.3, 0.2], (100, 4))
    shares = smoothed_shares(counts.sum(axis=0))

    together = distribution_correlation(counts, shares, ordered=True)

    alone = [distribution_correlation(counts[:, s], shares[s], ordered=True) for s in range(4)]
    assert np.allclose(together, alone)


def test_what_groups_do_together_is_not_correlation_of_the_gap() -> None:
    rng = np.random.default_rng(4)
    base = rng.uniform(0.35, 0.45, (3000, 1))
    totals = np.full((3000, 8), 300), np.full((3000, 8), 700)
    common = tuple(rng.binomial(n, base + g) for n, g in zip(totals, (0.03, 0.0), strict=True))

    estimates = gap_correlation(common, totals, (0.43, 0.4))

    assert estimates.max() < 0.0003


def test_the_correlation_of_a_gap_is_found() -> None:
    rng = np.random.default_rng(5)
    totals = np.full((4000, 6), 300), np.full((4000, 6), 700)
    counts = tuple(
        rng.binomial(n, beta_rates(rng, p, 0.003, (4000, 6)))
        for n, p in zip(totals, (0.43, 0.4), strict=True)
    )

    estimates = gap_correlation(counts, totals, (0.43, 0.4))

    assert abs(estimates.mean() / 0.003 - 1) < 0.1


def test_windows_without_a_group_are_left_out_of_the_gap() -> None:
    counts = np.array([[3], [0], [4]]), np.array([[5], [7], [6]])
    totals = np.array([[10], [0], [10]]), np.array([[20], [20], [20]])
    some = [0, 2]

    estimate = gap_correlation(counts, totals, (0.3, 0.3))

    expected = gap_correlation(
        (counts[0][some], counts[1][some]), (totals[0][some], totals[1][some]), (0.3, 0.3)
    )
    assert np.array_equal(estimate, expected)


def test_small_baselines_raise_the_tolerance() -> None:
    assert attainable_tolerance(0.05, 16, 100_000) == 0.05
    assert attainable_tolerance(0.05, 16, 2_000) > 0.07


def test_a_series_that_is_never_quiet_has_no_tolerance() -> None:
    assert quiet_tolerance(lambda _: 0.0, 10.0) == 1.0
    assert quiet_tolerance(lambda _: 20.0, 10.0) is None


def test_cells_are_hours_of_weekdays_and_weekends() -> None:
    day, hour = 86_400 * 10**6, 3600 * 10**6
    monday = 4 * day  # 1970-01-05
    starts = np.array([monday, monday + 23 * hour, monday + 5 * day, monday + 6 * day + 13 * hour])

    assert cell_of(starts).tolist() == [0, 23, 24, 37]
    assert cell_of(starts[1], utc_offset_seconds=3600) == 0
    assert cell_of(monday - hour) == 47
    assert set(cell_of(monday + np.arange(7 * 24) * hour).tolist()) == set(range(N_CELLS))


def test_cells_with_few_windows_have_the_shares_of_all() -> None:
    rng = np.random.default_rng(6)
    counts = rng.multinomial(1000, [0.7, 0.3], 59)
    cells = np.repeat([8, 9, 10], [20, 20, 19])
    counts[cells == 8] = [100, 900]

    seasonal = seasonal_shares(counts, cells)

    overall = smoothed_shares(counts.sum(axis=0))
    assert np.flatnonzero(seasonal.own).tolist() == [8, 9]
    assert seasonal.shares[8, 0] < 0.2
    assert np.array_equal(seasonal.shares[10], overall)
    assert np.array_equal(seasonal.at(8 * 3600 * 10**6), seasonal.shares[8])
    assert np.allclose(seasonal.shares.sum(axis=-1), 1)


def test_seasonal_shares_are_those_of_each_series() -> None:
    rng = np.random.default_rng(7)
    counts = rng.multinomial(1000, [0.7, 0.2, 0.1], (40, 3))
    cells = np.tile([0, 1], 20)

    together = seasonal_shares(counts, cells)

    assert np.array_equal(together.shares[:, 1], seasonal_shares(counts[:, 1], cells).shares)


def test_every_window_needs_a_cell() -> None:
    with pytest.raises(ValueError, match="every window needs one cell"):
        seasonal_shares(np.ones((3, 2), dtype=np.int64), np.zeros(2, dtype=np.int64))
