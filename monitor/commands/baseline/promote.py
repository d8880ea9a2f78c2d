"""``outputwatch baseline promote``: a named person puts a version in force, with a reason."""

import argparse
import dataclasses

from monitor.commands.baseline import add_configuration_argument, opened_store
from monitor.printing import write_json, write_line

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "promote"
HELP = "put a baseline in force from now on"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the version, and who decides and why."""
    add_configuration_argument(parser)
    parser.add_argument("version", metavar="VERSION", help="an id or its beginning")
    parser.add_argument("--who", required=True, help="the person who decides")
    parser.add_argument("--why", required=True, help="the reason, for those who ask later")


def run(arguments: argparse.Namespace) -> int:
    """Record the promotion and write it."""
    from monitor.clock import SystemClock

    now_us = SystemClock().now_us()
    with opened_store(arguments.configuration) as store:
        promotion = store.promote(
            arguments.version, who=arguments.who, why=arguments.why, at=now_us
        )
    if arguments.json:
        write_json(dataclasses.asdict(promotion))
    else:
        before = f"; before it was {promotion.previous}" if promotion.previous else ""
        write_line(f"baseline {promotion.id} is in force{before}")
    return 0
