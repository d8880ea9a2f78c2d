"""``outputwatch check``: whether a configuration is valid."""

import argparse
import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.printing import say, write_json, write_line

if TYPE_CHECKING:
    from monitor.config.model import Configuration
    from monitor.config.problems import Problem

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "check"
HELP = "report every mistake in a configuration"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the configuration file and the form of the answer."""
    parser.add_argument("configuration", metavar="CONFIG", help="a YAML file")
    parser.add_argument("--json", action="store_true", help="write the answer as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Return 0 for a valid configuration, else 1."""
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
    warnings = list(_unmatched(configuration))
    series = [entry.series for entry in configuration.detectors]
    columns = _columns(configuration)
    windows = windows_in_words(describe_windows(configuration.windows))
    if arguments.json:
        answer = {"series": series, "columns": columns, "windows": windows, "warnings": warnings}
        write_json({"fine": True, **answer})
        return 0
    for warning in warnings:
        say(f"{arguments.configuration}: warning: {warning}")
    counts = f"{len(series)} series over {_counted(len(columns), 'column')}"
    write_line(f"{arguments.configuration}: fine: {counts}, {windows}")
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


def _problem(problem: "Problem") -> dict[str, object]:
    return {**dataclasses.asdict(problem.place), "message": problem.message}
