"""``outputwatch incident review``: begin to learn from it."""

import argparse

from monitor.commands.incident import acted, add_act_arguments

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "review"
HELP = "begin the review of a resolved incident"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the incident, the person and what it takes."""
    add_act_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Do it and write how the incident stands."""
    from monitor.incidents.acts.moving import Move
    from monitor.incidents.states import IncidentState

    return acted(arguments, Move(to=IncidentState.IN_REVIEW))
