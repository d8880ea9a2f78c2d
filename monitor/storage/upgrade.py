"""Bring a database to the revision of this program, or refuse it."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from monitor.storage.errors import StorageError

__all__ = ["current_revision", "head_revision", "upgrade"]

_SCRIPTS = Path(__file__).parent / "migrations"
# Any number will do as long as no other program picks it: two that start at once take turns.
_LOCK = 7_305_115_920_114


def upgrade(connection: Connection) -> None:
    """Create or migrate the tables, inside the transaction of `connection`.

    Raises
    ------
    StorageError
        If the tables are of a revision that this program does not know, or belong to another
        program.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    current = current_revision(connection)
    if current == head_revision():
        return
    if current is None:
        _refuse_the_tables_of_others(connection)
    elif current not in _known_revisions():
        message = (
            f"the database {connection.engine.url.render_as_string()!r} has revision {current!r}, "
            f"which this outputwatch does not know (its own is {head_revision()!r}); install the "
            "newer outputwatch that wrote it, or open another database"
        )
        raise StorageError(message)
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def current_revision(connection: Connection) -> str | None:
    """Return the revision of the tables, None if there are none."""
    return MigrationContext.configure(connection).get_current_revision()


def head_revision() -> str:
    """Return the newest revision that this program knows."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if head is None:
        message = (
            f"the migrations must be in {str(_SCRIPTS)!r}, found none; install outputwatch anew"
        )
        raise StorageError(message)
    return head


def _known_revisions() -> frozenset[str]:
    scripts = ScriptDirectory.from_config(_config())
    return frozenset(script.revision for script in scripts.walk_revisions())


def _refuse_the_tables_of_others(connection: Connection) -> None:
    tables = [name for name in inspect(connection).get_table_names() if name != "alembic_version"]
    if tables:
        message = (
            f"the database {connection.engine.url.render_as_string()!r} holds tables that are not "
            f"ours, for example {sorted(tables)[0]!r}; give outputwatch a database of its own"
        )
        raise StorageError(message)


def _config() -> Config:
    config = Config()
    # A percent sign in a path would be read as an interpolation.
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    return config
