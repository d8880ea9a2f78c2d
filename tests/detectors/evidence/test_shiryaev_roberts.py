import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.evidence.budget import log_thresholds
from detectors.evidence.rates import log_evidence_above
from detectors.evidence.shiryaev_roberts import (
    EvidenceRule,
    EvidenceState,
    gather,
    leak_windows,
    window_cap,
)
from detectors.evidence.total_variation import Learned, learn, log_evidence, place_bets
from detectors.evidence.two_group_gaps import GapLimit, two_sided_gap_evidence

UNCAPPED = EvidenceRule(min_windows=1)
BOUND = 0.025


def correlated_counts(
    rng: np.random.Generator, total: int, rate: float, correlation: float, size: int
) -> np.ndarray:
    if correlation == 0:
        return rng.binomial(total, rate, size)
    s = 1 / correlation - 1
    return rng.binomial(total, rng.beta(rate * s, (1 - rate) * s, size))


def rate_alarms(
    threshold: float,
    correlation: float,
    rule: EvidenceRule,
    leak: float,
    n_series: int,
    n_windows: int,
) -> int:
    """Return how many false alarms series make that sit exactly on their bound."""
    rng = np.random.default_rng(17)
    state = EvidenceState.start(np.full(n_series, np.log(threshold)), 3)
    totals, alarms = np.full(n_series, 1000), 0
    for _ in range(n_windows):
        counts = correlated_counts(rng, 1000, BOUND, correlation, n_series)
        log_e = log_evidence_above(counts, totals, np.full(n_series, BOUND), correlation)
        gathered = gather(state, log_e, rule, leak=leak)
        state, alarms = gathered.state, alarms + int(gathered.alarm.sum())
    return alarms


@pytest.mark.parametrize("threshold", [200, 2000])
@pytest.mark.parametrize("correlation", [0.0, 0.002])
@pytest.mark.parametrize(("min_windows", "leak"), [(1, np.inf), (2, np.inf), (2, 10.0)])
def test_false_alarms_stay_within_the_budget_on_the_bound_of_a_rate(
    threshold, correlation, min_windows, leak
) -> None:
    rule = EvidenceRule(min_windows=min_windows)

    alarms = rate_alarms(threshold, correlation, rule, leak, n_series=200, n_windows=600)

    allowed = 200 * 600 / threshold
    assert alarms <= allowed + 3 * np.sqrt(allowed)
    assert alarms > 0 or leak < np.inf


@pytest.mark.slow
@pytest.mark.parametrize("threshold", [200, 2000])
@pytest.mark.parametrize("correlation", [0.0, 0.002])
def test_false_alarms_stay_within_the_budget_for_long(threshold, correlation) -> None:
    alarms = rate_alarms(threshold, correlation, UNCAPPED, np.inf, n_series=400, n_windows=4000)

    allowed = 400 * 4000 / threshold
    assert 0 < alarms <= allowed + 3 * np.sqrt(allowed)


@pytest.mark.parametrize("correlation", [0.0, 0.002])
def test_false_alarms_stay_within_the_budget_on_the_bound_of_a_distribution(correlation) -> None:
    rng = np.random.default_rng(3)
    n_series, n_windows, threshold = 200, 300, 200
    baseline = np.full((n_series, 16), 1 / 16)
    moved = baseline[0] + 0.05 / 4 * np.repeat([-1, 0, 1], [4, 8, 4])
    learned = Learned.nothing(n_series, 16)
    state = EvidenceState.start(np.full(n_series, np.log(threshold)), 3)
    alarms = 0
    for _ in range(n_windows):
        shares = rng.dirichlet(moved * (1 / correlation - 1), n_series) if correlation else moved
        counts = rng.multinomial(1000, shares, None if correlation else n_series)
        bets = place_bets(learned, baseline, 0.05)
        gathered = gather(state, log_evidence(bets, counts, correlation), UNCAPPED)
        learned = learn(learned, counts, baseline, correlation, 700.0)
        state, alarms = gathered.state, alarms + int(gathered.alarm.sum())

    allowed = n_series * n_windows / threshold
    assert 0 < alarms <= allowed + 3 * np.sqrt(allowed)


def test_false_alarms_stay_within_the_budget_on_the_bound_of_a_gap() -> None:
    rng = np.random.default_rng(4)
    n_series, n_windows, threshold = 200, 300, 200
    totals = np.full(n_series, 300), np.full(n_series, 700)
    state = EvidenceState.start(np.full(n_series, np.log(threshold)), 6)
    alarms = 0
    for _ in range(n_windows):
        base = rng.uniform(0.2, 0.6)
        counts = rng.binomial(300, base + 0.05, n_series), rng.binomial(700, base, n_series)
        log_e = two_sided_gap_evidence(
            counts, totals, np.full(n_series, 0.4), GapLimit.difference(0.05), [0.03, 0.08, 0.2]
        )
        gathered = gather(state, log_e, UNCAPPED)
        state, alarms = gathered.state, alarms + int(gathered.alarm.sum())

    allowed = n_series * n_windows / threshold
    assert 0 < alarms <= allowed + 3 * np.sqrt(allowed)


def test_the_product_of_e_values_rarely_reaches_a_level() -> None:
    rng = np.random.default_rng(5)
    log_e, highest = np.zeros(4000), np.zeros(4000)
    for _ in range(400):
        counts = rng.binomial(200, BOUND, 4000)
        values = log_evidence_above(counts, np.full(4000, 200), np.full(4000, BOUND), 0.0)
        log_e += values[:, 0]
        highest = np.maximum(highest, log_e)

    for level in (10, 20, 100):
        reached = (highest >= np.log(level)).mean()
        assert 0 < reached <= 1 / level + 3 * np.sqrt(1 / level / 4000)


def test_the_recursion_is_the_sum_over_all_onsets() -> None:
    rng = np.random.default_rng(6)
    log_e = rng.normal(0, 0.5, (12, 1))
    state = EvidenceState.start([1e6], 1)
    for one in log_e:
        state = gather(state, one[None], UNCAPPED, leak=20.0).state

    onsets = [np.exp((log_e[start:, 0] - 1 / 20).sum()) for start in range(12)]

    assert np.isclose(np.exp(state.merged[0]), np.sum(onsets))


def test_evidence_is_the_mean_over_experts() -> None:
    state = EvidenceState.start([np.log(50.0)], 2)

    gathered = gather(state, np.array([[np.log(10), np.log(2)]]), UNCAPPED)

    assert np.isclose(np.exp(gathered.log_r[0]), 6)
    assert gathered.expert.tolist() == [0]


@pytest.mark.parametrize("min_windows", [1, 2, 3])
@pytest.mark.parametrize("leak", [np.inf, 50.0])
def test_overwhelming_evidence_of_one_expert_alarms_in_exactly_the_least_windows(
    min_windows, leak
) -> None:
    state = EvidenceState.start([np.log(1e6)], 3)
    rule = EvidenceRule(min_windows=min_windows)
    alarms = []
    for _ in range(min_windows):
        gathered = gather(state, np.array([[900.0, -900.0, -900.0]]), rule, leak=leak)
        state = gathered.state
        alarms.append(bool(gathered.alarm[0]))

    assert alarms == [False] * (min_windows - 1) + [True]
    assert state == EvidenceState.start([np.log(1e6)], 3)


def test_an_alarm_waits_for_the_least_age() -> None:
    state = EvidenceState.start([np.log(10.0)], 1)
    rule = EvidenceRule(min_windows=1, least_age=3)
    alarms = []
    for _ in range(3):
        gathered = gather(state, np.array([[5.0]]), rule)
        state = gathered.state
        alarms.append(bool(gathered.alarm[0]))

    assert alarms == [False, False, True]


def test_an_empty_window_only_leaks() -> None:
    state = gather(EvidenceState.start([20.0, 20.0], 2), np.ones((2, 2)), UNCAPPED, leak=10).state

    after = gather(state, np.zeros((2, 2)), UNCAPPED, leak=10, seen=np.array([False, True])).state

    assert np.allclose(after.log_r[0], state.log_r[0] - 0.1)
    assert np.all(after.log_r[1] > state.log_r[1])
    assert after.age.tolist() == [1, 2]


def test_empty_windows_from_the_start_are_not_nan() -> None:
    state = EvidenceState.start([10.0], 3)
    for _ in range(3):
        gathered = gather(state, np.zeros((1, 3)), UNCAPPED, leak=10, seen=False)
        state = gathered.state

    assert gathered.log_r.tolist() == [-np.inf]
    assert not gathered.alarm.any()


def test_e_values_of_zero_end_an_expert_not_the_series() -> None:
    state = gather(EvidenceState.start([10.0], 2), np.array([[2.0, 2.0]]), UNCAPPED).state

    gathered = gather(state, np.array([[-np.inf, 1.0]]), UNCAPPED)

    assert gathered.state.log_r[0, 0] == -np.inf
    assert np.isfinite(gathered.log_r[0])


def test_waiting_alone_never_looks_like_evidence() -> None:
    thresholds = np.log([50.0, 1000.0, 1e6])
    leak = leak_windows([288, 288, 288], thresholds)
    state = EvidenceState.start(thresholds, 1)
    for _ in range(3000):
        state = gather(state, np.zeros((3, 1)), UNCAPPED, leak=leak).state

    assert np.all(state.merged < thresholds - 2)
    assert np.allclose(leak, [2.5, 50.0, 288.0])


def test_changed_thresholds_keep_the_share_of_the_budget() -> None:
    state = gather(EvidenceState.start([5.0, 5.0], 1), np.full((2, 1), 2.0), UNCAPPED).state
    share = state.merged - 5.0

    moved = gather(
        state, np.zeros((2, 1)), UNCAPPED, log_threshold=[4.0, 7.0], seen=np.array([False, False])
    ).state

    assert np.allclose(moved.merged - [4.0, 7.0], share)
    assert moved.log_threshold.tolist() == [4.0, 7.0]


def test_the_budget_holds_while_thresholds_change() -> None:
    rng = np.random.default_rng(8)
    n_series, alarms, allowed = 200, 0, 0.0
    state = EvidenceState.start(np.full(n_series, np.log(200)), 3)
    for window in range(400):
        threshold = 400.0 if (window // 10) % 2 else 100.0
        counts = rng.binomial(1000, BOUND, n_series)
        log_e = log_evidence_above(counts, np.full(n_series, 1000), np.full(n_series, BOUND), 0.0)
        gathered = gather(
            state, log_e, UNCAPPED, log_threshold=np.full(n_series, np.log(threshold))
        )
        state, alarms = gathered.state, alarms + int(gathered.alarm.sum())
        allowed += n_series / threshold

    assert 0 < alarms <= allowed + 3 * np.sqrt(allowed)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 9))
def test_a_restart_in_mid_stream_changes_nothing(seed, cut) -> None:
    rng = np.random.default_rng(seed)
    windows = rng.normal(0, 2, (10, 3, 2))
    start = EvidenceState.start(log_thresholds([500] * 3, 1.0), 2)
    rule = EvidenceRule()

    straight = restarted = start
    for window, log_e in enumerate(windows):
        if window == cut:
            restarted = EvidenceState.from_json(json.loads(json.dumps(restarted.to_json())))
        straight = gather(straight, log_e, rule, leak=30.0).state
        restarted = gather(restarted, log_e, rule, leak=30.0).state

    assert straight == restarted
    assert straight != start


def test_series_appear_and_go_without_touching_the_others() -> None:
    rng = np.random.default_rng(9)
    state = gather(EvidenceState.start([9.0, 9.0], 2), rng.normal(size=(2, 2)), UNCAPPED).state

    grown = state.joined(EvidenceState.start([9.0], 2))

    assert grown.take([0, 1]) == state
    assert grown.take([2]) == EvidenceState.start([9.0], 2)


@pytest.mark.parametrize("k", [1, 2, 5])
def test_the_cap_times_the_least_windows_is_the_threshold(k) -> None:
    cap = window_cap(7.0, 4, 100.0, k)

    assert np.isclose(k * (cap - 1 / 100), 7.0 + np.log(4))


def test_states_are_read_only() -> None:
    state = EvidenceState.start([9.0], 2)

    with pytest.raises(ValueError, match="read-only"):
        state.log_r[0, 0] = 1.0
