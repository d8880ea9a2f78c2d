"""Partial counts to closed windows, in order of time."""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from baselines.layout import Layout
from baselines.summary import Window, WindowKey, WindowSummary
from monitor.engine.event_order import CountBoundaries
from monitor.engine.partition import Counts
from monitor.windows.slices import ALL, gather, keep_largest
from monitor.windows.spec import TumblingWindows, WindowSpec

__all__ = ["Closing", "by_bucket"]

BREAK_WINDOWS = 100
BREAK_US = 31 * 86_400_000_000
"""A longer stretch without any event, in both, is a break in the log: it is not judged."""

MAX_EMPTY_WINDOWS = 100_000
"""Windows without events that are yielded at most in a row."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Edges:
    """Whether a bucket is the first or the last of the log."""

    first: bool = False
    last: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """Turns the counts of each bucket into windows, the same from a stream and from files.

    Parameters
    ----------
    layout
        The grids that were counted on.
    windows
        The cut of event time.
    max_values
        The slices that a window keeps of each slicing.
    boundaries
        For count windows: where they begin and end, by slice.
    kept
        The slices to keep in every window; None: the largest of each window.
    from_us, to_us
        The stretch of event time that the log is known to cover; None: it may begin or end
        inside the first or the last window.
    padded
        Whether the windows of that stretch before the first event and after the last one are
        there too, without events: a log that has stopped is not a log that is fine.
    """

    layout: Layout
    windows: WindowSpec
    max_values: int
    boundaries: Mapping[str, CountBoundaries] | None = None
    kept: frozenset[str] | None = None
    from_us: int | None = None
    to_us: int | None = None
    padded: bool = True

    def close(
        self,
        buckets: Iterable[tuple[int, Mapping[str, Counts]]],
        *,
        previous: int | None = None,
        ended: bool = True,
    ) -> Iterator[tuple[Window, ...]]:
        """Yield the windows of each bucket, ordered by slice.

        Parameters
        ----------
        buckets
            (bucket, counts by slice), ascending. Between two buckets of event time, the
            windows without any event are yielded too, as empty windows of ``all``: no events
            is something to see. A stretch longer than 31 days and 100 windows is a break in
            the log and is passed over: one wrong time must not make years of empty windows.
        previous
            The bucket that was closed before these, in a stream.
        ended
            Whether the log ends with these.
        """
        first = previous
        for (bucket, slices), last in _with_last(buckets):
            if isinstance(self.windows, TumblingWindows):
                if previous is not None:
                    yield from self._between(previous, bucket, self.windows)
                else:
                    yield from self._before(bucket, self.windows)
            edges = Edges(first=previous is None, last=last and ended)
            kept = self._kept(slices)
            yield tuple(self._window(bucket, key, kept[key], edges) for key in sorted(kept))
            previous = bucket
        if ended and isinstance(self.windows, TumblingWindows):
            yield from self._after(previous, self.windows, alone=first is None)

    def silence(self, previous: int, until_us: int) -> Iterator[tuple[Window, ...]]:
        """Yield the windows after the bucket `previous` that end by `until_us`, without events.

        It is for streams, in which nothing that follows tells that nothing came.
        """
        if isinstance(self.windows, TumblingWindows):
            length = self.windows.length_us
            yield from self._empty(range(previous + length, until_us - length + 1, length))

    def _between(
        self, previous: int, bucket: int, windows: TumblingWindows
    ) -> Iterator[tuple[Window, ...]]:
        starts = range(previous + windows.length_us, bucket, windows.length_us)
        if len(starts) <= BREAK_WINDOWS or bucket - previous <= BREAK_US:
            yield from self._empty(starts)

    def _before(self, bucket: int, windows: TumblingWindows) -> Iterator[tuple[Window, ...]]:
        if self.padded and self.from_us is not None:
            first = self._aligned(self.from_us, windows)
            yield from self._empty(range(first, bucket, windows.length_us))

    def _after(
        self, previous: int | None, windows: TumblingWindows, *, alone: bool
    ) -> Iterator[tuple[Window, ...]]:
        if not self.padded or self.to_us is None:
            return
        if previous is not None:
            first = previous + windows.length_us
        elif alone and self.from_us is not None:
            first = self._aligned(self.from_us, windows)
        else:
            return
        yield from self._empty(range(first, self.to_us - windows.length_us + 1, windows.length_us))

    @staticmethod
    def _aligned(us: int, windows: TumblingWindows) -> int:
        """Return the start of the first window that begins at or after a time."""
        start = int(windows.starts(np.array([us], dtype=np.int64))[0])
        return start if start == us else start + windows.length_us

    def _kept(self, slices: Mapping[str, Counts]) -> Mapping[str, Counts]:
        if self.boundaries is not None:
            return slices
        if self.kept is not None:
            return gather(slices, self.kept)
        return keep_largest(slices, self.max_values)

    def _empty(self, starts: range) -> Iterator[tuple[Window, ...]]:
        nothing = np.zeros(self.layout.n_cells, dtype=np.int64)
        for start in starts[:MAX_EMPTY_WINDOWS]:
            yield (self._window(start, ALL, nothing, Edges()),)

    def _window(self, bucket: int, label: str, counts: Counts, edges: Edges) -> Window:
        key = self._key(bucket, label)
        begun = not edges.first or (self.from_us is not None and self.from_us <= key.start_us)
        ended = not edges.last or (self.to_us is not None and self.to_us >= key.end_us)
        return Window(key, WindowSummary(self.layout, counts), complete=begun and ended)

    def _key(self, bucket: int, label: str) -> WindowKey:
        if isinstance(self.windows, TumblingWindows):
            return WindowKey(bucket, bucket + self.windows.length_us, label)
        if self.boundaries is None:
            message = "count windows need the order of all events"
            raise ValueError(message)
        boundaries = self.boundaries[label]
        start_us, _ = boundaries.first[bucket]
        return WindowKey(start_us, boundaries.end_us[bucket], label, bucket)


def _with_last(items: Iterable[T]) -> Iterator[tuple[T, bool]]:
    """Yield each item and whether it is the last."""
    waiting: list[T] = []
    for item in items:
        if waiting:
            yield waiting.pop(), False
        waiting.append(item)
    for item in waiting:
        yield item, True


def by_bucket(
    partials: Iterable[tuple[int, str, Counts]],
) -> Iterator[tuple[int, dict[str, Counts]]]:
    """Yield (bucket, counts by slice) from (bucket, slice, counts) ordered by bucket."""
    for bucket, group in itertools.groupby(partials, key=lambda partial: partial[0]):
        yield bucket, {label: counts for _, label, counts in group}
