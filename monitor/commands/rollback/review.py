"""``outputwatch rollback review``: look at what one person did alone."""

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

NAME = "review"
HELP = "record that you looked at what one person did alone"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the rollback and the person."""
    add_configuration_argument(parser)
    add_rollback_argument(parser)
    add_person_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write how the rollback stands then."""
    with opened_desk(arguments) as desk:
        execution = desk.review(arguments.rollback, person(arguments), arguments.reason)
    tell(arguments, execution)
    return 0
