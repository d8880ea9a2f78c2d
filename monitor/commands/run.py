"""``outputwatch run``: follow a source for as long as it lives, and open incidents."""

import argparse
from typing import TYPE_CHECKING

from monitor.errors import OutputwatchError

if TYPE_CHECKING:
    from monitor.clock import Clock

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "run"
HELP = "follow a stream of outputs and open incidents, until told to stop"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the configuration, how long to run, and how to log."""
    parser.add_argument("configuration", metavar="CONFIG", help="a YAML file")
    parser.add_argument(
        "--until-caught-up",
        action="store_true",
        help="end once everything that is there was read; close all windows, as an audit does",
    )
    parser.add_argument("--worker", metavar="NAME", help="of this worker (default: host and pid)")
    parser.add_argument(
        "--log-level",
        default="info",
        choices=("debug", "info", "warning", "error"),
        help="of the logs on standard error (default: %(default)s)",
    )
    parser.add_argument(
        "--log-format",
        default="auto",
        choices=("auto", "json", "text"),
        help="auto: text on a terminal, else JSON (default: %(default)s)",
    )
    parser.add_argument(
        "--json", action="store_true", help="at the end, write what was done as JSON"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run until SIGTERM or SIGINT, or until caught up; return 3 if incidents are open, else 0."""
    from monitor.clock import SystemClock
    from monitor.engine.daemon.collecting import collect_less_often

    collect_less_often()
    return run_with_clock(arguments, SystemClock())


def run_with_clock(arguments: argparse.Namespace, clock: "Clock") -> int:
    """Run with a clock of the caller's."""
    from monitor.engine.daemon.process import Process
    from monitor.engine.daemon.summary import run_record, run_text
    from monitor.printing import write_json, write_line
    from monitor.telemetry.logs import configure_logging

    formats = {"auto": None, "json": True, "text": False}
    configure_logging(arguments.log_level, json_lines=formats[arguments.log_format])
    process = Process(
        path=arguments.configuration,
        clock=clock,
        worker=arguments.worker,
        until_caught_up=arguments.until_caught_up,
    )
    summary = process.run()
    if arguments.json:
        write_json(run_record(summary))
    else:
        write_line(run_text(summary))
    if summary.tally.unaccounted:
        message = (
            f"{summary.tally.unaccounted} records have no account: a defect of outputwatch; "
            "please report it"
        )
        raise OutputwatchError(message)
    return 3 if summary.n_active_incidents else 0
