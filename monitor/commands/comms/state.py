"""``outputwatch comms state``: what only a person can say of an incident, signed."""

import argparse

from monitor.commands.comms import (
    add_case_arguments,
    add_person_arguments,
    occasion,
    opened_desk,
)
from monitor.printing import write_json, write_line

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "state"
HELP = "state what a draft needs and only a person can say, signed as a finding"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the field, the words and the person."""
    add_case_arguments(parser)
    parser.add_argument("field", metavar="FIELD", help="for example what_you_can_do")
    parser.add_argument("text", metavar="TEXT", help="the words, or why it does not apply")
    parser.add_argument(
        "--not-applicable", action="store_true", help="the field does not apply, TEXT says why"
    )
    add_person_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Record the statement."""
    with opened_desk(arguments) as desk:
        desk.state(
            arguments.incident,
            arguments.field,
            arguments.text,
            occasion(desk, arguments),
            not_applicable=arguments.not_applicable,
        )
    if arguments.json:
        write_json({"field": arguments.field, "by": arguments.by})
    else:
        write_line(f"stated: {arguments.field}, by {arguments.by}")
    return 0
