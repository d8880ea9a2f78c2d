"""When a period ends."""

from datetime import UTC, datetime

import pytest

from monitor.incidents.regimes.library import calendars, regime
from monitor.incidents.regimes.model import RegimeClock, RegimeError, Trigger, Unit
from monitor.incidents.regimes.periods import due_us


def us(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


def period(number: int, unit: Unit) -> RegimeClock:
    return RegimeClock(
        name="n",
        what="report",
        trigger_words="awareness",
        triggers=(Trigger.BELIEF_STATED,),
        period=number,
        unit=unit,
        calendar="us_federal" if unit is Unit.WORKING else None,
    )


@pytest.mark.parametrize(
    ("number", "unit", "start", "end"),
    [
        (72, Unit.HOURS, "2026-11-23 09:00", "2026-11-26 09:00"),
        (15, Unit.CALENDAR, "2026-11-23 09:00", "2026-12-08 09:00"),
        (1, Unit.MONTHS, "2027-01-31 12:30", "2027-02-28 12:30"),
        (1, Unit.MONTHS, "2026-12-15 12:30", "2027-01-15 12:30"),
        (2, Unit.MONTHS, "2027-10-31 00:00", "2027-12-31 00:00"),
        (5, Unit.WORKING, "2026-11-30 15:00", "2026-12-07 15:00"),
        (1, Unit.WORKING, "2026-11-27 15:00", "2026-11-30 15:00"),
    ],
)
def test_a_period_ends_so_many_units_later(number, unit, start, end) -> None:
    assert due_us(period(number, unit), us(start), calendars()) == us(end)


def test_five_working_days_skip_a_holiday_and_a_weekend() -> None:
    clock = regime("fda_803").clock("five_days")

    # Monday; Thursday the 26th is Thanksgiving, so the fifth day is the Tuesday after.
    assert due_us(clock, us("2026-11-23 15:00"), calendars()) == us("2026-12-01 15:00")


def test_working_days_begin_where_the_authority_is() -> None:
    clock = regime("fda_803").clock("five_days")

    # 01:00 on Monday in UTC is still Sunday evening in New York: Monday is the first day.
    assert due_us(clock, us("2026-12-07 01:00"), calendars()) == us("2026-12-12 01:00")


def test_beyond_the_list_of_holidays_nothing_is_guessed() -> None:
    with pytest.raises(RegimeError, match="must cover 2028-01-01, it holds"):
        due_us(period(5, Unit.WORKING), us("2027-12-29 12:00"), calendars())
