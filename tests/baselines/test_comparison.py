"""What changed between two baselines."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from baselines.baseline import Baseline, Provenance
from baselines.columns import Categories, Columns, Numbers
from baselines.comparison import compare_baselines, total_variation
from baselines.counting import count
from baselines.fitting import fit_layout
from baselines.layout import AxisNeed, CategoryAxis, NumericAxis, TableNeed
from baselines.marginals import Marginal
from baselines.schema import Column, Dtype, Role, Schema

MakeRows = Callable[[int, int], Columns]
CHECK = "check:output/toxicity/hate"

PROVENANCE = Provenance(
    source="made for a test",
    from_us=0,
    to_us=1,
    first_us=None,
    last_us=None,
    n_rows=0,
    n_rejected=0,
    windows={"type": "count", "rows": 1},
    n_windows=0,
    created_at_us=0,
    outputwatch_version="0",
)


def baseline_of(rows: Columns, schema: Schema, needs: list[TableNeed]) -> Baseline:
    layout = fit_layout(rows, schema, needs, max_bins=64)
    return Baseline(
        schema=schema,
        layout=layout,
        references={"all": count(rows, layout)},
        provenance=PROVENANCE,
    )


def singles(*names: str) -> list[TableNeed]:
    return [(AxisNeed(name),) for name in names]


def numeric(values: np.ndarray, bins: int) -> Marginal:
    schema = Schema(columns=(Column(name="x", role=Role.NUMERIC),))
    rows = Columns(
        n_rows=len(values), time_us=np.zeros(len(values), int), fields={"x": Numbers(values)}
    )
    layout = fit_layout(rows, schema, singles("x"), max_bins=bins)
    axis = layout.tables[0].axes[0]
    return Marginal(axis, count(rows, layout).table("x"))


def test_a_baseline_compared_with_itself_shows_no_change(
    make_rows: MakeRows, schema: Schema
) -> None:
    baseline = baseline_of(make_rows(1, 300), schema, singles("income", "sex", CHECK))

    comparison = compare_baselines(baseline, baseline)

    assert comparison.columns_added == comparison.columns_removed == ()
    assert comparison.levels == ()
    assert all(change.total_variation == 0.0 for change in comparison.distributions)
    assert all(change.uncertainty == 0.0 for change in comparison.distributions)
    assert all(change.difference == 0.0 for change in comparison.rates)
    assert comparison.old_rows == comparison.new_rows == 300


def test_columns_levels_rates_and_missing_values_that_changed_are_named() -> None:
    schema = Schema(
        columns=(
            Column(name="topic", role=Role.CATEGORY),
            Column(name="approved", role=Role.LABEL, dtype=Dtype.BOOLEAN),
            Column(name="calm", role=Role.LABEL, dtype=Dtype.BOOLEAN),
            Column(name="x", role=Role.NUMERIC),
        )
    )

    def rows(topics: str, approved: str, absent: int) -> Columns:
        yes_no = {"t": "true", "f": "false"}
        return Columns(
            n_rows=10,
            time_us=np.zeros(10, dtype=np.int64),
            fields={
                "topic": Categories.from_values(list(topics)),
                "approved": Categories.from_values([yes_no[letter] for letter in approved]),
                "calm": Categories.from_values(["true"] * 10),
                "x": Numbers(np.arange(10.0), np.arange(10) < absent),
            },
        )

    old = baseline_of(
        rows("aaaaabbbbb", "tttttfffff", 0), schema, singles("topic", "approved", "calm")
    )
    new = baseline_of(
        rows("aaaaaccccc", "tttttttttf", 3), schema, singles("topic", "approved", "calm", "x")
    )

    comparison = compare_baselines(old, new)

    assert comparison.columns_added == ("x",)
    assert comparison.columns_removed == ()
    (levels,) = comparison.levels
    assert (levels.column, levels.added, levels.removed) == ("topic", ("c",), ("b",))
    assert [(change.column, change.rate) for change in comparison.rates] == [
        ("approved", "true"),
        ("calm", "true"),
    ]
    assert comparison.rates[0].difference == pytest.approx(0.4)
    assert comparison.distributions[0].column == "approved"
    assert comparison.distributions[0].total_variation == pytest.approx(0.4)
    back = compare_baselines(new, old)
    assert back.columns_removed == ("x",)


def test_a_column_that_lost_its_values_is_the_largest_change(schema: Schema) -> None:
    full = Categories.from_values(["f", "m"] * 5)
    half = Categories.from_values(["f", "m", None, None] * 2 + [None, None])

    def rows(sex: Categories) -> Columns:
        topic = Categories.from_values(["a"] * 10)
        fields = {"sex": sex, "topic": topic}
        return Columns(n_rows=10, time_us=np.zeros(10, dtype=np.int64), fields=fields)

    needs = singles("topic", "sex")

    comparison = compare_baselines(
        baseline_of(rows(full), schema, needs), baseline_of(rows(half), schema, needs)
    )

    assert comparison.distributions[0].column == "sex"
    assert comparison.distributions[0].missing_difference == pytest.approx(0.6)
    assert comparison.distributions[0].total_variation == 0.0


@pytest.mark.parametrize(("shift", "distance"), [(0.0, 0.0), (1.0, 0.3829), (3.0, 0.8664)])
def test_on_other_bins_the_distance_of_two_normal_samples_is_nearly_theirs(
    shift: float, distance: float
) -> None:
    random = np.random.default_rng(1)
    old = numeric(random.normal(size=20_000), 256)
    new = numeric(random.normal(size=20_000) + shift, 200)

    found, uncertainty = total_variation(old, new)

    assert found == pytest.approx(distance, abs=0.04)
    assert 0.0 < uncertainty < 0.1


@given(st.integers(0, 1000), st.floats(0.0, 3.0))
def test_the_uncertainty_covers_what_the_interpolation_gets_wrong(seed: int, shift: float) -> None:
    random = np.random.default_rng(seed)
    before, after = random.normal(size=300), np.round(random.normal(size=300) + shift)
    old, new = numeric(before, 3), numeric(after, 2)
    assert isinstance(old.axis, NumericAxis)
    exact = Marginal(old.axis, np.bincount(bin_codes(old.axis, after), minlength=old.axis.size))

    found, uncertainty = total_variation(old, new)
    truth, _ = total_variation(old, exact)

    assert found is not None
    assert truth is not None
    assert abs(found - truth) <= uncertainty + 1e-12


def bin_codes(axis: NumericAxis, values: np.ndarray) -> np.ndarray:
    return np.searchsorted(axis.edges, values, side="right")


def test_a_distribution_of_no_values_or_of_another_kind_has_no_distance() -> None:
    category = Marginal(CategoryAxis(AxisNeed("x"), ("a",)), np.array([3, 0, 0]))
    nothing = Marginal(CategoryAxis(AxisNeed("x"), ("a",)), np.array([0, 0, 5]))

    assert total_variation(category, nothing) == (None, 0.0)
    assert total_variation(category, numeric(np.arange(5.0), 5)) == (None, 0.0)
