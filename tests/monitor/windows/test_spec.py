"""Windows of event time and the watermark."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from monitor.windows.spec import TumblingWindows
from monitor.windows.watermark import Watermark

HOUR = 3_600
US = 1_000_000


def test_a_window_begins_at_a_multiple_of_its_length() -> None:
    windows = TumblingWindows(seconds=HOUR)
    times = np.array([0, HOUR * US - 1, HOUR * US, -1], dtype=np.int64)

    assert windows.starts(times).tolist() == [0, 0, HOUR * US, -HOUR * US]


def test_weeks_can_begin_on_a_monday() -> None:
    monday = 345_600 * US
    windows = TumblingWindows(seconds=7 * 86_400, offset_seconds=345_600)

    assert windows.starts(np.array([monday, monday - 1])).tolist() == [
        monday,
        monday - 7 * 86_400 * US,
    ]


@given(st.lists(st.integers(-(2**50), 2**50), min_size=1), st.integers(1, 86_400 * 31))
def test_every_event_is_inside_its_window(times: list[int], seconds: int) -> None:
    windows = TumblingWindows(seconds=seconds)
    time_us = np.array(times, dtype=np.int64)

    starts = windows.starts(time_us)

    assert np.all(starts <= time_us)
    assert np.all(time_us < starts + windows.length_us)


def test_the_watermark_follows_the_newest_event_and_never_goes_back() -> None:
    windows = TumblingWindows(seconds=HOUR, allowed_lateness_seconds=60)

    ahead = Watermark().advanced(np.array([100 * US, 500 * US]), windows)
    behind = ahead.advanced(np.array([200 * US]), windows)

    assert ahead.us == behind.us == 440 * US


def test_an_event_is_late_only_when_its_window_is_closed() -> None:
    windows = TumblingWindows(seconds=HOUR, allowed_lateness_seconds=0)
    watermark = Watermark().advanced(np.array([HOUR * US]), windows)

    late = watermark.late(np.array([HOUR * US - 1, HOUR * US]), windows)

    assert late.tolist() == [True, False]
    assert not Watermark().late(np.array([0]), windows).any()
