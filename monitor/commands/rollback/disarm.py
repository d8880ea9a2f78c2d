"""``outputwatch rollback disarm``: take consent back that was given in advance."""

import argparse

from monitor.commands.rollback import (
    add_configuration_argument,
    add_person_arguments,
    opened_desk,
    person,
)

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "disarm"
HELP = "take consent back that was given in advance, before it is used"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the consent and the person."""
    add_configuration_argument(parser)
    parser.add_argument("armed", metavar="ARMED", help="the id that 'arm' gave, or its beginning")
    add_person_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write the consent that holds no longer."""
    from monitor.printing import write_json, write_line
    from monitor.rollbacks.wording import armed_record

    with opened_desk(arguments) as desk:
        armed = desk.disarm(arguments.armed, person(arguments), arguments.reason)
    if arguments.json:
        write_json(armed_record(armed))
    else:
        write_line(f"{armed.id[:12]}: {armed.plan!r} is not armed for {armed.rule!r} any more")
    return 0
