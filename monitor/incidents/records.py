"""Frozen dataclasses to JSON and back, without losing a number."""

import dataclasses
import functools
import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import TypeAdapter

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

__all__ = ["Record", "canonical_json", "from_record", "to_record"]

T = TypeVar("T")
Record = dict[str, Any]

# Building one takes milliseconds; records are read by the thousand.
_ADAPTERS: dict[type[Any], TypeAdapter[Any]] = {}


def to_record(value: "DataclassInstance") -> Record:
    """Return a dataclass instance as a JSON object.

    JSON has no infinities, so these become the words ``inf``, ``-inf`` and ``nan``;
    `from_record` reads them as numbers again.
    """
    return {name: _plain(getattr(value, name)) for name in _field_names(type(value))}


def from_record(cls: type[T], record: Mapping[str, Any]) -> T:
    """Return the instance of `cls` that `to_record` wrote.

    Raises
    ------
    pydantic.ValidationError
        If the record has other fields or types; the record was then not written by us.
    """
    adapter = _ADAPTERS.get(cls)
    if adapter is None:
        adapter = _ADAPTERS[cls] = TypeAdapter(cls)
    instance: T = adapter.validate_python(dict(record))
    return instance


def canonical_json(value: object) -> str:
    """Return JSON with sorted keys and no spaces: equal values give equal text.

    Examples
    --------
    >>> canonical_json({"b": 1, "a": [True, None]})
    '{"a":[true,null],"b":1}'
    """
    return json.dumps(
        _plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


@functools.cache
def _field_names(cls: type[Any]) -> tuple[str, ...]:
    return tuple(each.name for each in dataclasses.fields(cls))


# Findings are written by the million: the plain types of most values are asked for first.
_AS_THEY_ARE = (int, bool, type(None))


def _plain(value: object) -> object:
    kind: type[Any] = type(value)
    if kind is str or kind in _AS_THEY_ARE:
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return to_record(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(str(item) for item in value)
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, str):
        return str(value)
    return value
