"""One block of JSON Lines to columns.

The fast way gives the whole block to pyarrow, with an explicit schema. It is taken only where
its result is known to be the one that line by line reading would give; any doubt sends the
block the slow way, one record at a time, where a bad record costs only itself.

What pyarrow does that has to be ruled out first: it ends the process on a bare ``null`` between
records; it takes two objects on one line, and one object over two lines; it does not check
UTF-8; it skips a byte order mark. Numbers beyond float64 become infinite, and ``NaN``,
``Infinity`` and ``-Infinity`` are taken as numbers, in both ways. A repeated key: the last one
counts.
"""

import io
import json
import re
from collections.abc import Iterable, Sequence

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.json as pj

from monitor.decoding.arrow_records import ArrowRecords
from monitor.decoding.base import Decoded, Origin, RejectionReason
from monitor.decoding.build import build
from monitor.decoding.json_types import choose_schema
from monitor.decoding.paths import look_up, parse_path
from monitor.decoding.plan import DecodingPlan
from monitor.decoding.python_records import PythonRecords
from monitor.decoding.refusals import Failure, Place

__all__ = [
    "decode_json_lines",
    "decode_json_payloads",
    "decode_one_by_one",
    "is_utf8",
    "parse_record",
    "values_at_paths",
]

_SAMPLED_LINES = 32
_SAMPLED_BYTES = 1 << 20
# A null after a record, and the numbers that only pyarrow takes. Three patterns that begin with
# a literal are ten times as fast as one with alternatives.
_DOUBTS = (re.compile(rb"\}[ \t\r]*n"), re.compile(rb"Inf(?!inity)"), re.compile(rb"-NaN"))
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_SPACE = b" \t\r\n"
_EXACT = 2.0**53


def decode_json_lines(block: bytes, plan: DecodingPlan, origin: Origin) -> Decoded:
    """Return the rows of a block of whole lines, one JSON object a line.

    Lines that hold nothing but white space are no records.
    """
    table = _fast_table(block, plan)
    if table is not None:
        records = ArrowRecords(table)
        if not _has_inexact_times(records, plan):
            place = Place(origin=origin, text_of=lambda line: block.split(b"\n")[line])
            return build(records, plan, place=place)
    lines = block.split(b"\n")
    return decode_one_by_one(lines, plan, origin)


def decode_json_payloads(payloads: Sequence[bytes], plan: DecodingPlan, origin: Origin) -> Decoded:
    """Return the rows of payloads, one JSON object each, which may be spread over lines.

    `Rejection.line` counts the payloads, from the origin's `first_line`. A payload of nothing
    but white space is no record.
    """
    stripped = [payload.strip(_SPACE) for payload in payloads]
    if all(payload and b"\n" not in payload for payload in stripped):
        return decode_json_lines(b"\n".join(stripped), plan, origin)
    return decode_one_by_one(stripped, plan, origin)


def is_utf8(block: bytes) -> bool:
    """Return whether `block` is valid UTF-8, without making a copy of it."""
    if block.isascii():
        return True
    offsets = pa.py_buffer(np.array([0, len(block)], np.int64))
    array = pa.Array.from_buffers(pa.large_string(), 1, [None, offsets, pa.py_buffer(block)])
    try:
        array.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _fast_table(block: bytes, plan: DecodingPlan) -> pa.Table | None:
    """Return the parsed block, or None where the slow way has to be taken."""
    n_lines = _count_framed_lines(block)
    if n_lines is None or _is_doubtful(block):
        return None
    head = block[:_SAMPLED_BYTES].split(b"\n", _SAMPLED_LINES)[:_SAMPLED_LINES]
    schema = choose_schema(plan, head)
    if schema is None:
        return None
    try:
        table = pj.read_json(
            io.BytesIO(block),
            read_options=pj.ReadOptions(use_threads=False, block_size=len(block) + 1),
            parse_options=pj.ParseOptions(
                explicit_schema=schema, unexpected_field_behavior="ignore"
            ),
        )
    except pa.ArrowInvalid:
        return None
    return table if table.num_rows == n_lines else None


def _count_framed_lines(block: bytes) -> int | None:
    """Return how many lines there are, if each one begins with ``{`` and ends with ``}``.

    Then no JSON value can reach over the end of a line: within one, a brace that closes is
    never followed by one that opens.
    """
    body = np.frombuffer(block, np.uint8)
    size = len(block.rstrip(_SPACE))
    if size == 0 or body[0] != ord("{") or body[size - 1] != ord("}"):
        return None
    ends = np.flatnonzero(body[:size] == ord("\n"))
    before = body[ends - 1]
    returns = before == ord("\r")
    if returns.any():
        before = np.where(returns, body[ends - 2], before)
    if (before == ord("}")).all() and (body[ends + 1] == ord("{")).all():
        return len(ends) + 1
    return None


def _is_doubtful(block: bytes) -> bool:
    return any(doubt.search(block) for doubt in _DOUBTS) or not is_utf8(block)


def _has_inexact_times(records: ArrowRecords, plan: DecodingPlan) -> bool:
    """Return whether times were read as float64 that may have been longer integers."""
    if plan.timestamp is None:
        return False
    array = records.array(plan.timestamp.source_path)
    if array is None or not pa.types.is_floating(array.type):
        return False
    return bool((np.abs(array.fill_null(0).to_numpy(zero_copy_only=False)) >= _EXACT).any())


def decode_one_by_one(
    lines: Sequence[bytes], plan: DecodingPlan, origin: Origin, *, blank_is_record: bool = False
) -> Decoded:
    """Return the rows of `lines`, each parsed alone: slow, and right whatever they hold.

    Parameters
    ----------
    blank_is_record
        Whether a line of nothing but white space is a record, which is then invalid JSON.
    """
    records: list[dict[str, object]] = []
    numbers: list[int] = []
    failures: list[Failure] = []
    for number, line in enumerate(lines):
        text = line.strip(_SPACE)
        if not text and not blank_is_record:
            continue
        record = parse_record(text)
        if isinstance(record, dict):
            records.append(record)
            numbers.append(number)
        else:
            failures.append(Failure(line=number, reason=record[0], detail=record[1]))
    place = Place(origin=origin, line_of=numbers.__getitem__, text_of=lines.__getitem__)
    found = PythonRecords(len(records), values_at_paths(records, plan.paths))
    return build(found, plan, place=place, failures=failures)


def values_at_paths(
    records: Sequence[dict[str, object]], paths: Iterable[str]
) -> dict[str, list[object]]:
    """Return the values of every record at each path, None where there is none."""
    values: dict[str, list[object]] = {}
    for path in paths:
        steps = parse_path(path)
        values[path] = [look_up(record, steps) for record in records]
    return values


def parse_record(text: bytes) -> dict[str, object] | tuple[RejectionReason, str]:
    """Return the object that a line holds, or why it holds none.

    White space around it has been taken off.
    """
    if not text:
        return RejectionReason.INVALID_JSON, "nothing but white space"
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        if not is_utf8(text):
            return RejectionReason.INVALID_UTF8, "bytes that are not UTF-8"
        detail = f"{error.msg} at column {error.colno}"
        try:
            value = _parse_leniently(text)
        except (ValueError, RecursionError):
            return RejectionReason.INVALID_JSON, detail
    if isinstance(value, dict):
        return value
    return RejectionReason.NOT_AN_OBJECT, f"a JSON {type(value).__name__}, not an object"


def _parse_leniently(text: bytes) -> object:
    """Parse with the numbers that JSON itself lacks: NaN, infinities, out of range."""
    value = json.loads(text.decode(), parse_int=_integer)
    if _SURROGATE.search(text):
        json.dumps(value, ensure_ascii=False).encode()
    return value


def _integer(digits: str) -> int | float:
    """Return what the strict parser makes of an integer: a float beyond 64 bits."""
    number = float(digits)
    if abs(number) < _EXACT:
        return int(digits)
    exact = int(digits) if abs(number) < 2.0**65 else None
    return number if exact is None or not -(2**63) <= exact < 2**64 else exact
