"""``outputwatch outbox send``: deliver what is due, once, for instance from cron."""

import argparse
from collections import Counter
from typing import TYPE_CHECKING

from monitor.commands.outbox import opened_outbox
from monitor.errors import OutputwatchError
from monitor.printing import say, write_json, write_line

if TYPE_CHECKING:
    from monitor.clock import Clock
    from monitor.engine.sending import Outcome, Sender
    from monitor.notifiers.base import Notifier

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "send"
HELP = "deliver the notices that are due; a running monitor does so by itself"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the configuration."""
    parser.add_argument("configuration", metavar="CONFIG", help="a YAML file")
    parser.add_argument("--json", action="store_true", help="write the answer as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Return 0 if all that was due was delivered, else 1."""
    from monitor.clock import SystemClock

    return run_with_clock(arguments, SystemClock())


def run_with_clock(arguments: argparse.Namespace, clock: "Clock") -> int:
    """Send with a clock of the caller's."""
    import random

    from monitor.engine.incident_desk import monitor_name
    from monitor.engine.sending import Outcome, Sender

    counts: Counter[Outcome] = Counter()
    refreshed = True
    with opened_outbox(arguments) as (store, configuration, outbox):
        sender = Sender(
            store=store,
            monitor=monitor_name(configuration),
            settings=configuration.notifiers,
            clock=clock,
            jitter=random.random,
        )
        for notifier in configuration.notifiers.channels:
            counts.update(_sent(sender, notifier))
            refreshed &= _refreshed(sender, notifier)
        waiting = {state.value: n for state, n in outbox.counts().items()}
    sent, failed, dead = (counts[each] for each in (Outcome.SENT, Outcome.FAILED, Outcome.DEAD))
    if arguments.json:
        write_json({"sent": sent, "failed": failed, "given_up": dead, "outbox": waiting})
    else:
        write_line(
            f"{sent} sent, {failed} failed and tried again later, {dead} given up; "
            f"{waiting['waiting']} wait, {waiting['dead']} were given up in all"
        )
    return 0 if refreshed and not failed and not dead else 1


def _sent(sender: "Sender", notifier: "Notifier") -> "list[Outcome]":
    """Return what became of the notices of a channel; one that is away is tried once."""
    from monitor.engine.sending import Outcome

    outcomes: list[Outcome] = []
    while Outcome.FAILED not in outcomes:
        outcome = sender.send_next(notifier)
        if outcome is Outcome.NOTHING_DUE:
            break
        outcomes.append(outcome)
    return outcomes


def _refreshed(sender: "Sender", notifier: "Notifier") -> bool:
    from monitor.notifiers.base import Refreshing

    if not isinstance(notifier, Refreshing):
        return True
    try:
        sender.refresh(notifier)
    except OutputwatchError as error:
        say(f"channel {notifier.channel!r}: {error}")
        return False
    return True
