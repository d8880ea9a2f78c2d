"""``outputwatch incident anchor``: keep the head of each timeline somewhere else."""

import argparse
from pathlib import Path

from monitor.commands.incident import add_database_arguments, opened_database
from monitor.printing import write_json, write_line

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "anchor"
HELP = "append the head hash of each timeline to a file that is kept elsewhere"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the database and the file."""
    add_database_arguments(parser)
    parser.add_argument(
        "--to",
        required=True,
        metavar="FILE",
        help="a file that whoever can write to the database cannot write to",
    )


def run(arguments: argparse.Namespace) -> int:
    """Append one line for each incident."""
    from monitor.clock import SystemClock
    from monitor.incidents.anchors import append_anchors

    with opened_database(arguments) as (store, monitor):
        repository = store.incidents(monitor)
        timelines = {each.id: repository.timeline(each.id) for each in repository.all()}
    number = append_anchors(Path(arguments.to), timelines, at_us=SystemClock().now_us())
    if arguments.json:
        write_json({"anchored": number, "file": arguments.to})
    else:
        write_line(f"{number} heads appended to {arguments.to}")
    return 0
