"""The impact ratio tables of an audit as one file, small categories included."""

from collections.abc import Iterator
from pathlib import Path

from baselines.baseline import Baseline
from baselines.reference import Reference
from baselines.summary import Window, WindowKey
from detectors.base import Verdict
from detectors.impact_ratio_table import ImpactRatioReport
from detectors.impact_ratios import ImpactRatioTable
from monitor.config.model import Configuration, DetectorEntry
from monitor.engine.spreadsheets import TableWriter
from monitor.engine.stored_windows import windows_of_job
from monitor.printing import time_text
from monitor.storage.store import Store

__all__ = ["reports_impact_ratios", "write_impact_ratios"]

_COLUMNS = (
    "series",
    "window_start",
    "window_end",
    "window_number",
    "slice",
    "attribute",
    "category",
    "outputs",
    "positives",
    "rate_kind",
    "rate",
    "impact_ratio",
    "excluded",
    "unknown_outputs",
)


def reports_impact_ratios(configuration: Configuration) -> bool:
    """Return whether the configuration asks for an impact ratio table."""
    return any(isinstance(each.detector, ImpactRatioReport) for each in configuration.detectors)


def write_impact_ratios(
    path: Path, configuration: Configuration, baseline: Baseline, store: Store, job_id: str
) -> None:
    """Write one line for each category of each table in each window of an audit.

    Categories that are too small for a ratio have their count and rate here. A window in
    which the outcome cannot be seen has no lines.
    """
    min_rows = configuration.baseline.min_slice_rows
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = TableWriter(file, _COLUMNS)
        for window in windows_of_job(store, baseline, job_id):
            reference = baseline.reference(window.key.slice, min_rows=min_rows)
            for entry in configuration.detectors:
                writer.write(_lines(entry, reference, window))


def _lines(
    entry: DetectorEntry, reference: Reference, window: Window
) -> Iterator[tuple[object, ...]]:
    detector = entry.detector
    if not isinstance(detector, ImpactRatioReport):
        return
    if detector.compare(reference, window).verdict is Verdict.CANNOT_SEE:
        return
    is_score = reference.schema[detector.outcome].is_numeric
    kind = "scoring rate" if is_score else "selection rate"
    for table in detector.report(reference, window):
        for line in _table_lines(table, kind):
            yield (entry.series, *_window_columns(window.key), *line)


def _window_columns(key: WindowKey) -> tuple[object, ...]:
    start, end = (time_text(us) if key.has_times else None for us in (key.start_us, key.end_us))
    return start, end, key.ordinal, key.slice


def _table_lines(table: ImpactRatioTable, kind: str) -> Iterator[tuple[object, ...]]:
    for row in table.rows:
        yield (
            table.attribute,
            row.category,
            row.rows,
            row.selected,
            kind,
            row.rate,
            row.impact_ratio,
            "yes" if row.is_excluded else "no",
            table.n_unknown,
        )
