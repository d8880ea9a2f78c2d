"""Sampled rows: the same whatever the order of files, only those asked for, absent as absent."""

from pathlib import Path

import numpy as np
import pytest

from baselines.columns import Categories, Columns, Numbers
from baselines.schema import Column, Role, Schema
from monitor.reports.evidently_report import ReportError
from monitor.reports.rows import comparable_columns, rows_frame, sample_rows
from monitor.sources.files import Files

SCHEMA = Schema(
    columns=(
        Column(name="ts", role=Role.TIMESTAMP),
        Column(name="event_id", role=Role.EVENT_ID),
        Column(name="amount", role=Role.NUMERIC),
        Column(name="channel", role=Role.SLICE),
    )
)
DAY_US = 86_400_000_000


def line(number: int, *, day: int, channel: str) -> str:
    return (
        f'{{"ts":"1970-01-{day:02d}T00:00:{number % 60:02d}Z","event_id":"e{number}",'
        f'"amount":{number},"channel":"{channel}"}}\n'
    )


@pytest.fixture
def log(tmp_path: Path) -> Path:
    lines = [
        line(number, day=1 + number % 3, channel="web" if number % 2 else "branch")
        for number in range(300)
    ]
    (tmp_path / "a.jsonl").write_text("".join(lines[:120]))
    (tmp_path / "b.jsonl").write_text("".join(lines[120:]))
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "c.jsonl").write_text("".join(reversed(lines)))
    return tmp_path


def amounts(columns: Columns) -> list[float]:
    field = columns.fields["amount"]
    assert isinstance(field, Numbers)
    return field.values.tolist()


def test_the_sample_does_not_depend_on_files_or_their_order(log: Path) -> None:
    split = Files(paths=(str(log / "a.jsonl"), str(log / "b.jsonl")))
    whole = Files(paths=(str(log / "one"),))

    first = sample_rows(split, SCHEMA, from_us=None, to_us=None, max_rows=50)
    second = sample_rows(whole, SCHEMA, from_us=None, to_us=None, max_rows=50)

    assert first.n_rows == 50
    assert amounts(first) == amounts(second)


def test_only_rows_of_the_time_and_the_slice_are_taken(log: Path) -> None:
    source = Files(paths=(str(log / "one"),))

    rows = sample_rows(
        source, SCHEMA, from_us=DAY_US, to_us=2 * DAY_US, slice="channel=web", max_rows=1_000
    )

    assert sorted(amounts(rows)) == [n for n in range(300) if n % 3 == 1 and n % 2]


def test_no_such_rows_is_an_error_that_names_time_and_slice(log: Path) -> None:
    source = Files(paths=(str(log / "one"),))

    with pytest.raises(ReportError, match=r"no rows of slice 'channel=fax' between 1970-01-02"):
        sample_rows(source, SCHEMA, from_us=DAY_US, to_us=None, slice="channel=fax")


def test_rows_without_ids_can_be_sampled(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text('{"ts":"1970-01-01T00:00:00Z","amount":1}\n' * 30)
    source = Files(paths=(str(tmp_path),))

    rows = sample_rows(source, SCHEMA, from_us=None, to_us=None, max_rows=10)

    assert rows.n_rows == 10


def test_absent_values_are_absent_in_the_frame() -> None:
    columns = Columns(
        n_rows=3,
        time_us=np.zeros(3, dtype=np.int64),
        fields={
            "amount": Numbers(np.array([1.0, 2.0, np.inf]), np.array([False, True, False])),
            "channel": Categories(np.array([1, -1, 0], dtype=np.int32), ("branch", "web")),
        },
    )

    frame = rows_frame(columns, SCHEMA)

    assert frame["amount"].isna().tolist() == [False, True, True]
    assert frame["channel"].isna().tolist() == [False, True, False]
    assert frame["channel"].dropna().tolist() == ["web", "branch"]


def test_only_counted_columns_are_compared() -> None:
    assert comparable_columns(SCHEMA) == (["amount"], ["channel"])
