"""Schemas, window keys and provenance as JSON-ready values, and back.

Floats travel as hexadecimal text, so nothing is lost and equal objects give equal text.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from baselines.packing import BaselineFormatError
from baselines.schema import Column, Dtype, Role, Schema
from baselines.summary import WindowKey

__all__ = [
    "Provenance",
    "describe_key",
    "describe_provenance",
    "describe_schema",
    "key_from",
    "provenance_from",
    "schema_from",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where a baseline comes from.

    Parameters
    ----------
    source
        What was read, in words.
    from_us, to_us
        The reference range, from_us <= event time < to_us, in microseconds since
        1970-01-01T00:00Z; None: unbounded.
    first_us, last_us
        The first and the last event time that was counted; None: events have no times.
    n_rows, n_rejected
        Outputs that were counted, and records that could not be decoded.
    windows
        How the history was cut into windows: the options of the windows, JSON-ready.
    n_windows
        Windows of all traffic in the history.
    created_at_us
        When the baseline was made, as the caller was told.
    outputwatch_version
        The version that made it.
    """

    source: str
    from_us: int | None
    to_us: int | None
    first_us: int | None
    last_us: int | None
    n_rows: int
    n_rejected: int
    windows: Mapping[str, str | int]
    n_windows: int
    created_at_us: int
    outputwatch_version: str


def describe_provenance(provenance: Provenance) -> dict[str, Any]:
    """Return a JSON-ready description."""
    return {**asdict(provenance), "windows": dict(provenance.windows)}


def provenance_from(description: Mapping[str, Any]) -> Provenance:
    """Return what `describe_provenance` described.

    Raises
    ------
    BaselineFormatError
        If other facts are described than this version of outputwatch keeps.
    """
    facts = {each.name for each in fields(Provenance)}
    if facts != description.keys():
        message = (
            f"the provenance of this baseline must tell {', '.join(sorted(facts))}, it tells "
            f"{', '.join(sorted(description))}; fit the baseline again"
        )
        raise BaselineFormatError(message)
    return Provenance(**description)


def describe_schema(schema: Schema) -> dict[str, Any]:
    """Return a JSON-ready description."""
    return {"name": schema.name, "columns": [_describe_column(column) for column in schema]}


def schema_from(description: Mapping[str, Any]) -> Schema:
    """Return what `describe_schema` described."""
    return Schema(
        name=description["name"],
        columns=tuple(_column_from(column) for column in description["columns"]),
    )


def _describe_column(column: Column) -> dict[str, Any]:
    threshold = None if column.threshold is None else float(column.threshold).hex()
    return {
        "name": column.name,
        "role": column.role.value,
        "path": column.path,
        "dtype": None if column.dtype is None else column.dtype.value,
        "unit": column.unit,
        "positive": list(column.positive),
        "threshold": threshold,
    }


def _column_from(description: Mapping[str, Any]) -> Column:
    dtype, threshold = description["dtype"], description["threshold"]
    return Column(
        name=description["name"],
        role=Role(description["role"]),
        path=description["path"],
        dtype=None if dtype is None else Dtype(dtype),
        unit=description["unit"],
        positive=tuple(description["positive"]),
        threshold=None if threshold is None else float.fromhex(threshold),
    )


def describe_key(key: WindowKey) -> list[Any]:
    """Return a JSON-ready description."""
    return [key.start_us, key.end_us, key.slice, key.ordinal]


def key_from(description: list[Any]) -> WindowKey:
    """Return what `describe_key` described."""
    return WindowKey(*description)
