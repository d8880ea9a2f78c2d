"""What a worker holds of one partition: what is in the database, and what is not yet."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from baselines.packing import decode_counts, encode_counts
from monitor.engine.daemon.tally import StreamTally
from monitor.engine.partial_counts import PartialCounts
from monitor.engine.partition import Counts, PartialKey
from monitor.storage.streams import Letter, PartialRow

__all__ = ["Fresh", "Holding", "Settlement"]


@dataclass(slots=True)
class Fresh:
    """What was read since the last checkpoint.

    Parameters
    ----------
    counts
        By slice and start of the window.
    n_rows
        Rows by start of the window.
    ids
        Hashes of event ids by start of the window.
    tally
        What became of the records, as far as this worker could tell.
    letters
        Samples of records that were not counted.
    """

    counts: PartialCounts
    n_rows: Counter[int] = field(default_factory=Counter)
    ids: dict[int, list[int]] = field(default_factory=dict)
    tally: StreamTally = field(default_factory=StreamTally)
    letters: list[Letter] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What a checkpoint writes of a partition; it becomes true when the transaction does.

    Parameters
    ----------
    partials
        The new counts of open windows, encoded, by slice and start.
    late
        The counts that come for closed windows, by slice and start.
    tally
        What became of all records of the partition.
    """

    partials: Mapping[PartialKey, bytes]
    late: Mapping[PartialKey, Counts]
    tally: StreamTally


@dataclass(slots=True, kw_only=True)
class Holding:
    """One partition in the hands of this worker.

    Parameters
    ----------
    name
        The partition.
    n_cells
        The length of every vector of counts.
    epoch
        The number of this ownership.
    committed, position
        Where the database goes on, and where this worker does.
    newest_us
        The newest event time that was counted.
    moved_us
        When its last record came, by the wall clock.
    tally
        What became of the records that are in the database.
    packed
        What it adds to open windows in the database, encoded.
    seen
        Hashes of the event ids of open windows, by start.
    leased
        Whether other workers take it over once this one writes no checkpoints any more.
    restarted
        Whether the source has said that the partition begins anew: its positions then go back.
    """

    name: str
    n_cells: int
    epoch: int
    committed: int | None
    position: int | None
    newest_us: int | None
    moved_us: int
    tally: StreamTally
    packed: dict[PartialKey, bytes] = field(default_factory=dict)
    seen: dict[int, set[int]] = field(default_factory=dict)
    leased: bool = False
    fresh: Fresh = field(init=False)
    restarted: bool = False

    def __post_init__(self) -> None:
        self.fresh = Fresh(counts=PartialCounts(self.n_cells))

    @property
    def is_written(self) -> bool:
        """Return whether the database knows everything that was read."""
        return self.committed == self.position and not self.fresh.tally.n_records

    def settlement(self, closed_us: int | None) -> Settlement:
        """Return what is to be written, if windows up to `closed_us` are closed by now."""
        closed = [
            start for start in self.fresh.n_rows if closed_us is not None and start <= closed_us
        ]
        tally = StreamTally.total([self.tally, self.fresh.tally])
        n_late = sum(self.fresh.n_rows[start] for start in closed)
        tally.n_rows -= n_late
        tally.n_late += n_late
        counts = self.fresh.counts.encoded()
        return Settlement(
            partials={
                key: self._merged(key, body)
                for key, body in counts.items()
                if key[1] not in closed
            },
            late={
                key: decode_counts(body, self.n_cells)
                for key, body in counts.items()
                if key[1] in closed
            },
            tally=tally,
        )

    def settle(self, settlement: Settlement) -> None:
        """Take note that what was to be written is written."""
        self.packed.update(settlement.partials)
        self.tally = settlement.tally
        self.committed = self.position
        self.fresh = Fresh(counts=PartialCounts(self.n_cells))

    def forget(self, closed_us: int) -> None:
        """Drop what was held of windows that are closed."""
        self.packed = {key: body for key, body in self.packed.items() if key[1] > closed_us}
        for start in [start for start in self.seen if start <= closed_us]:
            del self.seen[start]

    def partial_rows(self, settlement: Settlement) -> Iterator[PartialRow]:
        """Yield the rows of a settlement, in order."""
        for (slice_, start_us), body in sorted(settlement.partials.items()):
            yield PartialRow(partition=self.name, slice=slice_, start_us=start_us, body=body)

    def _merged(self, key: PartialKey, body: bytes) -> bytes:
        known = self.packed.get(key)
        if known is None:
            return body
        counts = decode_counts(body, self.n_cells) + decode_counts(known, self.n_cells)
        return encode_counts(counts)
