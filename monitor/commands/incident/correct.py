"""``outputwatch incident correct``: correct an entry by a new one."""

import argparse

from monitor.commands.incident import acted, add_act_arguments, time_us

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "correct"
HELP = "correct a timeline entry; the old text stays readable"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the incident, the person and what it takes."""
    add_act_arguments(parser)
    parser.add_argument("--entry", required=True, type=int, metavar="N", help="its number")
    parser.add_argument("--text", required=True, metavar="TEXT", help="what holds instead")
    parser.add_argument("--was-known", metavar="TIME", help="when it was known in truth, RFC 3339")
    parser.add_argument("--withdraw", action="store_true", help="the entry does not hold at all")


def run(arguments: argparse.Namespace) -> int:
    """Do it and write how the incident stands."""
    from monitor.incidents.acts.recording import Correct

    act = Correct(
        seq=arguments.entry,
        text=arguments.text,
        corrected_known_us=time_us("--was-known", arguments.was_known),
        withdrawn=arguments.withdraw,
    )
    return acted(arguments, act)
