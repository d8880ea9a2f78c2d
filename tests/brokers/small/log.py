"""The log of one partition: batches in memory, producers that repeat themselves, retention."""

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.brokers.small.batches import Batch, split_batches
from tests.brokers.small.codes import Code, RefusedError

__all__ = ["PartitionLog"]

REMEMBERED_BATCHES = 5  # as many as a producer may have in flight
LATEST, EARLIEST, MAX_TIMESTAMP = -1, -2, -3


@dataclass
class _Producer:
    """What an idempotent producer wrote last: its epoch, and batches by their sequences."""

    epoch: int = -1
    recent: deque[Batch] = field(default_factory=lambda: deque(maxlen=REMEMBERED_BATCHES))


class PartitionLog:
    """Batches in order of offset; `start` is the first offset kept, `end` the next one."""

    def __init__(self) -> None:
        self.start = 0
        self.end = 0
        self._batches: list[Batch] = []
        self._last_offsets: list[int] = []
        self._producers: dict[int, _Producer] = {}

    def append(self, records: bytes) -> int:
        """Write the batches of a produce request and return the offset of the first.

        A batch that its idempotent producer has sent before is not written again.
        """
        offsets = [self._append(batch) for batch in split_batches(records)]
        if not offsets:
            raise RefusedError(Code.CORRUPT_MESSAGE)
        return offsets[0]

    def read(self, offset: int, max_bytes: int) -> bytes:
        """Return whole batches from the one that holds `offset` on, at least one if any."""
        if not self.start <= offset <= self.end:
            raise RefusedError(Code.OFFSET_OUT_OF_RANGE)
        taken: list[bytes] = []
        size = 0
        for batch in self._batches[bisect_left(self._last_offsets, offset) :]:
            size += len(batch.wire)
            if taken and size > max_bytes:
                break
            taken.append(batch.wire)
        return b"".join(taken)

    def size_from(self, offset: int) -> int:
        """Return how many bytes a reader at `offset` has before it."""
        first = bisect_left(self._last_offsets, offset)
        return sum(len(batch.wire) for batch in self._batches[first:])

    def offset_at(self, timestamp: int) -> tuple[int, int]:
        """Return offset and timestamp of the first record at or after a time, or (-1, -1).

        The times -1, -2 and -3 mean the end, the start, and the latest timestamp.
        """
        if timestamp == LATEST:
            return self.end, -1
        if timestamp == EARLIEST:
            return self.start, -1
        if timestamp == MAX_TIMESTAMP:
            timestamp = max((batch.max_timestamp for batch in self._batches), default=-1)
        for batch in self._batches:
            if batch.max_timestamp >= timestamp:
                for offset, time in batch.times():
                    if time >= timestamp and offset >= self.start:
                        return offset, time
        return -1, -1

    def delete_before(self, offset: int) -> None:
        """Forget the records before `offset`; -1 means all of them."""
        offset = self.end if offset == -1 else offset
        if not self.start <= offset <= self.end:
            raise RefusedError(Code.OFFSET_OUT_OF_RANGE)
        self.start = offset
        kept = bisect_left(self._last_offsets, offset)
        del self._batches[:kept], self._last_offsets[:kept]

    @property
    def batches(self) -> Sequence[Batch]:
        """Return what is kept, in order of offset."""
        return tuple(self._batches)

    def cut(self, end: int) -> None:
        """Lose the batches from the one that holds `end` on, as a log that was not on disk."""
        kept = bisect_left(self._last_offsets, end)
        del self._batches[kept:], self._last_offsets[kept:]
        self.end = self._last_offsets[-1] + 1 if kept else self.start
        self._producers.clear()

    def spoil(self, offset: int, spoiled: Callable[[Batch], Batch]) -> tuple[int, int]:
        """Replace the batch that holds `offset`; return its first and last offset."""
        if not self.start <= offset < self.end:
            message = f"an offset from {self.start} to {self.end - 1} is needed; got {offset}"
            raise ValueError(message)
        index = bisect_left(self._last_offsets, offset)
        batch = self._batches[index] = spoiled(self._batches[index])
        return batch.base_offset, batch.last_offset

    def _append(self, batch: Batch) -> int:
        if batch.producer_id >= 0:
            written = self._written_before(batch)
            if written is not None:
                return written.base_offset
        batch = batch.moved_to(self.end)
        self._batches.append(batch)
        self._last_offsets.append(batch.last_offset)
        self.end = batch.last_offset + 1
        if batch.producer_id >= 0:
            self._producers[batch.producer_id].recent.append(batch)
        return batch.base_offset

    def _written_before(self, batch: Batch) -> Batch | None:
        producer = self._producers.setdefault(batch.producer_id, _Producer())
        if batch.producer_epoch < producer.epoch:
            raise RefusedError(Code.INVALID_PRODUCER_EPOCH)
        if batch.producer_epoch > producer.epoch:
            producer.epoch = batch.producer_epoch
            producer.recent.clear()
        for known in producer.recent:
            if known.first_sequence == batch.first_sequence:
                return known
        if producer.recent and batch.first_sequence != producer.recent[-1].last_sequence + 1:
            raise RefusedError(Code.OUT_OF_ORDER_SEQUENCE_NUMBER)
        return None
