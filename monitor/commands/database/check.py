"""``outputwatch database check``: whether what is stored can be what was written."""

import argparse
import dataclasses

from monitor.commands.database import add_place, opened_as_it_is, place
from monitor.printing import say, write_json, write_line

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "check"
HELP = "read everything that is stored and report what cannot be right"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the database."""
    add_place(parser)


def run(arguments: argparse.Namespace) -> int:
    """Return 0 if nothing is wrong, else 1; nothing is changed."""
    from monitor.clock import SystemClock
    from monitor.engine.integrity import check_database
    from monitor.engine.progress import terminal_progress

    url, configuration = place(arguments)
    with opened_as_it_is(url) as store, terminal_progress() as progress:
        report = check_database(
            store, configuration, now_us=SystemClock().now_us(), progress=progress
        )
    if arguments.json:
        problems = [dataclasses.asdict(problem) for problem in report.problems]
        answer = {"checked": report.checked, "remarks": report.remarks}
        write_json({"fine": not problems, "problems": problems, **answer})
        return 1 if problems else 0
    for remark in report.remarks:
        say(f"remark: {remark}")
    for problem in report.problems:
        write_line(f"{problem.check}: {problem.sentence}")
    if report.problems:
        return 1
    write_line(f"fine; looked at {', '.join(report.checked)}")
    return 0
