import numpy as np
import pytest

from detectors.evidence.confidence_sequences import GapSequence, MeanSequence, rate_sequence
from detectors.evidence.group_gaps import GapTolerance, ToleratedGap
from detectors.intervals import wilson

DIFFERENCES = tuple(
    ToleratedGap(kind=GapTolerance.DIFFERENCE, limit=limit) for limit in (0.02, 0.05, 0.1, 0.15)
)
RATIOS = tuple(
    ToleratedGap(kind=GapTolerance.RATIO, limit=limit) for limit in (0.95, 0.9, 0.8, 0.7)
)


@pytest.mark.parametrize("rate", [0.02, 0.3])
def test_a_rate_is_ever_missed_with_at_most_the_stated_chance(rate) -> None:
    rng = np.random.default_rng(1)
    outcomes = rng.random((2000, 1500)) < rate
    looks = np.unique(np.geomspace(1, 1500, 80).astype(int))
    counts = np.cumsum(outcomes, axis=1)[:, looks - 1]

    low, high = rate_sequence(counts, looks, 0.05)

    missed = ((rate < low) | (rate > high)).any(axis=1).mean()
    assert 0 < missed <= 0.05


def test_a_rate_sequence_is_wider_than_an_interval_but_not_by_much() -> None:
    low, high = rate_sequence(300, 1000, 0.05)
    fixed_low, fixed_high = wilson(300, 1000, 0.95)

    assert 1.4 < (high - low) / (fixed_high - fixed_low) < 2.2


def test_a_rate_sequence_begins_with_everything() -> None:
    low, high = rate_sequence([0, 0, 5], [0, 5, 5], 0.05)

    assert low[0] == 0
    assert high[0] == 1
    assert low[1] == 0
    assert high[2] == 1
    assert 0 < low[2] < 1


@pytest.mark.parametrize(("a", "b"), [(2.0, 6.0), (0.2, 0.8)])
def test_a_mean_is_ever_missed_with_at_most_the_stated_chance(a, b) -> None:
    rng = np.random.default_rng(2)
    mean, missed = a / (a + b), np.zeros(200, dtype=bool)
    sequence = MeanSequence.start(200)
    for _ in range(300):
        sequence = sequence.after(rng.beta(a, b, 200), 0.1)
        missed |= (mean < sequence.low) | (mean > sequence.high)

    assert missed.mean() <= 0.1
    assert np.median(sequence.high - sequence.low) < 0.2


def test_a_mean_sequence_only_narrows_and_survives_a_restart() -> None:
    rng = np.random.default_rng(3)
    sequence = MeanSequence.start(2)
    for _ in range(40):
        after = sequence.after(rng.random(2), 0.05)
        assert np.all(after.low >= sequence.low)
        assert np.all(after.high <= sequence.high)
        sequence = after

    assert MeanSequence.from_json(sequence.to_json()) == sequence


def follow_gap(
    rng: np.random.Generator,
    rates: list[float],
    tolerated: tuple[ToleratedGap, ...],
    n_windows: int,
) -> np.ndarray:
    sequence = GapSequence.start(100, len(rates), len(tolerated))
    totals = np.tile([100, 60, 40], (100, 1))
    for _ in range(n_windows):
        counts = rng.binomial(totals, rates)
        sequence = sequence.after(counts, totals, tolerated, 0.05)
    return sequence.bound(tolerated)


def test_a_gap_is_rarely_claimed_larger_than_it_is() -> None:
    rng = np.random.default_rng(4)

    differences = follow_gap(rng, [0.4, 0.35, 0.3], DIFFERENCES, 60)
    ratios = follow_gap(rng, [0.4, 0.36, 0.32], RATIOS, 60)

    assert (differences >= 0.1).mean() <= 0.05
    assert (ratios <= 0.8).mean() <= 0.05


def test_most_of_a_gap_is_shown_in_the_end() -> None:
    rng = np.random.default_rng(5)

    differences = follow_gap(rng, [0.5, 0.4, 0.3], DIFFERENCES, 80)
    ratios = follow_gap(rng, [0.5, 0.4, 0.3], RATIOS, 80)

    assert np.median(differences) >= 0.1
    assert np.median(ratios) <= 0.8


def test_nothing_is_shown_before_the_first_window() -> None:
    assert GapSequence.start(1, 3, 4).bound(DIFFERENCES).tolist() == [0.0]
    assert GapSequence.start(1, 3, 4).bound(RATIOS).tolist() == [1.0]
