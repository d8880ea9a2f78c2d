"""``outputwatch comms draft``: a draft for one audience, made of entries of the timeline."""

import argparse

from monitor.commands.comms import (
    add_audience_argument,
    add_case_arguments,
    opened_desk,
    subject,
)
from monitor.commands.comms.show import write_draft

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "draft"
HELP = "draft what one audience is told; a new version if the facts have changed"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the incident and the audience."""
    add_case_arguments(parser)
    add_audience_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Make the draft, keep it as a version, and write it."""
    about = subject(arguments)
    with opened_desk(arguments) as desk:
        draft = desk.draft(arguments.incident, about)
        case = desk.case(arguments.incident)
    write_draft(draft, case, as_json=arguments.json)
    return 0
