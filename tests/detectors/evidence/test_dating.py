"""The onset in history: near the truth, and in its range as often as the range says."""

import numpy as np
import numpy.typing as npt
import pytest

from detectors.evidence.dating import GapCounts, gap_gains, onset_in_history, share_gains
from detectors.evidence.onset import Onset

NORMAL = 0.02
BEGINS, N_WINDOWS, N_TRIALS = 40, 60, 300
SHAPE = (N_WINDOWS, N_TRIALS)


def range_holds(onset: Onset) -> float:
    first, last = (N_WINDOWS - 1 - one for one in (onset.earliest, onset.latest))
    return float(((first <= BEGINS) & (last >= BEGINS)).mean())


def drawn(
    rate: float, correlation: float, rng: np.random.Generator, usual: float = NORMAL
) -> npt.NDArray[np.int64]:
    true = np.broadcast_to(np.where(np.arange(N_WINDOWS) < BEGINS, usual, rate)[:, None], SHAPE)
    if correlation:
        s = 1 / correlation - 1
        true = rng.beta(true * s, (1 - true) * s)
    return rng.binomial(1_000, true)


@pytest.mark.parametrize(
    ("rate", "correlation"),
    [(0.027, 0.0), (0.03, 0.0), (0.05, 0.0), (0.05, 0.004), (0.5, 0.0), (0.011, 0.0)],
)
def test_a_share_is_dated_within_its_range(rate: float, correlation: float) -> None:
    counts = drawn(rate, correlation, np.random.default_rng(5))
    bound = 0.025 if rate > NORMAL else 0.016

    onset = onset_in_history(
        share_gains(counts, np.full(SHAPE, 1_000), NORMAL, bound=bound, correlation=correlation)
    )

    assert range_holds(onset) >= 0.9
    assert np.median(np.abs(N_WINDOWS - 1 - onset.windows_ago - BEGINS)) <= 1


@pytest.mark.parametrize("usual", [0.0185, 0.0215])
def test_a_baseline_that_is_somewhat_wrong_does_not_cost_the_range(usual: float) -> None:
    counts = drawn(0.03, 0.0, np.random.default_rng(6), usual=usual)

    onset = onset_in_history(share_gains(counts, np.full(SHAPE, 1_000), NORMAL, bound=0.025))

    assert range_holds(onset) >= 0.9


@pytest.mark.parametrize("change", [0.08, 0.12, 0.3])
def test_a_gap_is_dated_within_its_range_while_the_rates_move_together(change: float) -> None:
    rng = np.random.default_rng(7)
    common = 0.4 + 0.1 * np.sin(np.arange(N_WINDOWS) / 5)[:, None]
    lost = np.where(np.arange(N_WINDOWS) < BEGINS, 0.0, change)[:, None]
    totals = np.full(SHAPE, 300), np.full(SHAPE, 700)
    hits = rng.binomial(totals[0], common - lost), rng.binomial(totals[1], common)

    found = [
        onset_in_history(
            gap_gains(
                GapCounts(
                    hits=(hits[0][:, trial], hits[1][:, trial]),
                    totals=(totals[0][:, trial], totals[1][:, trial]),
                ),
                0.0,
                0.01,
            )
        )
        for trial in range(100)
    ]

    assert np.mean([range_holds(onset) for onset in found]) >= 0.9


def test_a_change_before_the_history_is_dated_to_its_first_window() -> None:
    onset = onset_in_history(share_gains([60, 58, 61], [1_000] * 3, NORMAL, bound=0.025))

    assert onset.windows_ago == onset.earliest == 2


def test_windows_without_outputs_are_no_onset_but_may_hold_it() -> None:
    counts, totals = [20, 21, 0, 0, 60, 58], [1_000, 1_000, 0, 0, 1_000, 1_000]

    onset = onset_in_history(share_gains(counts, totals, NORMAL, bound=0.025))

    assert onset.windows_ago == onset.latest == 1
    assert onset.earliest == 3


def test_a_group_without_outputs_says_nothing_of_the_gap() -> None:
    none, some = np.zeros(3, dtype=np.int64), np.full(3, 100)

    gains = gap_gains(GapCounts(hits=(none, some // 2), totals=(none, some)), 0.0, 0.01)

    assert not gains.before.any()
    assert not gains.after.any()
