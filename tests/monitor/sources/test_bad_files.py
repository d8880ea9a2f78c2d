"""Damaged and odd files: every record is accounted for, and good ones are kept."""

import gzip
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from baselines.columns import Numbers
from baselines.schema import Column, Role, Schema
from monitor.decoding.base import Decoded, Needs, Rejection, RejectionReason
from monitor.sources.files import Files

SCHEMA = Schema(
    columns=(Column(name="ts", role=Role.TIMESTAMP), Column(name="n", role=Role.NUMERIC))
)
GOOD = b'{"ts":"2026-01-02","n":1}\n'


def read(path: Path, **options: int) -> list[Decoded]:
    source = Files(paths=(str(path),), **options)
    return [one for unit in source.units() for one in source.read(unit, SCHEMA, Needs())]


def n_rows(blocks: list[Decoded]) -> int:
    return sum(block.columns.n_rows for block in blocks)


def rejected(blocks: list[Decoded]) -> dict[RejectionReason, int]:
    return dict(sum((Counter(block.rejected) for block in blocks), Counter()))


def samples(blocks: list[Decoded]) -> list[Rejection]:
    return [one for block in blocks for one in block.rejections]


@pytest.mark.parametrize("suffix", ["gz", "zst"])
def test_a_truncated_compressed_file_keeps_what_came_before(tmp_path: Path, suffix: str) -> None:
    noise = np.random.default_rng(7).integers(0, 2**62, 40_000).tolist()
    text = b"".join(b'{"ts":"2026-01-02","n":%d}\n' % number for number in noise)
    whole = gzip.compress(text) if suffix == "gz" else pa.compress(text, "zstd", asbytes=True)
    path = tmp_path / f"a.jsonl.{suffix}"
    path.write_bytes(whole[: len(whole) * 3 // 4])

    blocks = read(path)

    assert 20_000 < n_rows(blocks) < 40_000
    assert rejected(blocks) == {RejectionReason.TRUNCATED_FILE: 1}


def test_a_truncated_compressed_csv_keeps_what_came_before(tmp_path: Path) -> None:
    noise = np.random.default_rng(7).integers(0, 2**62, 40_000).tolist()
    text = b"ts,n\n" + b"".join(b"2026-01-02,%d\n" % number for number in noise)
    whole = gzip.compress(text)
    (tmp_path / "a.csv.gz").write_bytes(whole[: len(whole) * 3 // 4])

    blocks = read(tmp_path / "a.csv.gz")

    assert 20_000 < n_rows(blocks) < 40_000
    assert rejected(blocks) == {RejectionReason.TRUNCATED_FILE: 1}


def test_a_file_that_only_claims_to_be_compressed_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl.gz").write_bytes(GOOD)

    blocks = read(tmp_path / "a.jsonl.gz")

    assert n_rows(blocks) == 0
    assert rejected(blocks) == {RejectionReason.TRUNCATED_FILE: 1}


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_a_line_of_ten_megabytes_is_rejected_and_the_rest_goes_on(
    tmp_path: Path, name: str
) -> None:
    long = b'{"ts":"2026-01-02","x":"' + b"y" * 10_000_000 + b'"}\n'
    text = GOOD * 3 + long + GOOD * 2 + long + GOOD
    (tmp_path / name).write_bytes(gzip.compress(text, 1) if name.endswith("gz") else text)

    blocks = read(tmp_path / name)

    assert n_rows(blocks) == 6
    assert rejected(blocks) == {RejectionReason.LINE_TOO_LONG: 2}
    if name.endswith("gz"):
        assert [one.line for one in samples(blocks)] == [4, 7]


def test_a_long_line_is_rejected_whatever_the_size_of_blocks(tmp_path: Path) -> None:
    long = b'{"ts":"2026-01-02","x":"' + b"y" * 3_000 + b'"}\n'
    (tmp_path / "a.jsonl").write_bytes((GOOD * 5 + long + GOOD * 70) * 4 + long.strip())

    for block_bytes in (1_024, 1_500, 5_000, 1 << 20):
        blocks = read(tmp_path / "a.jsonl", block_bytes=block_bytes, max_line_bytes=2_000)

        assert n_rows(blocks) == 300
        assert rejected(blocks) == {RejectionReason.LINE_TOO_LONG: 5}


def test_a_long_csv_record_is_rejected_and_the_rest_goes_on(tmp_path: Path) -> None:
    row = b"2026-01-02,1\n"
    long = b"2026-01-02," + b"1" * 3_000 + b"\n"
    (tmp_path / "a.csv").write_bytes(b"ts,n\n" + row * 5 + long + row * 200 + long + row)

    for block_bytes in (1_024, 1 << 20):
        blocks = read(tmp_path / "a.csv", block_bytes=block_bytes, max_line_bytes=2_000)

        assert n_rows(blocks) == 206
        assert rejected(blocks) == {RejectionReason.LINE_TOO_LONG: 2}
        assert [one.line for one in samples(blocks)] == [6, 207]


def test_a_quote_that_is_never_closed_costs_one_line(tmp_path: Path) -> None:
    row = b"2026-01-02,1\n"
    (tmp_path / "a.csv").write_bytes(b"ts,n\n" + row * 5 + b'2026-01-02,"1\n' + row * 6)

    blocks = read(tmp_path / "a.csv")

    assert n_rows(blocks) == 11
    assert rejected(blocks) == {RejectionReason.UNCLOSED_QUOTE: 1}


def test_mixed_types_nulls_and_duplicate_keys_keep_the_good_rows(tmp_path: Path) -> None:
    lines = [
        {"ts": "2026-01-02", "n": 1},
        {"ts": 1_767_323_045, "n": "2"},
        {"ts": "2026-01-02", "n": None},
        {"ts": "2026-01-02", "n": "many"},
        {"ts": None, "n": 3},
        {"ts": "2026-01-02", "n": [4]},
    ]
    text = "\n".join(map(json.dumps, lines)) + '\n{"ts":"x","ts":"2026-01-02","n":5,"n":6}\n'
    (tmp_path / "a.jsonl").write_text(text)

    blocks = read(tmp_path / "a.jsonl")

    field = blocks[0].columns.fields["n"]
    assert isinstance(field, Numbers)
    assert field.values.tolist() == [1.0, 2.0, 0.0, 6.0]
    assert field.missing is not None
    assert field.missing.tolist() == [False, False, True, False]
    assert rejected(blocks) == {
        RejectionReason.INVALID_VALUE: 2,
        RejectionReason.MISSING_TIMESTAMP: 1,
    }


def test_invalid_utf8_costs_only_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(GOOD + b'{"ts":"2026-01-02","x":"\xc3("}\n' + GOOD)

    blocks = read(tmp_path / "a.jsonl")

    assert n_rows(blocks) == 2
    assert rejected(blocks) == {RejectionReason.INVALID_UTF8: 1}


def test_nan_and_infinity_in_parquet_are_values_and_null_is_missing(tmp_path: Path) -> None:
    table = pa.table(
        {
            "ts": pa.array([1_767_323_045] * 4),
            "n": pa.array([np.nan, np.inf, None, 1.0], from_pandas=False),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")

    blocks = read(tmp_path / "a.parquet")

    field = blocks[0].columns.fields["n"]
    assert isinstance(field, Numbers)
    assert np.isnan(field.values[0])
    assert np.isposinf(field.values[1])
    assert field.missing is not None
    assert field.missing.tolist() == [False, False, True, False]


def test_a_parquet_file_without_a_column_has_it_missing(tmp_path: Path) -> None:
    pq.write_table(
        pa.table({"ts": ["2026-01-02"] * 3, "other": [1, 2, 3]}), tmp_path / "a.parquet"
    )

    blocks = read(tmp_path / "a.parquet")

    field = blocks[0].columns.fields["n"]
    assert isinstance(field, Numbers)
    assert field.missing is not None
    assert field.missing.all()
    assert n_rows(blocks) == 3


def test_a_parquet_file_without_the_time_is_a_schema_mismatch_in_every_row(
    tmp_path: Path,
) -> None:
    pq.write_table(pa.table({"n": list(range(25))}), tmp_path / "a.parquet", row_group_size=10)

    blocks = read(tmp_path / "a.parquet")

    assert [block.n_records for block in blocks] == [10, 10, 5]
    assert rejected(blocks) == {RejectionReason.SCHEMA_MISMATCH: 25}
    assert "'ts'" in samples(blocks)[0].detail


def test_a_parquet_column_of_another_type_rejects_its_rows(tmp_path: Path) -> None:
    table = pa.table({"ts": ["2026-01-02"] * 2, "n": pa.array([[1], None])})
    pq.write_table(table, tmp_path / "a.parquet")

    blocks = read(tmp_path / "a.parquet")

    assert n_rows(blocks) == 1
    assert rejected(blocks) == {RejectionReason.INVALID_VALUE: 1}


@pytest.mark.parametrize(
    "content", [b"", b"PAR1 and nothing else", b"PAR1" + b"\0" * 100 + b"PAR1"]
)
def test_a_file_that_is_no_parquet_is_counted_once(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.parquet").write_bytes(content)

    blocks = read(tmp_path / "a.parquet")

    assert rejected(blocks) == {RejectionReason.UNREADABLE_FILE: 1}
    assert samples(blocks)[0].path.endswith("a.parquet")
    assert samples(blocks)[0].detail


def test_damaged_pages_cost_the_rows_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    values = np.random.default_rng(3).normal(size=2_000)
    table = pa.table({"ts": ["2026-01-02"] * 2_000, "n": values})
    pq.write_table(table, path, row_group_size=1_000, compression="zstd", use_dictionary=["ts"])
    metadata = pq.read_metadata(path).row_group(0).column(1)
    content = bytearray(path.read_bytes())
    middle = metadata.data_page_offset + metadata.total_compressed_size // 2
    content[middle : middle + 64] = b"\xff" * 64
    content[metadata.data_page_offset : metadata.data_page_offset + 16] = b"\xff" * 16
    path.write_bytes(content)

    blocks = read(path)

    assert n_rows(blocks) == 1_000
    assert rejected(blocks) == {RejectionReason.UNREADABLE_FILE: 1_000}


def test_lines_added_after_planning_are_left_for_the_next_plan(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(GOOD * 100)
    source = Files(paths=(str(path),), block_bytes=1_024)
    units = source.units()
    with path.open("ab") as file:
        file.write(GOOD * 50)

    blocks = [one for unit in units for one in source.read(unit, SCHEMA, Needs())]

    assert n_rows(blocks) == 100
    assert rejected(blocks) == {}


def test_a_file_that_shrank_since_planning_is_reported_by_each_unit(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(GOOD * 100)
    source = Files(paths=(str(path),), block_bytes=1_024)
    units = source.units()
    os.truncate(path, 500)

    blocks = [one for unit in units for one in source.read(unit, SCHEMA, Needs())]

    assert rejected(blocks) == {RejectionReason.FILE_CHANGED: len(units)}


@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
def test_a_whole_file_that_changed_since_planning_is_reported(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name.endswith("csv"):
        path.write_bytes(b"ts,n\n2026-01-02,1\n")
    else:
        pq.write_table(pa.table({"ts": ["2026-01-02"], "n": [1]}), path)
    source = Files(paths=(str(path),))
    [unit] = source.units()
    path.write_bytes(path.read_bytes() + b"2026-01-02,1\n")

    blocks = list(source.read(unit, SCHEMA, Needs()))

    assert rejected(blocks) == {RejectionReason.FILE_CHANGED: 1}


def test_a_file_that_vanished_since_planning_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(GOOD)
    source = Files(paths=(str(path),))
    [unit] = source.units()
    path.unlink()

    blocks = list(source.read(unit, SCHEMA, Needs()))

    assert rejected(blocks) == {RejectionReason.UNREADABLE_FILE: 1}


_MEASURE = """
import sys
from pathlib import Path
from baselines.schema import Column, Role, Schema
from monitor.decoding.base import Needs
from monitor.sources.files import Files
columns = (Column(name="ts", role=Role.TIMESTAMP), Column(name="n", role=Role.NUMERIC))
schema = Schema(columns=columns)
def megabytes(path):
    source = Files(paths=(path,))
    for unit in source.units():
        for decoded in source.read(unit, schema, Needs()):
            assert decoded.n_rejected == 0
    # Not ru_maxrss: a process begins with the peak of the one that started it.
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) // 1024
print(megabytes(sys.argv[1]), megabytes(sys.argv[2]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["jsonl", "jsonl.gz"])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, suffix: str) -> None:
    line = b'{"ts":"2026-01-02T03:04:05Z","n":0.123456,"x":"' + b"y" * 240 + b'"}\n'
    block = line * 100_000
    small, large = tmp_path / f"small.{suffix}", tmp_path / f"large.{suffix}"
    for path, copies in ((small, 1), (large, 10)):
        # A gzip file may be several, one after the other.
        piece = gzip.compress(block, 1) if suffix.endswith("gz") else block
        with path.open("wb") as file:
            for _ in range(copies):
                file.write(piece)

    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(small), str(large)],
        capture_output=True,
        text=True,
        check=True,
    )

    before, after = map(int, done.stdout.split())
    assert after - before < 60
    assert after < 500
