"""When a period ends: hours, calendar days, months, and working days with holidays."""

import calendar as month_lengths
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import annotated_types as at

from monitor.incidents.regimes.model import RegimeClock, RegimeError, Unit

__all__ = ["Calendar", "due_us", "microseconds", "moment", "working_days_later"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SATURDAY: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Which days are worked; Saturdays and Sundays never are.

    Parameters
    ----------
    id, title
        Its name, and what people call it.
    time_zone
        Where its days begin, an IANA name.
    first, last
        The days that the list of holidays covers, both included.
    holidays
        Days that are not worked.
    sources
        Where the list is from.
    """

    id: Annotated[str, at.MinLen(1)]
    title: str
    time_zone: str
    first: date
    last: date
    holidays: tuple[date, ...]
    sources: Annotated[tuple[str, ...], at.MinLen(1)]

    def is_worked(self, day: date) -> bool:
        """Return whether a day is a working day.

        Raises
        ------
        RegimeError
            If the list of holidays does not reach so far.
        """
        if not self.first <= day <= self.last:
            message = (
                f"calendar {self.id!r} must cover {day.isoformat()}, it holds holidays from "
                f"{self.first.isoformat()} to {self.last.isoformat()}; extend its file"
            )
            raise RegimeError(message)
        return day.weekday() < _SATURDAY and day not in self.holidays


def due_us(clock: RegimeClock, start_us: int, calendars: Mapping[str, Calendar]) -> int:
    """Return when a period that runs from `start_us` ends, microseconds since the epoch.

    Days and months end at the time of day at which they began: counsel may know of a later
    end, never of an earlier one. Working days are counted in the zone of their calendar, from
    the day after.

    Raises
    ------
    RegimeError
        If the list of holidays does not reach so far.
    """
    start = moment(start_us)
    match clock.unit:
        case Unit.HOURS:
            end = start + timedelta(hours=clock.period)
        case Unit.CALENDAR:
            end = start + timedelta(days=clock.period)
        case Unit.MONTHS:
            end = _months_later(start, clock.period)
        case Unit.WORKING:
            days = calendars[str(clock.calendar)]
            end = working_days_later(start, clock.period, days.is_worked, days.time_zone)
    return microseconds(end)


def moment(us: int) -> datetime:
    """Return the time in UTC that microseconds since the epoch name."""
    return _EPOCH + timedelta(microseconds=us)


def microseconds(time: datetime) -> int:
    """Return a time as microseconds since the epoch."""
    return (time - _EPOCH) // timedelta(microseconds=1)


def _months_later(start: datetime, months: int) -> datetime:
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    # One month after 31 January is the last of February.
    longest = month_lengths.monthrange(year, month + 1)[1]
    return start.replace(year=year, month=month + 1, day=min(start.day, longest))


def working_days_later(
    start: datetime, days: int, is_worked: Callable[[date], bool], time_zone: str
) -> datetime:
    """Return the same time of day so many worked days later, in UTC.

    Parameters
    ----------
    start
        With a zone; its own day does not count.
    days
        How many, at least 0.
    is_worked
        Whether a day is one of them.
    time_zone
        Where days begin, an IANA name.
    """
    local = start.astimezone(ZoneInfo(time_zone))
    left = days
    while left:
        local += timedelta(days=1)
        left -= is_worked(local.date())
    return local.astimezone(UTC)
