"""``outputwatch incident snooze``: let reminders wait."""

import argparse

from monitor.commands.incident import acted, add_act_arguments, time_us

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "snooze"
HELP = "let the reminders of an incident wait"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the incident, the person and what it takes."""
    add_act_arguments(parser)
    parser.add_argument("--until", required=True, metavar="TIME", help="RFC 3339")


def run(arguments: argparse.Namespace) -> int:
    """Do it and write how the incident stands."""
    from monitor.incidents.acts.organizing import Snooze

    until_us = time_us("--until", arguments.until)
    return acted(arguments, Snooze(until_us=until_us or 0))
