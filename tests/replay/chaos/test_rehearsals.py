"""Hundreds of seeded runs with faults at every step end as the run without any.

Workers take turns in this process, on a database in a file and a consumer group in memory; see
`faults.Fault` for what happens to them.
"""

from collections.abc import Callable

import pytest

from tests.replay.chaos.outcome import Outcome
from tests.replay.chaos.rehearsal import Rehearsal
from tests.replay.chaos.steps import STEPS

SEEDS_AT_ONCE = 6
DISTURBED = range(0, 6 * len(STEPS), SEEDS_AT_ONCE)
SHARED = range(0, 18, SEEDS_AT_ONCE)


@pytest.mark.parametrize("first", DISTURBED)
def test_killed_woken_and_refused_workers_leave_what_an_undisturbed_one_leaves(
    rehearsal: Callable[[int], Rehearsal], undisturbed: Callable[[int], Outcome], first: int
) -> None:
    for seed in range(first, first + SEEDS_AT_ONCE):
        found = rehearsal(seed).disturbed(n_faults=1 + seed % 6, n_workers=1 + seed % 3)

        assert undisturbed(seed).differences(found) == [], f"seed {seed}"


@pytest.mark.parametrize("first", SHARED)
def test_workers_among_whom_partitions_move_all_the_time_finish_on_their_own(
    rehearsal: Callable[[int], Rehearsal], undisturbed: Callable[[int], Outcome], first: int
) -> None:
    for seed in range(first, first + SEEDS_AT_ONCE):
        found = rehearsal(seed).shared(2 + seed % 2, unrest=0.03)

        assert undisturbed(seed).differences(found) == [], f"seed {seed}"


@pytest.mark.parametrize("n_workers", [2, 4])
def test_several_workers_of_which_one_leaves_give_the_bytes_of_one(
    rehearsal: Callable[[int], Rehearsal], undisturbed: Callable[[int], Outcome], n_workers: int
) -> None:
    found = rehearsal(n_workers).shared(n_workers, leave_after=60)

    assert undisturbed(n_workers).differences(found) == []
