"""Streams as logs have them: daily rhythm, slow wobble, clumps of like events, bursts."""

import numpy as np
import pytest
from scipy import special

from detectors.evidence.beta_binomial import Array, effective_share
from detectors.evidence.budget import log_thresholds
from detectors.evidence.calibration import (
    attainable_tolerance,
    distribution_correlation,
    set_correlation,
)
from detectors.evidence.rates import log_evidence_above, log_evidence_below, rate_bounds
from detectors.evidence.seasonal import cell_of, seasonal_shares
from detectors.evidence.shiryaev_roberts import EvidenceRule, EvidenceState, gather, leak_windows
from detectors.evidence.total_variation import (
    Learned,
    learn,
    log_evidence,
    place_bets,
)

DAY = 288
BASELINE_DAYS = 14
EDGES = special.ndtri(np.arange(1, 16) / 16)
CORRELATION = 0.001
PER_MONTH = 30 * DAY


def starts(n_windows: int) -> np.ndarray:
    return np.arange(n_windows, dtype=np.int64) * 300_000_000


def wobble(rng: np.random.Generator, n_windows: int, n_series: int, size: float) -> Array:
    """Return an autoregression of order 1 with standard deviation `size`."""
    values = np.zeros((n_windows, n_series))
    noise = rng.normal(0, size * np.sqrt(1 - 0.9**2), (n_windows, n_series))
    for window in range(1, n_windows):
        values[window] = 0.9 * values[window - 1] + noise[window]
    return values


def rhythm(n_windows: int) -> Array:
    """Return the time of day as a sine, dampened at weekends, of shape (n_windows, 1)."""
    hour = np.arange(n_windows) % DAY / DAY
    weekend = cell_of(starts(n_windows)) >= 24
    return (np.sin(2 * np.pi * hour) * np.where(weekend, 0.5, 1.0))[:, None]


def traffic(rng: np.random.Generator, n_windows: int, n_series: int) -> np.ndarray:
    mean = 830 + 770 * rhythm(n_windows)
    return rng.poisson(np.maximum(mean, 60), (n_windows, n_series))


def numeric_windows(
    rng: np.random.Generator, n_windows: int, n_series: int, shift: float = 0.0
) -> np.ndarray:
    """Return counts on 16 bins, of shape (n_windows, n_series, 16)."""
    centre = shift + 0.1 * rhythm(n_windows) + wobble(rng, n_windows, n_series, 0.03)
    burst = rng.random((n_windows, n_series)) < 0.001
    below = special.ndtr(EDGES - (centre + burst)[..., None])
    shares = np.diff(below, axis=-1, prepend=0.0, append=1.0)
    drawn = rng.standard_gamma(shares * (1 / CORRELATION - 1))
    return rng.multinomial(
        traffic(rng, n_windows, n_series), drawn / drawn.sum(axis=-1, keepdims=True)
    )


def numeric_alarms(baseline: np.ndarray, later: np.ndarray) -> np.ndarray:
    """Return which windows raise an alarm in which series, for one incident a month."""
    n_baseline, n_series, n_bins = baseline.shape
    seasonal = seasonal_shares(baseline, cell_of(starts(n_baseline)))
    shares = seasonal.at(starts(n_baseline + len(later)))
    rho = distribution_correlation(baseline, shares[:n_baseline], ordered=True)
    tolerance = attainable_tolerance(0.05, n_bins, int(baseline.sum() / n_series))
    threshold = log_thresholds([PER_MONTH] * n_series, 1.0)
    usual = baseline.sum(axis=-1).mean(axis=0)
    state, learned = EvidenceState.start(threshold, 3), Learned.nothing(n_series, n_bins)
    alarms = np.zeros(later.shape[:2], dtype=bool)
    for window, counts in enumerate(later):
        now = shares[n_baseline + window]
        log_e = log_evidence(place_bets(learned, now, tolerance), counts, rho)
        gathered = gather(
            state, log_e, EvidenceRule(min_windows=1), leak=leak_windows(DAY, threshold)
        )
        learned = learn(learned, counts, now, rho, usual * effective_share(usual, rho))
        state, alarms[window] = gathered.state, gathered.alarm
    return alarms


def rate_alarms(factor: float, n_later: int, n_series: int) -> np.ndarray:
    rng = np.random.default_rng(2)
    n_baseline = BASELINE_DAYS * DAY
    n_windows = n_baseline + n_later
    odds = np.log(0.02 / 0.98) + 0.08 * rhythm(n_windows) + wobble(rng, n_windows, n_series, 0.05)
    rate = special.expit(odds)
    rate[n_baseline:] *= factor
    rate = np.where(rng.random(rate.shape) < 0.001, 0.1, rate)
    totals = traffic(rng, n_windows, n_series)
    s = 1 / CORRELATION - 1
    counts = rng.binomial(totals, rng.beta(rate * s, (1 - rate) * s))
    x, n = counts[:n_baseline], totals[:n_baseline]
    rho = set_correlation(x, n, x.sum(axis=0) / n.sum(axis=0))
    bounds = rate_bounds(
        x.sum(axis=0),
        n.sum(axis=0),
        ratio=1.25,
        correlation=rho,
        window_events=n.mean(axis=0),
    )
    threshold = log_thresholds([PER_MONTH] * n_series, 1.0)
    state = EvidenceState.start(threshold, 6)
    alarms = np.zeros((n_later, n_series), dtype=bool)
    for window in range(n_later):
        x, n = counts[n_baseline + window], totals[n_baseline + window]
        log_e = np.concatenate(
            [
                log_evidence_above(x, n, bounds.high, rho),
                log_evidence_below(x, n, bounds.low, rho),
            ],
            axis=1,
        )
        gathered = gather(state, log_e, EvidenceRule(), leak=leak_windows(DAY, threshold))
        state, alarms[window] = gathered.state, gathered.alarm
    return alarms


def delays(alarms: np.ndarray) -> np.ndarray:
    return np.where(alarms.any(axis=0), alarms.argmax(axis=0) + 1, 10_000)


@pytest.fixture(scope="module")
def baseline() -> np.ndarray:
    return numeric_windows(np.random.default_rng(1), BASELINE_DAYS * DAY, 30)


def test_an_unchanged_column_stays_quiet_in_spite_of_rhythm_wobble_and_bursts(baseline) -> None:
    later = numeric_windows(np.random.default_rng(3), 2 * DAY, 30)

    alarms = numeric_alarms(baseline, later)

    assert not alarms.any()


@pytest.mark.parametrize(("shift", "most"), [(0.25, 80), (0.5, 4), (1.0, 3)])
def test_a_changed_column_is_found(baseline, shift, most) -> None:
    later = numeric_windows(np.random.default_rng(4), 120, 30, shift)

    alarms = numeric_alarms(baseline, later)

    assert np.median(delays(alarms)) <= most


def test_an_unchanged_rate_stays_quiet() -> None:
    assert not rate_alarms(1.0, 2 * DAY, 30).any()


def test_a_slightly_changed_rate_stays_quiet() -> None:
    assert not rate_alarms(1.1, DAY, 30).any()


@pytest.mark.parametrize(("factor", "most"), [(2.0, 12), (4.0, 3)])
def test_a_changed_rate_is_found(factor, most) -> None:
    assert np.median(delays(rate_alarms(factor, 60, 30))) <= most


@pytest.mark.slow
def test_two_hundred_series_stay_quiet_for_weeks() -> None:
    numeric = 0
    for block in range(8):
        rng = np.random.default_rng(100 + block)
        numeric += int(
            numeric_alarms(
                numeric_windows(rng, BASELINE_DAYS * DAY, 25), numeric_windows(rng, 10 * DAY, 25)
            ).sum()
        )

    rates = int(rate_alarms(1.0, 30 * DAY, 200).sum())

    # One incident a month is allowed for 200 series; four would be rare by chance.
    assert numeric <= 4
    assert rates <= 4
