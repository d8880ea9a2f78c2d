"""``outputwatch incident ack``: say that somebody works on it."""

import argparse

from monitor.commands.incident import acted, add_act_arguments

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "ack"
HELP = "acknowledge an incident: somebody works on it, the pages stop"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the incident, the person and what it takes."""
    add_act_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Do it and write how the incident stands."""
    from monitor.incidents.acts.moving import Move
    from monitor.incidents.states import IncidentState

    return acted(arguments, Move(to=IncidentState.ACKNOWLEDGED))
