"""Windows of past audits, read back to be judged again."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from baselines.baseline import Baseline, Provenance
from baselines.layout import Layout
from baselines.packing import encode_counts
from baselines.schema import Schema
from baselines.summary import WindowKey, WindowSummary
from monitor.engine.reading import TimeRange
from monitor.engine.stored_windows import NoStoredWindowsError, StoredWindows, stored_windows
from monitor.storage.store import AuditJob, Store, StoredWindow
from monitor.windows.spec import CountWindows, TumblingWindows, WindowSpec

DAY = 86_400_000_000
LAYOUT = Layout(())
BASELINE = Baseline(
    schema=Schema(columns=()),
    layout=LAYOUT,
    references={"all": WindowSummary.zero(LAYOUT)},
    provenance=Provenance(
        source="made by hand",
        from_us=None,
        to_us=None,
        first_us=None,
        last_us=None,
        n_rows=0,
        n_rejected=0,
        windows={"type": "tumbling", "seconds": 86_400},
        n_windows=0,
        created_at_us=0,
        outputwatch_version="0",
    ),
)
BY_DAY = TumblingWindows(seconds=86_400)


def stored(key: WindowKey, n_rows: int) -> StoredWindow:
    return StoredWindow(
        key=key,
        n_rows=n_rows,
        baseline_id=BASELINE.id,
        body=encode_counts(np.array([n_rows], dtype=np.int64)),
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path}/windows.db") as opened:
        yield opened


def audit(store: Store, number: int, windows: dict[WindowKey, int], baseline_id: str = "") -> None:
    job = AuditJob(
        id=f"job{number}",
        config_digest="",
        baseline_id=baseline_id or BASELINE.id,
        created_us=number * DAY,
    )
    store.write_job(job)
    store.write_windows(job.id, [stored(key, n) for key, n in windows.items()])


def by_day(*days: int, n_rows: int = 5) -> dict[WindowKey, int]:
    return {WindowKey(day * DAY, (day + 1) * DAY): n_rows for day in days}


def read(
    store: Store, windows: WindowSpec = BY_DAY, time: TimeRange | None = None
) -> StoredWindows:
    return stored_windows(store, BASELINE, windows, time or TimeRange())


def test_where_audits_overlap_the_latest_counts(store) -> None:
    audit(store, 2, by_day(3, 4, n_rows=9))
    audit(store, 1, by_day(2, 3, n_rows=5))

    found = read(store)

    assert [each[0].summary.n_rows for each in found] == [5, 9, 9]
    assert (len(found), found.n_audits) == (3, 2)


def test_the_slices_of_one_stretch_of_time_come_together(store) -> None:
    audit(store, 1, {**by_day(3, 4), WindowKey(3 * DAY, 4 * DAY, "plan=free"): 2})

    found = [[window.key.slice for window in stretch] for stretch in read(store)]

    assert found == [["all", "plan=free"], ["all"]]


def cut_short(store: Store, number: int, windows: dict[WindowKey, int]) -> None:
    """Leave windows that a running monitor closed before their time."""
    audit(store, number, {})
    store.write_windows(
        f"job{number}",
        [replace(stored(key, n_rows), cut_short=True) for key, n_rows in windows.items()],
    )


def test_a_window_that_was_cut_short_is_not_complete_and_is_counted(store) -> None:
    audit(store, 1, by_day(1, 2, 4, 5))
    cut_short(store, 2, by_day(3, n_rows=2))

    found = read(store)

    assert [each[0].complete for each in found] == [False, True, False, True, False]
    assert [each[0].summary.n_rows for each in found] == [5, 5, 2, 5, 5]
    assert found.n_cut_short == 1


@pytest.mark.parametrize(("number", "later"), [(1, 2), (2, 1)])
def test_a_whole_window_counts_before_one_that_was_cut_short_with_all_of_its_slices(
    store, number, later
) -> None:
    audit(store, number, by_day(1, 2, 3))
    cut_short(store, later, {**by_day(2, n_rows=2), WindowKey(2 * DAY, 3 * DAY, "plan=free"): 1})

    found = read(store)

    assert [[(w.summary.n_rows, w.key.slice) for w in each] for each in found] == 3 * [
        [(5, "all")]
    ]
    assert found.n_cut_short == 0
    assert [each[0].complete for each in found] == [False, True, False]


def test_the_log_may_begin_and_end_inside_the_outermost_windows(store) -> None:
    audit(store, 1, by_day(1, 2, 3))

    assert [each[0].complete for each in read(store)] == [False, True, False]


def test_windows_of_a_number_of_outputs_are_those_of_the_latest_audit(store) -> None:
    for number, rows in ((1, 100), (2, 90)):
        keys = [WindowKey(at * DAY + number, at * DAY + 7, "all", at) for at in range(3)]
        audit(store, number, dict.fromkeys(keys, rows))

    found = read(store, CountWindows(rows=100))

    assert [each[0].summary.n_rows for each in found] == [90, 90, 90]


@pytest.mark.parametrize(
    ("windows", "time", "message"),
    [
        (TumblingWindows(seconds=3600), TimeRange(), "of the configuration's length"),
        (BY_DAY, TimeRange(from_us=9 * DAY), "in the range, got none"),
        (BY_DAY, TimeRange(from_us=3 * DAY + 1, to_us=4 * DAY), "in the range, got none"),
    ],
)
def test_without_a_window_it_is_said_why(store, windows, time, message: str) -> None:
    audit(store, 1, by_day(3))

    with pytest.raises(NoStoredWindowsError, match=message):
        read(store, windows, time)


def test_windows_on_another_layout_are_never_mixed_in(store) -> None:
    audit(store, 1, by_day(3), baseline_id="another")

    with pytest.raises(NoStoredWindowsError, match=r"layout of the baseline in force.*another"):
        read(store)


def test_without_an_audit_the_message_says_how_to_make_one(store) -> None:
    with pytest.raises(NoStoredWindowsError, match="outputwatch audit"):
        read(store)
