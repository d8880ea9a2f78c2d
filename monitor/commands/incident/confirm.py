"""``outputwatch incident confirm``: that it is one, and how bad it is."""

import argparse

from monitor.commands.incident import TIERS, acted, add_act_arguments

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "confirm"
HELP = "confirm that it is an incident, and decide on its tier"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the incident, the person and what it takes."""
    add_act_arguments(parser)
    parser.add_argument(
        "--tier", choices=TIERS, help="how bad it is; without it only that it is an incident"
    )


def run(arguments: argparse.Namespace) -> int:
    """Do it and write how the incident stands."""
    from monitor.incidents.acts.deciding import DecideSeverity
    from monitor.incidents.acts.moving import Move
    from monitor.incidents.states import IncidentState
    from monitor.incidents.suggestion import Tier

    if arguments.tier is None:
        return acted(arguments, Move(to=IncidentState.OPEN))
    return acted(arguments, DecideSeverity(tier=Tier(arguments.tier)))
