"""The files of reporting duties: valid, reviewed, and found again by their names."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from monitor.incidents.regimes.library import calendars, regime, regimes
from monitor.incidents.regimes.model import STALE_AFTER_DAYS, RegimeError, Unit, is_stale

REVIEWED = date(2026, 11, 23)


@pytest.mark.parametrize("each", regimes().values(), ids=lambda each: each.id)
def test_every_duty_was_reviewed_and_names_its_sources_and_its_recipient(each) -> None:
    assert each.reviewed_on == REVIEWED
    assert each.sources
    assert each.recipient or not each.clocks


@pytest.mark.parametrize("each", regimes().values(), ids=lambda each: each.id)
def test_every_duty_ends_after_it_begins(each) -> None:
    assert each.valid_from is not None
    assert each.valid_to is None or each.valid_from < each.valid_to


def test_a_duty_is_stale_after_half_a_year_and_not_a_day_before() -> None:
    duty = regime("gdpr_33")

    assert not is_stale(duty, REVIEWED + timedelta(days=STALE_AFTER_DAYS))
    assert is_stale(duty, REVIEWED + timedelta(days=STALE_AFTER_DAYS + 1))
    assert not is_stale(
        replace(duty, reviewed_on=date(2027, 6, 1)), REVIEWED + timedelta(days=200)
    )


def test_a_duty_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(RegimeError, match="known are california_sb_53, colorado_sb_26_189"):
        regime("gdpr_99")


def test_a_clock_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(RegimeError, match="its clocks are: serious, widespread, death"):
        regime("eu_ai_act_73").clock("notice")


def test_only_working_days_have_a_calendar_and_it_is_one_of_ours() -> None:
    clocks = [clock for each in regimes().values() for clock in each.clocks]

    assert all((clock.calendar in calendars()) == (clock.unit is Unit.WORKING) for clock in clocks)


def test_holidays_are_days_that_would_be_worked_otherwise() -> None:
    calendar = calendars()["us_federal"]

    assert all(day.weekday() < 5 for day in calendar.holidays)
    assert all(calendar.first <= day <= calendar.last for day in calendar.holidays)
