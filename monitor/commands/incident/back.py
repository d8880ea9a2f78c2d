"""``outputwatch incident back``: bring it back to an earlier state."""

import argparse

from monitor.commands.incident import acted, add_act_arguments

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "back"
HELP = "bring an incident back to an earlier state"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the incident, the person and what it takes."""
    add_act_arguments(parser)
    parser.add_argument(
        "--to",
        required=True,
        choices=("candidate", "open", "acknowledged", "contained", "monitoring", "resolved"),
        help="the state",
    )


def run(arguments: argparse.Namespace) -> int:
    """Do it and write how the incident stands."""
    from monitor.incidents.acts.moving import Move
    from monitor.incidents.states import IncidentState

    return acted(arguments, Move(to=IncidentState(arguments.to)))
