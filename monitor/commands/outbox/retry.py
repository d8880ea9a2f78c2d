"""``outputwatch outbox retry``: let notices be tried again at once."""

import argparse

from monitor.commands.outbox import add_choice, chosen_ids, opened_outbox
from monitor.printing import write_json, write_line

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "retry"
HELP = "try notices at once that wait or were given up"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the configuration, and which notices are meant."""
    add_choice(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write how many there were."""
    from monitor.clock import SystemClock

    with opened_outbox(arguments) as (_, _, outbox):
        ids = chosen_ids(arguments, outbox)
        n = outbox.retry(ids, now_us=SystemClock().now_us())
    if arguments.json:
        write_json({"notices": n})
    else:
        write_line(f"{n} {'notice' if n == 1 else 'notices'} will be tried again")
    return 0
