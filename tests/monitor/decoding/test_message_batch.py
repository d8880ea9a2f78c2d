"""Decoding a batch of messages by type gives what reading them one by one gives."""

import json

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines.columns import Categories, Columns
from baselines.schema import Column, Dtype, Role, Schema
from monitor.adapters.moe import moe_schema
from monitor.decoding import message_batch
from monitor.decoding.base import Decoded, Needs, Origin, RejectionReason, Remark
from monitor.decoding.json_block import decode_json_payloads, decode_one_by_one
from monitor.decoding.message_batch import MessageDecoder
from monitor.decoding.message_shape import kinds_of, shape_of
from monitor.decoding.plan import DecodingPlan, plan_decoding

ORIGIN = Origin(path="topic/0", first_line=100)
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
        Column(name="n", role=Role.WEIGHT),
        Column(name="checks", role=Role.SAFETY_CHECK, path="safety.checks"),
        Column(name="answer", role=Role.TEXT),
    )
)
PLAN = plan_decoding(SCHEMA, Needs(event_ids=True, excerpts=True))
MOE = plan_decoding(moe_schema(groups=["sex"]), Needs(event_ids=True, excerpts=True))


def rows(columns: Columns) -> dict[str, object]:
    shown: dict[str, object] = {
        "time": columns.time_us.tolist(),
        "ids": None if columns.event_ids is None else columns.event_ids.tolist(),
        "weights": None if columns.weights is None else columns.weights.tolist(),
    }
    for name, field in columns.fields.items():
        if isinstance(field, Categories):
            assert len(set(field.levels)) == len(field.levels)
            shown[name] = [None if code < 0 else field.levels[code] for code in field.codes]
        else:
            missing = field.missing if field.missing is not None else np.zeros(len(field), bool)
            shown[name] = [
                None if absent else repr(value + 0.0)
                for value, absent in zip(field.values.tolist(), missing, strict=True)
            ]
    return shown


def assert_equal(one: Decoded, other: Decoded) -> None:
    assert rows(one.columns) == rows(other.columns)
    assert one.rejected == other.rejected
    assert one.n_records == other.n_records
    assert one.remarks == other.remarks
    assert one.rejections == other.rejections


def assert_same(
    payloads: list[bytes], plan: DecodingPlan = PLAN, decoder: MessageDecoder | None = None
) -> Decoded:
    decoded = (decoder or MessageDecoder(plan)).decode(payloads, ORIGIN)
    stripped = [payload.strip(b" \t\r\n") for payload in payloads]
    assert_equal(decoded, decode_one_by_one(stripped, plan, ORIGIN, blank_is_record=True))
    return decoded


TIMES = st.sampled_from(
    [
        "2026-01-02T03:04:05Z",
        "2026-01-02T03:04:05.123456+02:00",
        "2026-01-02T03:04:05.123456789Z",
        "2026-01-02 03:04:05",
        "20260102",
        "1767323045",
        "nonsense",
        " ",
        "1931-01-01T00:00:00Z",
        1767323045,
        1767323045123456789,
        2**63,
        2**70,
        1.5e9,
        1767323045.25,
        -5,
        True,
        None,
    ]
)
NUMBERS = (
    st.floats(allow_nan=True, allow_infinity=True)
    | st.integers(-(2**70), 2**70)
    | st.sampled_from([2**53 + 1, 2**63 - 1, 2**63, 0.1, 1e-320, "12", " 3.5 ", "x", True, None])
)
TEXTS = st.text(max_size=8) | st.sampled_from(['"', "\\", "\u0000", "\U0001f600", "true", "1", ""])
VALUES = TEXTS | NUMBERS | st.booleans() | st.none() | st.just([]) | st.just({"a": [1]})
CHECK = st.fixed_dictionaries(
    {},
    optional={
        "stage": st.sampled_from(["input", "output", None, ""]),
        "filter": st.sampled_from(["f", "g", 3]),
        "category": st.sampled_from(["hate", None, {}]),
        "status": st.sampled_from(["ok", "error", "OK", "weird", None]),
        "flagged": st.sampled_from([True, False, None, "true", "maybe", 1]),
        "action": st.sampled_from(["block", "none", "quarantine", None]),
        "severity": st.floats(0, 1),
    },
)
GOOD_CHECK = st.fixed_dictionaries(
    {"filter": st.sampled_from("fg"), "flagged": st.booleans() | st.none()},
    optional={
        "stage": st.sampled_from(["input", "output"]),
        "status": st.sampled_from(["ok", "error", "odd"]),
        "action": st.sampled_from(["block", "odd"]),
    },
)
CHECKS = (
    st.lists(CHECK | st.none(), max_size=3)
    | st.lists(GOOD_CHECK, max_size=3)
    | CHECK
    | st.booleans()
    | st.none()
    | st.just('[{"filter": "f", "flagged": true}]')
)
GOOD = st.fixed_dictionaries(
    {"ts": st.sampled_from(["2026-01-02T03:04:05Z", "2026-01-02T03:04:05.5Z"]), "n": st.just(2)},
    optional={
        "id": st.text(max_size=4),
        "score": st.floats(0, 1) | st.integers(-3, 3) | st.none(),
        "deep": st.none()
        | st.fixed_dictionaries(
            {}, optional={"small": st.floats(width=32), "er": st.just({"count": 3})}
        ),
        "label": st.sampled_from(["a", "b", True, None]),
        "level": st.sampled_from([1, "1", 2**62, None]),
        "ok": st.booleans() | st.none(),
        "choices": st.lists(st.fixed_dictionaries({"reason": st.sampled_from("xy")}), max_size=2),
        "answer": st.text(max_size=10),
        "ignored": VALUES,
        "safety": st.fixed_dictionaries({"checks": st.lists(GOOD_CHECK, max_size=2)}),
    },
)
ODD = st.fixed_dictionaries(
    {"ts": TIMES},
    optional={
        "n": NUMBERS | st.integers(0, 5),
        "id": VALUES,
        "score": NUMBERS,
        "deep": st.fixed_dictionaries(
            {},
            optional={"small": NUMBERS, "er": st.fixed_dictionaries({"count": NUMBERS}) | VALUES},
        )
        | VALUES,
        "label": VALUES,
        "level": VALUES,
        "ok": VALUES,
        "choices": st.lists(st.fixed_dictionaries({"reason": VALUES}) | VALUES, max_size=2)
        | VALUES,
        "answer": VALUES,
        "safety": st.fixed_dictionaries({"checks": CHECKS}) | VALUES,
    },
)
STRANGE = [
    b"",
    b"   ",
    b"\r\n",
    b"\x00",
    b"[1]",
    b"[]",
    b"3",
    b"null",
    b'"text"',
    b"{}",
    b'{"ts":"2026-01-02","n":1,"score":NaN}',
    b'{"ts":"2026-01-02","n":1,"score":-Infinity}',
    b'{"ts":"2026-01-02","n":1,"score":Inf}',
    b'{"ts":"2026-01-02","n":1,"ignored":NaN}',
    b'{"ts":"2026-01-02","n":1,"score":1e400}',
    b'{"ts":"2026-01-02","n":1,"score":1.7976931348623159e308}',
    b'{"ts":"2026-01-02","n":1,"ignored":1e400}',
    b'{"ts":"2026-01-02","n":1,"ignored":1' + b"0" * 5000 + b"}",
    b'{"ts":"2026-01-02","n":1,"score":1' + b"0" * 5000 + b"}",
    b'{"ts":"2026-01-02","n":1,"score":NaN,"label":1' + b"0" * 30 + b"}",
    b'{"ts":"2026-01-02","n":1,"score":-0,"level":-0,"label":-0}',
    b'{"ts":"2026-01-02","n":1,"score":-0.0,"level":-0.0,"label":-0.0}',
    b'{"ts":"2026-01-02","n":1,"label":18446744073709551616,"level":9223372036854775808}',
    b'{"ts":"2026-01-02","n":1,"score":1,"score":2}',
    b'{"ts":"2026-01-02","n":1,"score":"x","score":2}',
    b'{"ts":"2026-01-02","n":1,"score":2,"score":null}',
    b'{"ts":"2026-01-02","n":1,"deep":null,"deep":{"small":1}}',
    b'{"ts":"2026-01-02","n":1,"deep":{"small":1},"deep":{}}',
    b'{"\\u0074s":"2026-01-02","n":1}',
    b'{"ts":"2026-01-02"}{"ts":"2026-01-02"}',
    b'{"ts":"2026-01-02"}null',
    b'{"ts":"2026-01-02","n":1',
    b'{"ts":"2026-01-02","n":1,}',
    b'{"ts":"2026-01-02","n":1,"label":"\\udc00"}',
    b'{"ts":"2026-01-02","n":1,"ignored":"\\udc00"}',
    b'{"ts":"2026-01-02","n":1,"label":"\\ud83d\\ude00"}',
    b'{"ts":"2026-01-02","n":1,"label":"\xff"}',
    b'{"ts":"2026-01-02","n":1,"ignored":"\xff"}',
    b'{"ts":"2026-01-02","n":1,"ignored":"\xed\xa0\x80"}',
    b'{"ts":"2026-01-02","n":1,"\xff":1}',
    b'{"ts":"2026-01-02","n":1,"ignored":"a\x01"}',
    b'{"ts":"2026-01-02","n":1,"label":"a\nb"}',
    b'{"ts":"2026-01-02","n":1,"ignored":"\\x"}',
    b'\xef\xbb\xbf{"ts":"2026-01-02","n":1}',
    b' \n{ "ts" :\t"2026-01-02",\r\n "n": 1 } \n',
    b'\xc2\xa0{"ts":"2026-01-02","n":1}',
    b'{"ts":"2026-01-02","n":1,"score":01}',
    b'{"ts":"2026-01-02","n":1,"ignored":01}',
    b'{"ts":"2026-01-02","n":1,"ignored":1.}',
    b'{"ts":"2026-01-02","n":1,"ignored":' + b"[" * 900 + b"]" * 900 + b"}",
    b'{"ts":"2026-01-02","n":1,"ignored":' + b"[" * 1_010 + b"]" * 1_010 + b"}",
    b'{"ts":"2026-01-02","n":1,"ignored":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b'{"ts":"2026-01-02","n":1,"choices":[{"reason":"x"},3]}',
    b'{"ts":"2026-01-02","n":1,"choices":[null,{"reason":"x"}]}',
    b'{"ts":"2026-01-02","n":1,"choices":{"reason":"x"}}',
    b'{"ts":"2026-01-02","n":1e0}',
    b'{"ts":"2026-01-02","n":1.5}',
    b'{"ts":"2026-01-02"}',
    b'{"ts":"2026-01-02","n":1,"safety":{"checks":true}}',
    b'{"ts":"2026-01-02","n":1,"safety":{"checks":{"filter":"f","flagged":true}}}',
    b'{"ts":"2026-01-02","n":1,"safety":{"checks":[{"filter":"f","flagged":"yes"}]}}',
]
RAW = st.sampled_from([payload for payload in STRANGE if len(payload) < 2_500])


def dumped(records: st.SearchStrategy[dict[str, object]]) -> st.SearchStrategy[bytes]:
    compact = records.map(lambda record: json.dumps(record).encode())
    pretty = records.map(lambda record: json.dumps(record, indent=1, ensure_ascii=True).encode())
    return st.one_of(compact, compact, pretty)


@pytest.mark.parametrize("payload", STRANGE, ids=lambda payload: payload[:40].decode("latin-1"))
def test_a_strange_message_is_read_as_it_is_read_alone(payload: bytes) -> None:
    good = [b'{"ts":"2026-01-02T03:04:05Z","n":1,"label":"a","score":0.5}'] * 4

    assert_same([*good, payload, *good])


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(dumped(GOOD), min_size=1, max_size=8))
def test_good_messages_are_read_as_they_are_read_one_by_one(payloads: list[bytes]) -> None:
    decoded = assert_same(payloads)

    assert decoded.n_records == len(payloads)
    assert_equal(decoded, decode_json_payloads(payloads, PLAN, ORIGIN))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(dumped(ODD) | dumped(GOOD) | dumped(GOOD) | dumped(GOOD) | RAW, max_size=12))
def test_any_messages_are_read_as_they_are_read_one_by_one(payloads: list[bytes]) -> None:
    decoded = assert_same(payloads)

    assert decoded.n_records == len(payloads)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    st.lists(st.lists(dumped(ODD) | dumped(GOOD) | RAW, max_size=6), min_size=2, max_size=5),
)
def test_what_a_decoder_has_read_before_changes_nothing(batches: list[list[bytes]]) -> None:
    decoder = MessageDecoder(PLAN)

    for payloads in batches:
        assert_same(payloads, decoder=decoder)


def test_an_integer_of_more_than_64_bits_is_one_level_beside_nan_and_without() -> None:
    payloads = [
        b'{"ts":"2026-01-02","n":1,"label":100000000000000000000000}',
        b'{"ts":"2026-01-02","n":1,"label":100000000000000000000000,"score":NaN}',
        b'{"ts":"2026-01-02","n":1,"label":18446744073709551615}',
        b'{"ts":"2026-01-02","n":1,"label":18446744073709551615,"score":NaN}',
    ]

    label = assert_same(payloads).columns.fields["label"]

    assert isinstance(label, Categories)
    assert set(label.levels) == {"1e+23", "18446744073709551615"}


def moe_event(number: int) -> dict[str, object]:
    return {
        "event_id": f"e{number}",
        "event_type": "label" if number % 7 == 0 else "output",
        "ts": f"2026-01-02T03:04:{number % 60:02d}Z",
        "model": {"name": "m", "version": number % 3},
        "groups": {"sex": "FM"[number % 2]},
        "output": {"positive": number % 2 == 0, "score": 0.7, "text": "Yes, \u00e9: it is."},
        "usage": {"output_tokens": number},
        "safety": {
            "checks": [
                {"filter": "f", "category": "c", "flagged": number % 5 == 0, "action": "block"},
                {"filter": "g", "status": "odd", "flagged": True},
            ]
        },
    }


def test_events_of_moe_with_checks_and_texts_are_read_as_one_by_one() -> None:
    payloads = [orjson.dumps(moe_event(number)) for number in range(600)]

    decoded = assert_same(payloads, MOE)

    assert decoded.rejected == {RejectionReason.NOT_AN_OUTPUT: 86}
    assert decoded.remarks == {Remark.UNKNOWN_CHECK_STATUS: 600}
    assert "check:output/g/any" in decoded.columns.fields
    assert "output_text.n_words" in decoded.columns.fields


def test_messages_of_the_expected_types_are_all_parsed_by_type() -> None:
    decoder = MessageDecoder(PLAN)
    payloads = [b'{"ts":"2026-01-02T03:04:05Z","n":1,"score":1,"label":"a","ok":true}'] * 600

    parsed = decoder._parse_all(payloads)

    assert parsed is not None
    assert parsed.refused == []
    assert parsed.typed.n_rows == 600


@pytest.mark.parametrize(
    "payload",
    [
        b'{"ts":1767323045,"n":1,"score":"2.5","label":7,"ok":true}',
        b'{"ts":1767323045.5,"n":1,"score":null,"label":true,"level":true}',
    ],
)
def test_types_follow_what_most_messages_hold(payload: bytes) -> None:
    decoder = MessageDecoder(PLAN)
    assert_same([payload] * 10, decoder=decoder)

    parsed = decoder._parse_all([payload] * 10)

    assert parsed is not None
    assert parsed.refused == []


def test_messages_that_never_fit_are_read_without_trying_their_types_each_time() -> None:
    decoder = MessageDecoder(PLAN)
    payloads = [b'{"ts":"2026-01-02","n":1,"label":1.5}'] * 10
    assert_same(payloads, decoder=decoder)

    paused = decoder._pause

    assert paused == message_batch._PAUSE
    for _ in range(paused + 1):
        assert_same(payloads, decoder=decoder)
    assert decoder._pause == paused


def test_a_batch_of_any_length_is_one_result_with_lines_counted_through() -> None:
    good = b'{"ts":"2026-01-02","n":1,"label":"a"}'
    payloads = [good] * 5_600 + [b"{"] + [good] * 5_000 + [b""] * 30

    decoded = MessageDecoder(PLAN).decode(payloads, ORIGIN)

    assert decoded.n_records == len(payloads)
    assert decoded.columns.n_rows == 10_600
    assert decoded.rejected == {RejectionReason.INVALID_JSON: 31}
    assert [rejection.line for rejection in decoded.rejections[:2]] == [5_700, 10_701]
    assert len(decoded.rejections) == 20


def test_levels_are_forgotten_when_they_have_become_many() -> None:
    decoder = MessageDecoder(PLAN)
    for start in range(0, 40_000, 4_000):
        decoder.decode(
            [b'{"ts":"2026-01-02","n":1,"label":"%d"}' % n for n in range(start, start + 4_000)],
            ORIGIN,
        )

    assert max(map(len, decoder._levels.values())) <= 9_000


def test_a_plan_with_a_value_that_is_also_a_parent_is_read_the_slow_way() -> None:
    schema = Schema(
        columns=(
            Column(name="a", role=Role.NUMERIC),
            Column(name="b", role=Role.NUMERIC, path="a.b"),
        )
    )
    plan = plan_decoding(schema, Needs())
    kinds = kinds_of(plan)
    assert kinds is not None
    assert shape_of(kinds) is None

    decoded = assert_same([b'{"a":1}', b'{"a":{"b":2}}', b""], plan)

    assert decoded.rejected == {RejectionReason.INVALID_VALUE: 1, RejectionReason.INVALID_JSON: 1}
