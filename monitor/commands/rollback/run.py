"""``outputwatch rollback run``: switch what was agreed to, and see it served."""

import argparse

from monitor.commands.rollback import (
    add_configuration_argument,
    add_person_arguments,
    add_rollback_argument,
    opened_desk,
    person,
    status_of,
    tell,
)

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "run"
HELP = "switch what was agreed to, and watch until it is served or the time is up"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the rollback, the person, and what it takes to go ahead alone."""
    add_configuration_argument(parser)
    add_rollback_argument(parser)
    parser.add_argument(
        "--break-glass",
        action="store_true",
        help="go ahead alone, with --hash and --reason: everybody is told, it is reviewed",
    )
    parser.add_argument(
        "--hash", metavar="HASH", default="", help="with --break-glass: of the dry run you read"
    )
    add_person_arguments(parser, reason=False)


def run(arguments: argparse.Namespace) -> int:
    """Write how it ended; the exit status is 0 if the target is served, else 1."""
    by = person(arguments)
    with opened_desk(arguments) as desk:
        if arguments.break_glass:
            desk.break_glass(arguments.rollback, by, arguments.hash, arguments.reason)
        ended = desk.run(arguments.rollback, by)
    tell(arguments, ended)
    return status_of(ended)
