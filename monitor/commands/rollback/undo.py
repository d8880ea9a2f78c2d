"""``outputwatch rollback undo``: prepare to take a rollback back."""

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

NAME = "undo"
HELP = "prepare to take a rollback back; it needs consent of its own"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the rollback and the person."""
    add_configuration_argument(parser)
    add_rollback_argument(parser)
    add_person_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write the dry run with its hash."""
    with opened_desk(arguments) as desk:
        execution = desk.undo(arguments.rollback, person(arguments), arguments.reason)
    tell(arguments, execution)
    return 0
