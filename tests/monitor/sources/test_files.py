"""The plan of files and its units."""

import gzip
import json
import pickle
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines.columns import Categories, Numbers
from baselines.schema import Column, Role, Schema
from monitor.decoding.base import Decoded, Needs
from monitor.sources.base import Source, SourceError, registered_sources
from monitor.sources.files import Files

SCHEMA = Schema(
    columns=(
        Column(name="ts", role=Role.TIMESTAMP),
        Column(name="n", role=Role.NUMERIC),
        Column(name="label", role=Role.CATEGORY),
    )
)


def record(number: int) -> dict[str, object]:
    return {"ts": 1_767_323_045 + number, "n": number, "label": "ab"[number % 2]}


def json_lines(numbers: Iterable[int]) -> bytes:
    return b"".join(json.dumps(record(number)).encode() + b"\n" for number in numbers)


def csv_lines(numbers: Iterable[int]) -> bytes:
    rows = [",".join(str(value) for value in record(number).values()) for number in numbers]
    return "\n".join(["ts,n,label", *rows, ""]).encode()


def read(source: Files) -> list[Decoded]:
    return [decoded for unit in source.units() for decoded in source.read(unit, SCHEMA, Needs())]


def column_n(blocks: list[Decoded]) -> list[float]:
    found: list[float] = []
    for block in blocks:
        field = block.columns.fields["n"]
        assert isinstance(field, Numbers)
        found += field.values.tolist()
    return found


def write_all_formats(folder: Path, n_rows: int) -> list[Path]:
    lines, rows = json_lines(range(n_rows)), csv_lines(range(n_rows))
    table = pa.Table.from_pylist([record(number) for number in range(n_rows)])
    files = {
        "a.jsonl": lines,
        "b.ndjson.gz": gzip.compress(lines),
        "c.json.zst": pa.compress(lines, codec="zstd", asbytes=True),
        "d.csv": rows,
        "e.csv.gz": gzip.compress(rows),
        "f.tsv": rows.replace(b",", b"\t"),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    pq.write_table(table, folder / "g.parquet", row_group_size=30)
    return [*(folder / name for name in files), folder / "g.parquet"]


def test_every_format_gives_the_same_rows(tmp_path: Path) -> None:
    paths = write_all_formats(tmp_path, 100)

    for path in paths:
        blocks = read(Files(paths=(str(path),), block_bytes=1_024))

        assert column_n(blocks) == list(map(float, range(100))), path.name
        assert all(block.n_rejected == 0 for block in blocks)
        times = [us for block in blocks for us in block.columns.time_us.tolist()]
        assert times == [(1_767_323_045 + number) * 1_000_000 for number in range(100)]
        labels = [block.columns.fields["label"] for block in blocks]
        assert all(isinstance(field, Categories) for field in labels)


def test_the_files_source_is_registered_and_is_a_source() -> None:
    assert registered_sources()["files"] is Files
    assert isinstance(Files(paths=("x",)), Source)


def test_a_plan_is_in_order_of_path_and_position_and_its_ids_are_unique(tmp_path: Path) -> None:
    write_all_formats(tmp_path, 100)

    units = Files(paths=(str(tmp_path),), block_bytes=1_024).units()

    assert [unit.ordinal for unit in units] == list(range(len(units)))
    assert [unit.path for unit in units] == sorted(unit.path for unit in units)
    assert len({unit.id for unit in units}) == len(units)
    assert sum(unit.format == "parquet" for unit in units) == 4
    assert sum(unit.path.endswith("a.jsonl") for unit in units) > 2
    assert units == Files(paths=(str(tmp_path),), block_bytes=1_024).units()


def test_a_unit_can_be_pickled_and_read_elsewhere(tmp_path: Path) -> None:
    write_all_formats(tmp_path, 10)
    source = Files(paths=(str(tmp_path),))

    for unit in source.units():
        there, parcel = pickle.loads(pickle.dumps((source, unit)))

        blocks = list(there.read(parcel, SCHEMA, Needs()))

        assert sum(block.n_records for block in blocks) == 10


def test_a_file_found_twice_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(json_lines(range(3)))

    source = Files(paths=(str(tmp_path), f"{tmp_path}/*.jsonl", f"{tmp_path}/a.jsonl"))

    assert len(source.units()) == 1


def test_directories_pass_over_hidden_and_unknown_files(tmp_path: Path) -> None:
    for name in ("x/a.jsonl", "x/.hidden.jsonl", "_SUCCESS", "notes.txt", "_tmp/b.jsonl"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(json_lines(range(1)))

    units = Files(paths=(str(tmp_path),)).units()

    assert [unit.path for unit in units] == [str(tmp_path / "x/a.jsonl")]


def test_nothing_found_is_an_error_that_names_the_paths(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no files found at .*nowhere.*check source\.paths"):
        Files(paths=(f"{tmp_path}/nowhere/*.jsonl",)).units()


def test_a_format_that_cannot_be_told_is_an_error_unless_it_is_given(tmp_path: Path) -> None:
    path = tmp_path / "outputs.log"
    path.write_bytes(json_lines(range(2)))

    with pytest.raises(SourceError, match=r"must be given.*set source\.format"):
        Files(paths=(str(path),)).units()
    assert column_n(read(Files(paths=(str(path),), format="jsonl"))) == [0.0, 1.0]


def test_an_empty_file_has_no_records(tmp_path: Path) -> None:
    for name in ("a.jsonl", "b.csv", "c.jsonl.gz"):
        content = gzip.compress(b"") if name.endswith("gz") else b""
        (tmp_path / name).write_bytes(content)

        assert sum(block.n_records for block in read(Files(paths=(f"{tmp_path}/{name}",)))) == 0


def test_a_file_of_nothing_but_a_header_has_no_records(tmp_path: Path) -> None:
    for text in (b"ts,n,label", b"ts,n,label\n", b"\n\nts,n,label\n\n"):
        (tmp_path / "a.csv").write_bytes(text)

        assert sum(block.n_records for block in read(Files(paths=(str(tmp_path),)))) == 0


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv"])
def test_a_byte_order_mark_carriage_returns_and_no_last_newline_are_no_obstacle(
    tmp_path: Path, name: str
) -> None:
    make = json_lines if name.endswith("jsonl") else csv_lines
    text = make(range(40)).replace(b"\n", b"\r\n").removesuffix(b"\r\n")
    (tmp_path / name).write_bytes(b"\xef\xbb\xbf" + text)

    blocks = read(Files(paths=(str(tmp_path),), block_bytes=1_024))

    assert column_n(blocks) == list(map(float, range(40)))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(st.integers(0, 900), min_size=1, max_size=30),
    st.integers(1_024, 3_000),
    st.booleans(),
)
def test_every_line_belongs_to_exactly_one_unit_however_the_file_is_cut(
    tmp_path_factory: pytest.TempPathFactory, widths: list[int], block: int, last: bool
) -> None:
    path = tmp_path_factory.mktemp("cut") / "a.jsonl"
    texts = [
        json.dumps({"ts": "2026-01-02", "n": number, "x": "é" * width}, ensure_ascii=False)
        for number, width in enumerate(widths)
    ]
    path.write_text("\n".join(texts) + "\n" * last, encoding="utf-8")

    blocks = read(Files(paths=(str(path),), block_bytes=block))

    assert column_n(blocks) == list(map(float, range(len(widths))))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(st.text(st.sampled_from('ab"\n,\r '), max_size=900), min_size=1, max_size=12),
    st.integers(1_024, 2_000),
)
def test_quoted_csv_survives_any_cut(
    tmp_path_factory: pytest.TempPathFactory, labels: list[str], block: int
) -> None:
    path = tmp_path_factory.mktemp("cut") / "a.csv"
    quoted = ['"' + label.replace('"', '""') + '"' for label in labels]
    rows = [f"2026-01-02,{number},{label}\n" for number, label in enumerate(quoted)]
    path.write_text("ts,n,label\n" + "".join(rows), encoding="utf-8", newline="")

    blocks = read(Files(paths=(str(path),), block_bytes=block))

    found: list[str] = []
    for one in blocks:
        field = one.columns.fields["label"]
        assert isinstance(field, Categories)
        found += ["" if code < 0 else field.levels[code] for code in field.codes.tolist()]
    assert found == labels
    assert column_n(blocks) == list(map(float, range(len(labels))))


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int8(), pa.string())]
)
def test_parquet_text_of_any_kind_gives_the_same_levels(tmp_path: Path, kind: pa.DataType) -> None:
    labels = pa.array(["a", None, "b", "a"]).cast(kind)
    pq.write_table(pa.table({"ts": ["2026-01-02"] * 4, "label": labels}), tmp_path / "a.parquet")

    [block] = read(Files(paths=(str(tmp_path),)))

    field = block.columns.fields["label"]
    assert isinstance(field, Categories)
    shown = [None if code < 0 else field.levels[code] for code in field.codes.tolist()]
    assert shown == ["a", None, "b", "a"]


def test_nested_parquet_columns_are_read_by_their_path(tmp_path: Path) -> None:
    schema = Schema(
        columns=(
            Column(name="version", role=Role.CATEGORY, path="model.version"),
            Column(name="reason", role=Role.CATEGORY, path="choices[0].reason"),
            Column(name="absent", role=Role.CATEGORY, path="model.nothing"),
        )
    )
    records = [
        {"model": {"version": "1", "x": 1}, "choices": [{"reason": "stop"}]},
        {"model": None, "choices": []},
    ]
    pq.write_table(pa.Table.from_pylist(records), tmp_path / "a.parquet")
    source = Files(paths=(str(tmp_path),))

    [block] = source.read(source.units()[0], schema, Needs())

    shown = {
        name: [None if code < 0 else field.levels[code] for code in field.codes.tolist()]
        for name, field in block.columns.fields.items()
        if isinstance(field, Categories)
    }
    assert shown == {"version": ["1", None], "reason": ["stop", None], "absent": [None, None]}
