"""How a source that is followed can be read again over a stretch of time, for evidence."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from monitor.sources.base import Source, SourceError

__all__ = ["PartialSource", "RereadStoppedError", "Rereadable", "Stretch"]


class RereadStoppedError(SourceError):
    """Reading again was told to stop; it can be begun anew later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A stretch of event time, and how far the times of the source may be from it.

    Parameters
    ----------
    from_us, to_us
        Events with ``from_us <= time < to_us`` are looked for, microseconds since the epoch.
    lateness_us
        How much later than others an event may have come.
    """

    from_us: int
    to_us: int
    lateness_us: int = 0


@runtime_checkable
class Rereadable(Protocol):
    """A source that is followed and keeps what it handed on for a while."""

    def reread(self, stretch: Stretch, *, stopped: Callable[[], bool]) -> Source:
        """Return what can be read again of a stretch of time, as a source of its own.

        Whoever follows the source is not disturbed, and no position moves.

        Parameters
        ----------
        stretch
            Which events are looked for; others may come as well.
        stopped
            Asked in between whether to give up with `RereadStoppedError`.
        """
        ...


@runtime_checkable
class PartialSource(Protocol):
    """A source that may not give all that there was."""

    def incomplete(self) -> Sequence[str]:
        """Return what is missing of what was read so far, a clause each; empty: nothing."""
        ...
