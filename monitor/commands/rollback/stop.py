"""``outputwatch rollback stop``: nothing begins any more."""

import argparse

from monitor.commands.rollback import (
    add_configuration_argument,
    add_person_arguments,
    opened_desk,
    person,
    tell_switch,
)

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "stop"
HELP = "let no rollback begin any more; what was sent is still seen to its end"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the database and the person."""
    add_configuration_argument(parser)
    add_person_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write the last word on whether rollbacks may begin."""
    with opened_desk(arguments) as desk:
        switch = desk.stop(person(arguments), arguments.reason)
    tell_switch(arguments, switch)
    return 0
