"""Choose the layout: the edges of numeric columns and the levels of categories.

The sample that they are chosen on comes from `BottomK`.
"""

import functools
import itertools
import math
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from baselines.checks import CHECK_OUTCOMES, CHECK_PREFIX
from baselines.columns import Categories, Columns, Numbers
from baselines.layout import (
    Axis,
    AxisNeed,
    CategoryAxis,
    Layout,
    NumericAxis,
    Table,
    TableNeed,
    table_name,
)
from baselines.sampling import BottomK, sample_key
from baselines.schema import Column, Dtype, Role, Schema

__all__ = ["BottomK", "fit_layout", "quantile_edges", "sample_key"]

_Values = npt.NDArray[np.float64]
_Counts = npt.NDArray[np.int64]

_BOOLEAN_LEVELS = ("false", "true")
_LARGEST = np.finfo(np.float64).max


def fit_layout(
    sample: Columns,
    schema: Schema,
    needs: Iterable[TableNeed],
    *,
    max_bins: int = 256,
    max_levels: int = 100,
) -> Layout:
    """Return the tables that answer `needs`, with bins and levels chosen on a sample.

    The result does not depend on the order of the sample's rows or of the needs. Every column
    gets a valid axis: one without finite values has the single bin [0, 1), a constant one the
    single bin that holds the constant, a category that never occurs no levels at all (each
    value will be *other*).

    Parameters
    ----------
    sample
        Reference rows; a column that it lacks has no values. Weights are respected.
    schema
        The columns, which decide how each is counted.
    needs
        The tables that detectors read; repeated ones are built once.
    max_bins
        Bins of a numeric axis at full resolution. At most so many distinct values: one bin each.
    max_levels
        Levels of a category; rarer values become *other*.

    Raises
    ------
    ValueError
        If a need names a column that the schema lacks or that is not counted, or if `max_bins`
        or `max_levels` is less than one.
    TypeError
        If a column of the sample holds numbers where the schema has levels, or the other way
        round.
    """
    if max_bins < 1 or max_levels < 1:
        message = f"bins and levels must be at least 1, got {max_bins!r} and {max_levels!r}"
        raise ValueError(message)

    @functools.cache
    def axis(need: AxisNeed) -> Axis:
        if need.column.startswith(CHECK_PREFIX):
            return CategoryAxis(need, CHECK_OUTCOMES)
        column = _countable(schema, need.column)
        if column.is_numeric:
            return _numeric_axis(need, column, sample, max_bins)
        return CategoryAxis(need, _levels(column, sample, max_levels))

    tables = {table_name(need): need for need in needs}
    return Layout(
        tuple(Table(tuple(axis(part) for part in tables[name])) for name in sorted(tables))
    )


def _countable(schema: Schema, name: str) -> Column:
    if name not in schema:
        message = f"column {name!r} is not in the schema; add it or drop what asks for it"
        raise ValueError(message)
    column = schema[name]
    if not (column.is_numeric or column.is_category):
        message = f"column {name!r} has the role {column.role.value!r}, which is not counted"
        raise ValueError(message)
    return column


def _numeric_axis(need: AxisNeed, column: Column, sample: Columns, max_bins: int) -> NumericAxis:
    values, counts = _finite_values(column.name, sample)
    bins = max_bins if need.bins is None else need.bins
    is_probability = len(values) == 0 or (values[0] >= 0.0 and values[-1] <= 1.0)
    if need.bins is not None and column.role is Role.SCORE and is_probability:
        edges = np.linspace(0.0, 1.0, bins + 1)
        centres = (edges[:-1] + edges[1:]) / 2
        edges[-1] = np.nextafter(1.0, np.inf)
        return NumericAxis(need, edges, centres)
    edges = quantile_edges(values, counts, bins)
    return NumericAxis(need, edges, _centres(edges, values, counts))


def _finite_values(name: str, sample: Columns) -> tuple[_Values, _Counts]:
    """Return the distinct finite values, increasing, and how many outputs have each."""
    field = sample.fields.get(name)
    if field is None:
        return np.empty(0), np.empty(0, dtype=np.int64)
    if not isinstance(field, Numbers):
        message = f"column {name!r} must hold numbers, got {type(field).__name__}"
        raise TypeError(message)
    keep = np.isfinite(field.values)
    if field.missing is not None:
        keep &= ~field.missing
    if sample.weights is not None:
        keep &= sample.weights > 0
    # Adding zero makes one value of the two zeros, whichever the sample has first.
    values, position = np.unique(field.values[keep] + 0.0, return_inverse=True)
    return values, _weighted_counts(position, len(values), keep, sample.weights)


def _weighted_counts(
    position: npt.NDArray[np.intp],
    size: int,
    keep: npt.NDArray[np.bool_],
    weights: _Counts | None,
) -> _Counts:
    counts = np.zeros(size, dtype=np.int64)
    np.add.at(counts, position, 1 if weights is None else weights[keep])
    return counts


def quantile_edges(values: _Values, counts: _Counts, bins: int) -> _Values:
    """Return the edges of at most `bins` bins that hold about equally many rows each.

    Edges are values of the sample (order statistics, never interpolated). A value that alone
    makes up two bins' worth of rows gets a bin of its own. The edges for a divisor of `bins`
    are among those for `bins`.

    Parameters
    ----------
    values
        Distinct finite values, increasing, of shape (n,).
    counts
        Positive int64 of shape (n,): how often each occurs.
    bins
        At least one.

    Returns
    -------
    npt.NDArray[np.float64]
        Strictly increasing, the last one just above the maximum.

    Examples
    --------
    >>> quantile_edges(np.array([0.0, 1.0, 2.0, 3.0]), np.array([97, 1, 1, 1]), 3).tolist()[:2]
    [0.0, 1.0]
    """
    if len(values) == 0:
        return np.array([0.0, 1.0])
    starts = values
    if len(values) > bins:
        cumulative = np.cumsum(counts)
        total = int(cumulative[-1])
        ranks = [number * total // bins for number in range(bins)]
        chosen = np.searchsorted(cumulative, ranks, side="right")
        heavy = np.flatnonzero(counts * bins >= 2 * total)
        after = heavy[heavy + 1 < len(values)] + 1
        starts = values[np.unique(np.concatenate([chosen, heavy, after]))]
    last = min(math.nextafter(values[-1], math.inf), _LARGEST)
    if starts[-1] == last:
        starts = (
            starts[:-1] if len(starts) > 1 else np.array([math.nextafter(starts[0], -math.inf)])
        )
    return np.append(starts, last)


def _centres(edges: _Values, values: _Values, counts: _Counts) -> _Values:
    """Return the mean of the sample in each bin, the midpoint of an empty one."""
    centres = edges[:-1] / 2 + edges[1:] / 2
    bounds = np.searchsorted(values, edges)
    for index, (start, stop) in enumerate(itertools.pairwise(bounds.tolist())):
        if stop > start:
            inside, total = values[start:stop], int(counts[start:stop].sum())
            # Halved so that no partial sum overflows; exact but for subnormal numbers.
            halves = inside / 2 * (counts[start:stop] / total)
            mean = 2.0 * math.fsum(halves.tolist())
            centres[index] = min(max(mean, inside[0]), inside[-1])
    return centres


def _levels(column: Column, sample: Columns, max_levels: int) -> tuple[str, ...]:
    """Return the levels of a category, sorted by name."""
    if column.value_dtype is Dtype.BOOLEAN or column.threshold is not None:
        return _BOOLEAN_LEVELS
    field = sample.fields.get(column.name)
    if field is None:
        return tuple(sorted(column.positive))
    if not isinstance(field, Categories):
        message = f"column {column.name!r} must hold categories, got {type(field).__name__}"
        raise TypeError(message)
    there = field.codes >= 0
    counts = _weighted_counts(
        field.codes[there].astype(np.intp), len(field.levels), there, sample.weights
    )
    found = {level: n for level, n in zip(field.levels, counts.tolist(), strict=True) if n}
    by_count = sorted(
        found.keys() - set(column.positive), key=lambda level: (-found[level], level)
    )
    room = max(0, max_levels - len(column.positive))
    return tuple(sorted({*column.positive, *by_count[:room]}))
