"""The explicit pyarrow schema with which one block of JSON Lines is parsed.

pyarrow fixes one type for each path and refuses a block that holds another. The types are
chosen from the first records, among those that lose nothing for the columns that read the path;
whatever else the block holds sends it the slow way.
"""

from collections.abc import Iterable, Sequence
from enum import Enum, auto
from typing import Any

import orjson
import pyarrow as pa

from baselines.schema import Column, Dtype
from monitor.decoding.arrow_checks import CHECK_KEYS
from monitor.decoding.paths import look_up, parse_path
from monitor.decoding.plan import DecodingPlan

__all__ = ["choose_schema"]

_ELEMENT = 0
_CHECK = pa.struct(
    [(name, pa.string()) for name in (*CHECK_KEYS, "status", "action")] + [("flagged", pa.bool_())]
)


class _Use(Enum):
    """What the value at a path is used for."""

    NUMBER = auto()
    INTEGER_LEVEL = auto()
    TEXT = auto()
    BOOLEAN = auto()
    TIME = auto()
    CHECK = auto()


_DEFAULTS: dict[_Use, pa.DataType] = {
    _Use.NUMBER: pa.float64(),
    _Use.INTEGER_LEVEL: pa.int64(),
    _Use.TEXT: pa.string(),
    _Use.BOOLEAN: pa.bool_(),
    _Use.TIME: pa.string(),
    _Use.CHECK: pa.list_(_CHECK),
}


def choose_schema(plan: DecodingPlan, lines: Sequence[bytes]) -> pa.Schema | None:
    """Return the schema for a block that begins with `lines`, or None if there is none.

    There is none when a path is both a value and the parent of another, or when nothing is
    read from the records at all.
    """
    records = [record for line in lines if isinstance(record := _parse(line), dict)]
    tree: dict[str | int, Any] = {}
    for path, uses in _uses(plan).items():
        steps = parse_path(path)
        if not _plant(tree, steps, _type(uses, (look_up(record, steps) for record in records))):
            return None
    if not tree:
        return None
    return pa.schema([(str(name), _data_type(node)) for name, node in tree.items()])


def _parse(line: bytes) -> object:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return None


def _uses(plan: DecodingPlan) -> dict[str, set[_Use]]:
    uses: dict[str, set[_Use]] = {}

    def add(column: Column | None, use: _Use) -> None:
        if column is not None:
            uses.setdefault(column.source_path, set()).add(use)

    add(plan.timestamp, _Use.TIME)
    add(plan.weight, _Use.NUMBER)
    add(plan.event_id, _Use.TEXT)
    for column in plan.values:
        add(column, _use(column))
    for column in plan.checks:
        add(column, _Use.CHECK)
    for feature in plan.features:
        add(feature.column, _Use.TEXT)
    if plan.rule is not None:
        uses.setdefault(plan.rule.path, set()).add(_Use.TEXT)
    return uses


def _use(column: Column) -> _Use:
    if column.is_numeric or column.threshold is not None:
        return _Use.NUMBER
    dtypes = {
        Dtype.STRING: _Use.TEXT,
        Dtype.BOOLEAN: _Use.BOOLEAN,
        Dtype.INT64: _Use.INTEGER_LEVEL,
    }
    return dtypes.get(column.value_dtype, _Use.NUMBER)


def _type(uses: set[_Use], values: Iterable[object]) -> pa.DataType:
    value = next((value for value in values if value is not None), None)
    only_numbers = uses == {_Use.NUMBER}
    if isinstance(value, bool):
        return pa.bool_()
    if isinstance(value, str):
        return pa.string()
    if isinstance(value, int):
        return pa.float64() if only_numbers else pa.int64()
    if isinstance(value, float) and uses <= {_Use.NUMBER, _Use.TIME}:
        return pa.float64()
    if isinstance(value, dict) and uses == {_Use.CHECK}:
        return _CHECK
    return _DEFAULTS[min(uses, key=lambda use: use.value)]


def _plant(tree: dict[str | int, Any], steps: tuple[str | int, ...], leaf: pa.DataType) -> bool:
    """Put `leaf` at `steps`; return False if another path is in the way."""
    *parents, last = [step if isinstance(step, str) else _ELEMENT for step in steps]
    node = tree
    for step in parents:
        node = node.setdefault(step, {})
        if not isinstance(node, dict):
            return False
    if last in node or (isinstance(last, int) and any(isinstance(key, str) for key in node)):
        return bool(node.get(last) == leaf)
    if isinstance(last, str) and _ELEMENT in node:
        return False
    node[last] = leaf
    return True


def _data_type(node: Any) -> pa.DataType:  # noqa: ANN401 - a tree of dicts and pyarrow types
    if not isinstance(node, dict):
        return node
    if _ELEMENT in node:
        return pa.list_(_data_type(node[_ELEMENT]))
    return pa.struct([(name, _data_type(child)) for name, child in node.items()])
