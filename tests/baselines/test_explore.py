"""Frames and plots say what the counts say."""

import dataclasses
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from baselines.baseline import Baseline
from baselines.explore import (
    column_frame,
    history_frame,
    plot_column,
    plot_history,
    rates_frame,
)
from baselines.summary import Window, WindowKey


@pytest.fixture
def window(golden_baseline: Baseline) -> Window:
    return golden_baseline.history[1]


def test_a_numeric_column_is_shown_bin_by_bin(golden_baseline: Baseline) -> None:
    frame = column_frame(golden_baseline, "score")

    assert frame["label"].tolist() == [
        "(below)",
        "[0, 0.1)",
        "[0.1, 1)",
        "(above)",
        "(missing)",
        "(non-finite)",
    ]
    assert frame["low"].tolist()[1:4] == [0.0, 0.1, 1.0]
    assert frame["high"].tolist()[:3] == [0.0, 0.1, 1.0]
    assert frame["centre"].tolist()[1:3] == [0.07, 0.5]
    assert frame["count"].tolist() == [1, 32, 243, 1024, 3125, 7776]
    assert frame["share"].sum() == pytest.approx(1.0)


def test_a_category_is_shown_level_by_level(golden_baseline: Baseline, window: Window) -> None:
    frame = column_frame(window, "sex")

    assert frame["label"].tolist() == ["f", "m", "ü\u2028", "(other)", "(missing)"]
    assert frame["count"].tolist() == window.summary.table("sex").tolist()


def test_baselines_references_windows_and_summaries_are_all_shown(
    golden_baseline: Baseline,
) -> None:
    sources = [golden_baseline, golden_baseline.reference(), golden_baseline.references["all"]]

    frames = [rates_frame(source) for source in sources]

    for frame in frames[1:]:
        pd.testing.assert_frame_equal(frame, frames[0])


def test_rates_name_their_count_and_what_it_is_a_share_of(window: Window) -> None:
    frame = rates_frame(window).set_index(["column", "rate"])

    check = "check:output/toxicity/hate/threatening"
    assert set(frame.loc[check].index) == {"flagged", "no verdict", "missing"}
    assert (frame["value"] == frame["count"] / frame["rows"]).all()


def test_a_history_has_one_row_a_window_in_order_of_time(golden_baseline: Baseline) -> None:
    shuffled = [golden_baseline.history[index] for index in (2, 0, 1)]

    frame = history_frame(shuffled, "sex", level="f")

    assert frame.index.tolist() == [
        pd.Timestamp("1970-01-01 00:00", tz="UTC"),
        pd.Timestamp("1970-01-01 01:00", tz="UTC"),
        pd.Timestamp("1970-01-01 02:00", tz="UTC"),
    ]
    counts = golden_baseline.history[0].summary.table("sex")
    assert frame["share"].iloc[0] == pytest.approx(counts[0] / counts[:4].sum())
    assert frame["missing"].iloc[0] == pytest.approx(counts[4] / counts.sum())
    assert frame["rows"].tolist() == [0, 1, 2]


def test_a_numeric_history_has_its_mean(golden_baseline: Baseline) -> None:
    frame = history_frame(golden_baseline, "score")

    inside = golden_baseline.history[0].summary.table("score")[1:3]
    assert frame["mean"].iloc[0] == pytest.approx(np.dot(inside, [0.07, 0.5]) / inside.sum())


def test_a_history_shows_only_the_slice_asked_for(golden_baseline: Baseline) -> None:
    first = golden_baseline.history[0]
    other = Window(WindowKey(0, 1, "sex=f"), first.summary)
    baseline = dataclasses.replace(golden_baseline, history=(*golden_baseline.history, other))

    assert len(history_frame(baseline, "sex")) == 3
    assert len(history_frame(baseline, "sex", slice_name="sex=f")) == 1


def test_a_history_of_no_windows_is_an_empty_frame_and_an_empty_plot() -> None:
    assert history_frame([], "sex").empty
    assert len(plot_history([], "sex").data[0].x) == 0


def test_a_numeric_plot_shows_the_share_below_each_edge(
    golden_baseline: Baseline, window: Window
) -> None:
    figure = plot_column(golden_baseline, window, "score")

    reference, observed = figure.data
    assert (reference.name, observed.name) == ("reference", "window")
    assert list(reference.x) == [0.0, 0.1, 1.0]
    assert list(reference.y) == pytest.approx([1 / 1300, 33 / 1300, 276 / 1300])


def test_a_category_plot_shows_the_share_of_each_level(
    golden_baseline: Baseline, window: Window
) -> None:
    figure = plot_column(golden_baseline, window, "sex")

    assert list(figure.data[0].x) == ["f", "m", "ü\u2028", "(other)"]
    assert sum(figure.data[1].y) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("column", "level", "title"),
    [("sex", "f", "share of f"), ("score", None, "mean score"), ("sex", None, "missing rate")],
)
def test_a_history_plot_follows_what_was_asked_for(
    column: str, level: str | None, title: str, golden_baseline: Baseline
) -> None:
    figure = plot_history(golden_baseline, column, level=level)

    assert figure.layout.yaxis.title.text == title
    assert len(figure.data[0].y) == 3


def test_importing_the_module_costs_neither_pandas_nor_plotly() -> None:
    code = (
        "import sys, baselines.explore; "
        "sys.exit('pandas' in sys.modules or 'plotly' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
