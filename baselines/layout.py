"""The fixed grids that rows are counted on: axes, tables of axes, and the layout's id.

A layout is chosen once, when a baseline is fitted. Every window that is compared with that
baseline is counted on the same grids, so counts can be added in any order and any split.
"""

import functools
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from baselines.checks import CHECK_OUTCOMES, CHECK_PREFIX

__all__ = [
    "Axis",
    "AxisNeed",
    "CategoryAxis",
    "Layout",
    "LayoutMismatchError",
    "NumericAxis",
    "Table",
    "TableNeed",
    "table_name",
]


class LayoutMismatchError(ValueError):
    """Two summaries or a summary and a baseline were counted on different grids."""


@dataclass(frozen=True, slots=True)
class AxisNeed:
    """What a detector asks of an axis: a column and, for numeric ones, how many bins.

    `bins` None means the full resolution of the baseline (numeric) or the levels (category).
    """

    column: str
    bins: int | None = None

    @property
    def name(self) -> str:
        """Return the name that the axis has in table names."""
        return self.column if self.bins is None else f"{self.column}[{self.bins}]"


TableNeed = tuple[AxisNeed, ...]


def table_name(need: TableNeed) -> str:
    """Return the name of the table that satisfies `need`.

    Examples
    --------
    >>> table_name((AxisNeed("sex"), AxisNeed("score", 64)))
    'sex*score[64]'
    """
    return "*".join(axis.name for axis in need)


@dataclass(frozen=True, slots=True, eq=False)
class NumericAxis:
    """Bins of a numeric column, left-closed.

    Codes: 0 underflow; 1..n_bins the bins ``edges[i] <= x < edges[i+1]``; n_bins+1 overflow;
    n_bins+2 missing; n_bins+3 non-finite.

    Parameters
    ----------
    need
        The column and resolution that this axis answers.
    edges
        Strictly increasing finite float64 of shape (n_bins + 1,), n_bins >= 1.
    centres
        A typical value of each bin (the mean of the reference rows in it, else the midpoint),
        float64 of shape (n_bins,).
    """

    need: AxisNeed
    edges: npt.NDArray[np.float64]
    centres: npt.NDArray[np.float64]

    def __post_init__(self) -> None:
        edges, centres = self.edges, self.centres
        if len(edges) < 2 or not np.all(np.isfinite(edges)) or not np.all(edges[1:] > edges[:-1]):
            message = f"edges of {self.name!r} must be finite and strictly increasing"
            raise ValueError(message)
        if len(centres) != len(edges) - 1:
            message = f"{self.name!r} needs one centre a bin, got {len(centres)}"
            raise ValueError(message)
        edges.setflags(write=False)
        centres.setflags(write=False)

    @property
    def name(self) -> str:
        """Return the axis's name within table names."""
        return self.need.name

    @property
    def column(self) -> str:
        """Return the column that is binned."""
        return self.need.column

    @property
    def n_bins(self) -> int:
        """Return the number of bins between underflow and overflow."""
        return len(self.edges) - 1

    @property
    def size(self) -> int:
        """Return the number of codes."""
        return self.n_bins + 4

    @property
    def missing(self) -> int:
        """Return the code of a missing value."""
        return self.n_bins + 2

    @property
    def non_finite(self) -> int:
        """Return the code of NaN and of the infinities."""
        return self.n_bins + 3

    @property
    def values(self) -> slice:
        """Return the codes of finite values: underflow, bins, overflow."""
        return slice(0, self.n_bins + 2)

    def specification(self) -> dict[str, Any]:
        """Return a JSON-ready description that determines the axis."""
        return {
            "kind": "numeric",
            "column": self.need.column,
            "bins": self.need.bins,
            "edges": [float(edge).hex() for edge in self.edges],
            "centres": [float(centre).hex() for centre in self.centres],
        }


@dataclass(frozen=True, slots=True)
class CategoryAxis:
    """Levels of a categorical column.

    Codes: the position in `levels`; then *other* (a value that is not a level); then missing.
    """

    need: AxisNeed
    levels: tuple[str, ...]

    @property
    def name(self) -> str:
        """Return the axis's name within table names."""
        return self.need.name

    @property
    def column(self) -> str:
        """Return the column whose levels these are."""
        return self.need.column

    @property
    def size(self) -> int:
        """Return the number of codes."""
        return len(self.levels) + 2

    @property
    def other(self) -> int:
        """Return the code of a value that is not a level."""
        return len(self.levels)

    @property
    def missing(self) -> int:
        """Return the code of a missing value."""
        return len(self.levels) + 1

    @property
    def values(self) -> slice:
        """Return the codes of values that are there: levels and other."""
        return slice(0, len(self.levels) + 1)

    @property
    def is_safety_check(self) -> bool:
        """Return whether the levels are the outcomes of a safety check."""
        return self.column.startswith(CHECK_PREFIX) and self.levels == CHECK_OUTCOMES

    def specification(self) -> dict[str, Any]:
        """Return a JSON-ready description that determines the axis."""
        return {"kind": "category", "column": self.need.column, "levels": list(self.levels)}


Axis = NumericAxis | CategoryAxis


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A grid of counts: one axis, or the product of several."""

    axes: tuple[Axis, ...]

    @property
    def name(self) -> str:
        """Return the axes' names joined by ``*``."""
        return "*".join(axis.name for axis in self.axes)

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the number of codes along each axis."""
        return tuple(axis.size for axis in self.axes)

    @property
    def size(self) -> int:
        """Return the number of cells."""
        return math.prod(self.shape)

    def axis(self, column: str) -> Axis:
        """Return the axis over `column`; KeyError if there is none."""
        for axis in self.axes:
            if axis.column == column:
                return axis
        raise KeyError(column)


class Layout:
    """The tables that every window is counted on, laid end to end in one vector.

    Cell 0 counts the rows; each table follows in row-major order.

    Parameters
    ----------
    tables
        The grids; their names must differ.
    """

    __slots__ = ("__dict__", "_named", "_offsets", "n_cells", "tables")

    def __init__(self, tables: tuple[Table, ...]) -> None:
        offsets: dict[str, int] = {}
        named: dict[str, Table] = {}
        position = 1
        for table in tables:
            name = table.name
            if name in offsets:
                message = f"a layout holds each table once, got {name!r} twice"
                raise ValueError(message)
            offsets[name] = position
            named[name] = table
            position += table.size
        self.tables = tables
        self.n_cells = position
        self._offsets: Mapping[str, int] = offsets
        self._named: Mapping[str, Table] = named

    @functools.cached_property
    def id(self) -> str:
        """Return the sha256 of the specification, in hexadecimal."""
        text = json.dumps(self.specification(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Layout):
            return NotImplemented
        return self is other or self.id == other.id

    def __hash__(self) -> int:
        return hash(self.id)

    def __contains__(self, name: object) -> bool:
        return name in self._offsets

    def __repr__(self) -> str:
        return f"Layout({len(self.tables)} tables, {self.n_cells} cells, id {self.id[:12]})"

    def table(self, name: str) -> Table:
        """Return the table called `name`; KeyError if there is none."""
        return self._named[name]

    def offset(self, name: str) -> int:
        """Return the position of the table's first cell in the vector of counts."""
        return self._offsets[name]

    def specification(self) -> list[list[dict[str, Any]]]:
        """Return a JSON-ready description that determines the layout."""
        return [[axis.specification() for axis in table.axes] for table in self.tables]

    @classmethod
    def from_specification(cls, tables: list[list[dict[str, Any]]]) -> "Layout":
        """Return the layout that `specification` described."""
        return cls(tuple(Table(tuple(_axis(axis) for axis in table)) for table in tables))


def _axis(specification: dict[str, Any]) -> Axis:
    need = AxisNeed(specification["column"], specification.get("bins"))
    if specification["kind"] == "category":
        return CategoryAxis(need, tuple(specification["levels"]))
    edges = np.array([float.fromhex(edge) for edge in specification["edges"]])
    centres = np.array([float.fromhex(centre) for centre in specification["centres"]])
    return NumericAxis(need, edges, centres)
