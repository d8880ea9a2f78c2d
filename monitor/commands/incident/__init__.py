"""``outputwatch incident``: what was opened, and everything about one of them.

Each module of this package is one verb, found by scanning.
"""

import argparse
import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from monitor.verbs import add_verbs

if TYPE_CHECKING:
    from monitor.storage.store import Store

__all__ = ["HELP", "NAME", "add_arguments", "add_database_arguments", "opened_database"]

NAME = "incident"
HELP = "list incidents and show one of them"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verbs of this package."""
    add_verbs(parser, __name__)


def add_database_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare where the incidents are kept, and the form of the answer."""
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument(
        "configuration", metavar="CONFIG", nargs="?", help="a YAML file that names the database"
    )
    place.add_argument("--database", metavar="URL", help="a database, instead of CONFIG")
    parser.add_argument("--json", action="store_true", help="write the answer as JSON")


@contextlib.contextmanager
def opened_database(arguments: argparse.Namespace) -> "Iterator[tuple[Store, str | None]]":
    """Provide the database, and the name of the configured monitor if there is one.

    Raises
    ------
    OutputwatchError
        If the configuration is wrong, or the database cannot be opened.
    """
    from monitor.storage.store import Store

    url, monitor = arguments.database, None
    if url is None:
        from monitor.config.load import load_configuration
        from monitor.engine.incident_desk import monitor_name

        configuration = load_configuration(arguments.configuration)
        url, monitor = configuration.storage.url, monitor_name(configuration)
    with Store.open(url, must_exist=True) as store:
        yield store, monitor
