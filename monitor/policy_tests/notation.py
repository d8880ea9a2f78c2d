"""The notation of made-up windows: ``20/1000 x 20, 60/1000 x 3, none x 2``."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["NotationError", "Part", "WindowCounts", "read_windows"]

MOST_WINDOWS = 10_000
_REPEATED = re.compile(r"(?P<what>.*\S)\s+x\s+(?P<times>[0-9]+)", re.DOTALL)
_MISSING = re.compile(r"(?P<what>.*\S)\s*\+\s*(?P<number>[0-9]+)\s+missing", re.DOTALL)
_PART = re.compile(
    r"(?:(?P<names>.*\S)\s+)?(?:(?P<hits>[0-9]+)\s*/\s*)?(?P<number>[0-9]+)", re.DOTALL
)


class NotationError(ValueError):
    """Text that says no windows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Outputs that are counted together: a rate, a bin, or a group.

    Parameters
    ----------
    names
        Levels, groups, or ``column=value``; empty where the position tells.
    hits
        For a rate: outputs of `number` that are hits; None: a plain count.
    number
        Outputs.
    """

    names: tuple[str, ...] = ()
    hits: int | None = None
    number: int

    def __str__(self) -> str:
        count = str(self.number) if self.hits is None else f"{self.hits}/{self.number}"
        return repr(" ".join(filter(None, [" & ".join(self.names), count])))


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowCounts:
    """What one window holds; without parts it is a window without outputs.

    Parameters
    ----------
    parts
        Counts that are read by the detector of the series.
    missing
        Further outputs, in which everything the detector reads is missing.
    """

    parts: tuple[Part, ...] = ()
    missing: int = 0


def read_windows(text: str) -> tuple[WindowCounts, ...]:
    """Return the windows that a text says, in order of time.

    Parameters
    ----------
    text
        Windows, separated by commas. A window is ``hits/total``; or counts separated by
        ``|``, each with the names of its level or groups before it; or ``none``. ``+ 5
        missing`` after it adds outputs without a value. ``x 3`` repeats what stands before
        it: a window, or several in parentheses.

    Raises
    ------
    NotationError
        If it says none, or more than 10,000.

    Examples
    --------
    >>> [window.parts[0].hits for window in read_windows("(20/1000, 24/1000) x 2")]
    [20, 24, 20, 24]
    >>> read_windows("women 20/500 | men 30/500 + 8 missing")[0].parts[1]
    Part(names=('men',), hits=30, number=500)
    """
    windows = tuple(_sequence(text))
    if not windows:
        message = f"must say at least one window, for example '20/1000 x 20', got {text!r}"
        raise NotationError(message)
    return windows


def _sequence(text: str) -> Iterator[WindowCounts]:
    n_windows = 0
    for item in _items(text):
        repeated = _REPEATED.fullmatch(item)
        what, times = (repeated["what"], int(repeated["times"])) if repeated else (item, 1)
        if what.startswith("(") and what.endswith(")"):
            windows = tuple(_sequence(what[1:-1]))
        else:
            windows = (_window(what),)
        n_windows += len(windows) * times
        if n_windows > MOST_WINDOWS:
            message = f"must say at most {MOST_WINDOWS} windows, got more"
            raise NotationError(message)
        yield from windows * times


def _items(text: str) -> Iterator[str]:
    """Yield what stands between commas outside parentheses."""
    depth, begun = 0, 0
    for position, character in enumerate(text):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth < 0:
            break
        if character == "," and depth == 0:
            yield text[begun:position].strip()
            begun = position + 1
    if depth:
        message = f"must close every parenthesis that it opens, got {text!r}"
        raise NotationError(message)
    if text[begun:].strip() or begun:
        yield text[begun:].strip()


def _window(text: str) -> WindowCounts:
    if text == "none":
        return WindowCounts()
    with_missing = _MISSING.fullmatch(text)
    what, missing = (
        (with_missing["what"], int(with_missing["number"])) if with_missing else (text, 0)
    )
    return WindowCounts(parts=tuple(map(_part, what.split("|"))), missing=missing)


def _part(text: str) -> Part:
    said = _PART.fullmatch(text.strip())
    if said is None:
        message = (
            "must be windows such as '20/1000', 'women 20/500 | men 30/500' or 'none', "
            f"got {text.strip()!r}"
        )
        raise NotationError(message)
    hits, number = said["hits"], int(said["number"])
    if hits is not None and int(hits) > number:
        message = f"hits must be at most the total, got {text.strip()!r}"
        raise NotationError(message)
    names = tuple(name.strip() for name in (said["names"] or "").split("&") if name.strip())
    return Part(names=names, hits=None if hits is None else int(hits), number=number)
