"""``outputwatch incident erase``: destroy what is kept about people."""

import argparse

from monitor.commands.incident import add_act_arguments, occasion, response_desk, tell

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "erase"
HELP = "destroy the key to what is kept about people; the timeline stays"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the incident, the person and what it takes."""
    add_act_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Do it and write how the incident stands."""
    on = occasion(arguments)
    with response_desk(arguments, arguments.incident) as desk:
        tell(arguments, desk.erase(arguments.incident, on))
    return 0
