"""``outputwatch incident merge``: two incidents are one."""

import argparse

from monitor.commands.incident import add_act_arguments, occasion, response_desk, tell

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "merge"
HELP = "merge an incident into another one"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the incident, the person and what it takes."""
    add_act_arguments(parser)
    parser.add_argument("--into", required=True, metavar="ID", help="the one that goes on")


def run(arguments: argparse.Namespace) -> int:
    """Do it and write how the incident stands."""
    on = occasion(arguments)
    with response_desk(arguments, arguments.incident) as desk:
        tell(arguments, desk.merge(arguments.incident, arguments.into, on))
    return 0
