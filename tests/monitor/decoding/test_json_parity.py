"""The fast and the slow way of reading JSON Lines give the same rows."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines.columns import Categories, Columns
from baselines.schema import Column, Dtype, Role, Schema
from monitor.decoding import json_block
from monitor.decoding.base import Decoded, Needs, Origin, RejectionReason
from monitor.decoding.json_block import decode_json_lines
from monitor.decoding.plan import DecodingPlan, plan_decoding

SCHEMA = Schema(
    columns=(
        Column(name="ts", role=Role.TIMESTAMP),
        Column(name="id", role=Role.EVENT_ID),
        Column(name="score", role=Role.SCORE),
        Column(name="small", role=Role.NUMERIC, path="deep.small", dtype=Dtype.FLOAT32),
        Column(name="count", role=Role.NUMERIC, path="deep.er.count", dtype=Dtype.INT64),
        Column(name="label", role=Role.CATEGORY),
        Column(name="level", role=Role.CATEGORY, dtype=Dtype.INT64),
        Column(name="ok", role=Role.PREDICTION, dtype=Dtype.BOOLEAN),
        Column(name="above", role=Role.PREDICTION, path="score", threshold=0.5),
        Column(name="first", role=Role.CATEGORY, path="choices[0].reason"),
        Column(name="checks", role=Role.SAFETY_CHECK, path="safety.checks"),
        Column(name="answer", role=Role.TEXT),
    )
)
PLAN = plan_decoding(SCHEMA, Needs(event_ids=True))
ORIGIN = Origin()


def one_by_one(block: bytes, plan: DecodingPlan = PLAN) -> Decoded:
    """Give each line as a block of its own that the fast way does not take."""
    return json_block.decode_one_by_one(block.split(b"\n"), plan, ORIGIN)


def rows(columns: Columns) -> dict[str, list[object]]:
    shown: dict[str, list[object]] = {"time": columns.time_us.tolist()}
    shown["ids"] = list(columns.event_ids) if columns.event_ids is not None else []
    for name, field in columns.fields.items():
        if isinstance(field, Categories):
            shown[name] = [None if code < 0 else field.levels[code] for code in field.codes]
        else:
            missing = field.missing if field.missing is not None else np.zeros(len(field), bool)
            shown[name] = [
                None if absent else repr(value + 0.0)
                for value, absent in zip(field.values.tolist(), missing, strict=True)
            ]
    return shown


def assert_same(block: bytes, plan: DecodingPlan = PLAN) -> Decoded:
    fast, slow = decode_json_lines(block, plan, ORIGIN), one_by_one(block, plan)
    assert rows(fast.columns) == rows(slow.columns)
    assert fast.rejected == slow.rejected
    assert fast.n_records == slow.n_records
    assert fast.remarks == slow.remarks
    assert [(r.line, r.reason, r.column) for r in fast.rejections] == [
        (r.line, r.reason, r.column) for r in slow.rejections
    ]
    return fast


TIMES = st.sampled_from(
    [
        "2026-01-02T03:04:05Z",
        "2026-01-02T03:04:05.123456+02:00",
        "2026-01-02 03:04:05",
        "2026-01-02",
        "1767323045",
        "nonsense",
        "",
        "1931-01-01T00:00:00Z",
    ]
) | st.sampled_from([1767323045, 1767323045123, 1767323045123456, 1767323045123456789, 1.5e9, -5])
NUMBERS = (
    st.floats(allow_nan=True, allow_infinity=True)
    | st.integers(-(2**70), 2**70)
    | st.sampled_from([2**53 + 1, 2**63 - 1, 2**63, 0.1, 1e-320, "12", " 3.5 ", "x", True, None])
)
TEXTS = st.text(max_size=8) | st.sampled_from(['"', "\\", "\u0000", "\U0001f600", "}\n{", "}null"])
VALUES = TEXTS | NUMBERS | st.booleans() | st.none() | st.just([]) | st.just({"a": 1})
CHECK = st.fixed_dictionaries(
    {},
    optional={
        "stage": st.sampled_from(["input", "output", None]),
        "filter": st.sampled_from(["f", "g", 3]),
        "category": st.sampled_from(["hate", None, {}]),
        "status": st.sampled_from(["ok", "error", "OK", "weird", None]),
        "flagged": st.sampled_from([True, False, None, "true", "maybe"]),
        "action": st.sampled_from(["block", "none", "quarantine", None]),
        "severity": st.floats(0, 1),
    },
)
CHECKS = st.lists(CHECK | st.none(), max_size=3) | CHECK | st.booleans() | st.none()
GOOD = st.fixed_dictionaries(
    {"ts": st.just("2026-01-02T03:04:05Z")},
    optional={
        "id": st.text(max_size=4),
        "score": st.floats(0, 1) | st.none(),
        "deep": st.none() | st.fixed_dictionaries({}, optional={"small": st.floats(width=32)}),
        "label": st.sampled_from(["a", "b", None]),
        "ok": st.booleans() | st.none(),
        "choices": st.lists(st.fixed_dictionaries({"reason": st.sampled_from("xy")}), max_size=2),
        "answer": st.text(max_size=10),
        "ignored": VALUES,
        "safety": st.fixed_dictionaries({"checks": st.lists(CHECK, max_size=2)}),
    },
)
ODD = st.fixed_dictionaries(
    {"ts": TIMES},
    optional={
        "id": VALUES,
        "score": NUMBERS,
        "deep": st.fixed_dictionaries(
            {},
            optional={"small": NUMBERS, "er": st.fixed_dictionaries({"count": NUMBERS})},
        )
        | VALUES,
        "label": VALUES,
        "level": VALUES,
        "ok": VALUES,
        "choices": st.lists(st.fixed_dictionaries({"reason": VALUES}), max_size=2) | VALUES,
        "answer": VALUES,
        "safety": st.fixed_dictionaries({"checks": CHECKS}) | VALUES,
    },
)
RAW = st.sampled_from(
    [
        b"",
        b"   ",
        b"\r",
        b"[1]",
        b"3",
        b"null",
        b'{"ts":"2026-01-02","score":NaN}',
        b'{"ts":"2026-01-02","score":-Infinity}',
        b'{"ts":"2026-01-02","score":Inf}',
        b'{"ts":"2026-01-02","score":1e400}',
        b'{"ts":"2026-01-02","score":1.7976931348623159e308}',
        b'{"ts":"2026-01-02","ignored":1e400}',
        b'{"ts":"2026-01-02","score":1,"score":2}',
        b'{"ts":"2026-01-02","deep":null,"deep":{"small":1}}',
        b'{"ts":"2026-01-02"}{"ts":"2026-01-02"}',
        b'{"ts":"2026-01-02"} null {"ts":"2026-01-02"}',
        b'{"ts":"2026-01-02"}null',
        b'{"ts":"2026-01-02",',
        b'"score":1}',
        b'{"ts":"2026-01-02","label":"\\udc00"}',
        b'{"ts":"2026-01-02","score":NaN,"label":"\\udc00"}',
        b'{"ts":"2026-01-02","label":"\xff"}',
        b'{"ts":"2026-01-02","ignored":"\xff"}',
        b'\xef\xbb\xbf{"ts":"2026-01-02"}',
        b'{"ts":"2026-01-02","label":"a"}\r',
        b'{"ts":"2026-01-02","score":01}',
        b'{"ts":"2026-01-02","label":"a\x01"}',
    ]
)


def lines(records: st.SearchStrategy[dict[str, object]]) -> st.SearchStrategy[bytes]:
    return records.map(lambda record: json.dumps(record).encode())


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(lines(GOOD), min_size=1, max_size=8))
def test_good_records_read_the_same_in_a_block_and_one_by_one(block: list[bytes]) -> None:
    decoded = assert_same(b"\n".join(block) + b"\n")

    assert decoded.n_records == len(block)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(lines(ODD) | lines(GOOD) | RAW, max_size=6))
def test_any_lines_read_the_same_in_a_block_and_one_by_one(block: list[bytes]) -> None:
    decoded = assert_same(b"\n".join(block))

    assert decoded.n_records == sum(bool(line.strip(b" \t\r\n")) for line in block)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(lines(ODD) | RAW, min_size=1, max_size=3), st.lists(lines(GOOD), max_size=3))
def test_a_line_reads_the_same_whatever_stands_beside_it(
    odd: list[bytes], good: list[bytes]
) -> None:
    apart = [decode_json_lines(line, PLAN, ORIGIN) for line in (*odd, *good)]

    together = decode_json_lines(b"\n".join((*odd, *good)), PLAN, ORIGIN)

    assert together.columns.n_rows == sum(one.columns.n_rows for one in apart)
    assert together.columns.time_us.tolist() == [
        us for one in apart for us in one.columns.time_us.tolist()
    ]


@pytest.mark.parametrize(
    "line",
    [
        b'{"ts":"2026-01-02T00:00:00Z","score":0.1,"label":"a","ok":true}',
        b'{"ts":1767323045123,"score":1,"label":7,"ok":1}',
        b'{"ts":1767323045.5,"score":"2.5","label":true,"ok":"false"}',
    ],
)
def test_blocks_of_one_kind_take_the_fast_way(line: bytes) -> None:
    block = b"\n".join([line] * 50)

    table = json_block._fast_table(block, PLAN)

    assert table is not None
    assert table.num_rows == 50
    assert_same(block)


@pytest.mark.parametrize(
    "block",
    [
        b'{"ts":1767323045.5}\n{"ts":1767323045123456789}',
        b'{"ts":"2026-01-02","label":1.5}\n{"ts":"2026-01-02","label":1}',
        b'{"ts":"2026-01-02","label":1}\n{"ts":"2026-01-02","label":1.0}',
        b'{"ts":"2026-01-02","level":1.0}\n{"ts":"2026-01-02","level":9007199254740993}',
        b'{"ts":1767323045}\n{"ts":"1767323045"}\n{"ts":1767323045.0}',
        b'{"ts":"2026-01-02","score":9007199254740993}\n{"ts":"2026-01-02","score":0.1}',
    ],
)
def test_numbers_of_several_kinds_in_one_path_keep_their_exact_value(block: bytes) -> None:
    assert_same(block)


def test_a_lone_surrogate_is_refused_beside_a_nan_too() -> None:
    decoded = decode_json_lines(b'{"ts":"2026-01-02","score":NaN,"label":"\\udc00"}', PLAN, ORIGIN)

    assert decoded.rejected == {RejectionReason.INVALID_JSON: 1}
