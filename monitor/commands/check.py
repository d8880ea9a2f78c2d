"""``outputwatch check``: whether a configuration is valid."""

import argparse
import dataclasses
import math
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.errors import OutputwatchError
from monitor.printing import say, write_json, write_line, write_table

if TYPE_CHECKING:
    from baselines.baseline import Baseline
    from monitor.config.model import Configuration
    from monitor.config.problems import Problem
    from monitor.decision.delays import Change
    from monitor.engine.delays import Delays, SeriesDelays

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "check"
HELP = "report every mistake in a configuration, and how soon changes would be called"
_NEVER = "never"
_IMPOSSIBLE = "-"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the configuration file, what is asked and the form of the answer."""
    parser.add_argument("configuration", metavar="CONFIG", help="a YAML file")
    parser.add_argument(
        "--delays",
        action="store_true",
        help="estimate from the promoted baseline how many windows changes take to be called",
    )
    parser.add_argument("--json", action="store_true", help="write the answer as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Return 0 for a valid configuration, else 1.

    Raises
    ------
    OutputwatchError
        If delays are asked for and cannot be told: no baseline is promoted, for example.
    """
    from monitor.config.load import load_configuration
    from monitor.config.problems import ConfigurationError
    from monitor.windows.wording import describe_windows, windows_in_words

    try:
        configuration = load_configuration(arguments.configuration)
    except ConfigurationError as error:
        if not arguments.json:
            raise
        write_json({"fine": False, "problems": [*map(_problem, error.problems)]})
        return 1
    delays = _delays(configuration) if arguments.delays else None
    warnings = [*_unmatched(configuration), *_unwatched(configuration)]
    series = [entry.series for entry in configuration.detectors]
    columns = _columns(configuration)
    windows = windows_in_words(describe_windows(configuration.windows))
    plans = [plan.name for plan in configuration.rollbacks]
    if arguments.json:
        answer = {
            "series": series,
            "columns": columns,
            "windows": windows,
            "rollbacks": plans,
            "warnings": warnings,
        }
        told = {} if delays is None else {"delays": _told(delays)}
        write_json({"fine": True, **answer, **told})
        return 0
    for warning in warnings:
        say(f"{arguments.configuration}: warning: {warning}")
    counts = f"{len(series)} series over {_counted(len(columns), 'column')}"
    back = f", {_counted(len(plans), 'rollback plan')}" if plans else ""
    write_line(f"{arguments.configuration}: fine: {counts}, {windows}{back}")
    if delays is not None:
        _write_delays(delays)
    return 0


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _columns(configuration: "Configuration") -> list[str]:
    """Return the columns that the detectors' tables count, in order of name."""
    from monitor.features.registry import with_features

    schema = with_features(configuration.schema)
    needs = [
        need
        for entry in configuration.detectors
        for table in entry.detector.tables(schema)
        for need in table
    ]
    return sorted({need.column for need in needs})


def _unmatched(configuration: "Configuration") -> Iterable[str]:
    """Yield a sentence for every path that no file matches yet."""
    listed = {
        "source.paths": getattr(configuration.source, "paths", ()),
        "baseline.reference.paths": configuration.baseline.reference.paths or (),
    }
    for option, paths in listed.items():
        for path in paths:
            anchor = Path(path).anchor
            if not any(Path(anchor).glob(path.removeprefix(anchor))):
                yield f"{option}: no file matches {path!r}"


def _unwatched(configuration: "Configuration") -> Iterable[str]:
    """Yield a sentence for every series that a plan waits for and nothing monitors."""
    from monitor.rollbacks.plans import is_named

    series = [entry.series for entry in configuration.detectors]
    for plan in configuration.rollbacks:
        for name in plan.options.verification.series:
            if not any(is_named(each, (name,)) for each in series):
                yield (
                    f"rollbacks: the plan {plan.name!r} waits for {name!r} to come back within "
                    "tolerance, which no detector watches here"
                )


def _problem(problem: "Problem") -> dict[str, object]:
    return {**dataclasses.asdict(problem.place), "message": problem.message}


def _delays(configuration: "Configuration") -> "Delays":
    from monitor.engine.delays import delays_of

    return delays_of(configuration, _promoted(configuration))


def _promoted(configuration: "Configuration") -> "Baseline":
    from baselines.codec import BaselineFormatError
    from baselines.store import BaselineStore, BaselineStoreError

    try:
        return BaselineStore(configuration.baseline.directory).load()
    except (BaselineStoreError, BaselineFormatError) as error:
        message = f"--delays rests on the baseline in force: {error}"
        raise OutputwatchError(message) from error


def _write_delays(delays: "Delays") -> None:
    """Write one row for each way in which a series can leave its tolerance."""
    from monitor.engine.delays import SIZES

    write_line("")
    write_line("windows until an alarm, by the size of the change in multiples of its tolerance:")
    write_line("")
    headings = ("series", "slice", "change", *(f"{size:g}" for size in SIZES))
    write_table(headings, [row for each in delays.series for row in _rows(each)])
    write_line("")
    for each in delays.series:
        for note in each.notes:
            write_line(f"{each.key.series} on {each.key.slice}: {note}")
    if delays.by_threshold:
        names = ", ".join(delays.by_threshold)
        write_line(f"decided window by window, without estimate: {names}")
    if delays.small_slices:
        names = ", ".join(delays.small_slices)
        write_line(f"compared with all traffic, without estimate: {names}")
    write_line(f"{delays.replay.sentence}; estimates are good to a factor of two")


def _rows(series: "SeriesDelays") -> Iterable[tuple[str, ...]]:
    from monitor.engine.delays import SIZES

    place = (series.key.series, series.key.slice)
    if series.shadow:
        yield (*place, "in shadow", *[_NEVER] * len(SIZES))
    elif not series.changes:
        yield (*place, "", *[_IMPOSSIBLE] * len(SIZES))
    for change in series.changes:
        yield (*place, change.what, *map(_cell, change.windows))


def _cell(windows: float | None) -> str:
    if windows is None:
        return _IMPOSSIBLE
    return f"{math.ceil(windows):,}" if math.isfinite(windows) else _NEVER


def _told(delays: "Delays") -> dict[str, object]:
    return {
        "budget": str(delays.replay.budget),
        "n_series": delays.replay.n_series,
        "series": [
            {
                "series": each.key.series,
                "slice": each.key.slice,
                "shadow": each.shadow or None,
                "notes": list(each.notes),
                "changes": [
                    {"what": change.what, "delays": _told_change(change)}
                    for change in each.changes
                ],
            }
            for each in delays.series
        ],
        "by_threshold": list(delays.by_threshold),
        "small_slices": list(delays.small_slices),
    }


def _told_change(change: "Change") -> list[dict[str, object]]:
    """Return one delay for each size; JSON has no infinity, so `called` says what null means."""
    from monitor.engine.delays import SIZES

    return [
        {
            "times_tolerance": size,
            "possible": windows is not None,
            "called": windows is not None and math.isfinite(windows),
            "windows": windows if windows is not None and math.isfinite(windows) else None,
        }
        for size, windows in zip(SIZES, change.windows, strict=True)
    ]
