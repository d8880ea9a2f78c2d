"""What a join is told of the monitor that it works for."""

import itertools
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from monitor.decoding.base import RecordRule
from monitor.decoding.paths import Step, look_up, parse_path
from monitor.sources.inbox import Inbox
from monitor.sources.labelled_stream.waiting import WaitingStore

__all__ = ["Joining", "joined_record", "kept_fields"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Fields = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Joining:
    """What a join is told of the monitor that it works for.

    Parameters
    ----------
    store
        Where what waits is kept.
    inbox_of
        Returns the inbox of a name, for sources that are sent their records.
    id_path, time_path, time_unit
        Where the event id and the time of an output stand, and the time's unit.
    paths
        What is read of an output: no other field of it waits.
    rule
        Which records are outputs; None: all.
    now_us
        Reads the wall clock.
    wait
        Waits for so many seconds; True: the monitor is told to stop.
    max_future_us
        How far a time may be ahead of it.
    """

    store: WaitingStore
    inbox_of: Callable[[str], Inbox]
    id_path: str
    time_path: str
    time_unit: str
    paths: tuple[str, ...]
    rule: RecordRule | None
    now_us: Callable[[], int]
    wait: Callable[[float], bool]
    max_future_us: int


def kept_fields(record: object, paths: Collection[str]) -> bytes:
    """Return the values of a record at some paths, as a JSON object by path; nulls are left out.

    Examples
    --------
    >>> kept_fields({"a": {"b": 1}, "c": None, "d": 2}, ("a.b", "c"))
    b'{"a.b":1}'
    """
    found = {path: look_up(record, parse_path(path)) for path in paths}
    return msgspec.json.encode({path: each for path, each in found.items() if each is not None})


def joined_record(output: bytes, label: bytes, *, time_path: str, time_us: int) -> bytes:
    """Return the record that is counted: fields of the output, those of its label, and its time.

    Parameters
    ----------
    output, label
        What `kept_fields` returned; empty: nothing.
    time_path, time_us
        Where the time stands, and the time by which the record is counted.

    Examples
    --------
    >>> joined_record(b'{"who.sex":"F"}', b'{"paid":true}', time_path="at", time_us=1)
    b'{"who":{"sex":"F"},"paid":true,"at":"1970-01-01T00:00:00.000001+00:00"}'
    """
    fields: dict[str, object] = {}
    for part in (output, label):
        if part:
            fields |= msgspec.json.decode(part)
    fields[time_path] = (_EPOCH + timedelta(microseconds=time_us)).isoformat()
    record: dict[str, object] = {}
    for path, value in fields.items():
        _set(record, parse_path(path), value)
    return msgspec.json.encode(record)


def _set(record: dict[str, object], steps: tuple[Step, ...], value: object) -> None:
    """Put a value where its path leads, making objects and lists on the way."""
    place: Any = record
    for step, following in itertools.pairwise(steps):
        if isinstance(step, int):
            place.extend([None] * (step + 1 - len(place)))
        present = place[step] if isinstance(step, int) else place.get(step)
        if not isinstance(present, list if isinstance(following, int) else dict):
            present = place[step] = [] if isinstance(following, int) else {}
        place = present
    if isinstance(steps[-1], int):
        place.extend([None] * (steps[-1] + 1 - len(place)))
    place[steps[-1]] = value
