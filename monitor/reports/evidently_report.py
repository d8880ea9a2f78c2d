"""A data-drift report by evidently, as HTML, for rows that are read again from the log.

The only module that imports evidently, and only inside a function: the import takes seconds
and hundreds of megabytes. Our findings do not rest on these numbers. They are a second
opinion with another statistic, for readers who know evidently's pages.

What is always given explicitly, because the defaults surprise: the methods and thresholds
(evidently picks a p-value or a distance by the number of reference rows), the columns of each
kind (a kind without a list takes every column left over), and no text columns. Columns without
any value are left out beforehand, because one of them fails the whole report.
"""

import json
import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import annotated_types as at

from monitor.errors import OutputwatchError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ColumnDrift", "DriftMethods", "DriftReport", "ReportError", "render_drift_report"]


class ReportError(OutputwatchError):
    """A report cannot be made of the rows at hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftMethods:
    """The statistics that evidently computes: distances, where larger is more drift.

    Parameters
    ----------
    numeric
        ``wasserstein``: the earth mover's distance in standard deviations of the reference.
    category
        ``jensenshannon``: a distance between 0 and about 0.83 (natural logarithm);
        ``TVD`` would be a permutation test, so it is not offered.
    numeric_threshold, category_threshold
        Scores from here on are called drift.
    """

    numeric: Literal["wasserstein"] = "wasserstein"
    category: Literal["jensenshannon", "hellinger"] = "jensenshannon"
    numeric_threshold: Annotated[float, at.Gt(0)] = 0.1
    category_threshold: Annotated[float, at.Gt(0)] = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnDrift:
    """What evidently computed for one column."""

    column: str
    method: str
    score: float
    threshold: float

    @property
    def drifted(self) -> bool:
        """Return whether the score reaches the threshold."""
        return self.score >= self.threshold


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftReport:
    """A rendered report.

    Parameters
    ----------
    html
        A page of its own, about 4 megabytes: it carries the plotting library.
    columns
        The numbers, most drifted first in multiples of the threshold.
    left_out
        Columns that are not in the report, with the reason.
    n_reference, n_window
        Rows of each frame.
    """

    html: str
    columns: tuple[ColumnDrift, ...]
    left_out: Mapping[str, str]
    n_reference: int
    n_window: int


def render_drift_report(
    reference: "pd.DataFrame",
    window: "pd.DataFrame",
    *,
    numeric: Sequence[str],
    category: Sequence[str],
    methods: DriftMethods | None = None,
    about: Mapping[str, str] | None = None,
) -> DriftReport:
    """Return evidently's drift report of `window` against `reference`.

    Missing values are not part of evidently's drift scores; they are shown beside them.

    Parameters
    ----------
    reference, window
        Rows; the frames need the named columns, other columns are ignored.
    numeric, category
        Which columns are compared as numbers and which as levels.
    methods
        Statistics and thresholds; None: the defaults of `DriftMethods`.
    about
        Labels shown in the report: where the rows come from.

    Raises
    ------
    ReportError
        If a frame is empty or no column has values in both frames.
    """
    for name, frame in (("reference", reference), ("window", window)):
        if len(frame) == 0:
            message = f"the {name} has no rows to report on; choose another time or slice"
            raise ReportError(message)
    left_out = _empty_columns(reference, window, [*numeric, *category])
    numbers = [column for column in numeric if column not in left_out]
    levels = [column for column in category if column not in left_out]
    if not numbers and not levels:
        message = f"no column has values in both reference and window: {dict(left_out)!r}"
        raise ReportError(message)
    html, record = _run(
        _typed(reference, numbers, levels),
        _typed(window, numbers, levels),
        numbers=numbers,
        levels=levels,
        methods=methods or DriftMethods(),
        about=about or {},
    )
    return DriftReport(
        html=html,
        columns=_column_drifts(record),
        left_out=left_out,
        n_reference=len(reference),
        n_window=len(window),
    )


def _empty_columns(
    reference: "pd.DataFrame", window: "pd.DataFrame", columns: Sequence[str]
) -> dict[str, str]:
    """Return the columns that cannot be compared, with the reason."""
    reasons: dict[str, str] = {}
    for column in columns:
        for name, frame in (("reference", reference), ("window", window)):
            if column not in frame.columns:
                reasons.setdefault(column, f"not in the {name}")
            elif frame[column].notna().sum() == 0:
                reasons.setdefault(column, f"no value in the {name}")
    return reasons


def _typed(frame: "pd.DataFrame", numbers: Sequence[str], levels: Sequence[str]) -> "pd.DataFrame":
    """Return the columns to compare, numbers as floats and levels as plain objects."""
    chosen = frame[[*numbers, *levels]].copy()
    for column in numbers:
        chosen[column] = chosen[column].astype("float64")
    for column in levels:
        chosen[column] = chosen[column].astype("object")
    return chosen.reset_index(drop=True)


def _run(
    reference: "pd.DataFrame",
    window: "pd.DataFrame",
    *,
    numbers: list[str],
    levels: list[str],
    methods: DriftMethods,
    about: Mapping[str, str],
) -> tuple[str, dict[str, Any]]:
    """Return evidently's page and its JSON."""
    os.environ["DO_NOT_TRACK"] = "1"  # before the import: evidently reports its use otherwise
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # evidently and litestar warn about themselves
        from evidently import DataDefinition, Dataset, Report
        from evidently.metrics import MissingValueCount
        from evidently.presets import DataDriftPreset

        definition = DataDefinition(
            numerical_columns=numbers, categorical_columns=levels, text_columns=[]
        )
        drift = DataDriftPreset(
            columns=[*numbers, *levels],
            num_method=methods.numeric,
            num_threshold=methods.numeric_threshold,
            cat_method=methods.category,
            cat_threshold=methods.category_threshold,
        )
        gaps = [
            MissingValueCount(column=column)
            for column in [*numbers, *levels]
            if reference[column].isna().any() or window[column].isna().any()
        ]
        report = Report([drift, *gaps], metadata=dict(about), include_tests=False)
        snapshot = report.run(
            Dataset.from_pandas(window, data_definition=definition),
            Dataset.from_pandas(reference, data_definition=definition),
        )
        return snapshot.get_html_str(as_iframe=False), json.loads(snapshot.json())


def _column_drifts(record: Mapping[str, Any]) -> tuple[ColumnDrift, ...]:
    """Return the drift scores in evidently's own JSON."""
    drifts = [
        ColumnDrift(
            column=metric["config"]["column"],
            method=metric["config"]["method"],
            score=float(metric["value"]),
            threshold=float(metric["config"]["threshold"]),
        )
        for metric in record["metrics"]
        if metric["config"]["type"].endswith(":ValueDrift")
    ]
    return tuple(sorted(drifts, key=lambda drift: (-drift.score / drift.threshold, drift.column)))
