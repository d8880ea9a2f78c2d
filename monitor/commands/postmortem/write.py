"""``outputwatch postmortem write``: a section that only persons can write."""

import argparse

from monitor.commands.comms import (
    add_case_arguments,
    add_person_arguments,
    occasion,
    opened_desk,
)
from monitor.printing import write_json, write_line

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "write"
HELP = "write a section of the post-mortem; the words before stay in the timeline"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the section, the words and the person."""
    add_case_arguments(parser)
    parser.add_argument("section", metavar="SECTION", help="for example contributing_factors")
    parser.add_argument("text", metavar="TEXT", help="the words")
    add_person_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Record the section."""
    with opened_desk(arguments) as desk:
        desk.write_section(
            arguments.incident, arguments.section, arguments.text, occasion(desk, arguments)
        )
    if arguments.json:
        write_json({"section": arguments.section, "by": arguments.by})
    else:
        write_line(f"written: {arguments.section}, by {arguments.by}")
    return 0
