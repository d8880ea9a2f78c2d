"""Frames and plots of baselines for notebooks; pandas and plotly are imported when used."""

import datetime
import itertools
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from baselines.baseline import ALL_TRAFFIC, Baseline
from baselines.layout import CategoryAxis
from baselines.marginals import Marginal, marginal, marginal_columns
from baselines.reference import Reference
from baselines.summary import Window, WindowSummary

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

__all__ = [
    "Counted",
    "column_frame",
    "history_frame",
    "plot_column",
    "plot_history",
    "rates_frame",
]

Counted = Baseline | Reference | Window | WindowSummary
"""Anything that has counts; of a baseline, those of all traffic."""


def column_frame(counted: Counted, column: str) -> "pd.DataFrame":
    """Return one row a bin or level of `column`, values first, then what is not a value.

    Returns
    -------
    pd.DataFrame
        ``label``; for a numeric column ``low``, ``high`` (the bin holds low <= x < high) and
        ``centre``; ``count``; ``share`` of all outputs, in [0, 1].

    Raises
    ------
    ValueError
        If the column has no table of its own.
    """
    import pandas as pd

    found = marginal(_summary(counted), column)
    frame = pd.DataFrame(_bins(found))
    frame["count"] = found.counts
    frame["share"] = found.counts / max(1, found.n_rows)
    return frame


def rates_frame(counted: Counted) -> "pd.DataFrame":
    """Return the rates of every boolean column and safety check, and every missing rate.

    Returns
    -------
    pd.DataFrame
        ``column``, ``rate`` (its name), ``count``, ``rows`` (what it is a share of), ``value``
        in [0, 1], NaN without rows.
    """
    import pandas as pd

    summary = _summary(counted)
    found = [marginal(summary, column) for column in marginal_columns(summary.layout)]
    rows = [
        (one.axis.column, rate.name, rate.count, rate.rows, rate.value)
        for one in found
        for rate in (*one.rates(), one.missing)
    ]
    frame = pd.DataFrame(rows, columns=["column", "rate", "count", "rows", "value"])
    return frame.astype({"value": float})


def history_frame(
    source: Baseline | Iterable[Window],
    column: str,
    *,
    level: str | None = None,
    slice_name: str = ALL_TRAFFIC,
) -> "pd.DataFrame":
    """Return one row a window, in order of time.

    Parameters
    ----------
    source
        A baseline, whose history is shown, or windows.
    column
        The column to follow.
    level
        A level of a category, whose share is followed.
    slice_name
        Which traffic.

    Returns
    -------
    pd.DataFrame
        Index ``start`` (UTC); ``rows``; ``missing``, the share of outputs without a value;
        ``share`` of `level` among the values that are there, if a level is given; ``mean``
        from the centres of the bins, for a numeric column. NaN where there are no rows.

    Raises
    ------
    ValueError
        If the column has no table of its own, or no such level.
    """
    import pandas as pd

    windows = source.history if isinstance(source, Baseline) else tuple(source)
    chosen = sorted((w for w in windows if w.key.slice == slice_name), key=lambda w: w.key)
    rows = [_followed(marginal(window.summary, column), level) for window in chosen]
    start = pd.DatetimeIndex([_utc(w.key.start_us) for w in chosen], name="start", tz="UTC")
    columns = list(rows[0]) if rows else ["missing"]
    frame = pd.DataFrame(rows, index=start, columns=columns, dtype=float)
    frame.insert(0, "rows", [window.summary.n_rows for window in chosen])
    return frame


def plot_column(reference: Counted, window: Counted, column: str) -> "go.Figure":
    """Return a plot of one column in a reference and a window.

    Numeric columns are shown as the share of values below each edge, since bins are narrow
    where the reference has many values; categories as the share of each level.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    for name, counted in (("reference", reference), ("window", window)):
        found = marginal(_summary(counted), column)
        shares = found.present / max(1, found.present.sum())
        if isinstance(found.axis, CategoryAxis):
            labels = [*found.axis.levels, "(other)"]
            figure.add_trace(go.Bar(name=name, x=labels, y=shares))
        else:
            below = shares.cumsum()[:-1]
            figure.add_trace(go.Scatter(name=name, x=found.axis.edges, y=below, mode="lines"))
    figure.update_layout(
        title=column, xaxis_title=column, yaxis_title=_share_title(reference, column)
    )
    return figure


def plot_history(
    source: Baseline | Iterable[Window],
    column: str,
    *,
    level: str | None = None,
    slice_name: str = ALL_TRAFFIC,
) -> "go.Figure":
    """Return a plot over time of a level's share, a numeric mean or else the missing rate."""
    import plotly.graph_objects as go

    frame = history_frame(source, column, level=level, slice_name=slice_name)
    what = next(name for name in ("share", "mean", "missing") if name in frame)
    titles = {"share": f"share of {level}", "mean": f"mean {column}", "missing": "missing rate"}
    line = go.Scatter(x=frame.index, y=frame[what], mode="lines+markers", name=titles[what])
    figure = go.Figure(line)
    figure.update_layout(title=f"{column}, {slice_name}", yaxis_title=titles[what])
    return figure


def _summary(counted: Counted) -> WindowSummary:
    if isinstance(counted, WindowSummary):
        return counted
    return counted.references[ALL_TRAFFIC] if isinstance(counted, Baseline) else counted.summary


def _share_title(counted: Counted, column: str) -> str:
    axis = marginal(_summary(counted), column).axis
    return "share of values" if isinstance(axis, CategoryAxis) else "share of values below"


def _bins(found: Marginal) -> dict[str, list[Any]]:
    axis = found.axis
    if isinstance(axis, CategoryAxis):
        return {"label": [*axis.levels, "(other)", "(missing)"]}
    edges, nan = axis.edges.tolist(), float("nan")
    inside = [f"[{low:g}, {high:g})" for low, high in itertools.pairwise(edges)]
    return {
        "label": ["(below)", *inside, "(above)", "(missing)", "(non-finite)"],
        "low": [nan, *edges, nan, nan],
        "high": [*edges, nan, nan, nan],
        "centre": [nan, *axis.centres.tolist(), nan, nan, nan],
    }


def _followed(found: Marginal, level: str | None) -> dict[str, float | None]:
    row = {"missing": found.missing.value}
    if level is not None:
        row["share"] = found.level(level).value
    if not isinstance(found.axis, CategoryAxis):
        row["mean"] = found.mean()
    return row


def _utc(time_us: int) -> datetime.datetime:
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    return epoch + datetime.timedelta(microseconds=time_us)
