"""Open windows of a stream: add until the watermark passes, then close; the rest is late."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from baselines.columns import Columns
from baselines.counting import Counter
from baselines.summary import Window
from monitor.engine.closing import Closing
from monitor.engine.partition import Counts, PartialKey, Partition, add_counts
from monitor.windows.spec import TumblingWindows
from monitor.windows.watermark import Watermark

__all__ = ["OpenWindows"]


@dataclass(slots=True, kw_only=True)
class OpenWindows:
    """The windows of a stream that can still change.

    An event is added to its window as long as the window is open, in whatever order events
    come; an event whose window is closed is counted as late and changes nothing. Every event
    is either in a window or in `n_late`.

    Parameters
    ----------
    partition, closing
        How rows are divided, and how counts become windows; the same objects as in a batch.
    counter
        Counts rows on the layout.
    windows
        Windows of event time with their allowed lateness; count windows need the whole log.
    """

    partition: Partition
    closing: Closing
    counter: Counter
    windows: TumblingWindows
    watermark: Watermark = field(default_factory=Watermark)
    n_late: int = 0
    n_rows: int = 0
    _open: dict[int, dict[PartialKey, Counts]] = field(default_factory=dict)
    _closed: int | None = None

    def add(self, columns: Columns) -> Iterator[tuple[Window, ...]]:
        """Count rows, then yield the windows that the watermark has passed, in order of time.

        Lateness is judged by the watermark before these rows: rows that arrive together are
        never late because of each other.
        """
        late = self.watermark.late(columns.time_us, self.windows)
        self.n_late += int(late.sum())
        kept = columns.take(~late) if late.any() else columns
        self.n_rows += kept.n_rows
        for (label, bucket), counts in self.partition.count(kept, self.counter).items():
            add_counts(self._open.setdefault(bucket, {}), {(label, bucket): counts})
        self.watermark = self.watermark.advanced(columns.time_us, self.windows)
        yield from self._close_until(self.watermark.us, ended=False)

    def finish(self) -> Iterator[tuple[Window, ...]]:
        """Close what is still open, in order of time."""
        if self._open:
            yield from self._close_until(max(self._open) + self.windows.length_us, ended=True)

    @property
    def n_open(self) -> int:
        """Return how many stretches of time are open."""
        return len(self._open)

    def _close_until(self, us: int, *, ended: bool) -> Iterator[tuple[Window, ...]]:
        passed = sorted(start for start in self._open if start + self.windows.length_us <= us)
        buckets = [(start, self._slices(start)) for start in passed]
        if buckets:
            yield from self.closing.close(buckets, previous=self._closed, ended=ended)
            self._closed = passed[-1]

    def _slices(self, start: int) -> dict[str, Counts]:
        return {label: counts for (label, _), counts in self._open.pop(start).items()}
