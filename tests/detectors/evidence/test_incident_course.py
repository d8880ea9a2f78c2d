"""Onset, magnitude and closing: the course of one incident."""

import json

import numpy as np
import pytest

from detectors.evidence.beta_binomial import Array, effective_share, log_likelihood_ratio
from detectors.evidence.closing import (
    CLOSING_RULE,
    log_evidence_of_return,
    start_closing,
)
from detectors.evidence.magnitude import MagnitudeState, magnitude_of, share_effect
from detectors.evidence.onset import Effect, OnsetState, onset_of, track
from detectors.evidence.rates import log_evidence_above
from detectors.evidence.shiryaev_roberts import EvidenceRule, EvidenceState, gather

NORMAL, HIGH = 0.02, 0.025


def no_effect(shape: tuple[int, int]) -> Effect:
    return Effect(value=np.zeros(shape), weight=np.zeros(shape), variance=np.zeros(shape))


def follow(log_e: list[float]) -> OnsetState:
    state = OnsetState.start(1, 1)
    for one in log_e:
        state = track(state, np.array([[one]]), no_effect((1, 1)))
    return state


def ago(state: OnsetState, learning: int = 0) -> tuple[int, int, int]:
    onset = onset_of(state, np.array([0]), learning=learning)
    return int(onset.windows_ago[0]), int(onset.earliest[0]), int(onset.latest[0])


def test_the_onset_is_where_the_cumulative_evidence_was_lowest() -> None:
    state = follow([-3, -3, -3, 4, 5, 6])

    assert ago(state) == (2, 2, 2)
    assert ago(state, learning=1) == (2, 3, 2)


def test_a_weak_beginning_widens_the_range_of_onsets() -> None:
    state = follow([-3, -3, 1.5, -2, 1, 6])

    assert ago(state) == (1, 3, 0)


def test_silence_does_not_make_an_old_onset_plausible() -> None:
    state = follow([-1, 0, 0, 0, 0, 8])

    assert ago(state) == (0, 0, 0)


def test_experts_that_disagree_widen_the_range() -> None:
    state = OnsetState.start(1, 2)
    for pair in [(-3, -3), (3, -3), (3, -3), (3, 8)]:
        state = track(state, np.array([pair], dtype=float), no_effect((1, 2)))

    onset = onset_of(state, np.array([0]))

    assert (onset.windows_ago[0], onset.earliest[0], onset.latest[0]) == (2, 2, 0)


def test_the_cusum_restarts_for_chosen_series_only() -> None:
    state = OnsetState.start(2, 1)
    state = track(state, np.array([[3.0], [3.0]]), no_effect((2, 1)))

    restarted = state.restarted(np.array([True, False]))

    assert restarted.take([0]) == OnsetState.start(1, 1)
    assert restarted.take([1]) == state.take([1])


def simulate(
    rng: np.random.Generator, rate: float, change: int, n_windows: int
) -> tuple[EvidenceState, OnsetState, Array, int]:
    n_series = 300
    state, onsets = EvidenceState.start(np.full(n_series, 14.0), 3), OnsetState.start(n_series, 3)
    opened = np.full(n_series, -1)
    lows, values = np.full(n_series, np.nan), np.full(n_series, np.nan)
    inside = 0
    for window in range(n_windows):
        totals = np.full(n_series, 1000)
        counts = rng.binomial(1000, rate if window >= change else NORMAL, n_series)
        log_e = log_evidence_above(counts, totals, np.full(n_series, HIGH), 0.0)
        gathered = gather(state, log_e, EvidenceRule(), leak=288.0)
        effect = share_effect(counts[:, None], totals[:, None], NORMAL, 1.0)
        onsets = track(onsets, gathered.capped, effect)
        state = gathered.state
        new = gathered.alarm & (opened < 0)
        opened[new] = window
        onset, magnitude = onset_of(onsets, gathered.expert), magnitude_of(onsets, gathered.expert)
        lows[new], values[new] = magnitude.low[new], magnitude.value[new]
        found = (window - onset.earliest <= change) & (change <= window - onset.latest)
        inside += int((found & new).sum())
    return state, onsets, np.stack([opened, lows, values]), inside


def test_onset_and_magnitude_are_right_when_the_alarm_comes() -> None:
    rng = np.random.default_rng(1)

    _, _, (opened, lows, values), inside = simulate(rng, 0.05, change=40, n_windows=80)

    assert np.all(opened >= 40)
    assert np.median(opened) <= 46
    assert inside / len(opened) >= 0.9
    assert abs(np.median(values) - 0.03) < 0.006
    assert (lows > 0.03).mean() <= 0.05


def test_the_magnitude_goes_on_while_the_incident_is_open() -> None:
    effect = share_effect(np.array([[50]]), np.array([[1000]]), NORMAL, 1.0)
    onsets = track(OnsetState.start(1, 1), np.array([[5.0]]), effect)
    expert = np.array([0])
    state = MagnitudeState.carried(onsets, expert)
    for _ in range(20):
        state = state.after(share_effect(np.array([50]), np.array([1000]), NORMAL, 1.0))

    assert np.isclose(state.magnitude().value[0], 0.03)
    assert state.magnitude().low[0] > magnitude_of(onsets, expert).low[0]
    assert MagnitudeState.from_json(json.loads(json.dumps(state.to_json()))) == state


def test_no_outputs_have_no_magnitude() -> None:
    effect = share_effect(np.array([[0]]), np.array([[0]]), NORMAL, 1.0)
    onsets = track(OnsetState.start(1, 1), np.array([[5.0]]), effect)

    magnitude = magnitude_of(onsets, np.array([0]))

    assert magnitude.value.tolist() == [0.0]
    assert magnitude.low.tolist() == [0.0]


def test_the_bound_is_wider_for_outputs_that_resemble_each_other() -> None:
    count, total = np.array([[50]]), np.array([[1000]])

    independent = share_effect(count, total, NORMAL, effective_share(total, 0.0))
    correlated = share_effect(count, total, NORMAL, effective_share(total, 0.01))

    assert np.isclose(correlated.variance / independent.variance, 1 + 999 * 0.01)


def close_after(rng: np.random.Generator, rates: list[float], n_series: int) -> Array:
    """Return after how many windows each incident is closed (0: not at all)."""
    state, when = start_closing(n_series), np.zeros(n_series)
    for window, rate in enumerate(rates):
        counts = rng.binomial(1000, rate, n_series)
        log_e = log_evidence_of_return(
            counts,
            np.full(n_series, 1000),
            np.full(n_series, NORMAL),
            np.full(n_series, HIGH),
            0.0,
        )
        gathered = gather(state, log_e, CLOSING_RULE)
        state = gathered.state
        when = np.where((when == 0) & gathered.alarm, window + 1, when)
    return when


def test_an_incident_closes_when_outputs_are_normal_again() -> None:
    when = close_after(np.random.default_rng(2), [NORMAL] * 150, 200)

    assert np.all(when >= 6)
    assert np.median(when) <= 60


def test_a_departure_that_lasts_is_rarely_closed() -> None:
    when = close_after(np.random.default_rng(3), [HIGH] * 200, 200)

    assert (when > 0).sum() <= 200 * 200 / 1000 + 3 * np.sqrt(40)


def test_no_outputs_never_close_an_incident() -> None:
    state = start_closing(1)
    for _ in range(50):
        log_e = log_evidence_of_return([0], [0], [NORMAL], [HIGH], 0.0)
        gathered = gather(state, log_e, CLOSING_RULE, seen=False)
        state = gathered.state

    assert gathered.log_r.tolist() == [-np.inf]


@pytest.mark.parametrize(("baseline", "bound"), [(0.1, 0.15), (0.1, 0.05)])
def test_evidence_of_return_is_against_the_side_of_the_bound(baseline, bound) -> None:
    normal = log_evidence_of_return([100], [1000], [baseline], [bound], 0.0)
    beyond = log_evidence_of_return([1000 * bound], [1000], [baseline], [bound], 0.0)

    assert normal.min() > 0
    assert beyond.max() < 0
    exact = log_likelihood_ratio(100, 1000, baseline, bound, 0.0)
    assert np.isclose(normal[0, 2], exact)


def test_one_drift_opens_once_and_closes_once() -> None:
    rng = np.random.default_rng(4)
    state, closing = EvidenceState.start([np.log(1.7e6)], 3), start_closing(1)
    is_open, story = False, []
    for window in range(500):
        counts = rng.binomial(1000, 0.06 if 150 <= window < 300 else NORMAL, 1)
        if is_open:
            log_e = log_evidence_of_return(counts, [1000], [NORMAL], [HIGH], 0.0)
            gathered = gather(closing, log_e, CLOSING_RULE)
            closing = gathered.state
        else:
            log_e = log_evidence_above(counts, [1000], [HIGH], 0.0)
            gathered = gather(state, log_e, EvidenceRule(), leak=288.0)
            state = gathered.state
        if gathered.alarm[0]:
            is_open = not is_open
            story.append(window)

    assert len(story) == 2
    assert 150 < story[0] <= 156
    assert 300 < story[1] <= 360
