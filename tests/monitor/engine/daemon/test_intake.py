"""Whatever the batches, checkpoints and restarts: the same counts, every record with a place."""

import itertools
from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines.counting import Counter
from baselines.layout import AxisNeed, Layout, NumericAxis, Table
from baselines.packing import decode_counts
from baselines.schema import Column, Dtype, Role, Schema
from monitor.decoding.base import Needs, RejectionReason
from monitor.decoding.message_batch import MessageDecoder
from monitor.decoding.plan import plan_decoding
from monitor.engine.daemon.holding import Holding
from monitor.engine.daemon.intake import Intake, origin_of
from monitor.engine.daemon.tally import StreamTally
from monitor.engine.partition import Partition
from monitor.sources.live import Batch
from monitor.windows.spec import TumblingWindows

HOUR = 3_600
START = 1_735_689_600
NOW_US = (START + 100 * HOUR) * 1_000_000
SCHEMA = Schema(
    columns=(
        Column(name="ts", role=Role.TIMESTAMP),
        Column(name="id", role=Role.EVENT_ID),
        Column(name="x", role=Role.NUMERIC, dtype=Dtype.FLOAT64),
    )
)
AXIS = NumericAxis(AxisNeed("x"), np.linspace(0, 1, 5), (np.arange(4) + 0.5) / 4)
LAYOUT = Layout((Table((AXIS,)),))
WINDOWS = TumblingWindows(seconds=HOUR)


def intake(*, deduplicate: bool = True, amend: bool = False, closed: int | None = None) -> Intake:
    plan = plan_decoding(SCHEMA, Needs(columns=frozenset({"x"}), event_ids=True))
    decoder = MessageDecoder(plan)
    return Intake(
        decode=lambda batch: decoder.decode(batch.payloads, origin_of(batch)),
        partition=Partition(windows=WINDOWS),
        counter=Counter(LAYOUT),
        windows=WINDOWS,
        max_future_us=300_000_000,
        deduplicate=deduplicate,
        amend=amend,
        closed_us=None if closed is None else start_us(closed),
    )


def holding(name: str = "p", **others: Any) -> Holding:
    known: dict[str, Any] = {
        "epoch": 1, "committed": None, "position": None, "newest_us": None, "moved_us": 0,
        "tally": StreamTally(),
    }  # fmt: skip
    return Holding(name=name, n_cells=LAYOUT.n_cells, **{**known, **others})


def start_us(hour: int) -> int:
    return (START + hour * HOUR) * 1_000_000


def payload(hour: float, number: int, x: float = 0.5) -> bytes:
    return f'{{"ts": {START + int(hour * HOUR)}, "id": "e{number}", "x": {x}}}'.encode()


def batch(payloads: Sequence[bytes], first: int = 0, **others: Any) -> Batch:
    return Batch(
        partition="p", payloads=payloads, first=first, next=first + len(payloads), **others
    )


def counted(ours: Holding) -> dict[Any, list[int]]:
    """Return what a partition adds to open windows in the database."""
    return {
        key: decode_counts(body, ours.n_cells).tolist()
        for key, body in sorted(ours.packed.items())
    }


def checkpoint(ours: Holding, closed_us: int | None = None) -> None:
    settlement = ours.settlement(closed_us)
    assert settlement.tally.unaccounted == 0
    ours.settle(settlement)
    if closed_us is not None:
        ours.forget(closed_us)


def restarted(ours: Holding) -> Holding:
    """Return what another process would find in the database after a kill."""
    seen = {start: set(hashes) for start, hashes in ours.seen.items()}
    for start, hashes in ours.fresh.ids.items():
        seen[start] -= set(hashes)
    return holding(
        committed=ours.committed, position=ours.committed, newest_us=ours.newest_us,
        tally=ours.tally, packed=dict(ours.packed), seen=seen,
    )  # fmt: skip


RECORDS = st.lists(
    st.one_of(
        st.builds(payload, st.floats(0, 5), st.integers(0, 30), st.sampled_from([0.1, 0.6, 2.0])),
        st.sampled_from([b"", b"   ", b"{", b"[]", b'{"x": 1}', b"\xff", payload(200, 99)]),
    ),
    max_size=40,
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(RECORDS, st.data())
def test_any_batches_checkpoints_and_kills_give_the_same_counts_and_tally(
    records: list[bytes], data: st.DataObject
) -> None:
    whole = holding()
    intake().take(batch(records), whole, NOW_US)
    checkpoint(whole)
    ours, reader = holding(), intake()
    position = 0

    while position < len(records):
        size = data.draw(st.integers(1, 15))
        reader.take(batch(records[position : position + size], position), ours, NOW_US)
        position += size
        what = data.draw(st.sampled_from(["go on", "checkpoint", "kill", "send again"]))
        if what == "checkpoint":
            checkpoint(ours)
        elif what == "kill":
            ours, reader = restarted(ours), intake()
            position = ours.position or 0
        elif what == "send again":
            position = max(0, position - 3)
    checkpoint(ours)

    assert counted(ours) == counted(whole)
    assert ours.tally == whole.tally
    assert ours.tally.n_records == len(records)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(RECORDS, st.lists(st.integers(0, 2), min_size=40, max_size=40))
def test_any_division_over_partitions_adds_up_to_the_same_counts(
    records: list[bytes], places: list[int]
) -> None:
    whole, reader = holding(), intake(deduplicate=False)
    reader.take(batch(records), whole, NOW_US)
    checkpoint(whole)
    parts = [holding(str(number)) for number in range(3)]

    for number, part in enumerate(parts):
        ours = [record for record, place in zip(records, places, strict=False) if place == number]
        reader.take(batch(ours), part, NOW_US)
        checkpoint(part)

    total: dict[Any, Any] = {}
    for key, counts in itertools.chain.from_iterable(counted(part).items() for part in parts):
        total[key] = (np.array(counts) + total.get(key, 0)).tolist()
    assert total == counted(whole)
    tallies = [part.tally for part in parts]
    assert StreamTally.total(tallies) == reduce(
        lambda a, b: StreamTally.total([a, b]), [whole.tally]
    )


def test_what_is_late_when_it_is_read_and_when_it_is_written_are_told_apart_from_rows() -> None:
    ours, reader = holding(), intake(closed=0)
    reader.take(batch([payload(0.5, 1), payload(1.5, 2), payload(2.5, 3)]), ours, NOW_US)

    checkpoint(ours, closed_us=start_us(1))

    assert (ours.tally.n_late, ours.tally.n_rows) == (2, 1)
    assert [start for _, start in ours.packed] == [start_us(2)]


def test_late_events_are_counted_to_be_amended_only_where_that_is_asked_for() -> None:
    ours, reader = holding(), intake(closed=1, amend=True)
    reader.take(batch([payload(0.5, 1), payload(1.5, 2), payload(2.5, 3)]), ours, NOW_US)

    settlement = ours.settlement(start_us(1))

    assert sorted(start for _, start in settlement.late) == [start_us(0), start_us(1)]
    assert (settlement.tally.n_late, settlement.tally.n_rows) == (2, 1)
    assert settlement.tally.unaccounted == 0


def test_events_that_are_too_late_or_too_early_do_not_move_the_watermark_beyond_them() -> None:
    ours = holding()

    intake().take(batch([payload(3, 1), payload(100.2, 2)]), ours, NOW_US)

    assert ours.newest_us == start_us(3)
    assert ours.fresh.tally.rejected == {RejectionReason.TIMESTAMP_IN_FUTURE: 1}


def test_too_long_lines_are_rejected_records_with_a_place() -> None:
    ours = holding()

    intake().take(
        Batch(partition="p", payloads=[payload(1, 1)], first=0, next=900, positions=[500],
              too_long=[0]),
        ours, NOW_US,
    )  # fmt: skip

    assert ours.fresh.tally.n_records == 2
    assert ours.fresh.tally.unaccounted == 0
    assert [letter.position for letter in ours.fresh.letters] == [0]
    assert ours.position == 900


def test_an_event_id_counts_once_while_its_window_is_open_also_after_a_restart() -> None:
    ours = holding()
    intake().take(batch([payload(1, 1), payload(1, 1), payload(1, 2)]), ours, NOW_US)
    checkpoint(ours)

    again = restarted(ours)
    intake().take(batch([payload(1, 2), payload(1, 3)], first=3), again, NOW_US)
    checkpoint(again)

    assert (again.tally.n_rows, again.tally.n_duplicates) == (3, 2)


def test_a_partition_that_begins_anew_is_counted_from_its_beginning() -> None:
    ours, reader = holding(), intake(deduplicate=False)
    reader.take(batch([payload(1, 1), payload(1, 2)]), ours, NOW_US)
    checkpoint(ours)
    ours.restarted = True

    reader.take(batch([payload(1, 3)]), ours, NOW_US)
    reader.take(batch([payload(1, 3)]), ours, NOW_US)
    checkpoint(ours)

    assert ours.tally.n_rows == 3
    assert (ours.committed, ours.restarted) == (1, False)
