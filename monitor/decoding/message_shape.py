"""The Python type that messages of one plan are parsed into: only what is read, typed strictly.

Each path has a kind, which fixes the types that are taken without a doubt about the result;
a message that holds another type at a path is refused by the parser and read the slow way.
Kinds follow the plan first, and then what the messages hold: see `adapted`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Annotated, Any

import msgspec

from baselines.schema import Column, Dtype
from monitor.decoding.paths import parse_path
from monitor.decoding.plan import DecodingPlan

__all__ = ["Kind", "MessageShape", "Verdict", "adapted", "kinds_of", "shape_of"]


class Kind(Enum):
    """What the values at a path are parsed as.

    No kind takes values that are equal and mean different levels, such as 1, 1.0 and true.
    """

    NUMBER = auto()
    NUMBER_TEXT = auto()
    LEVEL = auto()
    INTEGER_LEVEL = auto()
    TEXT = auto()
    TIME = auto()
    CHECKS = auto()


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """One verdict of a safety check as it stands in a message."""

    stage: str | None = None
    filter: str | None = None
    category: str | None = None
    status: str | None = None
    flagged: bool | None = None
    action: str | None = None


# Beyond 64 bits the two parsers disagree about what is an integer.
_Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
_TYPES: Mapping[Kind, Any] = {
    Kind.NUMBER: float | None,
    Kind.NUMBER_TEXT: str | None,
    Kind.LEVEL: str | bool | None,
    Kind.INTEGER_LEVEL: str | _Int64 | None,
    Kind.TEXT: str | _Int64 | None,
    Kind.TIME: str | _Int64 | float | None,
    Kind.CHECKS: list[Verdict] | Verdict | bool | None,
}
_INSTEAD: Mapping[tuple[Kind, type], Kind] = {
    (Kind.NUMBER, str): Kind.NUMBER_TEXT,
    (Kind.NUMBER_TEXT, int): Kind.NUMBER,
    (Kind.NUMBER_TEXT, float): Kind.NUMBER,
    (Kind.LEVEL, int): Kind.INTEGER_LEVEL,
    (Kind.INTEGER_LEVEL, bool): Kind.LEVEL,
}


@dataclass(slots=True, eq=False)
class MessageShape:
    """One object of a message: its type, and what its fields are, in the type's order.

    Parameters
    ----------
    type
        A msgspec struct; fields that are absent are NaN for numbers, else None.
    empty
        An instance without values, to stand where a message has no such object.
    leaves
        Path and kind of the fields that hold a value, by position.
    objects
        The fields that hold an object, by position.
    elements
        The fields that hold a list, by position, with the index of the one element that is
        read and its shape.
    """

    type: Any
    empty: Any
    leaves: list[tuple[int, str, Kind]] = field(default_factory=list)
    objects: list[tuple[int, "MessageShape"]] = field(default_factory=list)
    elements: list[tuple[int, int, "MessageShape"]] = field(default_factory=list)


def kinds_of(plan: DecodingPlan) -> dict[str, Kind] | None:
    """Return the kind of every path of the plan; None if a path needs two that do not agree."""
    wanted: dict[str, set[Kind]] = {}

    def add(path: str, kind: Kind) -> None:
        wanted.setdefault(path, set()).add(kind)

    if plan.timestamp is not None:
        add(plan.timestamp.source_path, Kind.TIME)
    if plan.weight is not None:
        add(plan.weight.source_path, Kind.NUMBER)
    if plan.event_id is not None:
        add(plan.event_id.source_path, Kind.TEXT)
    if plan.rule is not None:
        add(plan.rule.path, Kind.LEVEL)
    for column in plan.values:
        kind = _kind(column)
        if kind is None:
            return None
        add(column.source_path, kind)
    for column in plan.checks:
        add(column.source_path, Kind.CHECKS)
    for feature in plan.features:
        add(feature.column.source_path, Kind.TEXT)
    kinds = {path: _common(several) for path, several in wanted.items()}
    agreed = {path: kind for path, kind in kinds.items() if kind is not None}
    return agreed if agreed and len(agreed) == len(kinds) else None


def _kind(column: Column) -> Kind | None:
    if column.is_numeric or column.threshold is not None:
        return Kind.NUMBER
    # Levels that are floating-point numbers are left to the slow way.
    return {
        Dtype.STRING: Kind.LEVEL,
        Dtype.BOOLEAN: Kind.LEVEL,
        Dtype.INT64: Kind.INTEGER_LEVEL,
    }.get(column.value_dtype)


def _common(kinds: set[Kind]) -> Kind | None:
    if len(kinds) == 1:
        return next(iter(kinds))
    return Kind.LEVEL if kinds <= {Kind.LEVEL, Kind.INTEGER_LEVEL, Kind.TEXT} else None


def adapted(kinds: Mapping[str, Kind], values: Mapping[str, Sequence[object]]) -> dict[str, Kind]:
    """Return the kinds that take the values of messages which `kinds` refused.

    Parameters
    ----------
    kinds
        By path.
    values
        What refused messages hold, by path; the first value of another type decides.
    """
    return {path: _instead(kind, values.get(path, ())) for path, kind in kinds.items()}


def _instead(kind: Kind, values: Sequence[object]) -> Kind:
    found = (_INSTEAD.get((kind, type(value))) for value in values)
    return next((other for other in found if other is not None), kind)


def shape_of(kinds: Mapping[str, Kind]) -> MessageShape | None:
    """Return the shape of messages with these paths, or None if there is none.

    There is none when a path is both a value and the parent of another, or when more is read
    of a list than the keys of one element.
    """
    tree: dict[str | int, Any] = {}
    for path, kind in kinds.items():
        *parents, last = parse_path(path)
        node = tree
        for step in parents:
            node = node.setdefault(step, {})
            if not isinstance(node, dict):
                return None
        if last in node:
            return None
        node[last] = (path, kind)
    try:
        return _shape(tree)
    except (TypeError, ValueError):
        # A key that a struct cannot have, or steps of both kinds in one place.
        return None


def _shape(tree: Mapping[str | int, Any]) -> MessageShape:
    fields: list[tuple[str, Any, Any]] = []
    keys: dict[str, str] = {}
    shape = MessageShape(None, None)
    for place, (key, node) in enumerate(tree.items()):
        if isinstance(key, int):
            message = f"an object must be read by key, got the index {key}"
            raise TypeError(message)
        name = f"f{place}"
        keys[name] = key
        fields.append((name, *_field(shape, place, node)))
    shape.type = msgspec.defstruct("Message", fields, rename=keys, gc=False)
    shape.empty = shape.type()
    return shape


def _field(shape: MessageShape, place: int, node: Any) -> tuple[Any, Any]:  # noqa: ANN401 - types
    """Note in `shape` what the field at `place` is; return its type and its default."""
    if isinstance(node, tuple):
        path, kind = node
        shape.leaves.append((place, path, kind))
        return _TYPES[kind], float("nan") if kind is Kind.NUMBER else None
    if not any(isinstance(step, int) for step in node):
        child = _shape(node)
        shape.objects.append((place, child))
        return child.type | None, None
    return _list_field(shape, place, node)


def _list_field(shape: MessageShape, place: int, node: Mapping[str | int, Any]) -> tuple[Any, Any]:
    ((index, element),) = node.items() if len(node) == 1 else ((None, None),)
    if not isinstance(index, int) or not isinstance(element, dict):
        message = "a list must be read at one index, and its element by key"
        raise TypeError(message)
    child = _shape(element)
    shape.elements.append((place, index, child))
    of_list: Any = list
    return of_list[child.type | None] | None, None
