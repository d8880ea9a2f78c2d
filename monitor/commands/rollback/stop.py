"""``outputwatch rollback stop``: nothing begins any more."""

import argparse

from monitor.commands.rollback import (
    add_configuration_argument,
    add_person_arguments,
    opened_desk,
    person,
)

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "stop"
HELP = "let no rollback begin any more; what was sent is still seen to its end"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the database and the person."""
    add_configuration_argument(parser)
    add_person_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write the last word on whether rollbacks may begin."""
    from monitor.printing import time_text, write_json, write_line

    with opened_desk(arguments) as desk:
        switch = desk.stop(person(arguments), arguments.reason)
    if arguments.json:
        word = {"stopped": switch.stopped, "by": switch.actor, "reason": switch.reason}
        write_json({**word, "at": time_text(switch.at_us)})
    else:
        words = "stopped" if switch.stopped else "allowed"
        write_line(f"rollbacks are {words}, by {switch.actor}: {switch.reason}")
    return 0
