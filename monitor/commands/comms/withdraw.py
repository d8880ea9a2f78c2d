"""``outputwatch comms withdraw``: a person takes one very text back."""

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

NAME = "withdraw"
HELP = "take back a text that was approved or sent, with a reason"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the draft and the person."""
    add_case_arguments(parser)
    add_audience_argument(parser)
    add_person_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Record it."""
    about = subject(arguments)
    with opened_desk(arguments) as desk:
        draft = desk.withdraw(arguments.incident, about, occasion(desk, arguments))
    if arguments.json:
        write_json({"subject": about, "version": draft.version, "hash": draft.hash})
    else:
        write_line(f"withdrawn: {about}, version {draft.version}, sha256 {draft.hash}")
    return 0
