"""``outputwatch database upgrade``: bring the tables to the revision of this program."""

import argparse

from monitor.commands.database import add_place, place
from monitor.printing import write_json, write_line

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "upgrade"
HELP = "bring the tables to the revision of this program, or create them"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the database."""
    add_place(parser)


def run(arguments: argparse.Namespace) -> int:
    """Upgrade, and say from which revision to which."""
    from sqlalchemy.exc import OperationalError

    from monitor.storage.connection import connect, not_opened
    from monitor.storage.errors import StorageError
    from monitor.storage.store import Store
    from monitor.storage.upgrade import current_revision, upgrade

    url, _ = place(arguments)
    engine = connect(url)
    with Store(engine) as store:
        try:
            with store.writing() as connection:
                before = current_revision(connection)
                upgrade(connection)
                after = current_revision(connection)
        except OperationalError as error:
            raise StorageError(not_opened(engine, error)) from error
    if arguments.json:
        write_json({"before": before, "after": after, "changed": before != after})
    elif before == after:
        write_line(f"the tables are of revision {after} already")
    elif before is None:
        write_line(f"the tables were created, revision {after}")
    else:
        write_line(f"the tables were upgraded from revision {before} to {after}")
    return 0
