"""How event time is cut, as a baseline remembers it and in words."""

from collections.abc import Mapping
from dataclasses import asdict

from monitor.windows.spec import WindowSpec

__all__ = ["describe_windows", "windows_in_words"]

_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def describe_windows(windows: WindowSpec) -> dict[str, str | int]:
    """Return the options of the windows, JSON-ready, ``type`` among them."""
    return asdict(windows)


def windows_in_words(description: Mapping[str, str | int]) -> str:
    """Return what `describe_windows` described in words.

    Examples
    --------
    >>> windows_in_words({"type": "tumbling", "seconds": 86_400})
    'windows of 1 day'
    >>> windows_in_words({"type": "count", "rows": 500})
    'windows of 500 rows'
    """
    if description["type"] == "count":
        return f"windows of {_counted(int(description['rows']), 'row')}"
    seconds = int(description["seconds"])
    unit, length = next(each for each in _UNITS if seconds % each[1] == 0)
    return f"windows of {_counted(seconds // length, unit)}"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
