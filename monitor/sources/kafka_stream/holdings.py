"""What a stream holds: partitions that are read, and records that were not handed on yet."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from monitor.sources.kafka_stream.client import Partition, Run
from monitor.sources.live import Batch

__all__ = ["Holdings", "OpenPartition"]


@dataclass(slots=True)
class OpenPartition:
    """A partition that is read.

    Parameters
    ----------
    identity
        What the topic was when it was opened.
    next
        The offset after the last record that came from the broker.
    """

    identity: str
    next: int


class Holdings:
    """Partitions by what may be done with them: given but not opened yet, open, to give back."""

    def __init__(self) -> None:
        self.pending: set[Partition] = set()
        self.open: dict[Partition, OpenPartition] = {}
        self.leaving: set[Partition] = set()
        self._waiting: deque[Batch] = deque()

    def give(self, partitions: Iterable[Partition]) -> None:
        """Take note of partitions that came; they are to be opened."""
        for partition in partitions:
            self._drop(partition)
            self.pending.add(partition)

    def take(self, partitions: Iterable[Partition]) -> None:
        """Take note of partitions that went; what waits of them is dropped."""
        for partition in partitions:
            self.pending.discard(partition)
            if self._drop(partition):
                self.leaving.add(partition)

    def take_all(self) -> None:
        """Take note that the client is gone with all its partitions."""
        self.take([*self.pending, *self.open])

    def put_back(self, partition: Partition) -> None:
        """Have an open partition opened anew, from the position in the database."""
        self.take([partition])
        self.pending.add(partition)

    def begin(self, partition: Partition, offset: int, identity: str) -> None:
        """Take note that a partition is read from an offset on."""
        self.pending.discard(partition)
        self.open[partition] = OpenPartition(identity, offset)

    def keep(self, run: Run) -> None:
        """Keep the records that are next in a partition until they are handed on.

        Records of partitions that are not open, and records seen before, are left out: the
        client may not have stood where it was sent yet.
        """
        held = self.open.get(run.partition)
        if held is None:
            return
        offsets, payloads = run.offsets, run.payloads
        if offsets[0] < held.next:
            seen = sum(1 for offset in offsets if offset < held.next)
            offsets, payloads = offsets[seen:], payloads[seen:]
        if payloads:
            self._waiting.append(_batch(Run(run.partition, offsets, payloads)))
            held.next = offsets[-1] + 1

    def mark(self, partition: Partition, offset: int) -> None:
        """Hand on a position without a record, so that it is kept in the database."""
        name = partition.name
        self._waiting.append(Batch(partition=name, payloads=(), first=offset, next=offset))

    def has_waiting(self) -> bool:
        """Return whether records wait to be handed on."""
        return bool(self._waiting)

    def waiting_of(self, name: str) -> int:
        """Return how many records of a partition wait to be handed on."""
        return sum(len(batch.payloads) for batch in self._waiting if batch.partition == name)

    def hand_on(self, max_records: int) -> list[Batch]:
        """Return what waits, the oldest first, not more than a number of records."""
        handed: list[Batch] = []
        room = max_records
        while self._waiting and (room > 0 or not handed):
            batch = self._waiting.popleft()
            if len(batch.payloads) > room:
                batch, rest = _split(batch, room)
                self._waiting.appendleft(rest)
            handed.append(batch)
            room -= len(batch.payloads)
        return handed

    def _drop(self, partition: Partition) -> bool:
        self._waiting = deque(b for b in self._waiting if b.partition != partition.name)
        return self.open.pop(partition, None) is not None


def _batch(run: Run) -> Batch:
    offsets = run.offsets
    consecutive = offsets[-1] - offsets[0] + 1 == len(offsets)
    return Batch(
        partition=run.partition.name,
        payloads=run.payloads,
        first=offsets[0],
        next=offsets[-1] + 1,
        positions=None if consecutive else tuple(offsets),
    )


def _split(batch: Batch, n: int) -> tuple[Batch, Batch]:
    """Return the first `n` records of a batch, and the others."""
    positions = batch.positions or range(batch.first, batch.next)
    run = Run(Partition.named(batch.partition), positions, batch.payloads)
    head = Run(run.partition, run.offsets[:n], run.payloads[:n])
    tail = Run(run.partition, run.offsets[n:], run.payloads[n:])
    return _batch(head), _batch(tail)
