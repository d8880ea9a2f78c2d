"""``outputwatch postmortem publish``: its owner and the commander stand by it as it is."""

import argparse

from monitor.commands.comms import (
    add_case_arguments,
    add_person_arguments,
    occasion,
    opened_desk,
)
from monitor.printing import say, write_json, write_line

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "publish"
HELP = "write the post-mortem and record it as published; it must be complete"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the incident and the persons."""
    add_case_arguments(parser)
    add_person_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write the text that is published and record it."""
    with opened_desk(arguments) as desk:
        text = desk.publish_review(arguments.incident, occasion(desk, arguments))
    if arguments.json:
        write_json({"markdown": text, "by": arguments.by})
    else:
        write_line(text)
        say(f"published by {arguments.by} with {arguments.second}; it is in the timeline")
    return 0
