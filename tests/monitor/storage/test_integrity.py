"""What cannot have been written is found, on both databases."""

from pathlib import Path

import numpy as np
import pytest

from baselines.packing import encode_counts
from baselines.summary import WindowKey
from monitor.config.load import load_configuration
from monitor.engine.incident_desk import monitor_name
from monitor.engine.integrity import IntegrityReport, check_database
from monitor.engine.progress import NoProgress
from monitor.storage import Store
from monitor.storage.compaction import compact_days
from monitor.storage.store import StoredWindow
from monitor.storage.stream_tables import outbox
from monitor.storage.streams import MonitorRow, Move, PartialRow

CONFIGURATION = load_configuration(
    Path(__file__).parents[1] / "config/testdata/smallest.good.yaml", environment={}
)
MONITOR = monitor_name(CONFIGURATION)
HOUR = 3_600_000_000
NOW = 10_000 * 24 * HOUR


def check(store: Store) -> IntegrityReport:
    return check_database(store, CONFIGURATION, now_us=NOW, progress=NoProgress())


def body(n_rows: int) -> bytes:
    return encode_counts(np.array([n_rows, n_rows], dtype=np.int64))


def ran(store: Store, *, counted: int) -> None:
    """Write a monitor with a closed window of 3 rows and an open one of 2 that counted some."""
    row = MonitorRow(job_id="job", baseline_id="b", policy_digest="p", counting={})
    streams = store.streams(MONITOR)
    streams.create(row)
    streams.claim({"p": "i"}, owner="w", now_us=0)
    streams.move(
        Move(
            name="p",
            epoch=1,
            old=None,
            new=5,
            newest_us=0,
            caught_up=False,
            ended=False,
            moved_us=0,
            attended_us=0,
            tally={"n_records": counted, "n_rows": counted},
        )
    )
    window = StoredWindow(key=WindowKey(0, HOUR), n_rows=3, baseline_id="b", body=body(3))
    store.write_windows("job", [window])
    streams.put_partials([PartialRow(partition="p", slice="all", start_us=HOUR, body=body(2))])


def test_the_rows_of_closed_and_open_windows_are_those_that_were_counted(store: Store) -> None:
    ran(store, counted=5)

    assert check(store).problems == []


def test_rows_that_became_part_of_a_day_are_still_counted(store: Store) -> None:
    ran(store, counted=5)

    list(compact_days(store, "job", 24 * HOUR))

    assert store.count_windows("job") == 0
    assert check(store).problems == []


@pytest.mark.parametrize("counted", [4, 6])
def test_rows_that_are_lost_or_counted_twice_are_a_problem(store: Store, counted: int) -> None:
    ran(store, counted=counted)

    (problem,) = check(store).problems

    assert problem.check == "rows"
    assert f"must hold {counted} rows" in problem.sentence
    assert "they hold 5 (3 in closed windows, 2 in open ones)" in problem.sentence


def test_counts_of_another_length_than_those_beside_them_are_a_problem(store: Store) -> None:
    ran(store, counted=5)
    longer = encode_counts(np.array([0, 0, 0], dtype=np.int64))
    key = WindowKey(2 * HOUR, 3 * HOUR)
    store.write_window(job_id="job", key=key, n_rows=0, baseline_id="b", body=longer)

    (problem,) = check(store).problems

    assert problem.check == "windows"
    assert "holds 3 counts" in problem.sentence


def test_notifications_that_wait_for_long_or_were_given_up_are_a_problem(store: Store) -> None:
    row = {
        "monitor": "m",
        "kind": "opened",
        "channel": "mail",
        "body": {},
        "created_us": 0,
        "attempts": 1,
    }
    with store.writing() as connection:
        for id_, state, due_us, sent_us in (
            ("soon", "pending", NOW, None),
            ("stuck", "pending", NOW - 2 * HOUR, None),
            ("dead", "dead", NOW, None),
            ("sent", "sent", 0, 1),
        ):
            values = {"id": id_, "state": state, "due_us": due_us, "sent_us": sent_us}
            connection.execute(outbox.insert().values(**row, **values))

    found = sorted(problem.sentence for problem in check(store).problems)

    assert len(found) == 2
    assert "1 notifications of 'm' to 'mail' wait for more than an hour" in found[0]
    assert "1 notifications of 'm' to 'mail' were given up" in found[1]
