"""Blocks of JSON Lines: reasons, places and what is asked for."""

import subprocess
import sys

import numpy as np
import pytest

from baselines.columns import Categories, Numbers
from baselines.schema import Column, Dtype, Role, Schema
from monitor.decoding.base import Decoded, Needs, Origin, RejectionReason
from monitor.decoding.json_block import decode_json_lines, decode_json_payloads
from monitor.decoding.plan import plan_decoding

TIMED = Column(name="ts", role=Role.TIMESTAMP)
SCHEMA = Schema(
    columns=(
        TIMED,
        Column(name="id", role=Role.EVENT_ID),
        Column(name="score", role=Role.SCORE),
        Column(name="label", role=Role.CATEGORY),
    )
)


def decode(block: bytes, schema: Schema = SCHEMA, needs: Needs | None = None) -> Decoded:
    return decode_json_lines(block, plan_decoding(schema, needs or Needs()), Origin(first_line=10))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"ts":"2026-01-02"', RejectionReason.INVALID_JSON),
        (b"<html>", RejectionReason.INVALID_JSON),
        (b"[1,2]", RejectionReason.NOT_AN_OBJECT),
        (b"null", RejectionReason.NOT_AN_OBJECT),
        (b'{"ts":"2026-01-02","label":"\xff"}', RejectionReason.INVALID_UTF8),
        (b"{}", RejectionReason.MISSING_TIMESTAMP),
        (b'{"ts":"soon"}', RejectionReason.INVALID_TIMESTAMP),
        (b'{"ts":true}', RejectionReason.INVALID_TIMESTAMP),
        (b'{"ts":"1912-06-23T00:00:00Z"}', RejectionReason.TIMESTAMP_OUT_OF_RANGE),
        (b'{"ts":"2026-01-02","score":"high"}', RejectionReason.INVALID_VALUE),
        (b'{"ts":"2026-01-02","label":{"a":1}}', RejectionReason.INVALID_VALUE),
    ],
)
def test_a_bad_line_has_its_reason_and_costs_only_itself(
    line: bytes, reason: RejectionReason
) -> None:
    good = b'{"ts":"2026-01-02","score":0.5,"label":"a"}'

    decoded = decode(b"\n".join([good, line, b"", good]))

    assert decoded.columns.n_rows == 2
    assert decoded.n_records == 3
    assert decoded.rejected == {reason: 1}
    assert [one.line for one in decoded.rejections] == [11]


def test_samples_are_capped_and_counts_are_not() -> None:
    decoded = decode(b"bad\n" * 500)

    assert decoded.rejected == {RejectionReason.INVALID_JSON: 500}
    assert len(decoded.rejections) == 20


def test_raw_text_is_quoted_only_when_it_is_asked_for() -> None:
    line = b'{"ts":"soon","secret":"name"}'

    silent = decode(line)
    quoting = decode(line, needs=Needs(excerpts=True))

    assert silent.rejections[0].excerpt == ""
    assert "secret" not in repr(silent)
    assert quoting.rejections[0].excerpt == line.decode()


def test_a_bare_null_beside_a_record_does_not_end_the_process() -> None:
    code = (
        "from baselines.schema import Column, Role, Schema\n"
        "from monitor.decoding.base import Needs, Origin\n"
        "from monitor.decoding.json_block import decode_json_lines\n"
        "from monitor.decoding.plan import plan_decoding\n"
        "plan = plan_decoding(Schema(columns=(Column(name='x', role=Role.NUMERIC),)), Needs())\n"
        "for block in (b'null', b'{}null', b'{} null {}', b'{}\\tnull\\t{}', b'{}\\nnull\\n{}'):\n"
        "    print(decode_json_lines(block, plan, Origin()).n_rejected)\n"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["1"] * 5


def test_of_repeated_keys_the_last_counts() -> None:
    decoded = decode(b'{"ts":"2026-01-02","score":1,"score":2}')

    field = decoded.columns.fields["score"]
    assert isinstance(field, Numbers)
    assert field.values.tolist() == [2.0]


def test_numbers_that_python_writes_but_json_lacks_are_not_finite() -> None:
    decoded = decode(
        b'{"ts":"2026-01-02","score":NaN}\n{"ts":"2026-01-02","score":-Infinity}\n'
        b'{"ts":"2026-01-02","score":1e400}\n{"ts":"2026-01-02","score":null}'
    )

    field = decoded.columns.fields["score"]
    assert isinstance(field, Numbers)
    assert np.isnan(field.values[0])
    assert field.values[1:3].tolist() == [-np.inf, np.inf]
    assert field.missing is not None
    assert field.missing.tolist() == [False, False, False, True]


def test_without_a_timestamp_column_every_event_is_at_zero() -> None:
    decoded = decode(b'{"x":1}', Schema(columns=(Column(name="x", role=Role.NUMERIC),)))

    assert decoded.columns.time_us.tolist() == [0]


def test_nothing_but_what_is_needed_is_decoded() -> None:
    decoded = decode(
        b'{"ts":"2026-01-02","score":"bad","label":"a","id":7}',
        needs=Needs(columns=frozenset({"label"}), event_ids=True),
    )

    assert list(decoded.columns.fields) == ["label"]
    assert decoded.columns.event_ids is not None
    assert decoded.columns.event_ids.tolist() == ["7"]


def test_events_without_an_id_have_none() -> None:
    decoded = decode(b'{"ts":"2026-01-02"}', needs=Needs(event_ids=True))

    assert decoded.columns.event_ids is not None
    assert decoded.columns.event_ids.tolist() == [None]


@pytest.mark.parametrize("value", [b"-1", b"1.5", b'"x"', b"null", b"1e300", b"NaN", b"[]"])
def test_a_weight_must_be_a_count(value: bytes) -> None:
    schema = Schema(columns=(TIMED, Column(name="w", role=Role.WEIGHT)))
    block = b'{"ts":"2026-01-02","w":' + value + b'}\n{"ts":"2026-01-02","w":3}'

    decoded = decode(block, schema)

    assert decoded.rejected == {RejectionReason.INVALID_WEIGHT: 1}
    assert decoded.columns.weights is not None
    assert decoded.columns.weights.tolist() == [3]


def test_a_prediction_with_a_threshold_is_true_from_the_threshold_on() -> None:
    schema = Schema(
        columns=(TIMED, Column(name="p", role=Role.PREDICTION, path="score", threshold=0.5))
    )
    values = (b"0.5", b"0.49", b"null", b"NaN", b"Infinity")
    block = b"\n".join(b'{"ts":"2026-01-02","score":' + value + b"}" for value in values)

    decoded = decode(block, schema)

    field = decoded.columns.fields["p"]
    assert isinstance(field, Categories)
    shown = [None if code < 0 else field.levels[code] for code in field.codes.tolist()]
    assert shown == ["true", "false", None, "nan", "true"]


def test_float32_columns_are_rounded() -> None:
    schema = Schema(columns=(TIMED, Column(name="x", role=Role.NUMERIC, dtype=Dtype.FLOAT32)))

    decoded = decode(b'{"ts":"2026-01-02","x":0.1}', schema)

    field = decoded.columns.fields["x"]
    assert isinstance(field, Numbers)
    assert field.values.tolist() == [float(np.float32(0.1))]


def test_a_path_that_is_both_value_and_parent_still_reads_record_by_record() -> None:
    schema = Schema(
        columns=(
            TIMED,
            Column(name="outer", role=Role.CATEGORY, path="a"),
            Column(name="inner", role=Role.CATEGORY, path="a.b"),
        )
    )

    decoded = decode(b'{"ts":"2026-01-02","a":"x"}\n{"ts":"2026-01-02","a":{"b":"y"}}', schema)

    assert decoded.columns.n_rows == 1
    assert decoded.rejected == {RejectionReason.INVALID_VALUE: 1}


def test_payloads_may_be_spread_over_lines() -> None:
    plan = plan_decoding(SCHEMA, Needs())
    payloads = [b'{\n "ts": "2026-01-02",\n "score": 1\n}', b"bad", b'{"ts":"2026-01-02"}\n']

    decoded = decode_json_payloads(payloads, plan, Origin())

    assert decoded.columns.n_rows == 2
    assert [one.line for one in decoded.rejections] == [2]
    assert decode_json_payloads(payloads[2:] * 2, plan, Origin()).columns.n_rows == 2
