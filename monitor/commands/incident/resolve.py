"""``outputwatch incident resolve``: say that it is over."""

import argparse

from monitor.commands.incident import acted, add_act_arguments

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "resolve"
HELP = "resolve an incident, on evidence or on your word"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the incident, the person and what it takes."""
    add_act_arguments(parser)
    parser.add_argument(
        "--without-evidence",
        action="store_true",
        help="on your word: the monitor has not seen every signal back within tolerance",
    )


def run(arguments: argparse.Namespace) -> int:
    """Do it and write how the incident stands."""
    from monitor.incidents.acts.moving import Move
    from monitor.incidents.states import IncidentState

    return acted(
        arguments, Move(to=IncidentState.RESOLVED, without_evidence=arguments.without_evidence)
    )
