"""Open windows of a stream: the same windows as a batch, and every late event counted."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines.columns import Categories, Columns
from baselines.counting import Counter
from baselines.layout import AxisNeed, CategoryAxis, Layout, Table
from baselines.summary import Window
from monitor.engine.closing import Closing, by_bucket
from monitor.engine.partition import Partition
from monitor.engine.stream import OpenWindows
from monitor.windows.spec import TumblingWindows

LAYOUT = Layout((Table((CategoryAxis(AxisNeed("region"), ("EU", "US")),)),))
COUNTER = Counter(LAYOUT)

events = st.lists(
    st.tuples(st.integers(0, 600_000_000), st.sampled_from(["EU", "US", "JP", None])), max_size=50
)


def as_columns(rows: list[tuple[int, str | None]]) -> Columns:
    return Columns(
        n_rows=len(rows),
        time_us=np.array([time for time, _ in rows], dtype=np.int64),
        fields={"region": Categories.from_values([region for _, region in rows])},
    )


def open_windows(windows: TumblingWindows) -> OpenWindows:
    return OpenWindows(
        partition=Partition(windows=windows, by=(("region",),)),
        closing=Closing(layout=LAYOUT, windows=windows, max_values=2),
        counter=COUNTER,
        windows=windows,
    )


def streamed(stream: OpenWindows, pieces: list[Columns]) -> list[Window]:
    closed = [window for piece in pieces for group in stream.add(piece) for window in group]
    return closed + [window for group in stream.finish() for window in group]


@settings(max_examples=80, deadline=None)
@given(events, st.data())
def test_with_nothing_late_a_stream_closes_the_windows_of_a_batch(rows, data) -> None:
    windows = TumblingWindows(seconds=60, allowed_lateness_seconds=600)
    shuffled = data.draw(st.permutations(rows))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=5)))
    pieces = [
        as_columns(shuffled[low:high])
        for low, high in zip([0, *cuts], [*cuts, len(rows)], strict=True)
    ]
    partials = Partition(windows=windows, by=(("region",),)).count(as_columns(rows), COUNTER)
    ordered = sorted((bucket, label, counts) for (label, bucket), counts in partials.items())
    closing = Closing(layout=LAYOUT, windows=windows, max_values=2)
    batch = [window for group in closing.close(by_bucket(ordered)) for window in group]

    stream = open_windows(windows)
    result = streamed(stream, pieces)

    assert stream.n_late == 0
    assert [(w.key, w.summary.canonical_bytes(), w.complete) for w in result] == [
        (w.key, w.summary.canonical_bytes(), w.complete) for w in batch
    ]


@settings(max_examples=80, deadline=None)
@given(events, st.lists(st.integers(0, 50), max_size=5))
def test_every_event_is_in_a_window_or_late_and_no_window_closes_twice(rows, cuts) -> None:
    stream = open_windows(TumblingWindows(seconds=60, allowed_lateness_seconds=30))
    bounds = [0, *sorted(min(cut, len(rows)) for cut in cuts), len(rows)]
    pieces = [as_columns(rows[low:high]) for low, high in itertools.pairwise(bounds)]

    result = streamed(stream, pieces)

    everything = [window for window in result if window.key.slice == "all"]
    counted = sum(window.summary.n_rows for window in everything)
    assert counted == stream.n_rows
    assert counted + stream.n_late == len(rows)
    starts = [window.key.start_us for window in everything]
    assert starts == sorted(set(starts))


def test_an_event_behind_the_watermark_is_late_and_changes_nothing() -> None:
    stream = open_windows(TumblingWindows(seconds=60, allowed_lateness_seconds=0))
    first = list(stream.add(as_columns([(0, "EU"), (60_000_000, "EU")])))

    after = list(stream.add(as_columns([(1, "EU")])))

    assert [window.summary.n_rows for group in first for window in group] == [1, 1]
    assert after == []
    assert stream.n_late == 1
    assert stream.n_open == 1
