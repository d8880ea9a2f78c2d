"""``outputwatch outbox``: what people are told of incidents, and what could not be delivered.

Each module of this package is one verb, found by scanning.
"""

import argparse
import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from monitor.errors import OutputwatchError
from monitor.verbs import add_verbs

if TYPE_CHECKING:
    from monitor.config.model import Configuration
    from monitor.storage.outbox import OutboxRepository
    from monitor.storage.store import Store

__all__ = ["HELP", "NAME", "add_arguments", "add_choice", "chosen_ids", "opened_outbox"]

NAME = "outbox"
HELP = "send notices of incidents, list them, retry and drop those that were given up"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verbs of this package."""
    add_verbs(parser, __name__)


def add_choice(parser: argparse.ArgumentParser) -> None:
    """Declare the configuration, and which notices are meant."""
    parser.add_argument("configuration", metavar="CONFIG", help="a YAML file")
    parser.add_argument(
        "notices", metavar="ID", nargs="*", help="ids of notices, or their beginnings"
    )
    parser.add_argument("--dead", action="store_true", help="all that were given up")
    parser.add_argument("--json", action="store_true", help="write the answer as JSON")


@contextlib.contextmanager
def opened_outbox(
    arguments: argparse.Namespace,
) -> "Iterator[tuple[Store, Configuration, OutboxRepository]]":
    """Provide the database, the configuration and the outbox of its monitor.

    Raises
    ------
    OutputwatchError
        If the configuration is wrong, or the database cannot be opened.
    """
    from monitor.config.load import load_configuration
    from monitor.engine.incident_desk import monitor_name
    from monitor.storage.outbox import OutboxRepository
    from monitor.storage.store import Store

    configuration = load_configuration(arguments.configuration)
    with Store.open(configuration.storage.url, must_exist=True) as store:
        yield store, configuration, OutboxRepository(store, monitor_name(configuration))


def chosen_ids(arguments: argparse.Namespace, outbox: "OutboxRepository") -> Sequence[str]:
    """Return the ids of the notices that are meant.

    Raises
    ------
    OutputwatchError
        If none are named, or one that is not there.
    """
    from monitor.storage.outbox import OutboxState

    if arguments.dead == bool(arguments.notices):
        message = "name notices or give --dead, one of the two; see 'outputwatch outbox list'"
        raise OutputwatchError(message)
    if arguments.dead:
        return [row.id for row in outbox.rows([OutboxState.DEAD])]
    return [outbox.find(each).id for each in arguments.notices]
