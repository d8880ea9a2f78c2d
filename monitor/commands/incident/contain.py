"""``outputwatch incident contain``: the harm does not grow any more."""

import argparse

from monitor.commands.incident import acted, add_act_arguments

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "contain"
HELP = "say that the harm of an incident does not grow any more"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the incident, the person and what it takes."""
    add_act_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Do it and write how the incident stands."""
    from monitor.incidents.acts.moving import Move
    from monitor.incidents.states import IncidentState

    return acted(arguments, Move(to=IncidentState.CONTAINED))
