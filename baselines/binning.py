"""From values to the codes of a numeric axis, exactly and several times faster than bisection.

A uniform grid of cells is laid over the middle of the edges once. Each cell knows how many
edges lie in lower cells and which one edge lies inside, so a value needs one multiplication,
two lookups and one comparison instead of a binary search. The result is exact whatever the
rounding does, because edges and values go through the same non-decreasing mapping; a cell with
more than one edge sends its values to `numpy.searchsorted`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["BLOCK_ROWS", "Binner", "Codes"]

Codes = npt.NDArray[np.uint16 | np.int32]

# Larger blocks push the temporaries out of the second-level cache.
BLOCK_ROWS = 65_536

_N_CELLS = 16_384
_SIGN_FLIP = np.int64(0x7FFF_FFFF_FFFF_FFFF)


@dataclass(frozen=True, slots=True)
class _LinearGrid:
    """Cells of equal width in the value itself."""

    low: float
    scale: float

    def cells(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
        position = values - self.low
        position *= self.scale
        # fmax and fmin return the other argument for NaN, which has no integer.
        np.fmax(position, 0.0, out=position)
        np.fmin(position, _N_CELLS - 1.0, out=position)
        return position.astype(np.intp)


@dataclass(frozen=True, slots=True)
class _BitGrid:
    """Cells of equal width in the bit pattern, roughly the logarithm: for heavy tails."""

    low: int
    high: int
    shift: int

    def cells(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
        # Negative values have negative patterns, all below a grid that starts at zero or more.
        keys = np.ascontiguousarray(values).view(np.int64) if self.low >= 0 else _keys(values)
        position = np.maximum(keys, self.low)
        np.minimum(position, self.high, out=position)
        position -= self.low
        position >>= self.shift
        return position.astype(np.intp, copy=False)


_Grid = _LinearGrid | _BitGrid


def _keys(values: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Return int64 of the same order as `values`; both zeros are one key."""
    bits = (values + 0.0).view(np.int64)
    return bits ^ ((bits >> 63) & _SIGN_FLIP)


def _ranges(edges: npt.NDArray[np.float64]) -> Iterator[tuple[float, float]]:
    """Yield the spans worth a grid: all edges, then those between the outer hundredths."""
    yield float(edges[0]), float(edges[-1])
    skip = len(edges) // 100 + 1
    if len(edges) > 2 * skip + 2:
        yield float(edges[skip]), float(edges[-1 - skip])


def _grids(edges: npt.NDArray[np.float64]) -> Iterator[_Grid]:
    for low, high in _ranges(edges):
        scale = _N_CELLS / (high - low)
        # A span that over- or underflows leaves no usable scale.
        if np.isfinite(scale) and scale > 0.0:
            yield _LinearGrid(low, scale)
        low_key, high_key = (int(key) for key in _keys(np.array([low, high])))
        # The difference of two keys must fit into int64; edges beyond share the last cell.
        width = min(high_key - low_key, 2**63 - 1)
        shift = max(0, width.bit_length() - (_N_CELLS - 1).bit_length())
        yield _BitGrid(low_key, low_key + width, shift)


def _crowded_edges(grid: _Grid, edges: npt.NDArray[np.float64]) -> int:
    """Return how many edges share a cell with another."""
    per_cell = np.bincount(grid.cells(edges), minlength=_N_CELLS)
    return int(per_cell[per_cell > 1].sum())


class Binner:
    """The mapping from values to the codes of `NumericAxis`.

    Parameters
    ----------
    edges
        Strictly increasing finite float64 of shape (n_bins + 1,), n_bins >= 1.

    Examples
    --------
    >>> Binner(np.array([0.0, 1.0, 2.0])).codes(np.array([-1.0, 0.0, 1.5, 2.0, np.nan])).tolist()
    [0, 1, 2, 3, 5]
    """

    __slots__ = ("_below", "_edge_inside", "_edges", "_grid", "_has_crowded", "dtype")

    def __init__(self, edges: npt.NDArray[np.float64]) -> None:
        self._edges = edges
        self.dtype: type[np.uint16 | np.int32] = (
            np.uint16 if len(edges) + 3 < np.iinfo(np.uint16).max else np.int32
        )
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            candidates = [(_crowded_edges(grid, edges), grid) for grid in _grids(edges)]
        # The first of equals: linear before bits, because its arithmetic is cheaper.
        crowded, self._grid = min(candidates, key=lambda candidate: candidate[0])
        self._has_crowded = crowded > 0
        self._tabulate()

    def _tabulate(self) -> None:
        """Note for every cell the edges below it and the edge inside."""
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            cells = self._grid.cells(self._edges)
        per_cell = np.bincount(cells, minlength=_N_CELLS)
        below = np.cumsum(per_cell) - per_cell
        below[per_cell > 1] = np.iinfo(self.dtype).max
        self._below: Codes = below.astype(self.dtype, copy=False)
        # No value compares as at least NaN, not even an infinite one.
        self._edge_inside = np.full(_N_CELLS, np.nan)
        single = per_cell[cells] == 1
        self._edge_inside[cells[single]] = self._edges[single]

    def codes(
        self,
        values: npt.NDArray[np.float64],
        missing: npt.NDArray[np.bool_] | None = None,
    ) -> Codes:
        """Return the code of each value: see `NumericAxis`.

        Parameters
        ----------
        values
            Float64 of shape (n_rows,).
        missing
            Boolean of shape (n_rows,); None: nothing is missing.

        Returns
        -------
        Codes
            Uint16 of shape (n_rows,); int32 if there are more codes than that holds.
        """
        out: Codes = np.empty(len(values), dtype=self.dtype)
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            for start in range(0, len(values), BLOCK_ROWS):
                stop = start + BLOCK_ROWS
                self._fill(values[start:stop], out[start:stop])
        if missing is not None:
            out[missing] = len(self._edges) + 1
        return out

    def _fill(self, values: npt.NDArray[np.float64], out: Codes) -> None:
        cells = self._grid.cells(values)
        np.take(self._below, cells, out=out, mode="clip")
        out += values >= np.take(self._edge_inside, cells, mode="clip")
        if self._has_crowded:
            rows = np.flatnonzero(out == np.iinfo(self.dtype).max)
            out[rows] = np.searchsorted(self._edges, values[rows], side="right")
        # A sum of finite values may overflow, but a finite sum has no other kind in it.
        if not np.isfinite(values.sum()):
            out[~np.isfinite(values)] = len(self._edges) + 2
