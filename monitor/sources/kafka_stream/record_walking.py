"""The records of a batch as offsets and values, read straight from its bytes.

The layout is that of the protocol [1]_: a record is its length, attributes, time, offset, key,
value and headers, and all numbers but the attributes are zigzag-coded in groups of seven bits.

References
----------
.. [1] The layout of a record: https://kafka.apache.org/documentation/#record
"""

from collections.abc import Callable, Mapping

from kafka import codec
from kafka.record.default_records import DefaultRecordBatch

__all__ = ["uncompressed", "walk"]

_DECODERS: Mapping[int, Callable[[bytes], bytes]] = {
    DefaultRecordBatch.CODEC_NONE: bytes,
    DefaultRecordBatch.CODEC_GZIP: codec.gzip_decode,
    DefaultRecordBatch.CODEC_SNAPPY: codec.snappy_decode,
    DefaultRecordBatch.CODEC_LZ4: codec.lz4_decode,
    DefaultRecordBatch.CODEC_ZSTD: codec.zstd_decode,
}


def uncompressed(batch: DefaultRecordBatch) -> bytes:
    """Return the bytes of a batch's records.

    kafka-python's own method copies what it has decompressed, which costs as much as
    decompressing it.
    """
    codec_of_batch = batch.compression_type
    if codec_of_batch:
        batch._assert_has_codec(codec_of_batch)
    compressed = bytes(memoryview(batch._buffer)[batch._pos :])
    return bytes(_DECODERS[codec_of_batch](compressed))


def walk(buffer: bytes, n_records: int) -> tuple[list[int], list[bytes]]:
    """Return offset deltas and values; headers, keys and times are passed over.

    Calls would cost more than all the rest, so numbers of one or two bytes, which are nearly
    all there are, are read in line.

    Raises
    ------
    ValueError, IndexError
        If the bytes are not so many records.
    """
    deltas: list[int] = []
    values: list[bytes] = []
    position = 0
    for _ in range(n_records):
        length = buffer[position]
        position += 1
        if length > 127:
            byte = buffer[position]
            if byte > 127:
                length, position = _long(buffer, position, length)
            else:
                length += (byte << 7) - 128
                position += 1
        end = position + (length >> 1)
        position += 1  # attributes, unused
        while buffer[position] > 127:  # time
            position += 1
        position += 1
        delta = buffer[position]
        position += 1
        if delta > 127:
            byte = buffer[position]
            if byte > 127:
                delta, position = _long(buffer, position, delta)
            else:
                delta += (byte << 7) - 128
                position += 1
        deltas.append(delta >> 1)
        length = buffer[position]
        position += 1
        if length > 127:
            length, position = _long(buffer, position, length)
        if not length & 1:  # an odd number is -1: no key
            position += length >> 1
        length = buffer[position]
        position += 1
        if length > 127:
            byte = buffer[position]
            if byte > 127:
                length, position = _long(buffer, position, length)
            else:
                length += (byte << 7) - 128
                position += 1
        if length & 1:
            values.append(b"")
        else:
            start = position
            position += length >> 1
            values.append(buffer[start:position])
        if position >= end:  # at least the number of headers must follow
            message = f"a record ends at byte {end}, its value at {position}"
            raise ValueError(message)
        position = end
    if position != len(buffer):
        message = f"the records end at byte {position} of {len(buffer)}"
        raise ValueError(message)
    return deltas, values


def _long(buffer: bytes, position: int, first: int) -> tuple[int, int]:
    """Return a number of several bytes, zigzag-coded still, and the position after it."""
    number = first & 127
    shift = 7
    while True:
        byte = buffer[position]
        position += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, position
        shift += 7
