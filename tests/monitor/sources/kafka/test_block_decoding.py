"""Record batches read as blocks hold what kafka-python's own decoder finds, or raise."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kafka.consumer.fetcher import Fetcher
from kafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder

from monitor.sources.kafka_stream.block_decoding import (
    BlockRecords,
    CorruptBatchError,
    decodes_alike,
    records_of,
)
from monitor.sources.kafka_stream.record_walking import uncompressed, walk

CODECS = (0, 1, 2, 3, 4)
sizes = st.sampled_from([0, 1, 62, 63, 64, 65, 127, 128, 8_191, 8_192, 20_000])
texts = st.none() | st.builds(lambda size: b"x" * size, sizes)
headers = st.lists(st.tuples(st.text(max_size=3), st.binary(max_size=70)), max_size=3)
records = st.lists(
    st.tuples(
        st.just(1) | st.integers(1, 20_000), st.integers(-(2**40), 2**40), texts, texts, headers
    ),
    min_size=1,
    max_size=12,
)


def batch_of(codec: int, each: Sequence[Any]) -> bytes:
    """Return a batch; the offsets have gaps, as after compaction."""
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=codec,
        is_transactional=False,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=1 << 22,
    )
    offset = 0
    for gap, time, key, value, some_headers in each:
        assert builder.append(offset, 1_700_000_000_000 + time, key, value, some_headers)
        offset += gap
    return bytes(builder.build())


def test_the_self_test_passes_with_the_installed_client() -> None:
    assert decodes_alike()


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(CODECS), records, st.integers(0, 30_000))
def test_blocks_hold_the_same_as_records(codec: int, each: Sequence[Any], first: int) -> None:
    wire = batch_of(codec, each)

    blocks = records_of(BlockRecords, wire, first)

    assert blocks == records_of(Fetcher.PartitionRecords, wire, first)


@settings(max_examples=60, deadline=None)
@given(records, st.data())
def test_damaged_records_raise_or_read_like_some_records_and_never_hang(
    each: Sequence[Any], data: st.DataObject
) -> None:
    batch = DefaultRecordBatch(batch_of(0, each))
    body = bytearray(uncompressed(batch))
    place = data.draw(st.integers(0, len(body) - 1))
    body[place] ^= data.draw(st.integers(1, 255))

    try:
        values = walk(bytes(body), batch.records_count)
    except (ValueError, IndexError):
        return

    assert len(values) == len(each)
    assert sum(map(len, values)) < len(body)


@pytest.mark.parametrize("n_missing", [1, 10, 200])
def test_a_batch_that_is_cut_raises(n_missing: int) -> None:
    batch = DefaultRecordBatch(batch_of(0, [(1, 0, b"key", b"v" * 100, [])] * 10))
    body = uncompressed(batch)

    with pytest.raises((ValueError, IndexError)):
        walk(body[:-n_missing], batch.records_count)


@pytest.mark.parametrize("codec", CODECS[1:])
def test_bytes_that_cannot_be_decompressed_name_the_offset_behind_them(codec: int) -> None:
    wire = bytearray(batch_of(codec, [(1, 0, None, b"value" * 50, [])] * 10))
    header = DefaultRecordBatch.HEADER_STRUCT.size
    wire[header:] = b"\xff" * (len(wire) - header)

    class Unchecked(BlockRecords):
        """Blocks of batches whose checksum is not looked at."""

        def _check(self, batch: DefaultRecordBatch) -> None:
            """Pass."""

    with pytest.raises(CorruptBatchError) as damaged:
        records_of(Unchecked, bytes(wire), 0)

    assert damaged.value.end == 10
