"""Timestamps to microseconds."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.decoding.arrow_records import ArrowRecords
from monitor.decoding.python_records import PythonRecords
from monitor.decoding.times import INVALID, MISSING, OUT_OF_RANGE, epoch_times, text_times

US = 1_767_323_045_123_456  # 2026-01-02T03:04:05.123456Z
SECOND = 1_000_000


def of_text(text: str | None, unit: str = "") -> tuple[int, int]:
    times = text_times(pa.array([text], pa.string()), unit)
    return int(times.us[0]), int(times.state[0])


@pytest.mark.parametrize(
    ("text", "us"),
    [
        ("2026-01-02T03:04:05.123456Z", US),
        ("2026-01-02T03:04:05.123456789Z", US),
        ("2026-01-02T03:04:05.1234569999999Z", US),
        ("2026-01-02T04:04:05.123456+01:00", US),
        ("2026-01-01T21:34:05.123456-0530", US),
        ("2026-01-02T03:04:05.123456", US),
        ("2026-01-02 03:04:05.123456", US),
        ("2026-01-02t03:04:05,123456z", US),
        (" 2026-01-02T03:04:05.123456Z ", US),
        ("2026-01-02T03:04Z", US // SECOND * SECOND - 5 * SECOND),
        ("2026-01-02", 1_767_312_000 * SECOND),
        ("20260102", 1_767_312_000 * SECOND),
        ("1767323045", 1_767_323_045 * SECOND),
        ("1767323045.123456", US),
        ("1767323045123", US // 1000 * 1000),
        ("1767323045123456", US),
        ("1767323045123456789", US),
        ("Fri, 02 Jan 2026 03:04:05 GMT", US // SECOND * SECOND),
        ("2 Jan 2026 04:04:05 +0100", US // SECOND * SECOND),
        ("1970-01-01T00:00:00Z", 0),
        ("2200-12-31T23:59:59.999999Z", 7_289_654_400 * SECOND - 1),
    ],
)
def test_a_timestamp_in_any_accepted_form_gives_its_microseconds(text: str, us: int) -> None:
    assert of_text(text) == (us, 0)


@pytest.mark.parametrize(
    "text",
    [
        "yesterday",
        "2026-13-01T00:00:00Z",
        "2026-02-30",
        "2026-01-02T25:00:00Z",
        "2026-01-02T03:04:60Z",
        "2026-01-02T03:04:05+25:00",
        "02/01/2026",
        "20261399",
        "1e9",
        "0x10",
        "nan",
        "32 Jan 2026 04:04:05 +0100",
    ],
)
def test_nonsense_is_an_invalid_timestamp(text: str) -> None:
    assert of_text(text) == (0, INVALID)


@pytest.mark.parametrize("text", [None, "", "  "])
def test_a_blank_timestamp_is_missing(text: str | None) -> None:
    assert of_text(text) == (0, MISSING)


@pytest.mark.parametrize(
    "text",
    ["1969-12-31T23:59:59Z", "2201-01-01T00:00:00Z", "0001-01-01", "-1", "8" * 19, "9" * 30],
)
def test_years_outside_1970_to_2200_are_out_of_range(text: str) -> None:
    assert of_text(text) == (0, OUT_OF_RANGE)


@pytest.mark.parametrize(
    ("unit", "value"), [("s", 1_767_323_045), ("ms", US // 1000), ("us", US), ("ns", US * 1000)]
)
def test_a_declared_unit_overrides_the_magnitude(unit: str, value: int) -> None:
    small = epoch_times(np.array([90]), None, unit)
    times = epoch_times(np.array([value]), None, unit)

    assert abs(int(times.us[0]) - US) < SECOND
    assert int(small.us[0]) == {"s": 90 * SECOND, "ms": 90_000, "us": 90, "ns": 0}[unit]
    assert of_text(str(value), unit) == (int(times.us[0]), 0)


def test_numbers_that_are_not_finite_are_no_times() -> None:
    times = epoch_times(np.array([np.nan, np.inf, -np.inf]), None, "")

    assert times.state.tolist() == [INVALID, OUT_OF_RANGE, OUT_OF_RANGE]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Berlin"])
def test_parquet_timestamps_of_any_unit_and_zone_give_microseconds(
    unit: str, zone: str | None
) -> None:
    scale = {"s": 1_000_000, "ms": 1_000, "us": 1}.get(unit)
    ticks = US * 1000 if scale is None else US // scale
    array = pa.array([ticks, None, -1], pa.int64()).cast(pa.timestamp(unit, zone))

    times = ArrowRecords(pa.table({"ts": array})).times("ts", "")

    assert times.us[0] == US // (scale or 1) * (scale or 1)
    assert times.state.tolist() == [0, MISSING, OUT_OF_RANGE]


def test_parquet_seconds_too_large_for_microseconds_do_not_wrap_around() -> None:
    array = pa.array([2**62], pa.int64()).cast(pa.timestamp("s"))

    times = ArrowRecords(pa.table({"ts": array})).times("ts", "")

    assert times.state.tolist() == [OUT_OF_RANGE]


def test_parquet_dates_are_midnight() -> None:
    array = pa.array([20_455], pa.int32()).cast(pa.date32())

    times = ArrowRecords(pa.table({"ts": array})).times("ts", "")

    assert times.us.tolist() == [20_455 * 86_400 * SECOND]


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    st.datetimes(datetime(1970, 1, 1), datetime(2200, 12, 31)),
    st.sampled_from(["Z", "", "+00:00", "+0530", "-08"]),
    st.sampled_from(["T", " "]),
)
def test_a_text_reads_the_same_alone_and_among_others(
    moment: datetime, zone: str, between: str
) -> None:
    text = moment.isoformat(sep=between) + zone
    alone = of_text(text)
    mixed = text_times(pa.array([text, "nonsense", "1767323045"], pa.string()), "")

    assert (int(mixed.us[0]), int(mixed.state[0])) == alone
    if zone in ("Z", "", "+00:00"):
        expected = (moment.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(
            microseconds=1
        )
        assert alone == (expected, 0)


def test_a_json_record_may_hold_any_kind_of_time() -> None:
    values = [US, US / 1e6, "2026-01-02", None, True, {"a": 1}, 2**64]

    times = PythonRecords(7, {"ts": values}).times("ts", "")

    assert times.state.tolist() == [0, 0, 0, MISSING, INVALID, INVALID, OUT_OF_RANGE]
    assert times.us[0] == times.us[1] == US
