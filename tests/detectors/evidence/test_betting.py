import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.evidence.betting import (
    NewtonBets,
    log_discordant_evidence,
    merged_sides,
    simple_payoff,
    tolerance_payoffs,
    tolerance_stake,
    weighted_payoff,
)

TRIALS = 20_000


def audit(
    rng: np.random.Generator, first: np.ndarray, second: np.ndarray, n_trials: int = TRIALS
) -> tuple[np.ndarray, np.ndarray]:
    """Bet on pairs until the wealth exceeds 100, as in the published figures.

    Returns the wealth after each pair, of shape (n_pairs, n_trials), standing still once it
    is above 100, and when each trial stopped (the number of pairs if never).
    """
    bets = NewtonBets.start(n_trials)
    wealth = np.empty((len(first), n_trials))
    stopped = np.zeros(n_trials, dtype=bool)
    when = np.full(n_trials, len(first))
    held = np.zeros(n_trials)
    for pair, (p, q) in enumerate(zip(first, second, strict=True)):
        payoff = simple_payoff(rng.random(n_trials) < p, rng.random(n_trials) < q)
        bets = bets.after(payoff)
        held = np.where(stopped, held, bets.log_wealth)
        now = ~stopped & (held > np.log(100))
        when[now] = pair + 1
        stopped |= now
        wealth[pair] = np.exp(held)
    return wealth, np.where(stopped, when, len(first) + 1)


FIGURE_1 = [
    (0.4, 0.9, {25: 62, 50: 121, 100: 125, 200: 125, 300: 125}, 1.0, 29),
    (0.7, 0.4, {25: 10.8, 50: 42, 100: 100, 200: 122, 300: 122}, 1.0, 71),
    (0.4, 0.55, {25: 2.4, 50: 5.9, 100: 17, 200: 46, 300: 71}, 0.561, 271),
    (0.4, 0.4, {25: 1.02, 50: 0.95, 100: 0.96, 200: 0.96, 300: 0.98}, 0.005, 300),
]


@pytest.mark.parametrize(("first", "second", "means", "rejected", "median"), FIGURE_1)
def test_the_first_figure_of_auditing_by_betting_is_reproduced(
    first, second, means, rejected, median
) -> None:
    rng = np.random.default_rng(1)

    wealth, when = audit(rng, np.full(300, first), np.full(300, second))

    for step, published in means.items():
        # The published code leaves out the first pair: its step t is the pair t - 1.
        at_step = wealth[step - 2]
        error = at_step.std() / np.sqrt(TRIALS)
        assert abs(at_step.mean() - published) <= 5 * error + 0.02 * published
    assert abs((when < 300).mean() - rejected) <= 0.015
    assert abs(np.median(np.minimum(when + 1, 300)) - median) <= 2


def test_the_second_figure_of_auditing_by_betting_is_reproduced() -> None:
    rng = np.random.default_rng(2)
    time = np.arange(1, 501)
    rising = 0.3 + 0.5 / (1 + np.exp(-(time - 250) / 25))
    second = np.where(time < 100, 0.3, np.where(time > 400, 0.8, rising))

    wealth, when = audit(rng, np.full(500, 0.3), second)

    for step, published in {200: 1.0, 250: 2.0, 300: 30, 350: 110}.items():
        at_step = wealth[step - 2]
        error = at_step.std() / np.sqrt(TRIALS)
        assert abs(at_step.mean() - published) <= 5 * error + 0.03 * published
    assert (when <= 500).mean() >= 0.998
    assert (when <= 200).mean() <= 0.005
    assert abs(np.median(when + 1) - 322) <= 2


def test_wealth_under_equal_means_rarely_grows_tenfold() -> None:
    rng = np.random.default_rng(3)
    bets, highest = NewtonBets.start(4000), np.zeros(4000)
    for step in range(600):
        drifting = 0.5 + 0.3 * np.sin(step / 50)
        bets = bets.after(simple_payoff(rng.random(4000) < drifting, rng.random(4000) < drifting))
        highest = np.maximum(highest, bets.log_wealth)

    for level in (10, 20, 100):
        assert (highest >= np.log(level)).mean() <= 1 / level + 3 * np.sqrt(1 / level / 4000)


@pytest.mark.parametrize(("gap", "expected"), [(0.1, False), (0.25, True)])
def test_a_tolerated_difference_is_rarely_rejected_and_a_larger_one_is(gap, expected) -> None:
    rng = np.random.default_rng(4)
    bets, highest = NewtonBets.start(1500, 2), np.zeros(1500)
    for _ in range(800):
        payoffs = tolerance_payoffs(rng.random(1500) < 0.4, rng.random(1500) < 0.4 + gap, 0.1)
        bets = bets.after(payoffs, least=0.0, most=tolerance_stake(0.1))
        highest = np.maximum(highest, merged_sides(bets))

    rejected = (highest >= np.log(20)).mean()
    assert rejected > 0.8 if expected else rejected <= 0.05 + 3 * np.sqrt(0.05 / 1500)


def test_weighted_samples_are_judged_by_the_target_means() -> None:
    rng = np.random.default_rng(5)
    fair, unfair = NewtonBets.start(1500), NewtonBets.start(1500)
    for step in range(600):
        chance = 0.9 if step % 2 else 0.3
        first = [(rng.random(1500) < p) & (rng.random(1500) < chance) for p in (0.5, 0.5)]
        weights = np.full(1500, 1 / chance)
        other = rng.random(1500) < 0.5
        third = (rng.random(1500) < 0.9) & (rng.random(1500) < chance)
        fair = fair.after(weighted_payoff((first[0], weights), (other, 1.0), 1 / chance))
        unfair = unfair.after(weighted_payoff((third, weights), (other, 1.0), 1 / chance))

    assert (fair.log_wealth >= np.log(20)).mean() <= 0.05
    assert (unfair.log_wealth >= np.log(20)).mean() > 0.9


def test_weights_beyond_the_promised_limit_are_refused() -> None:
    with pytest.raises(ValueError, match=r"no weight may exceed 2\.0, got"):
        weighted_payoff((1.0, 3.0), (1.0, 1.0), 2.0)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-1, 1), min_size=1, max_size=60))
def test_wealth_is_always_positive_and_stakes_stay_in_range(payoffs) -> None:
    bets = NewtonBets.start()
    for payoff in payoffs:
        bets = bets.after(payoff)
        assert np.isfinite(bets.log_wealth)
        assert abs(bets.stake) <= 0.5


def test_the_first_pair_is_bet_on_with_nothing() -> None:
    assert NewtonBets.start(1).after([1.0]).log_wealth.tolist() == [0.0]


def test_counterfactual_changes_are_a_martingale() -> None:
    for n in range(12):
        b = np.arange(n + 1)
        now = np.exp(log_discordant_evidence(b, n - b))
        up = np.exp(log_discordant_evidence(b + 1, n - b))
        down = np.exp(log_discordant_evidence(b, n - b + 1))
        assert np.allclose((up + down) / 2, now)

    assert log_discordant_evidence(0, 0) == 0


def test_one_sided_changes_are_found_and_even_ones_are_not() -> None:
    assert log_discordant_evidence(15, 1) > np.log(100)
    assert log_discordant_evidence(20, 20) < 0


def test_a_bettor_survives_a_restart_to_the_last_bit() -> None:
    bets = NewtonBets.start(3).after([0.1, -0.5, 1.0]).after([0.3, 0.2, 0.1])

    assert NewtonBets.from_json(bets.to_json()) == bets
