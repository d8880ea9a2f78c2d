"""A batch of messages, one JSON object each, to columns: for streams, where batches are small.

A typed parser takes each message that it can take with the result that record by record
reading would give; any other message is read alone, the slow way, and costs only itself. Where
many messages of a batch are refused, because they hold other types than expected, the types
are chosen anew, and a batch that still does not fit goes to the reader of JSON Lines.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

import msgspec
import numpy as np

from baselines.columns import concatenate
from monitor.decoding.base import Decoded, Origin, RejectionReason, Remark
from monitor.decoding.build import build
from monitor.decoding.joined_records import JoinedRecords
from monitor.decoding.json_block import (
    decode_json_payloads,
    decode_one_by_one,
    is_utf8,
    parse_record,
    values_at_paths,
)
from monitor.decoding.message_records import LevelCodes, MessageRecords
from monitor.decoding.message_shape import Kind, MessageShape, adapted, kinds_of, shape_of
from monitor.decoding.plan import DecodingPlan
from monitor.decoding.python_records import PythonRecords
from monitor.decoding.refusals import MAX_SAMPLES, Failure, Place

__all__ = ["MessageDecoder"]

_BATCH = 5_000
_STEP = 250
_SPACE = b" \t\r\n"
_MAX_REFUSED = 0.25
_PAUSE = 16
"""How many batches go to the reader of JSON Lines before the typed parser is tried again."""


@dataclass(slots=True)
class _Parsed:
    """The messages of one batch that were parsed into types, and the lines that were refused."""

    typed: MessageRecords
    refused: list[int] = field(default_factory=list)


class MessageDecoder:
    """Decodes the messages of one plan; keeps what it learns about them between batches.

    What it has learnt changes how fast it is, never what it returns.

    Parameters
    ----------
    plan
        What is read from each message.
    """

    def __init__(self, plan: DecodingPlan) -> None:
        self._plan = plan
        self._pause = 0
        self._use(kinds_of(plan))

    def decode(self, payloads: Sequence[bytes], origin: Origin) -> Decoded:
        """Return the rows of `payloads`, one JSON object each.

        `Rejection.line` counts the payloads from the origin's `first_line`. Every payload is a
        record: one that is empty or blank is rejected as invalid JSON.
        """
        if len(payloads) <= _BATCH:
            return self._decode(payloads, origin)
        parts = [
            self._decode(
                payloads[start : start + _BATCH],
                Origin(
                    path=origin.path,
                    position=origin.position,
                    first_line=origin.first_line + start,
                ),
            )
            for start in range(0, len(payloads), _BATCH)
        ]
        return _joined(parts)

    def _use(self, kinds: dict[str, Kind] | None) -> None:
        self._kinds = kinds
        self._shape = None if kinds is None else shape_of(kinds)
        self._levels: dict[str, LevelCodes] = {}
        if self._shape is not None:
            self._parse = msgspec.json.Decoder(self._shape.type).decode

    def _decode(self, payloads: Sequence[bytes], origin: Origin) -> Decoded:
        if self._pause:
            self._pause -= 1
            return self._fall_back(payloads, origin)
        parsed = self._parse_all(payloads)
        if parsed is None:
            self._pause = _PAUSE
            return self._fall_back(payloads, origin)
        place = Place(origin=origin, text_of=lambda line: payloads[line].strip(_SPACE))
        if not parsed.refused:
            return build(parsed.typed, self._plan, place=place)
        return self._build_mixed(parsed, payloads, place)

    def _fall_back(self, payloads: Sequence[bytes], origin: Origin) -> Decoded:
        stripped = [payload.strip(_SPACE) for payload in payloads]
        if all(stripped):
            return decode_json_payloads(stripped, self._plan, origin)
        return decode_one_by_one(stripped, self._plan, origin, blank_is_record=True)

    def _parse_all(self, payloads: Sequence[bytes]) -> _Parsed | None:
        """Return the messages, or None if too many do not fit the types, whatever they are."""
        for _ in range(2):
            if self._shape is None or self._kinds is None:
                return None
            parsed = self._parse_typed(payloads, self._shape)
            if len(parsed.refused) <= _MAX_REFUSED * len(payloads):
                return parsed
            _, others, _ = _read_singly(payloads, parsed.refused)
            kinds = adapted(self._kinds, values_at_paths(others, self._kinds))
            if kinds == self._kinds:
                break
            self._use(kinds)
        return None

    def _parse_typed(self, payloads: Sequence[bytes], shape: MessageShape) -> _Parsed:
        parsed = _Parsed(MessageRecords(shape, self._levels))
        for start in range(0, len(payloads), _STEP):
            step = payloads[start : start + _STEP]
            # The parser does not look into the texts of fields that it skips.
            parse = self._parse if _are_utf8(step) else self._parse_checked
            parsed.typed.add(_parse_step(parse, step, start, parsed.refused))
        return parsed

    def _parse_checked(self, payload: bytes) -> Any:  # noqa: ANN401 - a type made at run time
        payload.decode()
        return self._parse(payload)

    def _build_mixed(self, parsed: _Parsed, payloads: Sequence[bytes], place: Place) -> Decoded:
        lines_of_others, others, failures = _read_singly(payloads, parsed.refused)
        lines = np.arange(len(payloads))
        is_typed = np.ones(len(payloads), np.bool_)
        is_typed[parsed.refused] = False
        is_record = is_typed.copy()
        is_record[lines_of_others] = True
        row_of = np.cumsum(is_record) - 1
        line_of = np.flatnonzero(is_record)
        records = JoinedRecords(
            parsed.typed,
            PythonRecords(len(others), values_at_paths(others, self._plan.paths)),
            rows_of_first=row_of[lines[is_typed]],
            rows_of_second=row_of[lines_of_others],
        )
        return build(
            records,
            self._plan,
            place=replace(place, line_of=lambda row: int(line_of[row])),
            failures=failures,
        )


def _are_utf8(payloads: Sequence[bytes]) -> bool:
    # What is valid in one piece, joined by ASCII, is valid piece by piece.
    return all(map(bytes.isascii, payloads)) or is_utf8(b" ".join(payloads))


def _parse_step(
    parse: Callable[[bytes], Any], payloads: Sequence[bytes], first_line: int, refused: list[int]
) -> list[Any]:
    """Return the messages that `parse` takes; add the lines of the others to `refused`."""
    messages: list[Any] = []
    n_refused = 0
    waiting = iter(payloads)
    while True:
        try:
            # What was appended before an error stays, and the iterator is past the bad one.
            messages.extend(map(parse, waiting))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            refused.append(first_line + len(messages) + n_refused)
            n_refused += 1
        else:
            return messages


def _read_singly(
    payloads: Sequence[bytes], lines: Sequence[int]
) -> tuple[list[int], list[dict[str, object]], list[Failure]]:
    """Return the lines that hold an object, these objects, and the failures of the others."""
    kept: list[int] = []
    records: list[dict[str, object]] = []
    failures: list[Failure] = []
    for line in lines:
        record = parse_record(payloads[line].strip(_SPACE))
        if isinstance(record, dict):
            kept.append(line)
            records.append(record)
        else:
            failures.append(Failure(line=line, reason=record[0], detail=record[1]))
    return kept, records, failures


def _joined(parts: Sequence[Decoded]) -> Decoded:
    rejected: Counter[RejectionReason] = Counter()
    remarks: Counter[Remark] = Counter()
    for part in parts:
        rejected.update(part.rejected)
        remarks.update(part.remarks)
    samples = (rejection for part in parts for rejection in part.rejections)
    return Decoded(
        columns=concatenate([part.columns for part in parts]),
        rejections=tuple(islice(samples, MAX_SAMPLES)),
        rejected={reason: rejected[reason] for reason in sorted(rejected)},
        n_records=sum(part.n_records for part in parts),
        remarks=dict(remarks),
    )
