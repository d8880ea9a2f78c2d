"""Bins and levels follow from the sample's rows, not from their order."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines.checks import CHECK_OUTCOMES
from baselines.columns import Categories, Columns, Field, Numbers
from baselines.counting import count
from baselines.fitting import fit_layout, quantile_edges
from baselines.layout import AxisNeed, CategoryAxis, NumericAxis, TableNeed
from baselines.schema import Column, Dtype, Role, Schema

MakeRows = Callable[[int, int], Columns]
LARGEST = float(np.finfo(np.float64).max)
FLOATS = st.floats(-1.7e308, 1.7e308)


def one_column(field: Field, weights: np.ndarray | None = None) -> Columns:
    return Columns(
        n_rows=len(field),
        time_us=np.zeros(len(field), dtype=np.int64),
        fields={"x": field},
        weights=weights,
    )


def numeric_axis(
    values: list[float], *, role: Role = Role.NUMERIC, bins: int | None = None, max_bins: int = 256
) -> NumericAxis:
    schema = Schema(columns=(Column(name="x", role=role),))
    sample = one_column(Numbers(np.array(values, dtype=np.float64)))
    axis = (
        fit_layout(sample, schema, [(AxisNeed("x", bins),)], max_bins=max_bins).tables[0].axes[0]
    )
    assert isinstance(axis, NumericAxis)
    return axis


def levels(column: Column, values: list[str | None], max_levels: int = 100) -> tuple[str, ...]:
    sample = one_column(Categories.from_values(values))
    layout = fit_layout(
        sample, Schema(columns=(column,)), [(AxisNeed("x"),)], max_levels=max_levels
    )
    axis = layout.tables[0].axes[0]
    assert isinstance(axis, CategoryAxis)
    return axis.levels


@settings(max_examples=15)
@given(st.integers(0, 1000))
def test_the_layout_does_not_depend_on_the_order_of_rows_or_needs(
    make_rows: MakeRows, schema: Schema, needs: tuple[TableNeed, ...], seed: int
) -> None:
    rows = make_rows(seed, 150)
    order = np.random.default_rng(seed).permutation(150)

    layout = fit_layout(rows, schema, needs, max_bins=32, max_levels=5)
    again = fit_layout(rows.take(order), schema, needs[::-1] + needs, max_bins=32, max_levels=5)

    assert again.id == layout.id


@given(st.lists(FLOATS, max_size=60), st.sampled_from([1, 2, 3, 8, 256]))
def test_every_finite_sample_value_falls_into_a_bin(values: list[float], max_bins: int) -> None:
    axis = numeric_axis(values, max_bins=max_bins)

    inside = [value for value in values if axis.edges[0] <= value < axis.edges[-1]]

    assert axis.n_bins <= max_bins
    assert len(inside) == len(values)
    assert np.all(axis.centres >= axis.edges[:-1])
    assert np.all(axis.centres <= axis.edges[1:])


def test_a_discrete_column_gets_one_bin_a_value() -> None:
    axis = numeric_axis([3.0, 1.0, 2.0, 2.0, 1.0])

    assert axis.edges.tolist() == [1.0, 2.0, 3.0, np.nextafter(3.0, 4.0)]
    assert axis.centres.tolist() == [1.0, 2.0, 3.0]


def test_the_two_zeros_are_one_value_whichever_the_sample_has_first() -> None:
    one, other = numeric_axis([0.0, -0.0, 1.0]), numeric_axis([-0.0, 0.0, 1.0])

    assert one.specification() == other.specification()


def test_quantile_bins_hold_about_equally_many_rows() -> None:
    values = np.random.default_rng(1).pareto(1.0, 10_000)

    axis = numeric_axis(values.tolist(), max_bins=50)

    counts, _ = np.histogram(values, axis.edges)
    assert counts.min() >= 199
    assert counts.max() <= 201


def test_centres_are_the_means_of_the_sample_in_each_bin() -> None:
    values = np.random.default_rng(2).normal(size=1000)

    axis = numeric_axis(values.tolist(), max_bins=10)

    for index, centre in enumerate(axis.centres):
        inside = (values >= axis.edges[index]) & (values < axis.edges[index + 1])
        assert centre == pytest.approx(values[inside].mean(), rel=1e-12)


def test_a_value_that_most_rows_have_gets_a_bin_of_its_own() -> None:
    values = np.concatenate([np.zeros(910), np.random.default_rng(3).random(600) + 0.1])

    axis = numeric_axis(values.tolist(), max_bins=20)

    zeros = np.searchsorted(axis.edges, 0.0)
    assert axis.edges[zeros] == 0.0
    assert axis.edges[zeros + 1] == values[values > 0].min()


@pytest.mark.parametrize(
    ("values", "edges"),
    [
        ([], [0.0, 1.0]),
        ([np.nan, np.inf, -np.inf], [0.0, 1.0]),
        ([7.0, 7.0], [7.0, np.nextafter(7.0, 8.0)]),
        ([0.0, -0.0], [0.0, 5e-324]),
        # Nothing above the largest float could close a bin that holds it.
        ([LARGEST], [np.nextafter(LARGEST, 0.0), LARGEST]),
    ],
)
def test_empty_and_constant_columns_still_get_one_valid_bin(
    values: list[float], edges: list[float]
) -> None:
    assert numeric_axis(values).edges.tolist() == edges


def test_a_probability_gets_uniform_bins_that_hold_one() -> None:
    axis = numeric_axis([0.2, 0.9, 1.0], role=Role.SCORE, bins=4)

    assert axis.edges.tolist() == [0.0, 0.25, 0.5, 0.75, np.nextafter(1.0, 2.0)]
    assert axis.centres.tolist() == [0.125, 0.375, 0.625, 0.875]


def test_a_score_that_is_no_probability_gets_quantile_bins() -> None:
    axis = numeric_axis([0.2, 0.9, 40.0, 90.0], role=Role.SCORE, bins=2)

    assert axis.edges.tolist() == [0.2, 40.0, np.nextafter(90.0, 91.0)]


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=200), st.sampled_from([1, 2, 4, 8]))
def test_coarse_edges_are_among_the_fine_ones(values: list[float], bins: int) -> None:
    distinct, counts = np.unique(np.array(values) + 0.0, return_counts=True)

    coarse, fine = quantile_edges(distinct, counts, bins), quantile_edges(distinct, counts, 16)

    assert set(coarse.tolist()) <= set(fine.tolist())


def test_weights_stand_for_repeated_rows() -> None:
    schema = Schema(columns=(Column(name="x", role=Role.NUMERIC),))
    values = np.random.default_rng(4).random(40)
    weights = np.random.default_rng(5).integers(0, 5, 40)
    needs = [(AxisNeed("x"),)]

    weighted = fit_layout(one_column(Numbers(values), weights), schema, needs, max_bins=8)
    repeated = fit_layout(
        one_column(Numbers(np.repeat(values, weights))), schema, needs, max_bins=8
    )

    assert weighted.id == repeated.id


def test_levels_are_the_most_frequent_ones_ties_by_name_sorted() -> None:
    column = Column(name="x", role=Role.CATEGORY)

    assert levels(column, ["d", "c", "c", "b", "a", None], max_levels=2) == ("a", "c")


def test_positive_levels_are_kept_however_rare() -> None:
    column = Column(name="x", role=Role.PREDICTION, positive=("granted",))

    assert levels(column, ["no"] * 9 + ["maybe"] * 3, max_levels=2) == ("granted", "no")


@pytest.mark.parametrize(
    "column",
    [
        Column(name="x", role=Role.LABEL, dtype=Dtype.BOOLEAN),
        Column(name="x", role=Role.PREDICTION, dtype=Dtype.FLOAT64, threshold=0.5),
    ],
)
def test_booleans_and_thresholded_predictions_always_have_both_levels(column: Column) -> None:
    assert levels(column, ["true", "true"]) == ("false", "true")


def test_a_safety_check_has_every_outcome_even_if_the_sample_lacks_it(schema: Schema) -> None:
    empty = Columns(n_rows=0, time_us=np.empty(0, dtype=np.int64))

    layout = fit_layout(empty, schema, [(AxisNeed("check:output/toxicity/hate"),)])

    axis = layout.tables[0].axes[0]
    assert isinstance(axis, CategoryAxis)
    assert axis.levels == CHECK_OUTCOMES


def test_columns_without_a_value_are_counted_as_missing(
    schema: Schema, needs: tuple[TableNeed, ...], make_rows: MakeRows
) -> None:
    empty = Columns(n_rows=0, time_us=np.empty(0, dtype=np.int64))

    counted = count(make_rows(1, 30), fit_layout(empty, schema, needs))

    assert counted.table("topic").tolist()[0] > 0
    assert counted.table("topic").sum() == 30


@pytest.mark.parametrize(
    ("column", "what"), [("nowhere", "is not in the schema"), ("prompt", "role 'text'")]
)
def test_a_need_that_cannot_be_met_names_the_column(
    column: str, what: str, schema: Schema, make_rows: MakeRows
) -> None:
    with pytest.raises(ValueError, match=f"column '{column}'.*{what}"):
        fit_layout(make_rows(1, 5), schema, [(AxisNeed(column),)])


def test_a_column_of_the_wrong_kind_is_refused_by_name(schema: Schema) -> None:
    numbers = Columns(
        n_rows=1, time_us=np.zeros(1, dtype=np.int64), fields={"sex": Numbers(np.zeros(1))}
    )

    with pytest.raises(TypeError, match="column 'sex' must hold categories"):
        fit_layout(numbers, schema, [(AxisNeed("sex"),)])
