"""Record batches of kafka-python read as blocks: only offsets and values, no object a record.

kafka-python spends about 6 microseconds on each record, whatever its size, on seven calls for
variable-length numbers and three objects. `BlockRecords` replaces the one method that does so
and keeps everything around it: checksums, aborted transactions, control batches, offsets.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kafka.consumer.fetcher import Fetcher
from kafka.errors import CorruptRecordError
from kafka.record import MemoryRecords
from kafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from kafka.structs import TopicPartition

from monitor.sources.kafka_stream.record_walking import uncompressed, walk

__all__ = ["Block", "BlockRecords", "CorruptBatchError", "decodes_alike", "records_of"]

_CODECS = (0, 1, 2, 3, 4)
"""None, gzip, snappy, lz4, Zstandard."""


class CorruptBatchError(CorruptRecordError):  # type: ignore[misc] # the client has no types
    """A record batch with a wrong checksum or structure; `end` is the offset after it."""

    def __init__(self, message: str, end: int | None) -> None:
        super().__init__(message)
        self.end = end


@dataclass(slots=True)
class Block:
    """The records of one batch from `offset` on, in the place of so many records."""

    offset: int
    offsets: Sequence[int]
    values: Sequence[bytes]


class BlockRecords(Fetcher.PartitionRecords):  # type: ignore[misc] # the client has no types
    """The records of one answer for one partition, batch by batch."""

    def _unpack_records(
        self,
        _tp: TopicPartition,
        records: MemoryRecords,
        _key_deserializer: object,
        _value_deserializer: object,
    ) -> Iterator[Block]:
        """Yield blocks where the stock method yields records."""
        last = None
        while (batch := records.next_batch()) is not None:
            last = batch
            self._check(batch)
            if batch.magic == 2 and not self._is_wanted(batch):
                self.next_fetch_offset = batch.next_offset
                continue
            offsets, values = _read(batch, self.fetch_offset)
            if values:
                self.records_read += len(values)
                self.next_fetch_offset = offsets[-1] + 1
                yield Block(offsets[0], offsets, values)
        if last is not None and last.magic == 2:
            # A batch keeps its last offset when compaction has removed its last record.
            self.next_fetch_offset = last.next_offset
        self.drain()

    def _check(self, batch: DefaultRecordBatch) -> None:
        if self.check_crcs and not batch.validate_crc():
            end = batch.next_offset if batch.magic == 2 else None
            message = f"wrong checksum of the batch at offset {batch.base_offset}"
            raise CorruptBatchError(message, end)

    def _is_wanted(self, batch: DefaultRecordBatch) -> bool:
        """Return whether a batch holds records for the reader, as the stock method decides."""
        self.leader_epoch = batch.leader_epoch
        if self.isolation_level == 1 and batch.has_producer_id():
            self._consume_aborted_transactions_up_to(batch.last_offset)
            if self._contains_abort_marker(batch):
                self.aborted_producer_ids.discard(batch.producer_id)
            elif self._is_batch_aborted(batch):
                return False
        return not batch.is_control_batch


def _read(batch: DefaultRecordBatch, first: int) -> tuple[Sequence[int], Sequence[bytes]]:
    """Return offsets and values of the records at or after an offset."""
    if batch.magic != 2:
        kept = [record for record in batch if record.offset >= first]
        return [record.offset for record in kept], [record.value or b"" for record in kept]
    base, n_records = batch.base_offset, batch.records_count
    # Offsets ascend; so many as fit between the first and the last have no gaps.
    gaps: list[int] | None = None if batch.last_offset - base + 1 == n_records else []
    try:
        values = walk(uncompressed(batch), n_records, gaps)
    except Exception as error:
        message = f"the batch at offset {base} cannot be read: {error!r}"
        raise CorruptBatchError(message, batch.next_offset) from error
    consecutive = range(base, base + n_records)
    offsets = consecutive if gaps is None else [base + delta for delta in gaps]
    skipped = bisect_left(offsets, first)
    return offsets[skipped:], values[skipped:] if skipped else values


def records_of(kind: type[Any], wire: bytes, first: int) -> list[tuple[int, bytes]]:
    """Return offset and value of the records in a broker's answer, read by one of the classes.

    Parameters
    ----------
    kind
        `BlockRecords`, or the class of kafka-python that it stands in for.
    first
        The offset that was asked for.
    """
    part = kind(first, TopicPartition("self-test", 0), MemoryRecords(wire))
    found: list[tuple[int, bytes]] = []
    for each in part.take():
        if isinstance(each, Block):
            found += zip(each.offsets, each.values, strict=True)
        else:
            found.append((each.offset, each.value or b""))
    return [*found, (part.next_fetch_offset, b"next")]


def decodes_alike() -> bool:
    """Return whether blocks hold the same as records, for every compression and some starts."""
    for codec in _CODECS:
        wire = _sample(codec)
        for first in (0, 1, 150, 299):
            blocks = records_of(BlockRecords, wire, first)
            if blocks != records_of(Fetcher.PartitionRecords, wire, first):
                return False
    return True


def _sample(codec: int) -> bytes:
    """Return a batch of 300 records with and without keys, values and headers."""
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=codec,
        is_transactional=False,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=1 << 20,
    )
    for number in range(300):
        value = None if number % 97 == 5 else b"x" * (number * 7 % 400)
        key = None if number % 3 else b"k" * (number % 130)
        headers = [("trace", b"v" * (number % 90))] if number % 5 == 0 else []
        builder.append(number, 1_700_000_000_000 + number * 977, key, value, headers)
    return bytes(builder.build())
