"""Values that YAML writes in one way and the program holds in another."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

__all__ = ["EventTime", "event_time"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def event_time(value: object) -> int:
    """Return microseconds since the epoch for a time of RFC 3339."""
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            moment = None
        if moment is not None and moment.tzinfo is not None:
            passed = moment - _EPOCH
            return (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds
    message = (
        "must be a time with its offset from UTC, for example '2026-01-31T00:00:00Z', "
        f"got {value!r}"
    )
    raise ValueError(message)


EventTime = Annotated[
    int,
    BeforeValidator(event_time),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
