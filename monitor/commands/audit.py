"""``outputwatch audit``: a log against the baseline, ending in incidents."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.arguments import add_time_range, time_range
from monitor.errors import OutputwatchError
from monitor.printing import say, write_json, write_line

if TYPE_CHECKING:
    from monitor.engine.batch import Runner

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "audit"
HELP = "compare a log with the baseline in force and open incidents"

_INCIDENTS = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the configuration, the time range, the workers and where reports go."""
    parser.add_argument("configuration", metavar="CONFIG", help="a YAML file")
    add_time_range(parser)
    parser.add_argument(
        "--workers", type=int, default=1, metavar="N", help="processes (default: %(default)s)"
    )
    parser.add_argument(
        "--report", type=Path, metavar="DIR", help="write findings, incidents and a summary there"
    )
    parser.add_argument("--json", action="store_true", help="write the answer as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Audit; return 3 if there are incidents, else 0."""
    from monitor.clock import SystemClock
    from monitor.config.load import load_configuration
    from monitor.engine.audit import run_audit
    from monitor.engine.audit_text import audit_record, audit_text, rejections_text
    from monitor.engine.progress import terminal_progress
    from monitor.engine.promoted import promoted_baseline
    from monitor.storage.store import Store

    configuration = load_configuration(arguments.configuration)
    baseline = promoted_baseline(configuration)
    if arguments.report is not None:
        # A folder that cannot be made is told before the work, not after it.
        arguments.report.mkdir(parents=True, exist_ok=True)
    with Store.open(configuration.storage.url) as store:
        with terminal_progress() as progress:
            result = run_audit(
                configuration,
                baseline=baseline,
                store=store,
                policy=configuration.severity,
                clock=SystemClock(),
                progress=progress,
                runner=runner(arguments.workers),
                time=time_range(arguments),
            )
        if arguments.report is not None:
            from monitor.engine.report import write_report

            for path in write_report(arguments.report, configuration, baseline, store, result):
                say(f"wrote {path}")
    for line in rejections_text(result, configuration.dead_letters.path):
        say(line)
    if arguments.json:
        write_json(audit_record(result))
    else:
        write_line(audit_text(result, configuration.system.name))
    return _INCIDENTS if result.incidents else 0


def runner(workers: int) -> "Runner":
    """Return who reads the log: this process, or several."""
    from monitor.engine.runners.processes import ProcessRunner
    from monitor.engine.runners.serial import SerialRunner

    if workers < 1:
        message = f"--workers must be at least 1, got {workers}"
        raise OutputwatchError(message)
    return SerialRunner() if workers == 1 else ProcessRunner(workers)
