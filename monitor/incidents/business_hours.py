"""When people are at work: what need not be done at night waits until then."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import annotated_types as at

from monitor.incidents.regimes.periods import microseconds, moment, working_days_later

__all__ = ["OFFICE_HOURS", "BusinessHours", "Weekday"]

_LONGEST_DAYS: Final = 3_660


class Weekday(StrEnum):
    """A day of the week, in the order of ISO 8601."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


_WEEK: Final = tuple(Weekday)


@dataclass(frozen=True, slots=True, kw_only=True)
class BusinessHours:
    """The hours in which mild incidents are worked on.

    Parameters
    ----------
    time_zone
        Where its days begin, an IANA name.
    days
        The days of the week that are worked.
    from_hour, until_hour
        The first hour that is worked and the first that is not any more, by the clock there.
    holidays
        Days that are not worked, besides those of the week.
    """

    time_zone: str = "UTC"
    days: Annotated[tuple[Weekday, ...], at.MinLen(1)] = _WEEK[:5]
    from_hour: Annotated[int, at.Ge(0), at.Le(23)] = 9
    until_hour: Annotated[int, at.Ge(1), at.Le(24)] = 17
    holidays: tuple[date, ...] = ()

    def __post_init__(self) -> None:
        if self.from_hour >= self.until_hour:
            message = (
                f"from_hour must be before until_hour, got {self.from_hour} and {self.until_hour}"
            )
            raise ValueError(message)
        try:
            ZoneInfo(self.time_zone)
        except (ValueError, OSError, KeyError) as error:
            message = (
                f"time_zone must be the IANA name of a zone, like 'Europe/Berlin', got "
                f"{self.time_zone!r}"
            )
            raise ValueError(message) from error

    def is_worked(self, day: date) -> bool:
        """Return whether people are at work on a day."""
        return _WEEK[day.weekday()] in self.days and day not in self.holidays

    def hours_later(self, start_us: int, hours: int) -> int:
        """Return when so many hours were worked since a time, microseconds since the epoch.

        Examples
        --------
        >>> friday = microseconds(datetime(2026, 1, 2, 15, tzinfo=UTC))
        >>> moment(BusinessHours().hours_later(friday, 4)).isoformat()
        '2026-01-05T11:00:00+00:00'
        """
        left = timedelta(hours=hours)
        for opens, closes in self._open_from(moment(start_us)):
            if closes - opens >= left:
                return microseconds(opens + left)
            left -= closes - opens
        return self._never()

    def days_later(self, start_us: int, days: int) -> int:
        """Return the same time of day so many worked days later.

        What begins when nobody is at work counts from when people come back.

        Examples
        --------
        >>> saturday = microseconds(datetime(2026, 1, 3, 22, tzinfo=UTC))
        >>> moment(BusinessHours().days_later(saturday, 1)).isoformat()
        '2026-01-06T09:00:00+00:00'
        """
        for opens, _ in self._open_from(moment(start_us)):
            later = working_days_later(opens, days, self.is_worked, self.time_zone)
            return microseconds(later)
        return self._never()

    def _open_from(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Yield what is left of the hours of a day, and those of the days after it, in UTC."""
        zone = ZoneInfo(self.time_zone)
        first = start.astimezone(zone).date()
        for day in (first + timedelta(days=n) for n in range(_LONGEST_DAYS)):
            if not self.is_worked(day):
                continue
            opens = datetime.combine(day, time(self.from_hour), zone).astimezone(UTC)
            # An end at 24 is the beginning of the next day.
            ends = day + timedelta(days=self.until_hour // 24)
            closes = datetime.combine(ends, time(self.until_hour % 24), zone).astimezone(UTC)
            if closes > start:
                yield max(opens, start), closes

    def _never(self) -> int:
        message = f"within {_LONGEST_DAYS} days must be enough that are worked; check the holidays"
        raise ValueError(message)


OFFICE_HOURS: Final = BusinessHours()
"""Monday to Friday from 9 to 17 in UTC, where nothing else is said."""
