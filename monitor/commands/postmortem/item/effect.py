"""``outputwatch postmortem item effect``: whether what was done has worked."""

import argparse

from monitor.commands.comms import (
    add_case_arguments,
    add_person_arguments,
    occasion,
    opened_desk,
)
from monitor.printing import write_json, write_line

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "effect"
HELP = "answer the review after 30 or 90 days: has the action item worked?"
_EFFECTS = ("worked", "did_not_work", "unclear")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the item, the review, the answer and the person."""
    add_case_arguments(parser)
    parser.add_argument("number", metavar="N", type=int, help="the number of the item")
    parser.add_argument("text", metavar="TEXT", help="what its series shows, in words")
    parser.add_argument(
        "--days", required=True, type=int, choices=(30, 90), help="which review: 30 or 90"
    )
    parser.add_argument("--effect", required=True, choices=_EFFECTS, help=", ".join(_EFFECTS))
    add_person_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Record the answer; the incident may be closed."""
    from monitor.incidents.postmortem.effects import Effect

    with opened_desk(arguments) as desk:
        desk.review_effect(
            arguments.incident,
            arguments.number,
            occasion(desk, arguments),
            days=arguments.days,
            effect=Effect(arguments.effect),
            text=arguments.text,
        )
    if arguments.json:
        write_json(
            {
                "item": arguments.number,
                "days": arguments.days,
                "effect": arguments.effect,
                "by": arguments.by,
            }
        )
    else:
        said = arguments.effect.replace("_", " ")
        write_line(f"reviewed: action item {arguments.number} after {arguments.days} days: {said}")
    return 0
