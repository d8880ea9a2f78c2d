"""How event time is cut into windows."""

from dataclasses import dataclass
from typing import Annotated, Literal

import annotated_types as at
import numpy as np
import numpy.typing as npt

__all__ = ["CountWindows", "TumblingWindows", "WindowSpec"]

_MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TumblingWindows:
    """Windows of equal length in event time, aligned to the epoch plus an offset.

    Parameters
    ----------
    seconds
        Length of a window.
    offset_seconds
        Where the first window begins, seconds after 1970-01-01T00:00Z; 345600 makes windows
        of a week begin on a Monday.
    allowed_lateness_seconds
        How far behind the newest event time a stream still adds to an open window; later
        events are counted as late. An audit of files closes its windows at the end, so
        nothing is late there.
    """

    type: Literal["tumbling"] = "tumbling"
    seconds: Annotated[int, at.Ge(1), at.Le(31 * 86_400)]
    offset_seconds: Annotated[int, at.Ge(0)] = 0
    allowed_lateness_seconds: Annotated[int, at.Ge(0)] = 3_600

    @property
    def length_us(self) -> int:
        """Return the length in microseconds."""
        return self.seconds * _MICROSECONDS

    def numbers(self, time_us: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the number of each event's window, int64 of shape (n_rows,).

        Window 0 starts at the offset; numbers follow each other in time.
        """
        numbers: npt.NDArray[np.int64] = (time_us - self._offset_us) // self.length_us
        return numbers

    def start_of(self, numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the starts of windows by their numbers, microseconds, of the same shape."""
        return numbers * self.length_us + self._offset_us

    def starts(self, time_us: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the start of each event's window, microseconds, int64 of shape (n_rows,)."""
        return self.start_of(self.numbers(time_us))

    @property
    def _offset_us(self) -> int:
        return self.offset_seconds * _MICROSECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class CountWindows:
    """Windows of equal numbers of events, in order of event time, ties by event id.

    Meant for batches and low traffic: the order of all events of the audit is held in memory
    (about 200 bytes an event and slicing), 5 million of them at most.

    Parameters
    ----------
    rows
        Events in a window. The last window of a slice holds what is left and may be smaller.
    """

    type: Literal["count"] = "count"
    rows: Annotated[int, at.Ge(1)]


WindowSpec = TumblingWindows | CountWindows
