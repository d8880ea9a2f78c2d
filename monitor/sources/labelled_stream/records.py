"""Payloads to what a join needs of them: an event id, a time, and whether they can be joined."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from monitor.decoding.base import RejectionReason
from monitor.decoding.json_block import parse_record
from monitor.decoding.paths import look_up, parse_path
from monitor.decoding.python_records import PythonRecords
from monitor.decoding.times import INVALID, MISSING

__all__ = ["Parsed", "RecordReader", "id_hash"]

_SPACE = b" \t\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """One payload.

    Parameters
    ----------
    record
        The object, None if there is none.
    id
        64 bits of a hash of its event id, None without one.
    time_us
        Its time, None without a good one.
    refusal
        Why it cannot be joined, None if it can be.
    """

    record: dict[str, object] | None
    id: int | None = None
    time_us: int | None = None
    refusal: RejectionReason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordReader:
    """Reads records of one side of a join.

    Parameters
    ----------
    id_path, time_path, time_unit
        Where the event id and the time stand, and the time's unit.
    """

    id_path: str
    time_path: str
    time_unit: str = ""

    def read(self, payloads: Sequence[bytes], *, latest_us: int) -> list[Parsed]:
        """Return what payloads hold; a time after `latest_us` is none."""
        records = [_record(payload) for payload in payloads]
        path = parse_path(self.time_path)
        values = [
            look_up(record, path) if isinstance(record, dict) else None for record in records
        ]
        times = PythonRecords(len(records), {self.time_path: values}).times(
            self.time_path, self.time_unit
        )
        return [
            record_of(record, us, state, latest_us, self.id_path)
            for record, us, state in zip(
                records, times.us.tolist(), times.state.tolist(), strict=True
            )
        ]


def record_of(
    record: dict[str, object] | RejectionReason,
    time_us: int,
    state: int,
    latest_us: int,
    id_path: str,
) -> Parsed:
    """Return what a record holds; `time_us` and `state` are of `monitor.decoding.times`."""
    if isinstance(record, RejectionReason):
        return Parsed(record=None, refusal=record)
    if state:
        reason = {
            MISSING: RejectionReason.MISSING_TIMESTAMP,
            INVALID: RejectionReason.INVALID_TIMESTAMP,
        }.get(state, RejectionReason.TIMESTAMP_OUT_OF_RANGE)
        return Parsed(record=record, refusal=reason)
    if time_us > latest_us:
        return Parsed(record=record, refusal=RejectionReason.TIMESTAMP_IN_FUTURE)
    given = look_up(record, parse_path(id_path))
    if isinstance(given, bool) or not isinstance(given, str | int) or given == "":
        reason = RejectionReason.MISSING_EVENT_ID
        return Parsed(record=record, time_us=time_us, refusal=reason)
    return Parsed(record=record, id=id_hash(str(given)), time_us=time_us)


def _record(payload: bytes) -> dict[str, object] | RejectionReason:
    try:
        # The parser does not look into the texts of fields that it skips.
        record = msgspec.json.decode(payload.decode())
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        slowly = parse_record(payload.strip(_SPACE))
        return slowly if isinstance(slowly, dict) else slowly[0]
    return record if isinstance(record, dict) else RejectionReason.NOT_AN_OBJECT


def id_hash(event_id: str) -> int:
    """Return 64 bits of an event id as a signed integer, the same in every process.

    Two of ten million different ids share a hash with a probability of 3 in a million.
    """
    digest = hashlib.blake2b(event_id.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
