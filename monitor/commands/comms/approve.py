"""``outputwatch comms approve``: a person lets one very text go."""

import argparse

from monitor.commands.comms import (
    add_audience_argument,
    add_case_arguments,
    add_person_arguments,
    occasion,
    opened_desk,
    subject,
)
from monitor.printing import write_json, write_line

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "approve"
HELP = "approve the latest version of a draft, by name, with the second person that it takes"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the draft and the persons."""
    add_case_arguments(parser)
    add_audience_argument(parser)
    add_person_arguments(parser)
    parser.add_argument(
        "--first-report",
        action="store_true",
        help="the first report of a duty that allows an incomplete one",
    )


def run(arguments: argparse.Namespace) -> int:
    """Record the approval."""
    about = subject(arguments)
    with opened_desk(arguments) as desk:
        draft = desk.approve(
            arguments.incident,
            about,
            occasion(desk, arguments),
            first_report=arguments.first_report,
        )
    if arguments.json:
        write_json({"subject": about, "version": draft.version, "hash": draft.hash})
    else:
        write_line(f"approved: {about}, version {draft.version}, sha256 {draft.hash}")
    return 0
