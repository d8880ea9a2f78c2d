"""A partition that seems long: a few batches, served again and again at growing offsets."""

from bisect import bisect_left
from collections.abc import Sequence

from tests.brokers.small.batches import Batch
from tests.brokers.small.codes import Code, RefusedError
from tests.brokers.small.log import PartitionLog

__all__ = ["RepeatingLog"]


class RepeatingLog(PartitionLog):
    """Batches of consecutive records from offset 0 on, repeated until `end`; it takes no more.

    Parameters
    ----------
    batches
        What is repeated.
    end
        The end of the log; the last batch may reach beyond it.
    """

    def __init__(self, batches: Sequence[Batch], end: int) -> None:
        super().__init__()
        self._batches = list(batches)
        self._last_offsets = [batch.last_offset for batch in batches]
        self._length = self._last_offsets[-1] + 1
        self.end = end

    def append(self, records: bytes) -> int:
        """Refuse: nothing can be written behind what is repeated."""
        del records
        raise RefusedError(Code.INVALID_REQUEST)

    def read(self, offset: int, max_bytes: int) -> bytes:
        """Return whole batches from the one that holds `offset` on, at least one if any."""
        if not self.start <= offset <= self.end:
            raise RefusedError(Code.OFFSET_OUT_OF_RANGE)
        rounds, place = divmod(offset, self._length)
        index = bisect_left(self._last_offsets, place)
        taken: list[bytes] = []
        size = 0
        while offset < self.end:
            batch = self._batches[index]
            moved = batch.moved_to(rounds * self._length + batch.base_offset)
            size += len(moved.wire)
            if taken and size > max_bytes:
                break
            taken.append(moved.wire)
            offset = moved.last_offset + 1
            index += 1
            if index == len(self._batches):
                rounds, index = rounds + 1, 0
        return b"".join(taken)

    def size_from(self, offset: int) -> int:
        """Return whether a reader at `offset` has anything before it, as a number of bytes."""
        return 1 << 40 if offset < self.end else 0
