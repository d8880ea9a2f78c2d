import numpy as np
import pytest

from detectors.evidence.planning import (
    windows_for_distribution,
    windows_for_gap,
    windows_for_rate,
)
from detectors.evidence.rates import log_evidence_above
from detectors.evidence.shiryaev_roberts import EvidenceRule, EvidenceState, gather
from detectors.evidence.two_group_gaps import GapLimit, two_sided_gap_evidence

LOG_THRESHOLD = 14.36
N_SERIES = 100


def median_delay(evidence: list[np.ndarray]) -> float:
    n_experts = evidence[0].shape[1]
    state = EvidenceState.start(np.full(N_SERIES, LOG_THRESHOLD), n_experts)
    delays = np.full(N_SERIES, np.inf)
    for window, log_e in enumerate(evidence):
        gathered = gather(state, log_e, EvidenceRule(), leak=288.0)
        state = gathered.state
        delays = np.where(np.isinf(delays) & gathered.alarm, window + 1, delays)
    return float(np.median(delays))


@pytest.mark.parametrize("rate", [0.03, 0.04, 0.08])
def test_the_plan_for_a_rate_is_within_a_factor_of_two_of_simulation(rate) -> None:
    rng = np.random.default_rng(1)
    totals, high = np.full(N_SERIES, 1000), np.full(N_SERIES, 0.025)
    evidence = [
        log_evidence_above(rng.binomial(totals, rate), totals, high, 0.0) for _ in range(150)
    ]

    planned = float(windows_for_rate(rate, 0.025, 1000, LOG_THRESHOLD))

    assert 0.5 <= planned / median_delay(evidence) <= 2


@pytest.mark.parametrize("gap", [0.08, 0.12, 0.25])
def test_the_plan_for_a_gap_is_within_a_factor_of_two_of_simulation(gap) -> None:
    rng = np.random.default_rng(2)
    totals, limit = (np.full(N_SERIES, 300), np.full(N_SERIES, 700)), GapLimit.difference(0.05)
    rates = 0.4 + 0.7 * gap, 0.4 - 0.3 * gap
    evidence = [
        two_sided_gap_evidence(
            (rng.binomial(totals[0], rates[0]), rng.binomial(totals[1], rates[1])),
            totals,
            np.full(N_SERIES, 0.4),
            limit,
            [0.03, 0.08, 0.2],
        )
        for _ in range(150)
    ]

    planned = float(windows_for_gap(rates, (300, 700), limit, LOG_THRESHOLD))

    assert 0.5 <= planned / median_delay(evidence) <= 2


def test_what_is_tolerated_is_never_noticed() -> None:
    assert np.isinf(windows_for_distribution(0.05, 0.05, 1000, LOG_THRESHOLD))
    assert np.isinf(windows_for_rate(0.025, 0.025, 1000, LOG_THRESHOLD))
    assert np.isinf(
        windows_for_gap((0.42, 0.4), (300, 700), GapLimit.difference(0.05), LOG_THRESHOLD)
    )


def test_more_events_and_larger_changes_are_noticed_earlier() -> None:
    by_events = windows_for_distribution(0.1, 0.05, [100, 1000, 10_000], LOG_THRESHOLD)
    by_change = windows_for_distribution([0.06, 0.1, 0.3], 0.05, 500, LOG_THRESHOLD)

    assert np.all(np.diff(by_events) < 0)
    assert np.all(np.diff(by_change) < 0)
