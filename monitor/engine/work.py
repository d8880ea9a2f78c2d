"""The unit of work: one part of a log, counted. Nothing here knows who runs it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from baselines.columns import Columns
from baselines.counting import Counter
from baselines.layout import Layout
from monitor.decoding.base import Rejection
from monitor.engine.event_order import EventOrder
from monitor.engine.partial_counts import PartialCounts
from monitor.engine.partition import PartialKey, Partition
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

    def run(self, unit: Unit, counter: Counter) -> UnitResult:
        """Return what the unit adds, encoded for the ledger."""
        tally = Tally()
        samples: list[Rejection] = []
        total = PartialCounts(self.layout.n_cells)
        first_row = 0
        for columns in self.reading.rows(unit, tally, samples):
            if self.partition.boundaries is not None:
                columns = with_event_ids(columns, unit, first_row)
            first_row += columns.n_rows
            total.add(self.partition.counted(columns, counter))
        return UnitResult(unit=unit, tally=tally, samples=tuple(samples), partials=total.encoded())

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
