import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines.layout import AxisNeed, CategoryAxis, NumericAxis
from detectors.grouping import Grouping, group_values, most_changed


@st.composite
def axes(draw) -> NumericAxis | CategoryAxis:
    if draw(st.booleans()):
        levels = tuple(f"level {k}" for k in range(draw(st.integers(0, 60))))
        return CategoryAxis(AxisNeed("x"), levels)
    edges = np.arange(draw(st.integers(2, 80)), dtype=np.float64)
    return NumericAxis(AxisNeed("x"), edges, edges[:-1] + 0.5)


def n_values(axis: NumericAxis | CategoryAxis) -> int:
    return axis.values.stop


@settings(max_examples=60)
@given(axes(), st.data())
def test_groups_hold_every_row_once_and_are_few(axis, data) -> None:
    counts = np.array(
        data.draw(st.lists(st.integers(0, 500), min_size=n_values(axis), max_size=n_values(axis)))
    )

    grouping = group_values(axis, counts)

    assert grouping.merge(counts).sum() == counts.sum()
    assert set(grouping.groups) == set(range(grouping.n_groups))
    assert grouping.n_groups <= (18 if isinstance(axis, NumericAxis) else 33)


def test_equal_bins_make_sixteen_equal_groups_and_two_for_what_lies_outside() -> None:
    edges = np.arange(257.0)
    axis = NumericAxis(AxisNeed("x"), edges, edges[:-1] + 0.5)
    counts = np.array([0, *[10] * 256, 0])

    grouping = group_values(axis, counts, "ms")

    assert grouping.merge(counts).tolist() == [0, *[160] * 16, 0]
    assert grouping.label(0, 0) == "below 0 ms"
    assert grouping.label(1, 1) == "0 to 16 ms"
    assert grouping.label(3, 5) == "32 to 80 ms"
    assert grouping.label(17, 17) == "at least 256 ms"


def test_a_value_that_most_rows_share_is_a_group_of_its_own() -> None:
    edges = np.arange(9.0)
    axis = NumericAxis(AxisNeed("x"), edges, edges[:-1] + 0.5)
    counts = np.array([0, 5, 5, 5, 1_000, 5, 5, 5, 5, 0])

    grouping = group_values(axis, counts)

    assert 1_000 in grouping.merge(counts).tolist()


def test_rare_levels_are_taken_together_and_unknown_ones_apart() -> None:
    levels = tuple(f"{k:02}" for k in range(40))
    axis = CategoryAxis(AxisNeed("x"), levels)
    counts = np.array([*range(100, 60, -1), 7])

    grouping = group_values(axis, counts)

    assert grouping.n_groups == 33
    assert grouping.names[-2:] == (
        "the 9 rarer levels",
        "levels that the baseline does not know",
    )
    assert grouping.merge(counts)[-2:].tolist() == [sum(range(61, 70)), 7]


def test_names_from_the_data_stay_on_one_line() -> None:
    grouping = Grouping(np.arange(2), ("fine", "two\nlines"))

    text = most_changed(grouping, np.array([90, 10]), np.array([10, 90]))

    assert "two lines: 90 % of outputs, normally 10 %" in text
    assert "\n" not in text


def test_equal_samples_have_nothing_to_name() -> None:
    grouping = Grouping(np.arange(2), ("a", "b"))

    assert most_changed(grouping, np.array([5, 5]), np.array([2, 2])) == ""
