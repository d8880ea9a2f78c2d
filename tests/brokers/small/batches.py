"""Record batches as they lie on the wire: header fields, checksum, and ways to spoil them.

The layout is that of message format 2 (Kafka 0.11 and newer): the checksum, CRC-32C, covers
everything from the attributes to the end of the batch.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

from kafka.record.default_records import DefaultRecordBatch
from kafka.record.util import calc_crc32c

from tests.brokers.small.codes import Code, RefusedError

__all__ = ["Batch", "split_batches"]

PREFIX = struct.Struct(">qi")  # base offset, length of the rest
HEADER = struct.Struct(">qiibIhiqqqhii")
CHECKSUM_AT = 17
ATTRIBUTES_AT = 21
COMPRESSION_MASK, GZIP = 0x07, 0x01


@dataclass(frozen=True, kw_only=True)
class Batch:
    """One record batch and what the broker reads from its header."""

    base_offset: int
    last_offset: int
    max_timestamp: int
    producer_id: int
    producer_epoch: int
    first_sequence: int
    last_sequence: int
    wire: bytes

    @classmethod
    def from_wire(cls, wire: bytes) -> Self:
        """Read the header; refuse a batch of an old format or with a wrong checksum."""
        if len(wire) < HEADER.size:
            raise RefusedError(Code.CORRUPT_MESSAGE)
        fields = HEADER.unpack_from(wire)
        base, magic, crc, last_delta, max_timestamp = (fields[i] for i in (0, 3, 4, 6, 8))
        if magic != 2 or crc != calc_crc32c(memoryview(wire)[ATTRIBUTES_AT:]):
            raise RefusedError(Code.CORRUPT_MESSAGE)
        return cls(
            base_offset=base,
            last_offset=base + last_delta,
            max_timestamp=max_timestamp,
            producer_id=fields[9],
            producer_epoch=fields[10],
            first_sequence=fields[11],
            last_sequence=fields[11] + last_delta,
            wire=wire,
        )

    def moved_to(self, offset: int) -> Self:
        """Return the batch at another base offset, which its checksum does not cover."""
        wire = bytearray(self.wire)
        struct.pack_into(">q", wire, 0, offset)
        struct.pack_into(">i", wire, PREFIX.size, 0)  # the leader's epoch
        last_offset = offset + self.last_offset - self.base_offset
        return replace(self, base_offset=offset, last_offset=last_offset, wire=bytes(wire))

    def times(self) -> Iterator[tuple[int, int]]:
        """Yield offset and timestamp in milliseconds of every record."""
        for record in DefaultRecordBatch(self.wire):
            yield record.offset, record.timestamp

    def with_broken_checksum(self) -> Self:
        """Return the batch with one bit of its last byte turned over."""
        wire = bytearray(self.wire)
        wire[-1] ^= 1
        return replace(self, wire=bytes(wire))

    def with_undecodable_payload(self) -> Self:
        """Return the batch with a correct checksum over what claims to be gzip and is not."""
        wire = bytearray(self.wire)
        (attributes,) = struct.unpack_from(">h", wire, ATTRIBUTES_AT)
        attributes = attributes & ~COMPRESSION_MASK | GZIP
        struct.pack_into(">h", wire, ATTRIBUTES_AT, attributes)
        wire[HEADER.size :] = b"\x00" * (len(wire) - HEADER.size)
        crc = calc_crc32c(bytes(wire[ATTRIBUTES_AT:]))
        struct.pack_into(">I", wire, CHECKSUM_AT, crc)
        return replace(self, wire=bytes(wire))


def split_batches(records: bytes) -> Iterator[Batch]:
    """Yield the batches of a produce request; refuse what is cut off."""
    position = 0
    while position < len(records):
        if position + PREFIX.size > len(records):
            raise RefusedError(Code.CORRUPT_MESSAGE)
        _, length = PREFIX.unpack_from(records, position)
        end = position + PREFIX.size + length
        if end > len(records):
            raise RefusedError(Code.CORRUPT_MESSAGE)
        yield Batch.from_wire(records[position:end])
        position = end
