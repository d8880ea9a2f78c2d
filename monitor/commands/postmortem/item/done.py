"""``outputwatch postmortem item done``: note that an action item is done."""

import argparse

from monitor.commands.comms import (
    add_case_arguments,
    add_person_arguments,
    occasion,
    opened_desk,
)
from monitor.printing import write_json, write_line

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "done"
HELP = "note that an action item is done; it is reviewed after 30 and 90 days"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the item and the person."""
    add_case_arguments(parser)
    parser.add_argument("number", metavar="N", type=int, help="the number of the item")
    add_person_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Record that it is done."""
    with opened_desk(arguments) as desk:
        desk.finish_item(arguments.incident, arguments.number, occasion(desk, arguments))
    if arguments.json:
        write_json({"item": arguments.number, "by": arguments.by})
    else:
        write_line(f"done: action item {arguments.number}")
    return 0
