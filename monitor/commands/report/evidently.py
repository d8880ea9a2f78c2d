"""``outputwatch report evidently``: a window beside the baseline's rows, as evidently sees it."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.errors import OutputwatchError
from monitor.printing import say, write_json, write_line, write_table

if TYPE_CHECKING:
    from baselines.schema import Schema
    from monitor.config.model import Configuration
    from monitor.reports.evidently_report import DriftReport

__all__ = ["HELP", "NAME", "NoReportsHereError", "WindowTimeError", "add_arguments", "run"]

NAME = "evidently"
HELP = "compare the rows of a window with reference rows in evidently's drift report"


class WindowTimeError(OutputwatchError):
    """The window that was asked for cannot be found from the times given."""


class NoReportsHereError(OutputwatchError):
    """The installation has no libraries for reports, as that of the image."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the configuration, the window and the page to write."""
    parser.add_argument("configuration", metavar="CONFIG", help="a YAML file")
    parser.add_argument(
        "--window",
        required=True,
        metavar="START",
        help="a time inside the window, for example 2026-09-20 or 2026-09-20T06:00:00Z",
    )
    parser.add_argument(
        "--until",
        metavar="END",
        help="report on the rows from START to END instead of a whole window",
    )
    parser.add_argument(
        "--slice", default="all", help="a part of the traffic, for example language=es"
    )
    parser.add_argument(
        "--output", required=True, type=Path, metavar="FILE", help="the HTML file to write"
    )
    parser.add_argument(
        "--sample-rows",
        type=_positive,
        default=20_000,
        metavar="N",
        help="rows of the reference and of the window at most (default: %(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="write the scores as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Write the page; return 0 whatever evidently calls drift."""
    _check_libraries()
    from monitor.config.load import load_configuration

    configuration = load_configuration(arguments.configuration)
    from_us, to_us = window_times(configuration, arguments.window, arguments.until)
    say("reading reference and window rows")
    report = _report(configuration, (from_us, to_us), arguments)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(report.html, "utf-8")
    if arguments.json:
        write_json(_record(report, arguments.output))
        return 0
    write_table(
        ("column", "method", "score", "threshold", "evidently says"),
        [
            (
                drift.column,
                drift.method,
                f"{drift.score:.3f}",
                f"{drift.threshold:g}",
                "drift" if drift.drifted else "no drift",
            )
            for drift in report.columns
        ],
    )
    if report.left_out:
        say(f"left out, no values to compare: {', '.join(report.left_out)}")
    write_line(
        f"{arguments.output}: {report.n_window:,} rows of the window beside "
        f"{report.n_reference:,} reference rows"
    )
    return 0


def _check_libraries() -> None:
    import importlib.util

    missing = [name for name in ("evidently", "pandas") if importlib.util.find_spec(name) is None]
    if missing:
        message = (
            f"this report needs {' and '.join(missing)}, which the container image leaves out; "
            "install outputwatch with all its dependencies where you want to read reports"
        )
        raise NoReportsHereError(message)


def window_times(configuration: "Configuration", start: str, until: str | None) -> tuple[int, int]:
    """Return the stretch of event time that is meant, microseconds since the epoch.

    Parameters
    ----------
    start
        A time inside the window; with `until`, the beginning of the stretch.
    until
        The end of the stretch, or None for the whole window.

    Raises
    ------
    WindowTimeError
        If a time cannot be read, or if windows are not cut by time and `until` is None.
    """
    import numpy as np

    from monitor.windows.spec import TumblingWindows

    start_us = _time_us("--window", start)
    if until is not None:
        end_us = _time_us("--until", until)
        if end_us <= start_us:
            message = f"--until must be later than --window, got {until!r} after {start!r}"
            raise WindowTimeError(message)
        return start_us, end_us
    windows = configuration.windows
    if not isinstance(windows, TumblingWindows):
        message = "windows of a number of rows have no end known from their start; give --until"
        raise WindowTimeError(message)
    first = int(windows.starts(np.array([start_us], dtype=np.int64))[0])
    return first, first + windows.length_us


def _time_us(option: str, text: str) -> int:
    import pyarrow as pa

    from monitor.decoding.times import text_times

    times = text_times(pa.array([text]), "")
    if times.state[0]:
        message = f"{option} must be a time such as '2026-09-20T06:00:00Z', got {text!r}"
        raise WindowTimeError(message)
    return int(times.us[0])


def _report(
    configuration: "Configuration", window: tuple[int, int], arguments: argparse.Namespace
) -> "DriftReport":
    from monitor.engine.log_sources import audited_source, reference_source
    from monitor.features.registry import with_features
    from monitor.reports.evidently_report import render_drift_report
    from monitor.reports.rows import comparable_columns, rows_frame, sample_rows

    schema = with_features(configuration.schema)
    source, reference = audited_source(configuration), configuration.baseline.reference
    sampled = [
        sample_rows(
            read,
            schema,
            from_us=from_us,
            to_us=to_us,
            slice=arguments.slice,
            max_rows=arguments.sample_rows,
        )
        for read, from_us, to_us in (
            (reference_source(configuration), reference.from_us, reference.to_us),
            (source, *window),
        )
    ]
    numeric, category = comparable_columns(schema)
    return render_drift_report(
        rows_frame(sampled[0], schema),
        rows_frame(sampled[1], schema),
        numeric=numeric,
        category=category,
        about=_about(configuration, schema, window, arguments.slice),
    )


def _about(
    configuration: "Configuration", schema: "Schema", window: tuple[int, int], part: str
) -> Mapping[str, str]:
    import numpy as np

    start, end = (str(np.datetime64(us, "us").astype("datetime64[s]")) for us in window)
    return {
        "system": configuration.system.name,
        "schema": schema.name,
        "window": f"{start}Z to {end}Z",
        "slice": part,
    }


def _record(report: "DriftReport", output: Path) -> dict[str, object]:
    return {
        "output": str(output),
        "n_reference": report.n_reference,
        "n_window": report.n_window,
        "columns": [
            {
                "column": drift.column,
                "method": drift.method,
                "score": drift.score,
                "threshold": drift.threshold,
                "drifted": drift.drifted,
            }
            for drift in report.columns
        ],
        "left_out": dict(report.left_out),
    }


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        message = f"must be a whole number of at least 1, got {text!r}"
        raise argparse.ArgumentTypeError(message)
    return int(text)
