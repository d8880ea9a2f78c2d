"""``outputwatch rollback``: back to what is known to be good, agreed to and seen served.

Each module of this package is one verb, found by scanning.
"""

import argparse
import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from monitor.commands.incident import ROLES
from monitor.verbs import add_verbs

if TYPE_CHECKING:
    from monitor.engine.response.rolling.desk import RollbackDesk
    from monitor.incidents.roles import Person
    from monitor.rollbacks.execution import Execution, Step
    from monitor.rollbacks.ledger import Switch

__all__ = [
    "HELP",
    "NAME",
    "add_arguments",
    "add_configuration_argument",
    "add_person_arguments",
    "add_rollback_argument",
    "opened_desk",
    "person",
    "status_of",
    "tell",
    "tell_switch",
]

NAME = "rollback"
HELP = "switch back to what is known to be good, and see it served"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verbs of this package."""
    add_verbs(parser, __name__)


def add_configuration_argument(parser: argparse.ArgumentParser) -> None:
    """Declare where plans, people and incidents are, and the form of the answer."""
    parser.add_argument("configuration", metavar="CONFIG", help="a YAML file that holds the plans")
    parser.add_argument("--json", action="store_true", help="write the answer as JSON")


def add_rollback_argument(parser: argparse.ArgumentParser) -> None:
    """Declare which rollback is meant."""
    parser.add_argument(
        "rollback", metavar="ROLLBACK", help="the id that 'prepare' gave, or its beginning"
    )


def add_person_arguments(parser: argparse.ArgumentParser, *, reason: bool = True) -> None:
    """Declare who acts, in which role and, if it must be told, why."""
    parser.add_argument("--by", metavar="NAME", required=True, help="who acts")
    parser.add_argument(
        "--role",
        metavar="ROLE",
        required=True,
        choices=ROLES,
        help=f"in which role: {', '.join(ROLES)}",
    )
    parser.add_argument("--reason", metavar="TEXT", required=reason, default="", help="why")


def person(arguments: argparse.Namespace) -> "Person":
    """Return who acts."""
    from monitor.incidents.roles import Person, Role

    return Person(name=arguments.by, role=Role(arguments.role))


@contextlib.contextmanager
def opened_desk(arguments: argparse.Namespace) -> "Iterator[RollbackDesk]":
    """Provide what carries rollbacks out; every step is told on standard error as it is taken.

    Raises
    ------
    OutputwatchError
        If the configuration is wrong, or the database cannot be opened.
    """
    from monitor.clock import SystemClock
    from monitor.config.load import load_configuration
    from monitor.engine.response.rolling.desk import RollbackDesk
    from monitor.storage.store import Store

    configuration = load_configuration(arguments.configuration)
    with Store.open(configuration.storage.url, must_exist=True) as store:
        yield RollbackDesk.of(configuration, store, SystemClock(), saw=_say_step)


def status_of(execution: "Execution") -> int:
    """Return the exit status of a rollback that has ended: 0 if its target is served."""
    return 0 if execution.serves else 1


def tell(arguments: argparse.Namespace, execution: "Execution") -> None:
    """Write how a rollback stands."""
    from monitor.printing import write_json, write_line
    from monitor.rollbacks.wording import rollback_lines, rollback_record

    if arguments.json:
        write_json(rollback_record(execution))
        return
    for line in rollback_lines(execution, arguments.configuration):
        write_line(line)


def tell_switch(arguments: argparse.Namespace, switch: "Switch") -> None:
    """Write the last word on whether rollbacks may begin."""
    from monitor.printing import time_text, write_json, write_line

    if arguments.json:
        word = {"stopped": switch.stopped, "by": switch.actor, "reason": switch.reason}
        write_json({**word, "at": time_text(switch.at_us)})
        return
    words = "stopped" if switch.stopped else "allowed"
    write_line(f"rollbacks are {words}, by {switch.actor}: {switch.reason}")


def _say_step(execution: "Execution", step: "Step") -> None:
    from monitor.printing import say
    from monitor.rollbacks.wording import step_words

    say(f"{execution.id[:12]} {step_words(step)}")
