"""``outputwatch postmortem item add``: who does what until when, and what will show it."""

import argparse

from monitor.commands.comms import (
    add_case_arguments,
    add_person_arguments,
    occasion,
    opened_desk,
)
from monitor.printing import write_json, write_line

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "add"
HELP = "add an action item with its owner, its due date and the series that will show it"
_KINDS = ("prevent", "detect", "contain", "remedy_people", "process")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the item and the person who adds it."""
    add_case_arguments(parser)
    parser.add_argument("text", metavar="TEXT", help="what is to be done")
    parser.add_argument("--owner", metavar="NAME", required=True, help="who does it")
    parser.add_argument("--due", metavar="TIME", required=True, help="until when, RFC 3339")
    parser.add_argument("--kind", required=True, choices=_KINDS, help="what it is for")
    parser.add_argument(
        "--series",
        metavar="SERIES",
        required=True,
        help="the monitored series that will show that it worked",
    )
    add_person_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Record the item."""
    from monitor.config.scalars import event_time
    from monitor.errors import OutputwatchError

    try:
        due_us = event_time(arguments.due)
    except ValueError as error:
        message = f"--due {error}"
        raise OutputwatchError(message) from error
    item = {
        "text": arguments.text,
        "owner": arguments.owner,
        "due_us": due_us,
        "item_kind": arguments.kind,
        "series": arguments.series,
    }
    with opened_desk(arguments) as desk:
        desk.add_item(arguments.incident, item, occasion(desk, arguments))
    if arguments.json:
        write_json(item)
    else:
        write_line(f"added: {arguments.text} ({arguments.owner}, due {arguments.due})")
    return 0
