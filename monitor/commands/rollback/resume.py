"""``outputwatch rollback resume``: see to its end what a process has left in the middle."""

import argparse

from monitor.commands.rollback import (
    add_configuration_argument,
    add_rollback_argument,
    opened_desk,
    status_of,
    tell,
)

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "resume"
HELP = "see a rollback to its end whose process is gone; nothing is sent again"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the rollback."""
    add_configuration_argument(parser)
    add_rollback_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write how it ended; the exit status is 0 if the target is served, else 1."""
    with opened_desk(arguments) as desk:
        ended = desk.resume(arguments.rollback)
    tell(arguments, ended)
    return status_of(ended)
