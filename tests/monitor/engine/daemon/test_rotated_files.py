"""Partitions that have ended become many: they are counted, not read."""

import dataclasses
import random
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, insert

from monitor.clock import FixedClock
from monitor.config.load import load_configuration
from monitor.engine.daemon.checkpoint import CheckpointWriter
from monitor.engine.daemon.deciding import Decider
from monitor.engine.daemon.frontier import Patience, frontier
from monitor.severity.scoring import FiveAxes
from monitor.storage.store import Store
from monitor.storage.stream_tables import partition
from monitor.storage.streams import MonitorRow, PartitionRow, StreamRepository
from monitor.windows.spec import TumblingWindows
from tests.monitor.engine.daemon.toy import HOUR, START, baseline, configure

NOW_US = (START + 100 * HOUR) * 1_000_000
HOUR_US = HOUR * 1_000_000
WINDOWS = TumblingWindows(seconds=HOUR, allowed_lateness_seconds=60)
PATIENCE = Patience(idle_us=HOUR_US, affirmed_us=HOUR_US // 2, unattended_us=3 * HOUR_US)
ROW = MonitorRow(
    job_id="a" * 64, baseline_id="b" * 64, policy_digest="c" * 64, counting={"seconds": HOUR}
)


def written(store: Store, rows: list[PartitionRow]) -> StreamRepository:
    """Return a monitor whose partitions stand so."""
    streams = store.streams("toy/test")
    streams.create(ROW)
    values = [{"monitor": "toy/test", **dataclasses.asdict(each)} for each in rows]
    if values:
        with store.writing() as connection:
            connection.execute(insert(partition), values)
    return streams


def any_row(chance: random.Random, number: int) -> PartitionRow:
    def ago(hours: float) -> int:
        return NOW_US - int(chance.random() * hours * HOUR_US)

    return PartitionRow(
        name=f"file {number}",
        owner=chance.choice(["one", "two", ""]),
        position=chance.randrange(100),
        newest_us=chance.choice([None, ago(5), ago(900)]),
        caught_up=chance.random() < 0.7,
        ended=chance.random() < 0.5,
        moved_us=ago(4),
        attended_us=ago(4),
    )


@pytest.mark.parametrize("seed", range(60))
def test_what_is_read_leads_to_the_same_frontier_as_everything(seed: int) -> None:
    chance = random.Random(seed)
    rows = [any_row(chance, number) for number in range(chance.randrange(7))]
    with Store.open("sqlite://") as store:
        streams = written(store, rows)
        everything = streams.partitions()
        ended = streams.ended()
        in_play = (*streams.in_play(["file 1", "no such file"]), *([ended] if ended else []))

    assert frontier(in_play, WINDOWS, PATIENCE, NOW_US) == frontier(
        everything, WINDOWS, PATIENCE, NOW_US
    )
    assert bool(in_play) == bool(everything)
    assert max((each.moved_us for each in in_play), default=None) == max(
        (each.moved_us for each in everything), default=None
    )
    assert {each.name for each in in_play} - {""} == {
        each.name for each in everything if not each.ended or each.name == "file 1"
    }


def cost(tmp_path: Path, n_ended: int) -> list[int]:
    """Return statements, and rows of partitions, of one checkpoint without news."""
    configuration = load_configuration(configure(tmp_path))
    chance, counts = random.Random(1), [0, 0]
    rows = [dataclasses.replace(any_row(chance, n), ended=True) for n in range(n_ended)]
    live = dataclasses.replace(any_row(chance, n_ended), ended=False, newest_us=None)
    clock = FixedClock(NOW_US)
    with Store.open("sqlite://") as store:
        streams = written(store, [*rows, live])
        decider = Decider(
            configuration=configuration, baseline=baseline(), store=store, streams=streams,
            policy=FiveAxes(), clock=clock, windows=WINDOWS,
        )  # fmt: skip
        writer = CheckpointWriter(
            store=store, streams=streams, decider=decider, clock=clock, windows=WINDOWS,
            patience=PATIENCE, expected=ROW, max_letters=1,
        )  # fmt: skip

        def count(_connection: Any, _cursor: Any, _statement: str, *_others: Any) -> None:
            counts[0] += 1

        event.listen(store._engine, "before_cursor_execute", count)
        writer.write({}, {})
        event.remove(store._engine, "before_cursor_execute", count)
        counts[1] = len(streams.in_play(()))
    return counts


def test_the_cost_of_a_checkpoint_does_not_grow_with_files_that_were_rotated_away(
    tmp_path: Path,
) -> None:
    assert cost(tmp_path, 0) == cost(tmp_path, 500)
