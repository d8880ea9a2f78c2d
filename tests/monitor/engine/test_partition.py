"""Rows to partial counts: any split and any order gives the same windows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines.columns import Categories, Columns, Numbers
from baselines.counting import Counter
from baselines.layout import AxisNeed, CategoryAxis, Layout, NumericAxis, Table
from baselines.summary import Window
from monitor.engine import event_order
from monitor.engine.closing import Closing, by_bucket
from monitor.engine.event_order import EventOrder, TooManyEventsError
from monitor.engine.partition import Counts, PartialKey, Partition, add_counts
from monitor.windows.slices import slicing_of
from monitor.windows.spec import CountWindows, TumblingWindows

INCOME = NumericAxis(AxisNeed("income"), np.array([0.0, 1.0, 2.0]), np.array([0.5, 1.5]))
REGION = CategoryAxis(AxisNeed("region"), ("EU", "US"))
LAYOUT = Layout((Table((INCOME,)), Table((REGION,)), Table((REGION, INCOME))))
MINUTES = TumblingWindows(seconds=60)

events = st.lists(
    st.tuples(
        st.integers(0, 300_000_000),
        st.floats(-1, 3) | st.none(),
        st.sampled_from(["EU", "US", "JP", "KR", None]),
    ),
    max_size=60,
)


def as_columns(rows: list[tuple[int, float | None, str | None]], first: int = 0) -> Columns:
    incomes = [income for _, income, _ in rows]
    return Columns(
        n_rows=len(rows),
        time_us=np.array([time for time, _, _ in rows], dtype=np.int64),
        event_ids=np.array([f"e{first + row}" for row in range(len(rows))], dtype=object),
        fields={
            "income": Numbers(
                np.array([income or 0.0 for income in incomes]),
                np.array([income is None for income in incomes], dtype=np.bool_),
            ),
            "region": Categories.from_values([region for _, _, region in rows]),
        },
    )


def closed(partials: dict[PartialKey, Counts], closing: Closing) -> list[Window]:
    ordered = sorted((bucket, label, counts) for (label, bucket), counts in partials.items())
    return [window for windows in closing.close(by_bucket(ordered)) for window in windows]


def same(one: list[Window], other: list[Window]) -> bool:
    return [(w.key, w.summary.canonical_bytes(), w.complete) for w in one] == [
        (w.key, w.summary.canonical_bytes(), w.complete) for w in other
    ]


@settings(max_examples=60, deadline=None)
@given(events, st.data())
def test_any_split_and_order_of_the_rows_gives_the_same_windows(rows, data) -> None:
    counter = Counter(LAYOUT)
    partition = Partition(windows=MINUTES, by=(("region",), ("region", "income")))
    closing = Closing(layout=LAYOUT, windows=MINUTES, max_values=2)
    whole = partition.count(as_columns(rows), counter)
    shuffled = data.draw(st.permutations(rows))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=4)))

    split: dict[PartialKey, Counts] = {}
    for low, high in zip([0, *cuts], [*cuts, len(rows)], strict=True):
        add_counts(split, partition.count(as_columns(shuffled[low:high], low), counter))

    assert same(closed(split, closing), closed(whole, closing))


@settings(max_examples=40, deadline=None)
@given(events)
def test_all_is_counted_the_same_with_and_without_slices(rows) -> None:
    counter = Counter(LAYOUT)
    columns = as_columns(rows)

    plain = Partition(windows=MINUTES).count(columns, counter)
    sliced = Partition(windows=MINUTES, by=(("region",),)).count(columns, counter)

    assert {key for key in sliced if key[0] == "all"} == set(plain)
    assert all(np.array_equal(sliced[key], counts) for key, counts in plain.items())


def test_many_windows_at_once_are_counted_in_pieces(monkeypatch) -> None:
    counter = Counter(LAYOUT)
    rows = [(60_000_000 * minute, 0.5, "EU") for minute in range(50)] * 2
    whole = Partition(windows=MINUTES).count(as_columns(rows), counter)
    monkeypatch.setattr("monitor.engine.partition._MAX_CELLS_AT_ONCE", 3 * LAYOUT.n_cells)

    pieces = Partition(windows=MINUTES).count(as_columns(rows), counter)

    assert whole.keys() == pieces.keys()
    assert all(np.array_equal(pieces[key], counts) for key, counts in whole.items())


@settings(max_examples=40, deadline=None)
@given(events, st.integers(1, 7), st.data())
def test_count_windows_hold_their_number_of_events_in_order_of_time(rows, size, data) -> None:
    columns = as_columns(rows)
    windows = CountWindows(rows=size)
    shuffled = columns.take(np.array(data.draw(st.permutations(range(len(rows)))), dtype=np.intp))
    order = EventOrder(size)
    for by in ((), ("region",)):
        slicing = slicing_of(shuffled, by)
        for code, label in enumerate(slicing.labels):
            chosen = np.flatnonzero(slicing.codes == code)
            order.add(label, shuffled.time_us[chosen], shuffled.event_ids[chosen].tolist())
    boundaries = order.boundaries(max_values=2)
    partition = Partition(windows=windows, by=(("region",),), boundaries=boundaries)
    closing = Closing(layout=LAYOUT, windows=windows, max_values=2, boundaries=boundaries)

    result = closed(partition.count(columns, Counter(LAYOUT)), closing)

    everything = [window for window in result if window.key.slice == "all"]
    assert [window.summary.n_rows for window in everything[:-1]] == [size] * (len(everything) - 1)
    assert sum(window.summary.n_rows for window in everything) == len(rows)
    assert sum(w.summary.n_rows for w in result if w.key.slice != "all") == len(rows)
    starts = [window.key.start_us for window in everything]
    assert starts == sorted(starts)


def test_windows_without_events_between_two_with_events_are_there_and_empty() -> None:
    rows = [(0, 0.5, "EU"), (180_000_000, 0.5, "EU")]
    partials = Partition(windows=MINUTES).count(as_columns(rows), Counter(LAYOUT))

    windows = closed(partials, Closing(layout=LAYOUT, windows=MINUTES, max_values=2))

    assert [window.summary.n_rows for window in windows] == [1, 0, 0, 1]
    assert [window.complete for window in windows] == [False, True, True, False]


def test_a_range_that_covers_the_edges_makes_them_complete() -> None:
    rows = [(1, 0.5, "EU"), (61_000_000, 0.5, "EU")]
    partials = Partition(windows=MINUTES).count(as_columns(rows), Counter(LAYOUT))
    closing = Closing(layout=LAYOUT, windows=MINUTES, max_values=2, from_us=0, to_us=120_000_000)

    assert [window.complete for window in closed(partials, closing)] == [True, True]


def test_more_events_than_fit_in_memory_are_refused_with_what_to_use_instead(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(event_order, "MAX_EVENTS", 3)
    order = EventOrder(2)
    order.add("all", np.array([1, 2, 3]), ["a", "b", "c"])

    with pytest.raises(TooManyEventsError, match=r"stop at 3, .*type 'tumbling', or a short"):
        order.add("all", np.array([4]), ["d"])
