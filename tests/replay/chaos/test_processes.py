"""Real processes of `outputwatch run`, killed, frozen and cut off, end as one left in peace.

They read from the small broker in this process; see `blows.Blow` for what happens.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.replay.chaos.outcome import Outcome
from tests.replay.chaos.setting import Setting
from tests.replay.chaos.space import Space
from tests.replay.chaos.stage import Stage


@pytest.mark.parametrize("seed", range(20))
def test_processes_that_are_killed_leave_what_an_undisturbed_one_leaves(
    stage: Stage, setting: Setting, undisturbed: Callable[[int], Outcome], space: Space, seed: int
) -> None:
    url = setting.fresh_sqlite(f"processes-{seed}", space.folder)

    found = stage.performance(seed, url).disturbed(n_blows=1 + seed % 3, n_workers=1 + seed % 2)

    assert undisturbed(0).differences(found) == []


@pytest.mark.parametrize("seed", range(20, 24))
def test_processes_and_a_server_that_goes_down_leave_the_same(
    stage: Stage,
    postgresql_url: str,
    postgresql_server: Path,
    undisturbed: Callable[[int], Outcome],
    seed: int,
) -> None:
    run = stage.performance(seed, postgresql_url, server=postgresql_server)

    found = run.disturbed(n_blows=2, n_workers=2)

    assert undisturbed(0).differences(found) == []


@pytest.mark.parametrize(("n_workers", "one_leaves"), [(2, False), (2, True), (4, True)])
def test_several_processes_of_one_group_give_the_bytes_of_one(
    stage: Stage,
    postgresql_url: str,
    undisturbed: Callable[[int], Outcome],
    n_workers: int,
    one_leaves: bool,
) -> None:
    run = stage.performance(100 + n_workers + one_leaves, postgresql_url)

    found = run.shared(n_workers, one_leaves=one_leaves)

    assert undisturbed(0).differences(found) == []
