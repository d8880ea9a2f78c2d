"""Processes that read from a real Kafka node, killed and frozen, end as one left in peace.

Without Java and Maven the small broker takes its place; the header of a test run says which.
"""

from collections.abc import Callable

import pytest

from tests.replay.chaos.blows import Blow
from tests.replay.chaos.outcome import Outcome
from tests.replay.chaos.setting import Setting
from tests.replay.chaos.space import Space
from tests.replay.chaos.stage import Stage


@pytest.mark.parametrize("blow", [Blow.KILLED, Blow.FROZEN])
def test_processes_of_a_group_that_are_killed_or_frozen_leave_what_an_undisturbed_one_leaves(
    shared_stage: Stage, setting: Setting, undisturbed: Callable[[int], Outcome], blow: Blow
) -> None:
    url = setting.fresh_sqlite(f"real-{blow.name}")
    run = shared_stage.performance(3_000 + tuple(Blow).index(blow), url, blows=(blow,))

    found = run.disturbed(n_blows=3, n_workers=2)

    assert run.told[blow] > 0
    assert undisturbed(0).differences(found) == []


@pytest.mark.parametrize("seed", range(3_100, 3_104))
def test_processes_to_which_all_kinds_of_things_happen_leave_the_same(
    shared_stage: Stage,
    setting: Setting,
    undisturbed: Callable[[int], Outcome],
    space: Space,
    seed: int,
) -> None:
    url = setting.fresh_sqlite(f"real-{seed}", space.folder)

    found = shared_stage.performance(seed, url).disturbed(2, n_workers=1 + seed % 2)

    assert undisturbed(0).differences(found) == []
