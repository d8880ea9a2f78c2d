"""Blocks of CSV records."""

import numpy as np
import pytest

from baselines.columns import Categories, Numbers
from baselines.schema import Column, Dtype, Role, Schema
from monitor.decoding.base import Decoded, Needs, Origin, RejectionReason
from monitor.decoding.csv_block import CsvHeader, decode_csv_records
from monitor.decoding.plan import plan_decoding
from monitor.sources.csv_rows import record_ends

SCHEMA = Schema(
    columns=(
        Column(name="ts", role=Role.TIMESTAMP),
        Column(name="score", role=Role.SCORE),
        Column(name="n", role=Role.NUMERIC, dtype=Dtype.INT64),
        Column(name="ok", role=Role.PREDICTION, dtype=Dtype.BOOLEAN),
        Column(name="label", role=Role.CATEGORY),
    )
)
HEADER = CsvHeader(("ts", "score", "n", "ok", "label"))


def decode(body: bytes, header: CsvHeader = HEADER, needs: Needs | None = None) -> Decoded:
    ends, _ = record_ends(body, ",")
    return decode_csv_records(
        body, ends, header, plan_decoding(SCHEMA, needs or Needs()), Origin()
    )


def numbers(decoded: Decoded, name: str) -> list[float | None]:
    field = decoded.columns.fields[name]
    assert isinstance(field, Numbers)
    missing = field.missing if field.missing is not None else np.zeros(len(field), bool)
    return [None if m else v for v, m in zip(field.values.tolist(), missing, strict=True)]


def levels(decoded: Decoded, name: str) -> list[str | None]:
    field = decoded.columns.fields[name]
    assert isinstance(field, Categories)
    return [None if code < 0 else field.levels[code] for code in field.codes.tolist()]


def test_text_is_cast_to_the_columns_types() -> None:
    decoded = decode(b"2026-01-02,0.5,7,True,a\n1767323045,1e-3, 8 ,0,b\n")

    assert decoded.n_records == decoded.columns.n_rows == 2
    assert numbers(decoded, "score") == [0.5, 0.001]
    assert numbers(decoded, "n") == [7.0, 8.0]
    assert levels(decoded, "ok") == ["true", "false"]
    assert levels(decoded, "label") == ["a", "b"]


def test_an_empty_field_is_missing_but_nan_and_inf_are_numbers() -> None:
    decoded = decode(b'2026-01-02,,,,\n2026-01-02,nan,,,""\n2026-01-02,-inf,,,NA\n')

    values = decoded.columns.fields["score"]
    assert isinstance(values, Numbers)
    assert values.missing is not None
    assert values.missing.tolist() == [True, False, False]
    assert np.isnan(values.values[1])
    assert np.isneginf(values.values[2])
    assert levels(decoded, "label") == [None, None, "NA"]


def test_quotes_may_hold_delimiters_newlines_and_quotes() -> None:
    decoded = decode(b'2026-01-02,1,1,1,"a, ""b""\nc"\n2026-01-02,1,1,1,5" x\n')

    assert levels(decoded, "label") == ['a, "b"\nc', '5" x']


def test_bad_records_cost_only_themselves() -> None:
    good = b"2026-01-02,1,1,1,a\n"
    body = good * 3 + b"2026-01-02,1\n" + good * 2 + b"2026-01-02,1,1,1,\xff\n" + good
    body += b"2026-01-02,1,1,1,a,b\n\n\r\n" + b"2026-01-02,x,1,1,a\n" + good

    decoded = decode(body, needs=Needs(excerpts=True))

    assert decoded.columns.n_rows == 7
    assert decoded.rejected == {
        RejectionReason.INVALID_UTF8: 1,
        RejectionReason.INVALID_VALUE: 1,
        RejectionReason.WRONG_FIELD_COUNT: 2,
    }
    assert [(one.line, one.reason.value, one.column) for one in decoded.rejections] == [
        (4, "wrong_field_count", None),
        (7, "invalid_utf8", None),
        (9, "wrong_field_count", None),
        (12, "invalid_value", "score"),
    ]
    assert decoded.rejections[0].excerpt == "2026-01-02,1\n"


def test_a_large_field_is_no_obstacle_beside_a_bad_record() -> None:
    large = b'2026-01-02,1,1,1,"' + b"x" * 300_000 + b'"\n'

    decoded = decode(large + b"bad\n")

    assert decoded.columns.n_rows == 1
    assert decoded.rejected == {RejectionReason.WRONG_FIELD_COUNT: 1}


def test_a_field_that_the_file_lacks_is_missing_in_every_record() -> None:
    decoded = decode(b"2026-01-02\n2026-01-03\n", CsvHeader(("ts",)))

    assert numbers(decoded, "score") == [None, None]
    assert levels(decoded, "label") == [None, None]


def test_without_the_field_of_the_time_every_record_is_a_schema_mismatch() -> None:
    decoded = decode(b"1,2\n\n3,4\n", CsvHeader(("score", "n")))

    assert decoded.n_records == 2
    assert decoded.rejected == {RejectionReason.SCHEMA_MISMATCH: 2}
    assert "'ts'" in decoded.rejections[0].detail


def test_of_two_fields_with_one_name_the_first_counts() -> None:
    decoded = decode(b"2026-01-02,1,2\n", CsvHeader(("ts", "score", "score")))

    assert numbers(decoded, "score") == [1.0]


@pytest.mark.parametrize(
    ("text", "ends", "is_open"),
    [
        (b"a,b\nc,d\n", [4, 8], False),
        (b'a,"b\nc"\nd', [8], False),
        (b'a,"b\nc', [], True),
        (b'x\na,"b""\nc', [2], True),
        (b'a,5" b\nc,d\n', [7, 11], False),
        (b'"a\n","b\n"\n"c"\n', [10, 14], False),
        (b"", [], False),
    ],
)
def test_records_end_at_newlines_outside_quotes(
    text: bytes, ends: list[int], is_open: bool
) -> None:
    found, found_open = record_ends(text, ",")

    assert found.tolist() == ends
    assert found_open is is_open
