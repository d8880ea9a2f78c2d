"""Counts add exactly, in any order and any split, and are what a slow count gives."""

import functools
import itertools
import operator
import pickle
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines.binning import BLOCK_ROWS
from baselines.columns import Categories, Columns, Numbers
from baselines.counting import Counter, count, count_by_key
from baselines.fitting import fit_layout
from baselines.layout import (
    Axis,
    AxisNeed,
    CategoryAxis,
    Layout,
    LayoutMismatchError,
    NumericAxis,
    Table,
    TableNeed,
)
from baselines.schema import Schema
from baselines.summary import WindowSummary

MakeRows = Callable[[int, int], Columns]
SEEDS = st.integers(0, 10_000)


@pytest.fixture(scope="module")
def layout(schema: Schema, needs: tuple[TableNeed, ...], make_rows: MakeRows) -> Layout:
    return fit_layout(make_rows(99, 300), schema, needs, max_bins=16, max_levels=10)


def slow_code(axis: Axis, columns: Columns, row: int) -> int:
    field = columns.fields.get(axis.column)
    if isinstance(axis, NumericAxis):
        if field is None or (field.missing is not None and field.missing[row]):
            return axis.missing
        value = field.values[row]
        return sum(value >= edge for edge in axis.edges) if np.isfinite(value) else axis.non_finite
    if field is None or field.codes[row] < 0:
        return axis.missing
    level = field.levels[field.codes[row]]
    return axis.levels.index(level) if level in axis.levels else axis.other


def slow_count(columns: Columns, layout: Layout) -> WindowSummary:
    counts = np.zeros(layout.n_cells, dtype=np.int64)
    for row in range(columns.n_rows):
        weight = 1 if columns.weights is None else int(columns.weights[row])
        counts[0] += weight
        for table in layout.tables:
            cell = 0
            for axis in table.axes:
                cell = cell * axis.size + slow_code(axis, columns, row)
            counts[layout.offset(table.name) + cell] += weight
    return WindowSummary(layout, counts)


def weighted(columns: Columns, weights: np.ndarray) -> Columns:
    return Columns(
        n_rows=columns.n_rows, time_us=columns.time_us, fields=columns.fields, weights=weights
    )


@settings(max_examples=25)
@given(seed=SEEDS, n_rows=st.integers(0, 40))
def test_counts_are_those_of_counting_row_by_row(
    seed: int, n_rows: int, layout: Layout, make_rows: MakeRows
) -> None:
    rows = make_rows(seed, n_rows)

    assert count(rows, layout) == slow_count(rows, layout)


@settings(max_examples=25)
@given(seed=SEEDS, cuts=st.lists(st.integers(0, 200), max_size=5))
def test_any_split_and_any_order_of_the_rows_give_the_same_counts(
    seed: int, cuts: list[int], layout: Layout, make_rows: MakeRows
) -> None:
    rows = make_rows(seed, 200)
    order = np.random.default_rng(seed).permutation(200)
    bounds = [0, *sorted(cuts), 200]
    shards = [order[a:b] for a, b in itertools.pairwise(bounds)]

    parts = [count(rows.take(shard), layout) for shard in shards]

    assert functools.reduce(operator.add, parts, WindowSummary.zero(layout)) == count(rows, layout)


@settings(max_examples=25)
@given(seed=SEEDS)
def test_a_row_of_weight_three_counts_as_three_rows(
    seed: int, layout: Layout, make_rows: MakeRows
) -> None:
    rows = make_rows(seed, 50)
    weights = np.random.default_rng(seed).integers(0, 4, 50)

    counted = count(weighted(rows, weights), layout)

    assert counted == count(rows.take(np.repeat(np.arange(50), weights)), layout)


def test_weights_beyond_the_integers_that_floats_hold_are_added_exactly(
    layout: Layout, make_rows: MakeRows
) -> None:
    weights = np.array([2**53, 1, 1], dtype=np.int64)

    counted = count(weighted(make_rows(1, 3), weights), layout)

    assert counted.n_rows == 2**53 + 2


@settings(max_examples=25)
@given(seed=SEEDS, n_keys=st.sampled_from([1, 2, 7, 300]), with_weights=st.booleans())
def test_each_key_gets_the_counts_of_its_own_rows(
    seed: int, n_keys: int, with_weights: bool, layout: Layout, make_rows: MakeRows
) -> None:
    rows = make_rows(seed, 120)
    random = np.random.default_rng(seed)
    if with_weights:
        rows = weighted(rows, random.integers(0, 5, 120))
    keys = random.integers(0, n_keys, 120)

    counted = count_by_key(rows, layout, keys, n_keys)

    assert counted.shape == (n_keys, layout.n_cells)
    for key in np.unique(keys):
        assert np.array_equal(counted[key], count(rows.take(keys == key), layout).counts)
    assert counted.sum(axis=0).tolist() == count(rows, layout).counts.tolist()


def test_rows_of_more_than_one_block_are_all_counted(layout: Layout, make_rows: MakeRows) -> None:
    rows = make_rows(3, BLOCK_ROWS + 17)
    halves = [
        rows.take(np.arange(BLOCK_ROWS // 2)),
        rows.take(np.arange(BLOCK_ROWS // 2, len(rows))),
    ]

    counted = count(rows, layout)

    assert counted.n_rows == BLOCK_ROWS + 17
    assert counted == count(halves[0], layout) + count(halves[1], layout)


def test_every_table_holds_every_row_once(layout: Layout, make_rows: MakeRows) -> None:
    counted = count(make_rows(8, 500), layout)

    assert {int(counted.table(table.name).sum()) for table in layout.tables} == {500}


def test_a_column_that_a_batch_lacks_is_missing_in_every_row(layout: Layout) -> None:
    rows = Columns(n_rows=4, time_us=np.zeros(4, dtype=np.int64))

    counted = count(rows, layout)

    for table in layout.tables:
        place = tuple(axis.missing for axis in table.axes)
        assert counted.table(table.name)[place] == 4


def test_a_coarse_axis_counts_as_if_it_were_alone(make_rows: MakeRows, layout: Layout) -> None:
    alone = Layout((Table((layout.table("income[4]").axes[0],)),))
    rows = make_rows(5, 400)

    together = count(rows, layout)

    assert np.array_equal(together.table("income[4]"), count(rows, alone).table("income[4]"))


def test_axes_of_one_column_whose_bins_do_not_nest_are_counted_apart(make_rows: MakeRows) -> None:
    fine = NumericAxis(AxisNeed("score"), np.array([0.0, 0.3, 0.6, 1.0]), np.zeros(3))
    other = NumericAxis(AxisNeed("score", 2), np.array([0.0, 0.5, 1.0]), np.zeros(2))
    layout = Layout((Table((fine,)), Table((other,)), Table((fine, other))))
    rows = make_rows(6, 60)

    assert count(rows, layout) == slow_count(rows, layout)


def test_axes_of_two_columns_with_the_same_edges_are_not_taken_for_one_another(
    make_rows: MakeRows,
) -> None:
    edges = {None: np.array([0.0, 0.25, 0.5, 1.0]), 2: np.array([0.0, 0.5, 1.0])}
    axes = [
        NumericAxis(AxisNeed(column, bins), edges[bins], np.zeros(len(edges[bins]) - 1))
        for bins in (2, None)
        for column in ("score", "income")
    ]
    layout = Layout(tuple(Table((axis,)) for axis in axes))
    rows = make_rows(7, 200)

    assert count(rows, layout) == slow_count(rows, layout)


def test_counting_on_different_layouts_does_not_add(layout: Layout, make_rows: MakeRows) -> None:
    other = Layout((Table((CategoryAxis(AxisNeed("sex"), ("f",)),)),))
    rows = make_rows(1, 5)

    with pytest.raises(LayoutMismatchError, match="different layouts"):
        count(rows, layout) + count(rows, other)


def test_a_plan_sent_to_another_process_counts_the_same(
    layout: Layout, make_rows: MakeRows
) -> None:
    counter = Counter(layout)

    copy = pickle.loads(pickle.dumps(counter))

    assert copy.count(make_rows(2, 100)) == counter.count(make_rows(2, 100))


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("income", Categories(np.zeros(1, dtype=np.int32), ("a",))),
        ("sex", Numbers(np.zeros(1))),
    ],
)
def test_a_column_of_the_wrong_kind_is_refused_by_name(
    name: str, field: Numbers | Categories, layout: Layout
) -> None:
    rows = Columns(n_rows=1, time_us=np.zeros(1, dtype=np.int64), fields={name: field})

    with pytest.raises(TypeError, match=f"column '{name}' must hold"):
        count(rows, layout)


def test_negative_weights_and_keys_outside_the_range_are_refused(
    layout: Layout, make_rows: MakeRows
) -> None:
    rows = make_rows(1, 3)

    with pytest.raises(ValueError, match="weights must not be negative"):
        count(weighted(rows, np.array([1, -1, 1])), layout)
    with pytest.raises(ValueError, match=r"keys must be in \[0, 2\)"):
        count_by_key(rows, layout, np.array([0, 2, 1]), 2)
    with pytest.raises(ValueError, match="keys must have 3 rows"):
        count_by_key(rows, layout, np.array([0, 1]), 2)
