"""Safety checks to columns."""

import orjson
import pyarrow as pa
import pytest

from baselines.checks import CHECK_OUTCOMES
from baselines.columns import Categories
from baselines.schema import Column, Dtype, Role, Schema
from monitor.decoding.arrow_records import ArrowRecords
from monitor.decoding.base import Decoded, Needs, Origin, RejectionReason, Remark
from monitor.decoding.build import build
from monitor.decoding.checks import MAX_CHECKS
from monitor.decoding.json_block import decode_json_lines
from monitor.decoding.plan import plan_decoding
from monitor.decoding.refusals import Place

SCHEMA = Schema(columns=(Column(name="checks", role=Role.SAFETY_CHECK),))


def decode(*values: object, schema: Schema = SCHEMA, needs: Needs | None = None) -> Decoded:
    name = schema.columns[0].source_path
    block = b"\n".join(orjson.dumps({name: value}) for value in values)
    return decode_json_lines(block, plan_decoding(schema, needs or Needs()), Origin())


def outcomes(decoded: Decoded, name: str) -> list[str | None]:
    field = decoded.columns.fields[name]
    assert isinstance(field, Categories)
    return [None if code < 0 else field.levels[code] for code in field.codes.tolist()]


def check(**fields: object) -> dict[str, object]:
    return {"stage": "output", "filter": "f", "category": "hate"} | fields


def test_each_check_has_a_column_and_an_event_without_it_is_missing_not_clean() -> None:
    decoded = decode(
        [check(status="ok", flagged=False), check(category="spam", status="ok", flagged=True)],
        [],
        None,
        [check(status="ok", flagged=True, action="block")],
    )

    assert outcomes(decoded, "check:output/f/hate") == [
        "ok/clean/none",
        None,
        None,
        "ok/flagged/block",
    ]
    assert outcomes(decoded, "check:output/f/spam") == ["ok/flagged/none", None, None, None]
    assert decoded.columns.fields["check:output/f/hate"].levels == CHECK_OUTCOMES


def test_a_flag_counts_only_when_the_status_is_ok() -> None:
    decoded = decode([check(status="error", flagged=True)], [check(status="timeout")])

    assert outcomes(decoded, "check:output/f/hate") == [
        "error/unknown/none",
        "timeout/unknown/none",
    ]


def test_a_missing_status_is_ok_with_a_verdict_and_an_error_without() -> None:
    decoded = decode([check(flagged=False)], [check()])

    assert outcomes(decoded, "check:output/f/hate") == ["ok/clean/none", "error/unknown/none"]


def test_unknown_words_are_counted_and_remarked() -> None:
    decoded = decode(
        [check(status="exploded", flagged=True)],
        [check(status="OK", flagged=True, action="quarantine")],
        [check(status="ok", flagged="perhaps", action="Blocked")],
        ["not a check", None],
    )

    assert outcomes(decoded, "check:output/f/hate") == [
        "error/unknown/none",
        "ok/flagged/none",
        "ok/unknown/block",
        None,
    ]
    assert decoded.remarks == {
        Remark.UNKNOWN_CHECK_STATUS: 1,
        Remark.UNKNOWN_CHECK_ACTION: 1,
        Remark.UNKNOWN_CHECK_FLAG: 1,
        Remark.MALFORMED_CHECK: 2,
    }


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        ({"flagged": True}, {"flagged": False}, "ok/flagged/none"),
        ({"status": "error"}, {"flagged": False}, "ok/clean/none"),
        ({"status": "error"}, {"status": "timeout"}, "error/unknown/none"),
        ({"status": "skipped"}, {"status": "timeout"}, "timeout/unknown/none"),
        ({"status": "ok"}, {"status": "error"}, "ok/unknown/none"),
        (
            {"flagged": True, "action": "block"},
            {"flagged": True, "action": "annotate"},
            "ok/flagged/block",
        ),
    ],
)
def test_of_two_verdicts_of_one_check_the_worst_counts_in_either_order(
    first: dict[str, object], second: dict[str, object], kept: str
) -> None:
    decoded = decode([check(**first), check(**second)], [check(**second), check(**first)])

    assert outcomes(decoded, "check:output/f/hate") == [kept, kept]


def test_missing_parts_of_a_checks_name_are_filled_in() -> None:
    decoded = decode([{"flagged": True}], {"filter": "g", "flagged": False})

    assert outcomes(decoded, "check:output/any/any") == ["ok/flagged/none", None]
    assert outcomes(decoded, "check:output/g/any") == [None, "ok/clean/none"]


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("toxicity", "check:output/toxicity/any"),
        ("moderation/hate", "check:output/moderation/hate"),
        ("input/moderation/hate/threatening", "check:input/moderation/hate/threatening"),
    ],
)
def test_a_flat_column_is_one_check_named_after_the_column(name: str, column: str) -> None:
    schema = Schema(
        columns=(Column(name=name, role=Role.SAFETY_CHECK, path="flag", dtype=Dtype.BOOLEAN),)
    )

    decoded = decode(True, False, None, "true", schema=schema)

    assert outcomes(decoded, column) == [
        "ok/flagged/none",
        "ok/clean/none",
        None,
        "ok/flagged/none",
    ]


def test_a_flat_value_that_is_no_boolean_rejects_the_record() -> None:
    decoded = decode("sometimes", True)

    assert decoded.rejected == {RejectionReason.INVALID_VALUE: 1}
    assert decoded.rejections[0].column == "checks"


def test_only_the_checks_that_are_needed_are_built() -> None:
    value = [check(flagged=True), check(category="spam", flagged=True)]
    needs = Needs(columns=frozenset({"check:output/f/spam"}))

    decoded = decode(value, needs=needs)

    assert list(decoded.columns.fields) == ["check:output/f/spam"]


def test_more_checks_than_a_block_may_name_are_left_out_and_remarked() -> None:
    value = [check(category=f"c{number:04d}", flagged=True) for number in range(MAX_CHECKS + 5)]

    decoded = decode(value)

    assert len(decoded.columns.fields) == MAX_CHECKS
    assert decoded.remarks[Remark.TOO_MANY_CHECKS] == 5


def test_parquet_structs_give_the_same_columns_as_json() -> None:
    values = [
        [check(status="ok", flagged=True, action="block"), check(category=None, status="weird")],
        None,
        [],
        [check(flagged=False), None],
    ]
    kind = pa.list_(
        pa.struct(
            [(name, pa.string()) for name in ("stage", "filter", "category", "status", "action")]
            + [("flagged", pa.bool_())]
        )
    )
    records = ArrowRecords(pa.table({"checks": pa.array(values, kind)}))

    found = build(records, plan_decoding(SCHEMA, Needs()), place=Place(origin=Origin()))

    expected = decode(*values)
    assert list(found.columns.fields) == list(expected.columns.fields)
    for name in found.columns.fields:
        assert outcomes(found, name) == outcomes(expected, name)
    assert found.remarks == expected.remarks


def test_json_text_of_checks_in_a_flat_file_is_read() -> None:
    text = orjson.dumps([check(flagged=True)]).decode()
    records = ArrowRecords(pa.table({"checks": pa.array([text, None, "false"])}))

    found = build(records, plan_decoding(SCHEMA, Needs()), place=Place(origin=Origin()))

    assert outcomes(found, "check:output/f/hate") == ["ok/flagged/none", None, None]
    assert outcomes(found, "check:output/checks/any") == [None, None, "ok/clean/none"]
