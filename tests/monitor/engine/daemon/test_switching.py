"""Another baseline, cut or policy; late events: nothing is lost, nothing counted twice."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from baselines.packing import decode_counts, encode_counts
from baselines.summary import WindowKey
from monitor.clock import FixedClock, SystemClock
from monitor.config.load import load_configuration
from monitor.engine.daemon.checkpoint import CheckpointWriter, CommittedUnawaresError
from monitor.engine.daemon.deciding import STRETCHES_AT_ONCE, Decider
from monitor.engine.daemon.frontier import Patience
from monitor.engine.daemon.holding import Holding
from monitor.engine.daemon.late import amend_windows
from monitor.engine.daemon.process import Process
from monitor.engine.daemon.switching import take_up
from monitor.engine.daemon.tally import StreamTally
from monitor.severity.scoring import FiveAxes
from monitor.storage.store import Store, StoredWindow
from monitor.storage.streams import MonitorRow, Move, PartialRow
from monitor.windows.spec import TumblingWindows
from tests.monitor.engine.daemon.toy import (
    HOUR,
    START,
    baseline,
    configure,
    events,
    lines,
)

HOUR_US = HOUR * 1_000_000
N_CELLS = baseline().layout.n_cells


def start_us(hour: int) -> int:
    return START * 1_000_000 + hour * HOUR_US


def counts(n_rows: int) -> Any:
    values = np.zeros(N_CELLS, dtype=np.int64)
    values[0] = n_rows
    return values


def row(
    job: str = "a" * 64, *, seconds: int = HOUR, policy: str = "p", **others: Any
) -> MonitorRow:
    return MonitorRow(
        job_id=job, baseline_id="b" * 64, policy_digest=policy * 64,
        counting={"seconds": seconds}, **others,
    )  # fmt: skip


def taken_up(store: Store, wanted: MonitorRow, *, seconds: int = HOUR) -> Any:
    windows = TumblingWindows(seconds=seconds)
    streams = store.streams("toy/test")
    return take_up(store, streams, wanted, windows=windows, baseline_of=lambda _: baseline())


def standing_at(store: Store, newest_us: int) -> None:
    """Leave a partition whose newest event is of that time, in two windows that are open."""
    streams = store.streams("toy/test")
    epoch = streams.claim({"p": "i"}, owner="w", now_us=1)["p"].epoch
    streams.move(
        Move(
            name="p", epoch=epoch, old=None, new=70, newest_us=newest_us, caught_up=True,
            ended=False, moved_us=1, attended_us=1, tally={"n_rows": 70},
        )
    )  # fmt: skip
    streams.put_partials(
        PartialRow(
            partition="p", slice="all", start_us=start_us(hour), body=encode_counts(counts(n))
        )
        for hour, n in ((4, 30), (5, 40))
    )


def test_open_windows_are_stored_under_the_old_baseline_and_the_rest_of_the_last_is_late() -> None:
    with Store.open("sqlite://") as store:
        taken_up(store, row())
        standing_at(store, start_us(5) + 7)

        switch = taken_up(store, row("c" * 64))

        stored = [(w.key.start_us, w.n_rows, w.cut_short) for w in store.windows("a" * 64)]
        assert stored == [(start_us(4), 30, True), (start_us(5), 40, True)]
        assert switch.n_closed_early == 2
        assert switch.row.closed_us == start_us(5)
        assert store.streams("toy/test").open_starts() == ()


@pytest.mark.parametrize(("seconds", "closed"), [(HOUR, 8), (3 * HOUR, 6), (HOUR // 2, 8.5)])
def test_silence_that_was_judged_is_not_judged_again_after_a_change(
    seconds: int, closed: float
) -> None:
    with Store.open("sqlite://") as store:
        taken_up(store, row())
        standing_at(store, start_us(5) + 7)
        streams = store.streams("toy/test")
        streams.forget_open(start_us(9))
        streams.save(row(closed_us=start_us(8), revision=3))

        switch = taken_up(store, row("c" * 64, seconds=seconds), seconds=seconds)

        assert switch.row.closed_us == start_us(0) + closed * HOUR_US


def test_another_policy_keeps_counts_and_gathers_evidence_anew() -> None:
    with Store.open("sqlite://") as store:
        taken_up(store, row())
        standing_at(store, start_us(5) + 7)
        store.streams("toy/test").save(row(closed_us=start_us(3), revision=2, snapshot=b"old"))

        switch = taken_up(store, row(policy="q"))

        assert switch.policy_changed
        assert (switch.row.snapshot, switch.row.closed_us) == (None, start_us(3))
        assert len(store.streams("toy/test").open_starts()) == 2


def test_late_outputs_are_added_to_stored_windows_and_slices_find_their_place() -> None:
    with Store.open("sqlite://") as store:
        key = WindowKey(start_us(1), start_us(2), "all")
        for slice_, n_rows in (("all", 10), ("region=eu", 10)):
            store.write_windows(
                "job",
                [
                    StoredWindow(
                        key=WindowKey(key.start_us, key.end_us, slice_), n_rows=n_rows,
                        baseline_id="b", body=encode_counts(counts(n_rows)),
                    )
                ],
            )  # fmt: skip
        late = {
            ("all", start_us(1)): counts(6), ("region=eu", start_us(1)): counts(1),
            ("region=us", start_us(1)): counts(2), ("region=mea", start_us(1)): counts(3),
            ("all", start_us(9)): counts(5),
        }  # fmt: skip

        added = amend_windows(store, "job", N_CELLS, late, max_values=2)

        stored = {w.key.slice: w.n_rows for w in store.windows("job")}
        assert added == 6
        assert stored == {
            "all": 16, "region=eu": 11, "region=mea": 3, "region=(other values)": 2,
        }  # fmt: skip


def test_late_events_are_amended_by_a_run_so_that_counts_equal_those_of_all_events(
    tmp_path: Path,
) -> None:
    path = configure(tmp_path, run="late: amend", lateness=0)
    traffic = events(0, 8, seed=3)
    late, others = traffic[40:60], traffic[:40] + traffic[60:]
    log = tmp_path / "logs" / "a.jsonl"
    log.write_text(lines(others))
    first = Process(path=str(path), clock=SystemClock(), until_caught_up=True).run()
    with log.open("a") as file:
        file.write(lines(late))

    second = Process(path=str(path), clock=SystemClock(), until_caught_up=True).run()

    with Store.open(load_configuration(path).storage.url) as store:
        rows = sum(w.n_rows for w in store.windows(first.job_id, slice_="all"))
        cells = decode_counts(next(store.windows(first.job_id, slice_="all")).body, N_CELLS)
    assert (second.tally.n_late, second.tally.n_amended) == (20, 20)
    assert second.tally.unaccounted == 0
    assert rows == len(traffic)
    assert cells[0] > 0


def test_a_long_silence_is_decided_in_parts_that_give_the_same_windows(tmp_path: Path) -> None:
    configuration = load_configuration(configure(tmp_path))
    n_windows = 2 * STRETCHES_AT_ONCE + 5
    with Store.open("sqlite://") as store:
        decider, row_ = _decider(store, configuration), row(closed_us=start_us(0), revision=0)
        store.streams("toy/test").create(row_)
        sizes, more = [], True
        while more:
            with store.begin():
                decision = decider.decide(row_, start_us(n_windows + 1), silent=True)
            row_, more = decision.row, decision.more
            sizes.append(len(decision.stretches))
        starts = [window.key.start_us for window in store.windows(row_.job_id)]

    assert sizes == [STRETCHES_AT_ONCE, STRETCHES_AT_ONCE, 5]
    assert starts == [start_us(hour) for hour in range(1, n_windows + 1)]


def _decider(store: Store, configuration: Any) -> Decider:
    return Decider(
        configuration=configuration, baseline=baseline(), store=store,
        streams=store.streams("toy/test"), policy=FiveAxes(), clock=FixedClock(start_us(500)),
        windows=configuration.windows,
    )  # fmt: skip


@pytest.mark.parametrize(("epochs_behind", "position"), [(0, 70), (1, 70)])
def test_a_lost_answer_of_a_commit_is_told_apart_from_another_owner(
    tmp_path: Path, epochs_behind: int, position: int
) -> None:
    configuration = load_configuration(configure(tmp_path))
    with Store.open("sqlite://") as store:
        taken_up(store, row())
        standing_at(store, start_us(5))
        known = store.streams("toy/test").partitions()[0]
        ours = Holding(
            name="p", n_cells=N_CELLS, epoch=known.epoch - epochs_behind, committed=None,
            position=90, newest_us=None, moved_us=0, tally=StreamTally(),
        )  # fmt: skip
        writer = CheckpointWriter(
            store=store, streams=store.streams("toy/test"), decider=_decider(store, configuration),
            clock=FixedClock(start_us(6)), windows=TumblingWindows(seconds=HOUR),
            patience=Patience(idle_us=1, affirmed_us=1, unattended_us=1), expected=row(),
            max_letters=1,
        )  # fmt: skip

        if epochs_behind:
            assert writer.write({"p": ours}, {}).fenced == ("p",)
        else:
            with pytest.raises(CommittedUnawaresError, match="must stand at None"):
                writer.write({"p": ours}, {})

        assert store.streams("toy/test").partitions()[0].position == position
