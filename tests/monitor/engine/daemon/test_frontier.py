"""How far partitions have come together, case by case."""

from collections.abc import Sequence
from typing import Any

import pytest

from monitor.engine.daemon.frontier import Frontier, Patience, frontier
from monitor.storage.streams import PartitionRow
from monitor.windows.spec import TumblingWindows

SECOND = 1_000_000
DAY = 86_400 * SECOND
NOW = 2_000 * DAY
LATENESS = 60 * SECOND
WINDOWS = TumblingWindows(seconds=3_600, allowed_lateness_seconds=60)
PATIENCE = Patience(idle_us=300 * SECOND, affirmed_us=30 * SECOND, unattended_us=3_600 * SECOND)


def partition(name: str, newest_us: int | None, **others: Any) -> PartitionRow:
    """Return a partition that brought something this second and is not read to its end."""
    known: dict[str, Any] = {"moved_us": NOW, "attended_us": NOW, **others}
    return PartitionRow(name=name, newest_us=newest_us, **known)


BUSY = partition("busy", NOW - 5 * SECOND)
BEHIND = partition("behind", NOW - 9_000 * SECOND)
EMPTY = partition("empty", None)
IDLE = {"caught_up": True, "moved_us": NOW - 300 * SECOND}
QUIET = partition("quiet", NOW - 7_200 * SECOND, **IDLE)
EMPTY_AND_IDLE = partition("empty", None, **IDLE)
NOT_YET_IDLE = partition(
    "quiet", NOW - 7_200 * SECOND, caught_up=True, moved_us=NOW - 299 * SECOND
)
NOT_READ_TO_ITS_END = partition("quiet", NOW - 7_200 * SECOND, moved_us=NOW - 900 * SECOND)
NOT_AFFIRMED = partition(
    "quiet", NOW - 7_200 * SECOND, **IDLE, **{"attended_us": NOW - 31 * SECOND}
)
ENDED = partition("ended", NOW - 7_200 * SECOND, ended=True, attended_us=NOW - 99 * DAY)
LEFT = partition("left", NOW - 7_200 * SECOND, attended_us=NOW - 3_601 * SECOND)
OLD = partition("old", NOW - 32 * DAY, **IDLE)


@pytest.mark.parametrize(
    ("partitions", "expected"),
    [
        pytest.param([], Frontier(until_us=None), id="nothing is known"),
        pytest.param(
            [BUSY],
            Frontier(until_us=NOW - 5 * SECOND - LATENESS, waiting_for=("busy",)),
            id="the watermark of one",
        ),
        pytest.param(
            [BEHIND, BUSY],
            Frontier(until_us=NOW - 9_000 * SECOND - LATENESS, waiting_for=("behind",)),
            id="the slowest counts",
        ),
        pytest.param(
            [BUSY, EMPTY],
            Frontier(until_us=None, waiting_for=("empty",)),
            id="one that brought nothing yet holds all",
        ),
        pytest.param(
            [BUSY, EMPTY_AND_IDLE],
            Frontier(until_us=NOW - 5 * SECOND - LATENESS, waiting_for=("busy",)),
            id="an empty partition is waited for until it is idle",
        ),
        pytest.param(
            [BUSY, QUIET],
            Frontier(until_us=NOW - 5 * SECOND - LATENESS, waiting_for=("busy",)),
            id="an idle one is not waited for",
        ),
        pytest.param(
            [BUSY, NOT_YET_IDLE],
            Frontier(until_us=NOW - 7_200 * SECOND - LATENESS, waiting_for=("quiet",)),
            id="quiet for a second too short",
        ),
        pytest.param(
            [BUSY, NOT_READ_TO_ITS_END],
            Frontier(until_us=NOW - 7_200 * SECOND - LATENESS, waiting_for=("quiet",)),
            id="quiet, but there is more to read",
        ),
        pytest.param(
            [BUSY, NOT_AFFIRMED],
            Frontier(until_us=NOW - 7_200 * SECOND - LATENESS, waiting_for=("quiet",)),
            id="its owner has not said so lately",
        ),
        pytest.param(
            [BUSY, ENDED],
            Frontier(until_us=NOW - 5 * SECOND - LATENESS, waiting_for=("busy",)),
            id="one that has ended is not waited for, whoever attends it",
        ),
        pytest.param(
            [BUSY, LEFT],
            Frontier(
                until_us=NOW - 5 * SECOND - LATENESS, waiting_for=("busy",), unattended=("left",)
            ),
            id="one that nobody attends is reported, not waited for",
        ),
        pytest.param(
            [QUIET, ENDED],
            Frontier(until_us=NOW - LATENESS, silent=True),
            id="all idle: the clock moves on, and that is silence",
        ),
        pytest.param(
            [EMPTY_AND_IDLE],
            Frontier(until_us=None),
            id="nothing ever came: no window to begin with",
        ),
        pytest.param(
            [OLD],
            Frontier(until_us=NOW - LATENESS),
            id="a log of long ago is replayed: no silence up to now",
        ),
        pytest.param(
            [OLD, QUIET],
            Frontier(until_us=NOW - LATENESS, silent=True),
            id="one recent partition is enough for the clock",
        ),
    ],
)
def test_partitions_hold_windows_open_as_long_as_they_can_bring_something(
    partitions: Sequence[PartitionRow], expected: Frontier
) -> None:
    assert frontier(partitions, WINDOWS, PATIENCE, NOW) == expected
