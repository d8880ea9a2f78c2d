"""The unit of work: one part of a log, counted. Nothing here knows who runs it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from baselines.columns import Columns
from baselines.counting import Counter
from baselines.layout import Layout
from baselines.packing import encode_counts
from monitor.decoding.base import Rejection
from monitor.engine.event_order import EventOrder
from monitor.engine.partition import Counts, PartialKey, Partition, add_counts
from monitor.engine.progress import Progress
from monitor.engine.reading import Reading, Tally
from monitor.sources.base import Unit
from monitor.windows.slices import slicing_of

__all__ = ["UnitResult", "Work", "event_ids", "with_event_ids"]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitResult:
    """What one unit adds to the whole.

    Parameters
    ----------
    unit
        The unit.
    tally
        What became of its records.
    samples
        Some of its rejected records.
    partials
        Encoded counts by slice and bucket.
    """

    unit: Unit
    tally: Tally
    samples: tuple[Rejection, ...] = ()
    partials: Mapping[PartialKey, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Everything that a worker needs to count units; it can be pickled.

    Parameters
    ----------
    reading
        How units are read.
    layout
        The grids to count on.
    partition
        How rows are divided over windows and slices.
    """

    reading: Reading
    layout: Layout
    partition: Partition

    def counts(self, unit: Unit, counter: Counter) -> tuple[dict[PartialKey, Counts], UnitResult]:
        """Return the unit's counts by slice and bucket, and its account without them."""
        tally = Tally()
        samples: list[Rejection] = []
        total: dict[PartialKey, Counts] = {}
        first_row = 0
        for columns in self.reading.rows(unit, tally, samples):
            if self.partition.boundaries is not None:
                columns = with_event_ids(columns, unit, first_row)
            first_row += columns.n_rows
            add_counts(total, self.partition.count(columns, counter))
        return total, UnitResult(unit=unit, tally=tally, samples=tuple(samples))

    def run(self, unit: Unit, counter: Counter) -> UnitResult:
        """Return what the unit adds, encoded for the ledger."""
        total, result = self.counts(unit, counter)
        return UnitResult(
            unit=unit,
            tally=result.tally,
            samples=result.samples,
            partials={key: encode_counts(counts) for key, counts in total.items()},
        )

    def order(self, units: Sequence[Unit], rows: int, progress: Progress) -> EventOrder:
        """Return the order of all events of `units`, for windows of `rows` events."""
        order = EventOrder(rows)
        progress.start("ordering outputs", len(units))
        for unit in units:
            first_row = 0
            for columns in self.reading.rows(unit, Tally()):
                identified = with_event_ids(columns, unit, first_row)
                first_row += columns.n_rows
                for by in self.partition.slicings:
                    _add_slicing(order, identified, by)
            progress.advance()
        return order


def _add_slicing(order: EventOrder, columns: Columns, by: tuple[str, ...]) -> None:
    slicing = slicing_of(columns, by)
    ids = event_ids(columns)
    for code, label in enumerate(slicing.labels):
        rows = np.flatnonzero(slicing.codes == code)
        order.add(label, columns.time_us[rows], [ids[row] for row in rows.tolist()])


def event_ids(columns: Columns) -> list[str]:
    """Return the event ids; ValueError if the rows have none."""
    if columns.event_ids is None:
        message = "these rows have no event ids"
        raise ValueError(message)
    ids: list[str] = columns.event_ids.tolist()
    return ids


def with_event_ids(columns: Columns, unit: Unit, first_row: int) -> Columns:
    """Return the rows with an id each: the event's own, else its place in the log.

    A log without event ids is ordered by path, unit and row among events of equal time.
    """
    given = columns.event_ids
    rows = range(first_row, first_row + columns.n_rows)
    places = [f"{unit.path}#{unit.ordinal:08d}#{row:012d}" for row in rows]
    if given is not None:
        places = [
            place if value is None else str(value)
            for value, place in zip(given.tolist(), places, strict=True)
        ]
    ids = np.empty(columns.n_rows, dtype=np.object_)
    ids[:] = places
    return Columns(
        n_rows=columns.n_rows,
        time_us=columns.time_us,
        fields=columns.fields,
        event_ids=ids,
        weights=columns.weights,
    )
