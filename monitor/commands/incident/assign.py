"""``outputwatch incident assign``: name who fills a role."""

import argparse

from monitor.commands.incident import ROLES, acted, add_act_arguments

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "assign"
HELP = "name who fills a role of an incident"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the incident, the person and what it takes."""
    add_act_arguments(parser)
    parser.add_argument("--to", required=True, metavar="NAME", help="who")
    parser.add_argument("--as", dest="as_role", required=True, choices=ROLES, help="the role")


def run(arguments: argparse.Namespace) -> int:
    """Do it and write how the incident stands."""
    from monitor.incidents.acts.organizing import Assign
    from monitor.incidents.roles import Role

    return acted(arguments, Assign(role=Role(arguments.as_role), name=arguments.to))
