"""``outputwatch incident handover``: give a role away."""

import argparse

from monitor.commands.incident import ROLES, acted, add_act_arguments

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "handover"
HELP = "hand a role over, and say where things stand"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the incident, the person and what it takes."""
    add_act_arguments(parser)
    parser.add_argument("--to", required=True, metavar="NAME", help="who has it from now on")
    parser.add_argument("--as", dest="as_role", required=True, choices=ROLES, help="the role")
    parser.add_argument("--text", required=True, metavar="TEXT", help="where things stand")


def run(arguments: argparse.Namespace) -> int:
    """Do it and write how the incident stands."""
    from monitor.incidents.acts.organizing import HandOver
    from monitor.incidents.roles import Role

    role = Role(arguments.as_role)
    return acted(arguments, HandOver(role=role, name=arguments.to, standing=arguments.text))
