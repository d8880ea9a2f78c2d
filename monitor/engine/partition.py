"""Rows to partial counts: which window and slice each row is counted in."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from baselines.columns import Columns
from baselines.counting import Counter
from monitor.engine.event_order import CountBoundaries
from monitor.windows.slices import ALL, Slicing, slicing_of
from monitor.windows.spec import CountWindows, TumblingWindows, WindowSpec

__all__ = ["Counts", "PartialKey", "Partition", "add_counts"]

Counts = npt.NDArray[np.int64]
PartialKey = tuple[str, int]
"""Slice label and bucket: the start of an event-time window, the ordinal of a count window."""

_MAX_CELLS_AT_ONCE = 1 << 24


def add_counts(total: dict[PartialKey, Counts], more: Mapping[PartialKey, Counts]) -> None:
    """Add `more` into `total`, cell by cell."""
    for key, counts in more.items():
        known = total.get(key)
        total[key] = counts if known is None else known + counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """How rows are divided over windows and slices.

    Parameters
    ----------
    windows
        The cut of event time.
    by
        The slicings, each the columns that name its slices; every row is counted in ``all`` too.
    boundaries
        For count windows: where they begin and end, by slice.
    """

    windows: WindowSpec
    by: tuple[tuple[str, ...], ...] = ()
    boundaries: Mapping[str, CountBoundaries] | None = None

    @property
    def slicings(self) -> tuple[tuple[str, ...], ...]:
        """Return the slicings, ``all`` (no columns) first."""
        return ((), *self.by)

    def count(self, columns: Columns, counter: Counter) -> dict[PartialKey, Counts]:
        """Return the counts of `columns` by slice and bucket.

        Every row falls in exactly one slice of each slicing, so ``all`` is the sum of the
        first slicing's slices when there is one; count windows differ between slices and
        are counted apart.
        """
        total: dict[PartialKey, Counts] = {}
        for key, counts in self.counted(columns, counter):
            add_counts(total, {key: counts})
        return total

    def counted(self, columns: Columns, counter: Counter) -> Iterator[tuple[PartialKey, Counts]]:
        """Yield what `count` adds up, a bounded number of cells in memory at once.

        The counts of one key may come in several parts.
        """
        if columns.n_rows == 0:
            return
        if not self.by or isinstance(self.windows, CountWindows):
            yield from self._counted(columns, self.slicings, counter)
            return
        first, *others = self.by
        for (label, bucket), counts in self._counted(columns, (first,), counter):
            yield (label, bucket), counts
            yield (ALL, bucket), counts
        yield from self._counted(columns, others, counter)

    def _counted(
        self, columns: Columns, slicings: Iterable[tuple[str, ...]], counter: Counter
    ) -> Iterator[tuple[PartialKey, Counts]]:
        for by in slicings:
            yield from self._count_slicing(columns, slicing_of(columns, by), counter)

    def _count_slicing(
        self, columns: Columns, slicing: Slicing, counter: Counter
    ) -> Iterator[tuple[PartialKey, Counts]]:
        if self.boundaries is not None:
            slicing = slicing.gathered(self.boundaries)
        buckets = self._buckets(columns, slicing)
        distinct, position = _compact(buckets)
        if isinstance(self.windows, TumblingWindows):
            distinct = self.windows.start_of(distinct)
        keys = position * len(slicing.labels) + slicing.codes
        present, keys = _compact(keys)
        for key, counts in _count_keys(columns, counter, keys, len(present)):
            bucket, label = divmod(int(present[key]), len(slicing.labels))
            yield (slicing.labels[label], int(distinct[bucket])), counts

    def _buckets(self, columns: Columns, slicing: Slicing) -> npt.NDArray[np.int64]:
        if isinstance(self.windows, TumblingWindows):
            return self.windows.numbers(columns.time_us)
        if self.boundaries is None or columns.event_ids is None:
            message = "count windows need the order of all events and every event's id"
            raise ValueError(message)
        buckets = np.zeros(columns.n_rows, dtype=np.int64)
        for code, label in enumerate(slicing.labels):
            rows = np.flatnonzero(slicing.codes == code)
            buckets[rows] = self.boundaries[label].ordinals(
                columns.time_us[rows], columns.event_ids[rows].tolist()
            )
        return buckets


def _compact(
    values: npt.NDArray[np.int64],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the distinct values, ascending, and each row's position among them."""
    low = values.min()
    span = int(values.max()) - int(low) + 1
    if span > 4 * len(values):
        distinct, position = np.unique(values, return_inverse=True)
        return distinct, position.astype(np.int64, copy=False)
    # A table of all values in between is much faster than a sort, and small here.
    shifted = values - low
    present = np.bincount(shifted, minlength=span) > 0
    return np.flatnonzero(present) + low, (np.cumsum(present) - 1).take(shifted)


def _count_keys(
    columns: Columns, counter: Counter, keys: npt.NDArray[np.int64], n_keys: int
) -> Iterator[tuple[int, Counts]]:
    """Yield (key, counts), a bounded number of cells in memory at once."""
    step = max(1, _MAX_CELLS_AT_ONCE // counter.layout.n_cells)
    if n_keys <= step:
        yield from enumerate(_rows(counter.count_by_key(columns, keys, n_keys)))
        return
    order = np.argsort(keys, kind="stable")
    cuts = np.searchsorted(keys[order], np.arange(0, n_keys + step, step))
    for low, rows in zip(range(0, n_keys, step), np.split(order, cuts[1:-1]), strict=True):
        n_here = min(step, n_keys - low)
        counted = counter.count_by_key(columns.take(rows), keys[rows] - low, n_here)
        yield from enumerate(_rows(counted), start=low)


def _rows(counted: npt.NDArray[np.int64]) -> Iterator[Counts]:
    """Yield the rows of a matrix; one that is kept must not keep all the others in memory."""
    if len(counted) == 1:
        yield counted[0]
        return
    for row in counted:
        yield row.copy()
