"""What is wrong with a configuration, and where."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from monitor.errors import OutputwatchError

__all__ = ["ConfigurationError", "Place", "Problem", "did_you_mean"]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Place:
    """Where an option stands.

    Parameters
    ----------
    file
        The path as the user gave it.
    line, column
        Counted from 1.
    option
        The option's path within the document, for example ``detectors[0].tolerance``.
    """

    file: str
    line: int
    column: int
    option: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake: its place and what must hold, what was found, what to do."""

    place: Place
    message: str

    def __str__(self) -> str:
        option = f"{self.place.option}: " if self.place.option else ""
        return f"{self.place}: {option}{self.message}"


class ConfigurationError(OutputwatchError):
    """A configuration that cannot be used; the message has one line for each problem.

    Parameters
    ----------
    problems
        At least one, in any order; they are kept in order of place, each once.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(sorted(set(problems)))
        count = len(self.problems)
        noun = "problem" if count == 1 else "problems"
        lines = [*map(str, self.problems), f"{count} {noun} found; nothing was started"]
        super().__init__("\n".join(lines))


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """Return advice to append to a message about an unknown word, empty if nothing is near.

    Examples
    --------
    >>> did_you_mean("tolerances", ["column", "tolerance"])
    "; did you mean 'tolerance'?"
    """
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""
