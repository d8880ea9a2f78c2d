"""Windows that are old become days and months, and nothing is counted otherwise by it."""

import contextlib
import threading
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from baselines.packing import decode_counts, encode_counts
from baselines.summary import WindowKey
from monitor.storage import Store
from monitor.storage.compaction import (
    CompactionError,
    Resolution,
    compact_days,
    compact_months,
    compacted_until,
    compacted_windows,
    first_full,
    newest_end,
)
from monitor.storage.store import StoredWindow

HOUR = 3_600_000_000
DAY = 24 * HOUR
N_CELLS = 5
JANUARY = 20_454 * DAY  # 2026-01-01
FEBRUARY = JANUARY + 31 * DAY


def counted(rows: list[tuple[int, int]], length: int) -> dict[int, np.ndarray]:
    """Return what counting rows (time, cell) on windows of a length gives; cell 0 is all rows."""
    windows: dict[int, np.ndarray] = {}
    for time, cell in rows:
        counts = windows.setdefault(time // length * length, np.zeros(N_CELLS, dtype=np.int64))
        counts[[0, cell]] += 1
    return windows


def write(
    store: Store,
    windows: dict[int, np.ndarray],
    *,
    length: int = HOUR,
    slice_: str = "all",
    cut_short: bool = False,
) -> None:
    store.write_windows(
        "job",
        [
            StoredWindow(
                key=WindowKey(start, start + length, slice_),
                n_rows=int(counts[0]),
                baseline_id="b",
                body=encode_counts(counts),
                cut_short=cut_short,
            )
            for start, counts in windows.items()
        ],
    )


def hours(first: int, last: int) -> dict[int, np.ndarray]:
    """Return one window of one row for every hour from a time to another."""
    return counted([(time, 1) for time in range(first, last, HOUR)], HOUR)


def compacted(store: Store, resolution: Resolution) -> dict[int, list[int]]:
    return {
        each.start_us: decode_counts(each.body, N_CELLS).tolist()
        for each in compacted_windows(store, "job", resolution=resolution)
    }


rows = st.lists(
    st.tuples(st.integers(JANUARY, JANUARY + 60 * DAY - 1), st.integers(1, N_CELLS - 1)),
    max_size=60,
)


@settings(max_examples=15, derandomize=True, deadline=None)
@given(rows=rows, length=st.sampled_from([HOUR // 60, HOUR, 6 * HOUR, DAY]))
def test_what_was_added_up_is_what_counting_on_days_and_months_gives(rows, length) -> None:
    with Store.open("sqlite://") as store:
        write(store, counted(rows, length), length=length)

        list(compact_days(store, "job", JANUARY + 60 * DAY))
        by_day = compacted(store, Resolution.DAY)
        list(compact_months(store, "job", FEBRUARY))
        by_month = compacted(store, Resolution.MONTH)

    directly = counted(rows, DAY)
    assert by_day == {start: counts.tolist() for start, counts in directly.items()}
    in_january = [row for row in rows if row[0] < FEBRUARY]
    month = np.sum(list(counted(in_january, DAY).values()), axis=0, dtype=np.int64)
    assert by_month == ({JANUARY: month.tolist()} if in_january else {})


@settings(max_examples=10, derandomize=True, deadline=None)
@given(rows=rows, cuts=st.lists(st.integers(0, 60), max_size=4))
def test_how_often_it_is_done_changes_nothing(rows, cuts) -> None:
    with Store.open("sqlite://") as once, Store.open("sqlite://") as often:
        for store in (once, often):
            write(store, counted(rows, HOUR))

        for cut in [*sorted(cuts), 60]:
            list(compact_days(often, "job", JANUARY + cut * DAY))
            list(compact_months(often, "job", JANUARY + cut * DAY))
        list(compact_days(once, "job", JANUARY + 60 * DAY))
        list(compact_months(once, "job", JANUARY + 60 * DAY))

        assert list(compacted_windows(often, "job")) == list(compacted_windows(once, "job"))


def test_windows_of_another_length_never_stand_beside_the_others(store: Store) -> None:
    write(store, hours(JANUARY, JANUARY + 3 * DAY))

    steps = list(compact_days(store, "job", JANUARY + 2 * DAY + HOUR))

    left = [window.key for window in store.windows("job")]
    assert [(step.n_before, step.n_after) for step in steps] == [(24, 1), (24, 1)]
    assert {key.end_us - key.start_us for key in left} == {HOUR}
    assert first_full(store, "job") == compacted_until(store, "job") == JANUARY + 2 * DAY
    assert newest_end(store, "job") == JANUARY + 3 * DAY


def test_slices_are_added_up_apart_and_tell_in_how_many_windows_they_were(store: Store) -> None:
    day = hours(JANUARY, JANUARY + DAY)
    write(store, day)
    write(store, dict(list(day.items())[:5]), slice_="region=EU")

    list(compact_days(store, "job", JANUARY + DAY))

    found = [(each.slice, each.n_windows, each.n_rows) for each in compacted_windows(store, "job")]
    assert found == [("all", 24, 24), ("region=EU", 5, 5)]


def test_an_audit_that_is_done_again_is_not_added_twice(store: Store) -> None:
    january = hours(JANUARY, FEBRUARY)
    for _ in range(2):
        write(store, january)
        list(compact_days(store, "job", FEBRUARY))
        list(compact_months(store, "job", FEBRUARY))

    (month,) = compacted_windows(store, "job")
    assert (month.resolution, month.n_rows) == (Resolution.MONTH, 31 * 24)


def test_a_straggler_of_a_day_that_was_added_up_is_added_to_it(store: Store) -> None:
    write(store, hours(JANUARY, JANUARY + DAY))
    list(compact_days(store, "job", FEBRUARY))
    write(store, hours(JANUARY + HOUR, JANUARY + 2 * HOUR))

    list(compact_days(store, "job", FEBRUARY))

    (day,) = compacted_windows(store, "job")
    assert (day.n_rows, day.n_windows) == (25, 25)


def test_a_month_waits_for_all_of_its_days(store: Store) -> None:
    write(store, hours(JANUARY, FEBRUARY))
    list(compact_days(store, "job", FEBRUARY - DAY))

    early = list(compact_months(store, "job", FEBRUARY))
    list(compact_days(store, "job", FEBRUARY))
    late = list(compact_months(store, "job", FEBRUARY))

    assert early == []
    assert [(step.n_before, step.n_after) for step in late] == [(31, 1)]


def test_windows_that_do_not_fit_into_days_are_kept(store: Store) -> None:
    windows = counted([(time, 1) for time in range(JANUARY, JANUARY + 3 * DAY, HOUR)], 7 * HOUR)
    write(store, windows, length=7 * HOUR)

    with pytest.raises(CompactionError, match="must lie within a day of UTC"):
        list(compact_days(store, "job", JANUARY + 3 * DAY))

    assert len(list(store.windows("job"))) == len(windows)


def test_windows_of_a_number_of_outputs_are_kept(store: Store) -> None:
    key = WindowKey(JANUARY, JANUARY + HOUR, "all", 1)
    store.write_window(job_id="job", key=key, n_rows=1, baseline_id="b", body=b"x")

    assert list(compact_days(store, "job", FEBRUARY)) == []


def test_a_damaged_window_stops_before_anything_of_its_day_is_lost(store: Store) -> None:
    write(store, hours(JANUARY, JANUARY + DAY))
    key = WindowKey(JANUARY + HOUR, JANUARY + 2 * HOUR)
    store.write_window(job_id="job", key=key, n_rows=1, baseline_id="b", body=b"damaged")

    with pytest.raises(CompactionError, match="2026-01-01T01:00:00Z cannot be added up"):
        list(compact_days(store, "job", FEBRUARY))

    assert store.count_windows("job") == 24


class AmendedOnce(Store):
    """A store in which another thread amends a window before the first transaction begins."""

    amended = True

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        if not self.amended:
            self.amended = True
            counts = np.array([7, 7, 0, 0, 0], dtype=np.int64)
            thread = threading.Thread(target=write, args=(self, {JANUARY: counts}))
            thread.start()
            thread.join()
        with super().writing() as connection:
            yield connection


def test_a_window_that_is_amended_meanwhile_is_not_lost(database_url: str) -> None:
    with AmendedOnce.open(database_url) as store:
        write(store, hours(JANUARY, JANUARY + DAY))
        store.amended = False

        first = list(compact_days(store, "job", FEBRUARY))
        second = list(compact_days(store, "job", FEBRUARY))

        (day,) = compacted_windows(store, "job")
    assert (first, len(second)) == ([], 1)
    assert day.n_rows == 23 + 7


def test_a_trial_run_changes_nothing_and_says_what_would_be(store: Store) -> None:
    write(store, hours(JANUARY, FEBRUARY))

    steps = list(compact_days(store, "job", FEBRUARY, dry_run=True))

    assert sum(step.n_before for step in steps) == 31 * 24
    assert store.count_windows("job") == 31 * 24
    assert list(compacted_windows(store, "job")) == []


def test_windows_that_were_cut_short_are_counted_apart_in_days_and_months(store: Store) -> None:
    write(store, hours(JANUARY, JANUARY + 2 * DAY))
    write(store, hours(JANUARY + 3 * HOUR, JANUARY + 5 * HOUR), cut_short=True)

    list(compact_days(store, "job", FEBRUARY))
    days = [(each.n_windows, each.n_cut_short) for each in compacted_windows(store, "job")]
    list(compact_months(store, "job", FEBRUARY))
    (month,) = compacted_windows(store, "job")

    assert days == [(24, 2), (24, 0)]
    assert (month.n_windows, month.n_cut_short) == (48, 2)
