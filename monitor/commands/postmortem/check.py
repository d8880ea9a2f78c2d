"""``outputwatch postmortem check``: what a post-mortem lacks, and what is due."""

import argparse
import dataclasses

from monitor.commands.comms import add_case_arguments, opened_desk
from monitor.printing import time_text, write_json, write_line

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "check"
HELP = "list what the post-mortem lacks and what is due; fails while it lacks something"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the incident."""
    add_case_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write what is missing; the status is 1 while anything is."""
    from monitor.incidents.postmortem.items import due_dates
    from monitor.incidents.postmortem.report import missing

    with opened_desk(arguments) as desk:
        case = desk.case(arguments.incident)
    lacks = missing(case.incident, case.timeline)
    due = due_dates(case.timeline)
    if arguments.json:
        write_json({"missing": lacks, "due": [dataclasses.asdict(each) for each in due]})
    else:
        for each in lacks:
            write_line(f"missing: {each}")
        for date in due:
            write_line(f"due {time_text(date.due_us)}: {date.what} ({date.who})")
        if not lacks:
            write_line("complete")
    return 1 if lacks else 0
