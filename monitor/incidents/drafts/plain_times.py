"""Times as a letter says them, without a method and without seconds."""

from datetime import UTC, datetime, timedelta

__all__ = ["plain_moment", "plain_span"]

_BEGIN = datetime(1970, 1, 1, tzinfo=UTC)


def plain_moment(us: int) -> str:
    """Return a time in words, in UTC.

    Examples
    --------
    >>> plain_moment(1_789_376_040_000_000)
    'on 14 September 2026 at 08:54 UTC'
    """
    moment = _moment(us)
    return f"on {_day(moment)} at {_clock(moment)} UTC"


def plain_span(from_us: int, to_us: int) -> str:
    """Return in words that something happened between two times, in UTC.

    Examples
    --------
    >>> plain_span(1_789_376_040_000_000, 1_789_376_100_000_000)
    'on 14 September 2026, between 08:54 and 08:55 UTC'
    >>> plain_span(1_790_380_800_000_000, 1_790_467_200_000_000)
    'on 26 September 2026'
    >>> plain_span(1_790_380_800_000_000, 1_790_640_000_000_000)
    'between 26 September 2026, 00:00, and 29 September 2026, 00:00 UTC'
    """
    first, last = _moment(from_us), _moment(to_us)
    if first == last:
        return plain_moment(from_us)
    midnight = (0, 0)
    whole_day = (first.hour, first.minute) == (last.hour, last.minute) == midnight
    if whole_day and last - first == timedelta(days=1):
        return f"on {_day(first)}"
    if first.date() == last.date():
        return f"on {_day(first)}, between {_clock(first)} and {_clock(last)} UTC"
    return f"between {_day(first)}, {_clock(first)}, and {_day(last)}, {_clock(last)} UTC"


def _moment(us: int) -> datetime:
    minutes = us // 60_000_000
    return _BEGIN + timedelta(minutes=minutes)


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y}"


def _clock(moment: datetime) -> str:
    return f"{moment:%H:%M}"
