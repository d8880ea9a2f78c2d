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


def walk(buffer: bytes, n_records: int, deltas: list[int] | None = None) -> list[bytes]:
    """Return the values; headers, keys and times are passed over.

    Calls would cost more than all the rest, so the lengths of one or two bytes, which are nearly
    all there are, are read in line.

    Parameters
    ----------
    buffer, n_records
        The records, and how many they are.
    deltas
        Takes the offset of each record, counted from that of the batch; None: not wanted.

    Raises
    ------
    ValueError, IndexError
        If the bytes are not so many records.
    """
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
        if deltas is not None:
            deltas.append(_long(buffer, position + 1, buffer[position])[0] >> 1)
        while buffer[position] > 127:  # offset
            position += 1
        position += 1
        length = buffer[position]
        position += 1
        if length != 1:  # -1: no key
            if length > 127:
                length, position = _long(buffer, position, length)
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
        if length & 1:  # -1: no value
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
    return values


def _long(buffer: bytes, position: int, first: int) -> tuple[int, int]:
    """Return a number, zigzag-coded still, and the position after it.

    Parameters
    ----------
    position, first
        Behind the first byte of the number; and that byte.
    """
    number = first & 127
    byte, shift = first, 7
    while byte > 127:
        byte = buffer[position]
        position += 1
        number |= (byte & 127) << shift
        shift += 7
    return number, position
