"""``outputwatch rollback prepare``: keep the evidence, and show what would change."""

import argparse

from monitor.commands.rollback import (
    add_configuration_argument,
    add_person_arguments,
    opened_desk,
    person,
    tell,
)

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "prepare"
HELP = "keep the evidence and show what a plan would change; nothing is switched"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the plan, the incident and the person."""
    add_configuration_argument(parser)
    parser.add_argument("plan", metavar="PLAN", help="the name of a plan, or its beginning")
    parser.add_argument(
        "--incident",
        metavar="ID",
        help="an id, its beginning, or a number; without it the plan can only be armed",
    )
    add_person_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write the dry run with its hash."""
    with opened_desk(arguments) as desk:
        prepared = desk.prepare(
            arguments.plan, person(arguments), arguments.reason, incident=arguments.incident
        )
    tell(arguments, prepared)
    return 0
