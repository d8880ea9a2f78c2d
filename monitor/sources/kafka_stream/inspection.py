"""Reading a place again with a fresh client, to tell damage on the way from damage in the log."""

from monitor.sources.kafka import Kafka
from monitor.sources.kafka_stream.client import (
    ClientBrokenError,
    OutOfRangeError,
    Partition,
    UnreachableError,
    UnreadableError,
)
from monitor.sources.kafka_stream.kafka_python import KafkaPythonClient

__all__ = ["Inspector"]

TRIES = 3
WAIT_SECONDS = 5.0


class Inspector:
    """Finds out from where on a partition can be read.

    Parameters
    ----------
    options
        The source.
    end
        The end of the log of the partition.
    """

    def __init__(self, options: Kafka, partition: Partition, end: int) -> None:
        self._options = options
        self._partition = partition
        self._end = end

    def next_readable(self, offset: int) -> int:
        """Return the first offset from `offset` on that can be read; `offset` itself if it can.

        The end of a damaged batch is what its header says, if that is possible, and is searched
        for otherwise.

        Raises
        ------
        UnreachableError
            If the broker does not answer.
        """
        while offset < self._end:
            damage = self._damage_at(offset)
            if damage is None:
                return offset
            end = damage.end
            offset = end if end and offset < end <= self._end else self._search(offset)
        return offset

    def _damage_at(self, offset: int) -> UnreadableError | None:
        """Return what is wrong there, if it is so every time."""
        damage: UnreadableError | None = None
        for _ in range(TRIES):
            damage = self._read(offset)
            if damage is None:
                return None
        return damage

    def _search(self, unreadable: int) -> int:
        """Return the end of the stretch that begins at an unreadable offset, by halving."""
        step, readable = 1, self._end
        while unreadable + step < self._end:
            if self._read(unreadable + step) is None:
                readable = unreadable + step
                break
            unreadable, step = unreadable + step, 2 * step
        while readable - unreadable > 1:
            middle = (unreadable + readable) // 2
            if self._read(middle) is None:
                readable = middle
            else:
                unreadable = middle
        return readable

    def _read(self, offset: int) -> UnreadableError | None:
        """Return what is wrong with the batch that holds an offset, None for nothing."""
        try:
            client = KafkaPythonClient(self._options, partitions=[self._partition], blocks=True)
        except ClientBrokenError as error:
            raise UnreachableError(str(error)) from error
        try:
            client.read_from(self._partition, offset)
            client.poll(WAIT_SECONDS, 1)
        except UnreadableError as error:
            return error
        except OutOfRangeError:
            return None
        except ClientBrokenError as error:
            raise UnreachableError(str(error)) from error
        finally:
            client.close()
        return None
