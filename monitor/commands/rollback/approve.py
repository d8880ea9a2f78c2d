"""``outputwatch rollback approve``: the word of one more person."""

import argparse

from monitor.commands.rollback import (
    add_configuration_argument,
    add_person_arguments,
    add_rollback_argument,
    opened_desk,
    person,
    tell,
)

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "approve"
HELP = "agree to the very change that a dry run has shown"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the rollback, the dry run that was read, and the person."""
    add_configuration_argument(parser)
    add_rollback_argument(parser)
    parser.add_argument(
        "--hash",
        required=True,
        metavar="HASH",
        help="the hash below the dry run that you have read, or its first 12 characters",
    )
    parser.add_argument(
        "--legal",
        metavar="TEXT",
        default="",
        help="for a high-risk system: whether an authority is told before it is altered",
    )
    add_person_arguments(parser, reason=False)


def run(arguments: argparse.Namespace) -> int:
    """Write how the rollback stands then."""
    with opened_desk(arguments) as desk:
        approved = desk.approve(
            arguments.rollback,
            person(arguments),
            arguments.hash,
            reason=arguments.reason,
            legal_answer=arguments.legal,
        )
    tell(arguments, approved)
    return 0
