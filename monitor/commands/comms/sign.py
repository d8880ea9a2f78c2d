"""``outputwatch comms sign``: make entries of the timeline findings that are told outside."""

import argparse

from monitor.commands.comms import (
    add_case_arguments,
    add_person_arguments,
    occasion,
    opened_desk,
)
from monitor.printing import write_json, write_line

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "sign"
HELP = "sign entries of the timeline as findings, so that readers outside may be told"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the entries and the person."""
    add_case_arguments(parser)
    parser.add_argument("entries", metavar="N", type=int, nargs="+", help="numbers of entries")
    add_person_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Record the signature."""
    with opened_desk(arguments) as desk:
        desk.sign(arguments.incident, arguments.entries, occasion(desk, arguments))
    if arguments.json:
        write_json({"entries": arguments.entries, "by": arguments.by})
    else:
        write_line(f"signed: {', '.join(map(str, arguments.entries))}, by {arguments.by}")
    return 0
