"""Arguments that several verbs share."""

import argparse
from typing import TYPE_CHECKING

from monitor.errors import OutputwatchError

if TYPE_CHECKING:
    from monitor.engine.reading import TimeRange

__all__ = ["add_time_range", "time_range"]


def add_time_range(parser: argparse.ArgumentParser, of: str = "", meaning: str = "") -> None:
    """Declare ``--from`` and ``--to``, or with `of` the range ``--of-from`` and ``--of-to``."""
    for word, bound in (("from", "inclusive"), ("to", "exclusive")):
        parser.add_argument(
            _option(of, word),
            dest=_destination(of, word),
            metavar="TIME",
            help=f"RFC 3339, {bound}{meaning}",
        )


def time_range(arguments: argparse.Namespace, of: str = "") -> "TimeRange | None":
    """Return the range that was asked for; None if none was.

    Parameters
    ----------
    of
        As in `add_time_range`.

    Raises
    ------
    OutputwatchError
        If a time cannot be read or the range is empty.
    """
    from monitor.engine.reading import TimeRange

    first, last = (vars(arguments)[_destination(of, word)] for word in ("from", "to"))
    from_us, to_us = _time(_option(of, "from"), first), _time(_option(of, "to"), last)
    if from_us is not None and to_us is not None and from_us >= to_us:
        names = f"{_option(of, 'from')} must be before {_option(of, 'to')}"
        message = f"{names}, got {first} and {last}"
        raise OutputwatchError(message)
    if from_us is None and to_us is None:
        return None
    return TimeRange(from_us=from_us, to_us=to_us)


def _option(of: str, word: str) -> str:
    return f"--{of}-{word}" if of else f"--{word}"


def _destination(of: str, word: str) -> str:
    return f"{of}_{word}_time" if of else f"{word}_time"


def _time(option: str, text: str | None) -> int | None:
    from monitor.config.scalars import event_time

    if text is None:
        return None
    try:
        return event_time(text)
    except ValueError as error:
        message = f"{option} {error}"
        raise OutputwatchError(message) from error
