"""Values that YAML writes in one way and the program holds in another."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

__all__ = ["ColumnSets", "EventTime"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _event_time(value: object) -> int:
    """Return microseconds since the epoch for a time of RFC 3339."""
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            moment = None
        if moment is not None and moment.tzinfo is not None:
            passed = moment - _EPOCH
            return (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds
    message = "must be a time with its offset from UTC, for example '2026-01-31T00:00:00Z'"
    raise ValueError(message)


def _column_sets(value: object) -> object:
    """Return a tuple for every element, a lone string standing for a tuple of itself."""
    if not isinstance(value, list):
        return value
    return tuple(_column_set(element) for element in value)


def _column_set(element: object) -> object:
    if isinstance(element, str):
        return (element,)
    return tuple(element) if isinstance(element, list) else element


EventTime = Annotated[
    int,
    BeforeValidator(_event_time),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
ColumnSets = Annotated[
    tuple[tuple[str, ...], ...],
    BeforeValidator(_column_sets),
    WithJsonSchema(
        {
            "type": "array",
            "items": {
                "anyOf": [
                    {"type": "string"},
                    {"type": "array", "items": {"type": "string"}, "minItems": 1},
                ]
            },
        }
    ),
]
