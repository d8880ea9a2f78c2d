"""Columns and a layout to a window summary: the one hot loop.

Every distinct axis is encoded once a block, every table is counted from those codes. Blocks
are small enough for their temporaries to stay in the processor's cache, so memory does not
grow with the batch. Counts are scattered straight into the result with `numpy.add.at`: as
fast as `numpy.bincount` since numpy 1.25, without a temporary histogram however many keys there
are, and exact for integer weights, which `bincount` would sum as floats.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from baselines.binning import BLOCK_ROWS, Binner
from baselines.columns import Categories, Columns, Field, Numbers
from baselines.layout import Axis, CategoryAxis, Layout, NumericAxis, Table
from baselines.summary import WindowSummary

__all__ = ["Counter", "count", "count_by_key"]

_Encode = Callable[[slice], npt.NDArray[Any]]
_AxisKey = tuple[str, bytes | tuple[str, ...]]


class Counter:
    """The plan for one layout: grids and offsets, built once and used for every batch.

    Pickles as its layout; a worker process builds the grids anew.

    Parameters
    ----------
    layout
        The tables to count on.
    """

    __slots__ = ("_axes", "_binners", "_coarse", "_tables", "layout")

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        axes: dict[_AxisKey, Axis] = {}
        for table in layout.tables:
            for axis in table.axes:
                axes.setdefault(_axis_key(axis), axis)
        positions = {key: position for position, key in enumerate(axes)}
        self._axes = tuple(axes.values())
        numeric: dict[str, list[tuple[int, NumericAxis]]] = {}
        for position, axis in enumerate(self._axes):
            if isinstance(axis, NumericAxis):
                numeric.setdefault(axis.column, []).append((position, axis))
        self._coarse = {
            position: found
            for of_column in numeric.values()
            for position, axis in of_column
            if (found := _finer(axis, of_column))
        }
        self._binners = {
            position: Binner(axis.edges)
            for position, axis in enumerate(self._axes)
            if isinstance(axis, NumericAxis) and position not in self._coarse
        }
        self._tables = tuple(
            (layout.offset(table.name), table, [positions[_axis_key(a)] for a in table.axes])
            for table in layout.tables
        )

    def __reduce__(self) -> tuple[type["Counter"], tuple[Layout]]:
        return type(self), (self.layout,)

    def count(self, columns: Columns) -> WindowSummary:
        """Return the summary of all rows of `columns`."""
        keys = np.zeros(columns.n_rows, dtype=np.intp)
        return WindowSummary(self.layout, self._count(columns, keys, 1)[0])

    def count_by_key(
        self, columns: Columns, keys: npt.NDArray[np.integer[Any]], n_keys: int
    ) -> npt.NDArray[np.int64]:
        """Return one vector of counts a key: see the function of this name."""
        if len(keys) != columns.n_rows:
            message = f"keys must have {columns.n_rows} rows, got {len(keys)}"
            raise ValueError(message)
        if len(keys) and not (keys.min() >= 0 and keys.max() < n_keys):
            message = f"keys must be in [0, {n_keys}), got {keys.min()} to {keys.max()}"
            raise ValueError(message)
        return self._count(columns, keys, n_keys)

    def _count(
        self, columns: Columns, keys: npt.NDArray[np.integer[Any]], n_keys: int
    ) -> npt.NDArray[np.int64]:
        weights = _weights(columns)
        counts = np.zeros(n_keys * self.layout.n_cells, dtype=np.int64)
        encoders = self._encoders(columns)
        for start in range(0, columns.n_rows, BLOCK_ROWS):
            rows = slice(start, min(start + BLOCK_ROWS, columns.n_rows))
            codes = self._encode(encoders, rows)
            first_cells = keys[rows].astype(np.intp) * self.layout.n_cells
            np.add.at(counts, first_cells, weights[rows])
            for offset, table, positions in self._tables:
                cells = _cells(table, [codes[position] for position in positions])
                cells += first_cells
                np.add.at(counts[offset:], cells, weights[rows])
        return counts.reshape(n_keys, self.layout.n_cells)

    def _encoders(self, columns: Columns) -> list[_Encode | None]:
        """Return how each axis encodes a slice of rows; None for one read off a finer axis."""
        return [
            None
            if position in self._coarse
            else _encoder(axis, columns.fields.get(axis.column), self._binners.get(position))
            for position, axis in enumerate(self._axes)
        ]

    def _encode(self, encoders: list[_Encode | None], rows: slice) -> list[npt.NDArray[Any]]:
        empty = np.empty(0, dtype=np.uint16)
        codes = [empty if encode is None else encode(rows) for encode in encoders]
        for position, (finer, lookup) in self._coarse.items():
            codes[position] = lookup.take(codes[finer])
        return codes


def _axis_key(axis: Axis) -> _AxisKey:
    """Return what two axes share if they give every row the same code."""
    return axis.column, axis.levels if isinstance(axis, CategoryAxis) else axis.edges.tobytes()


def _finer(
    axis: NumericAxis, of_column: Sequence[tuple[int, NumericAxis]]
) -> tuple[int, npt.NDArray[np.uint16 | np.int32]] | None:
    """Return the position of an axis whose bins nest in those of `axis`, and its codes' map.

    `of_column` holds the numeric axes of the column with their positions.
    """
    for position, other in of_column:
        shared = np.isin(other.edges, axis.edges)
        if other.n_bins > axis.n_bins and shared.sum() == len(axis.edges):
            # A fine code is the number of fine edges at or below the value; so is a coarse one.
            known = np.concatenate([[0], np.cumsum(shared), [axis.missing, axis.non_finite]])
            # The finest axis is never itself read off another, so one lookup is enough.
            if _finer(other, of_column) is None:
                return position, known.astype(np.uint16 if axis.size < 2**16 else np.int32)
    return None


def _encoder(axis: Axis, field: Field | None, binner: Binner | None) -> _Encode:
    """Return the function from a slice of rows to the codes of `axis`."""
    if field is None:
        return lambda rows: np.full(rows.stop - rows.start, axis.missing, dtype=np.int32)
    if isinstance(field, Numbers) and binner is not None:
        return functools.partial(_number_codes, binner, field)
    if isinstance(field, Categories) and isinstance(axis, CategoryAxis):
        return functools.partial(_category_codes, _remap(axis, field.levels), field)
    wanted = "categories" if isinstance(axis, CategoryAxis) else "numbers"
    message = f"column {axis.column!r} must hold {wanted}, got {type(field).__name__}"
    raise TypeError(message)


def _number_codes(binner: Binner, field: Numbers, rows: slice) -> npt.NDArray[Any]:
    missing = None if field.missing is None else field.missing[rows]
    return binner.codes(field.values[rows], missing)


def _category_codes(
    remap: npt.NDArray[np.int32], field: Categories, rows: slice
) -> npt.NDArray[Any]:
    return remap.take(field.codes[rows])


def _remap(axis: CategoryAxis, levels: tuple[str, ...]) -> npt.NDArray[np.int32]:
    """Return the axis's code of each batch level, and last, where -1 points, of missing."""
    known = {level: code for code, level in enumerate(axis.levels)}
    codes = [known.get(level, axis.other) for level in levels]
    return np.array([*codes, axis.missing], dtype=np.int32)


def _cells(table: Table, codes: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """Return each row's cell in the table, row-major."""
    cells = codes[0].astype(np.intp)
    for axis, axis_codes in zip(table.axes[1:], codes[1:], strict=True):
        cells *= axis.size
        cells += axis_codes
    return cells


def _weights(columns: Columns) -> npt.NDArray[np.int64]:
    """Return how many outputs each row stands for."""
    weights = columns.weights
    if weights is None:
        return np.ones(columns.n_rows, dtype=np.int64)
    if len(weights) and weights.min() < 0:
        message = f"weights must not be negative, got {weights.min()}"
        raise ValueError(message)
    return weights


@functools.lru_cache(maxsize=64)
def _counter(layout: Layout) -> Counter:
    return Counter(layout)


def count(columns: Columns, layout: Layout) -> WindowSummary:
    """Return the summary of `columns` on the grids of `layout`.

    A column that is absent from `columns.fields` counts as missing in every row; weights are
    frequency weights: a row of weight 3 counts as three equal rows.

    Raises
    ------
    TypeError
        If a column is numeric where the layout has levels, or the other way round.
    ValueError
        If a weight is negative.

    Examples
    --------
    >>> from baselines.layout import AxisNeed, Table
    >>> axis = CategoryAxis(AxisNeed("sex"), ("f", "m"))
    >>> sex = Categories.from_values(["m", "f", None, "m"])
    >>> rows = Columns(n_rows=4, time_us=np.zeros(4, dtype=np.int64), fields={"sex": sex})
    >>> count(rows, Layout((Table((axis,)),))).table("sex").tolist()
    [1, 2, 0, 1]
    """
    return _counter(layout).count(columns)


def count_by_key(
    columns: Columns,
    layout: Layout,
    keys: npt.NDArray[np.integer[Any]],
    n_keys: int,
) -> npt.NDArray[np.int64]:
    """Return one vector of counts a key: several windows or slices in one pass.

    Parameters
    ----------
    columns
        The rows.
    layout
        The grids.
    keys
        Integers of shape (n_rows,) in [0, n_keys): which vector a row adds to.
    n_keys
        How many vectors, at least one.

    Returns
    -------
    npt.NDArray[np.int64]
        Shape (n_keys, layout.n_cells); row k equals ``count(columns.take(keys == k), layout)``.

    Raises
    ------
    TypeError
        If a column is numeric where the layout has levels, or the other way round.
    ValueError
        If a weight is negative, a key is outside its range or the lengths differ.
    """
    return _counter(layout).count_by_key(columns, keys, n_keys)
