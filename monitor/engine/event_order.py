"""The order of events in time, for windows of a fixed number of events."""

import bisect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from monitor.errors import OutputwatchError
from monitor.windows.slices import largest, other_label, slicing_name

__all__ = ["CountBoundaries", "EventOrder", "TooManyEventsError"]

MAX_EVENTS = 5_000_000
"""About 1 GB: a time and an id are about 200 bytes, more while they are sorted."""


class TooManyEventsError(OutputwatchError):
    """More events than count windows can order in memory."""


@dataclass(frozen=True, slots=True)
class CountBoundaries:
    """Where the count windows of one slice begin and end.

    Parameters
    ----------
    first
        (event time, event id) of each window's first event, ascending.
    end_us
        One microsecond after each window's last event.
    """

    first: tuple[tuple[int, str], ...]
    end_us: tuple[int, ...]

    def ordinals(
        self, time_us: npt.NDArray[np.int64], event_ids: Sequence[str]
    ) -> npt.NDArray[np.int64]:
        """Return the position of each event's window, int64 of shape (n_rows,).

        Times alone decide unless an event shares its time with the first event of a window.
        """
        times = np.array([time for time, _ in self.first], dtype=np.int64)
        ordinals = np.searchsorted(times, time_us, side="right") - 1
        tied = np.searchsorted(times, time_us, side="left") <= ordinals
        for row in np.flatnonzero(tied).tolist():
            key = (int(time_us[row]), event_ids[row])
            ordinals[row] = bisect.bisect_right(self.first, key) - 1
        return np.maximum(ordinals, 0).astype(np.int64, copy=False)


@dataclass(slots=True)
class EventOrder:
    """Gathers the times and ids of all events, slice by slice, in any order."""

    rows: int
    _events: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    _n_events: int = 0

    def add(self, label: str, time_us: npt.NDArray[np.int64], event_ids: Sequence[str]) -> None:
        """Take in some events of one slice.

        Raises
        ------
        TooManyEventsError
            If more than 5 million (event, slice) pairs were given.
        """
        self._n_events += len(time_us)
        if self._n_events > MAX_EVENTS:
            message = (
                f"windows of {self.rows} events need every event's time in memory and stop at "
                f"{MAX_EVENTS:,}, counted once for all and once for each slicing; use windows of "
                "type 'tumbling', or a shorter time range"
            )
            raise TooManyEventsError(message)
        self._events.setdefault(label, []).extend(zip(time_us.tolist(), event_ids, strict=True))

    def boundaries(self, max_values: int) -> Mapping[str, CountBoundaries]:
        """Return where each slice's windows of `rows` events begin and end.

        Each slicing keeps its `max_values` slices with the most events, ties by label; the
        events of the others are ordered together under ``(other values)``.
        """
        sizes = {label: len(events) for label, events in self._events.items()}
        kept = largest(sizes, max_values)
        gathered: dict[str, list[tuple[int, str]]] = {}
        for label, events in self._events.items():
            name = label if label in kept else other_label(slicing_name(label))
            gathered.setdefault(name, []).extend(events)
        return {label: self._cut(sorted(events)) for label, events in gathered.items()}

    def _cut(self, events: list[tuple[int, str]]) -> CountBoundaries:
        starts = range(0, len(events), self.rows)
        last = [events[min(start + self.rows, len(events)) - 1] for start in starts]
        return CountBoundaries(
            first=tuple(events[start] for start in starts),
            end_us=tuple(time + 1 for time, _ in last),
        )
