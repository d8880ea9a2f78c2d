"""Hours and days of work: in zones, over weekends, holidays and changes of the clock."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.incidents.business_hours import OFFICE_HOURS, BusinessHours, Weekday
from monitor.incidents.regimes.periods import microseconds, moment

BERLIN = BusinessHours(
    time_zone="Europe/Berlin", from_hour=8, until_hour=16, holidays=(date(2026, 12, 25),)
)
ALL_DAY = BusinessHours(days=tuple(Weekday), from_hour=0, until_hour=24)
HOUR = 3_600_000_000
YEARS = st.integers(1_767_225_600, 1_830_297_600).map(lambda seconds: seconds * 1_000_000)


def later_hours(hours: BusinessHours, start: datetime, n: int) -> datetime:
    return moment(hours.hours_later(microseconds(start), n))


def later_days(hours: BusinessHours, start: datetime, n: int) -> datetime:
    return moment(hours.days_later(microseconds(start), n))


def test_hours_of_a_friday_afternoon_go_on_on_monday() -> None:
    friday = datetime(2026, 1, 2, 15, 30, tzinfo=UTC)

    assert later_hours(OFFICE_HOURS, friday, 4) == datetime(2026, 1, 5, 11, 30, tzinfo=UTC)


def test_a_holiday_in_another_zone_is_not_worked() -> None:
    before = datetime(2026, 12, 24, 14, tzinfo=UTC)  # an hour before the end in Berlin

    assert later_hours(BERLIN, before, 2) == datetime(2026, 12, 28, 8, tzinfo=UTC)
    assert later_days(BERLIN, before, 1) == datetime(2026, 12, 28, 14, tzinfo=UTC)


def test_a_day_keeps_its_time_on_the_wall_when_the_clock_is_changed() -> None:
    friday = datetime(2026, 3, 27, 9, tzinfo=UTC)  # 10 o'clock in Berlin, as on the Monday

    assert later_days(BERLIN, friday, 1) == datetime(2026, 3, 30, 8, tzinfo=UTC)


def test_what_begins_at_night_counts_from_the_morning() -> None:
    night = datetime(2026, 1, 6, 3, tzinfo=UTC)

    assert later_hours(OFFICE_HOURS, night, 1) == datetime(2026, 1, 6, 10, tzinfo=UTC)
    assert later_days(OFFICE_HOURS, night, 1) == datetime(2026, 1, 7, 9, tzinfo=UTC)


@given(start_us=YEARS, n=st.integers(1, 60))
def test_who_always_works_has_hours_of_the_clock(start_us: int, n: int) -> None:
    assert ALL_DAY.hours_later(start_us, n) == start_us + n * HOUR


@given(start_us=YEARS, n=st.integers(1, 60), more=st.integers(0, 30 * HOUR))
def test_what_begins_later_is_not_due_before(start_us: int, n: int, more: int) -> None:
    for hours in (OFFICE_HOURS, BERLIN):
        due = hours.hours_later(start_us, n)
        assert due >= start_us + n * HOUR
        assert hours.hours_later(start_us + more, n) >= due
        assert hours.days_later(start_us + more, n) >= hours.days_later(start_us, n)


@given(start_us=YEARS, n=st.integers(1, 60))
def test_what_is_due_is_due_at_work(start_us: int, n: int) -> None:
    due = moment(OFFICE_HOURS.hours_later(start_us, n))

    assert OFFICE_HOURS.is_worked(due.date())
    assert (9, 0) <= (due.hour, due.minute) <= (17, 0)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"from_hour": 17, "until_hour": 9}, "from_hour"),
        ({"time_zone": "Europe/Atlantis"}, "Europe/Atlantis"),
        ({"time_zone": ""}, "time_zone"),
    ],
)
def test_hours_that_cannot_be_are_refused(options: dict[str, object], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        BusinessHours(**options)  # type: ignore[arg-type]  # each is right for one field
