import dataclasses

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from detectors.evidence.beta_binomial import Array
from detectors.evidence.shiryaev_roberts import EvidenceRule, EvidenceState, gather
from detectors.evidence.total_variation import (
    Learned,
    clipped_likelihood_ratio,
    learn,
    log_evidence,
    place_bets,
    smoothed_shares,
)


def distribution(rng: np.random.Generator, n_bins: int) -> Array:
    return rng.dirichlet(np.full(n_bins, rng.choice([0.3, 1.0, 5.0])))


def inside_ball(rng: np.random.Generator, centre: Array, radius: float) -> Array:
    """Return a distribution within total variation `radius` of `centre`, often at its edge."""
    other = distribution(rng, len(centre))
    if rng.random() < 0.5:  # a single bin takes all
        other = np.eye(len(centre))[rng.integers(len(centre))]
    distance = 0.5 * np.abs(other - centre).sum()
    share = min(1.0, radius / distance) * rng.choice([1.0, 1.0, rng.random()])
    return centre + share * (other - centre)


def stream(
    rng: np.random.Generator, shares: Array, size: int, n_windows: int, correlation: float = 0.0
) -> npt.NDArray[np.int64]:
    if correlation == 0:
        return rng.multinomial(size, shares, n_windows)
    drawn = rng.dirichlet(shares * (1 / correlation - 1), n_windows)
    return np.stack([rng.multinomial(size, one) for one in drawn])


def run(
    windows: npt.NDArray[np.int64], baseline: Array, tolerance: float, correlation: float = 0.0
) -> Array:
    """Return ln R after each window, of one series."""
    learned = Learned.nothing(1, windows.shape[1])
    state = EvidenceState.start([1e9], 3)
    values = []
    for counts in windows[:, None, :]:
        bets = place_bets(learned, baseline[None], tolerance)
        gathered = gather(state, log_evidence(bets, counts, correlation), EvidenceRule())
        learned = learn(learned, counts, baseline[None], correlation, counts.sum())
        state = gathered.state
        values.append(gathered.log_r[0])
    return np.array(values)


@pytest.mark.parametrize("n_bins", [2, 5, 16])
def test_the_clipped_ratio_has_mean_at_most_one_in_the_whole_ball(n_bins) -> None:
    rng = np.random.default_rng(n_bins)
    for _ in range(300):
        baseline = distribution(rng, n_bins) * 0.98 + 0.02 / n_bins
        alternative = distribution(rng, n_bins) * 0.98 + 0.02 / n_bins
        tolerance = rng.choice([0.01, 0.05, 0.2, 0.5])

        e_value = clipped_likelihood_ratio(alternative, baseline, tolerance)

        inside = np.stack([inside_ball(rng, baseline, tolerance) for _ in range(20)])
        assert (inside @ e_value).max() <= 1 + 1e-12


@pytest.mark.parametrize("n_bins", [2, 5, 16])
def test_nobody_bets_on_what_is_tolerated(n_bins) -> None:
    rng = np.random.default_rng(100 + n_bins)
    for _ in range(200):
        baseline = distribution(rng, n_bins) * 0.98 + 0.02 / n_bins
        alternative = distribution(rng, n_bins) * 0.98 + 0.02 / n_bins
        distance = 0.5 * np.abs(alternative - baseline).sum()

        tolerated = clipped_likelihood_ratio(alternative, baseline, distance + 1e-9)
        too_far = clipped_likelihood_ratio(alternative, baseline, distance * 0.9)

        assert np.allclose(tolerated, 1, atol=1e-7)
        assert not np.allclose(too_far, 1, atol=1e-7)


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 2**32 - 1), st.sampled_from([0.02, 0.05, 0.2]), st.sampled_from([0.0, 0.004])
)
def test_a_witness_has_mean_at_most_one_in_the_whole_ball(seed, tolerance, correlation) -> None:
    rng = np.random.default_rng(seed)
    baseline = distribution(rng, 8) * 0.98 + 0.02 / 8
    seen = rng.multinomial(500, distribution(rng, 8))[None]
    learned = learn(Learned.nothing(1, 8), seen, baseline[None], correlation, 500.0)
    bets = place_bets(learned, baseline[None], tolerance)
    total = 120
    ratio = log_evidence(bets, np.zeros((1, 8), dtype=np.int64), correlation)

    assert np.array_equal(ratio, np.zeros((1, 3)))
    for _ in range(20):
        share = float(inside_ball(rng, baseline, tolerance)[bets.witness[0, 0]].sum())
        if not bets.placed[0, 0]:
            break
        inside = np.arange(total + 1)
        counts = np.zeros((total + 1, 8), dtype=np.int64)
        counts[:, int(bets.witness[0, 0].argmax())] = inside
        counts[:, int((~bets.witness[0, 0]).argmax())] = total - inside
        repeated = dataclasses.replace(
            bets,
            **{
                name: np.repeat(getattr(bets, name), total + 1, axis=0)
                for name in ("witness", "share", "baseline", "bound")
            },
        )
        values = log_evidence(repeated, counts, correlation)[:, 0]
        if correlation == 0:
            weights = stats.binom.pmf(inside, total, share)
        else:
            s = 1 / correlation - 1
            weights = stats.betabinom.pmf(inside, total, share * s, (1 - share) * s)
        assert special.logsumexp(values, b=weights) <= 1e-8


def test_the_window_cannot_change_the_bets_on_itself() -> None:
    rng = np.random.default_rng(0)
    baseline = smoothed_shares(rng.multinomial(10_000, distribution(rng, 16)))[None]
    learned = learn(
        Learned.nothing(1, 16),
        rng.multinomial(900, distribution(rng, 16))[None],
        baseline,
        0.001,
        900.0,
    )
    bets = place_bets(learned, baseline, 0.05)
    before = {name: getattr(bets, name).copy() for name in ("witness", "share", "bound")}

    for _ in range(5):
        window = rng.permutation(rng.multinomial(1000, distribution(rng, 16)))[None]
        log_evidence(bets, window, 0.001)
        learn(learned, window, baseline, 0.001, 900.0)

    again = place_bets(learned, baseline, 0.05)
    assert all(np.array_equal(before[name], getattr(again, name)) for name in before)


def test_the_first_window_is_only_learned_from() -> None:
    baseline = smoothed_shares(np.array([500, 500, 500]))[None]

    bets = place_bets(Learned.nothing(1, 3), baseline, 0.05)

    assert not bets.placed.any()
    assert np.array_equal(log_evidence(bets, np.array([[900, 5, 5]]), 0.0), np.zeros((1, 3)))


@pytest.mark.parametrize(("moved", "most"), [(0.10, 12), (0.20, 3), (0.24, 2)])
def test_a_change_is_found_in_few_windows(moved, most) -> None:
    rng = np.random.default_rng(5)
    baseline = np.full(16, 1 / 16)
    shifted = baseline + moved / 4 * np.repeat([-1, 0, 1], [4, 8, 4])
    delays = []
    for _ in range(21):
        log_r = run(stream(rng, shifted, 1000, 30), baseline, 0.05)
        beyond = log_r >= np.log(1.728e6)
        delays.append(int(beyond.argmax()) + 1 if beyond.any() else 99)

    assert np.median(delays) <= most


def test_the_delay_grows_with_the_tolerance() -> None:
    rng = np.random.default_rng(7)
    baseline = np.full(16, 1 / 16)
    shifted = baseline + 0.15 / 4 * np.repeat([-1, 0, 1], [4, 8, 4])
    windows = stream(rng, shifted, 1000, 60)

    delays = [
        int((run(windows, baseline, tolerance) >= np.log(1.728e6)).argmax()) + 1
        for tolerance in (0.02, 0.05, 0.08, 0.12)
    ]

    assert delays == sorted(delays)
    assert delays[0] <= 3
    assert delays[-1] > delays[1]


def test_evidence_is_less_when_events_resemble_each_other() -> None:
    rng = np.random.default_rng(8)
    baseline = np.full(16, 1 / 16)
    shifted = baseline + 0.2 / 4 * np.repeat([-1, 0, 1], [4, 8, 4])
    windows = stream(rng, shifted, 1000, 4)

    final = [run(windows, baseline, 0.05, rho)[-1] for rho in (0.0, 0.001, 0.005, 0.02)]

    assert final == sorted(final, reverse=True)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_bins_and_shards_changes_no_bit(seed) -> None:
    rng = np.random.default_rng(seed)
    reference = rng.multinomial(10_000, distribution(rng, 16))
    windows = stream(rng, distribution(rng, 16), 700, 8)
    order = rng.permutation(16)
    part = rng.binomial(windows, 0.3)
    shards = np.stack([part, windows - part])

    straight = run(windows, smoothed_shares(reference), 0.05, 0.001)
    permuted = run(windows[:, order], smoothed_shares(reference[order]), 0.05, 0.001)
    merged = run(shards.sum(axis=0), smoothed_shares(reference), 0.05, 0.001)

    assert np.array_equal(straight, permuted)
    assert np.array_equal(straight, merged)


def test_bins_that_a_series_does_not_have_change_nothing() -> None:
    rng = np.random.default_rng(3)
    reference = rng.multinomial(10_000, distribution(rng, 8))
    windows = stream(rng, distribution(rng, 8), 700, 6)
    exists = np.arange(12) < 8
    wider = np.pad(windows, ((0, 0), (0, 4)))

    narrow = run(windows, smoothed_shares(reference), 0.05)
    padded = run(wider, smoothed_shares(np.pad(reference, (0, 4)), exists), 0.05)

    assert np.allclose(narrow, padded, rtol=1e-12)


def test_an_empty_window_teaches_nothing() -> None:
    rng = np.random.default_rng(4)
    baseline = np.full((1, 5), 0.2)
    learned = learn(
        Learned.nothing(1, 5), rng.multinomial(100, baseline[0])[None], baseline, 0.0, 100.0
    )

    after = learn(learned, np.zeros((1, 5), dtype=np.int64), baseline, 0.0, 100.0)

    assert after == learned


def test_learning_survives_a_restart_to_the_last_bit() -> None:
    rng = np.random.default_rng(6)
    baseline = np.full((2, 5), 0.2)
    learned = learn(
        Learned.nothing(2, 5), rng.multinomial(100, baseline[0], 2), baseline, 0.001, 90.0
    )

    restored = Learned.from_json(learned.to_json())

    assert restored == learned
    assert restored != Learned.nothing(2, 5)
