"""A baseline hands out the slice that a window is compared with."""

import dataclasses

import pytest

from baselines.baseline import Baseline
from baselines.layout import AxisNeed, CategoryAxis, Layout, LayoutMismatchError, Table
from baselines.summary import Window, WindowKey, WindowSummary

OTHER = Layout((Table((CategoryAxis(AxisNeed("sex"), ("f",)),)),))


def with_slice(baseline: Baseline, name: str, n_rows: int) -> Baseline:
    counts = baseline.references["all"].counts.copy()
    counts[0] = n_rows
    summary = WindowSummary(baseline.layout, counts)
    return dataclasses.replace(
        baseline,
        references={**baseline.references, name: summary},
        history=(*baseline.history, Window(WindowKey(0, 1, name), summary)),
    )


def test_a_slice_with_enough_rows_is_its_own_reference(golden_baseline: Baseline) -> None:
    baseline = with_slice(golden_baseline, "sex=m", 100)

    reference = baseline.reference("sex=m", min_rows=100)

    assert reference.slice == "sex=m"
    assert reference.summary.n_rows == 100
    assert [window.key.slice for window in reference.history] == ["sex=m"]
    assert reference.schema == baseline.schema


@pytest.mark.parametrize("slice_name", ["sex=m", "never=seen"])
def test_a_slice_with_too_few_rows_is_compared_with_all_traffic(
    slice_name: str, golden_baseline: Baseline
) -> None:
    baseline = with_slice(golden_baseline, "sex=m", 99)

    reference = baseline.reference(slice_name, min_rows=100)

    assert reference.slice == "all"
    assert reference.summary == golden_baseline.references["all"]
    assert reference.history == golden_baseline.history


def test_a_baseline_without_all_traffic_is_refused(golden_baseline: Baseline) -> None:
    with pytest.raises(ValueError, match="needs the slice 'all'"):
        dataclasses.replace(golden_baseline, references={})


def test_counts_on_another_layout_are_refused(golden_baseline: Baseline) -> None:
    stray = Window(WindowKey(0, 1), WindowSummary.zero(OTHER))

    with pytest.raises(
        LayoutMismatchError, match=f"must be on the layout {golden_baseline.layout.id}"
    ):
        dataclasses.replace(golden_baseline, history=(stray,))
