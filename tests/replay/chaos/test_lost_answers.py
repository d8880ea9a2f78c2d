"""A worker whose commit went through and was answered by an error begins again by itself."""

from collections.abc import Callable

import pytest

from tests.replay.chaos.outcome import Outcome
from tests.replay.chaos.performance import BEGAN_AGAIN, PATIENCE_SECONDS
from tests.replay.chaos.setting import Setting
from tests.replay.chaos.stage import Stage
from tests.replay.chaos.worker_process import LOST_ANSWER


@pytest.mark.parametrize("unaware_at", [1, 2, 5])
def test_a_process_goes_on_from_a_commit_that_it_did_not_know_of(
    stage: Stage, setting: Setting, undisturbed: Callable[[int], Outcome], unaware_at: int
) -> None:
    run = stage.performance(2_000 + unaware_at, setting.fresh_sqlite(f"unaware-{unaware_at}"))

    with run.watched():
        worker = run.start(until_caught_up=True, unaware_at=unaware_at)
        status = worker.wait(PATIENCE_SECONDS)

    told = worker.log.read_text()
    assert status in (0, 3)
    assert told.count(LOST_ANSWER) == 1
    assert told.count(BEGAN_AGAIN) == 1
    assert undisturbed(0).differences(run.outcome()) == []
