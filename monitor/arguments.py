"""Arguments that several verbs share."""

import argparse
from typing import TYPE_CHECKING

from monitor.errors import OutputwatchError

if TYPE_CHECKING:
    from monitor.engine.reading import TimeRange

__all__ = ["add_time_range", "time_range"]


def add_time_range(parser: argparse.ArgumentParser) -> None:
    """Declare ``--from`` and ``--to``."""
    parser.add_argument("--from", dest="from_time", metavar="TIME", help="RFC 3339, inclusive")
    parser.add_argument("--to", dest="to_time", metavar="TIME", help="RFC 3339, exclusive")


def time_range(arguments: argparse.Namespace) -> "TimeRange | None":
    """Return the range that was asked for; None if none was.

    Raises
    ------
    OutputwatchError
        If a time cannot be read or the range is empty.
    """
    from monitor.engine.reading import TimeRange

    from_us = _time("--from", arguments.from_time)
    to_us = _time("--to", arguments.to_time)
    if from_us is not None and to_us is not None and from_us >= to_us:
        message = f"--from must be before --to, got {arguments.from_time} and {arguments.to_time}"
        raise OutputwatchError(message)
    if from_us is None and to_us is None:
        return None
    return TimeRange(from_us=from_us, to_us=to_us)


def _time(option: str, text: str | None) -> int | None:
    from monitor.config.scalars import event_time

    if text is None:
        return None
    try:
        return event_time(text)
    except ValueError as error:
        message = f"{option} {error}"
        raise OutputwatchError(message) from error
