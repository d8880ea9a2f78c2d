"""``outputwatch database``: upgrade, check, back up and tidy up where everything is kept.

Each module of this package is one verb, found by scanning.
"""

import argparse
import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from monitor.verbs import add_verbs

if TYPE_CHECKING:
    from monitor.config.model import Configuration
    from monitor.storage.store import Store

__all__ = ["HELP", "NAME", "add_arguments", "add_place", "opened_as_it_is", "place"]

NAME = "database"
HELP = "upgrade, check, back up and tidy up the database"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verbs of this package."""
    add_verbs(parser, __name__)


def add_place(parser: argparse.ArgumentParser) -> None:
    """Declare which database, and the form of the answer."""
    chosen = parser.add_mutually_exclusive_group(required=True)
    chosen.add_argument(
        "configuration", metavar="CONFIG", nargs="?", help="a YAML file that names the database"
    )
    chosen.add_argument("--database", metavar="URL", help="a database, instead of CONFIG")
    parser.add_argument("--json", action="store_true", help="write the answer as JSON")


def place(arguments: argparse.Namespace) -> "tuple[str, Configuration | None]":
    """Return the URL, and the configuration if there is one.

    Raises
    ------
    OutputwatchError
        If the configuration is wrong.
    """
    if arguments.database is not None:
        return arguments.database, None
    from monitor.config.load import load_configuration

    configuration = load_configuration(arguments.configuration)
    return configuration.storage.url, configuration


@contextlib.contextmanager
def opened_as_it_is(url: str) -> "Iterator[Store]":
    """Provide a database without upgrading it.

    Raises
    ------
    StorageError
        If it cannot be opened.
    """
    from sqlalchemy.exc import DBAPIError, OperationalError

    from monitor.storage.connection import connect, not_opened
    from monitor.storage.errors import StorageError
    from monitor.storage.store import Store

    engine = connect(url, must_exist=True)
    with Store(engine) as store:
        try:
            with engine.connect():
                pass
            yield store
        except OperationalError as error:
            raise StorageError(not_opened(engine, error)) from error
        except DBAPIError as error:
            message = f"the database cannot be read: {error.orig}; go back to a backup"
            raise StorageError(message) from error
