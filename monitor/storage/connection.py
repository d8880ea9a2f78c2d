"""Open a database and give it the rules that the tables rely on."""

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import StaticPool

from monitor.storage.errors import StorageError

__all__ = ["DURABLE", "WRITING", "connect", "is_conflict", "not_opened", "refusal"]

WRITING = "outputwatch_writing"
"""The execution option of a connection that will write."""

DURABLE = "outputwatch_durable"
"""The execution option of a connection whose commits survive a power cut."""

_BUSY_TIMEOUT_MS = 30_000
_PATIENCE = "SET lock_timeout = '30s'; SET idle_in_transaction_session_timeout = '120s'"
"""A worker that is frozen inside a transaction must not hold the others up for ever."""

_CONFLICTS = frozenset(
    {
        "SQLITE_BUSY",
        "SQLITE_BUSY_SNAPSHOT",
        "23505",  # unique_violation
        "40001",  # serialization_failure
        "40P01",  # deadlock_detected
        "55P03",  # lock_not_available
    }
)
"""What drivers call two programs that write the same: SQLite's names, PostgreSQL's numbers.

SQLite lets one write at a time, so a key that is there already is no conflict there.
"""


_FULL = frozenset({"SQLITE_FULL", "53100"})
"""What drivers call a disk without space."""


def connect(url: str, *, must_exist: bool = False) -> Engine:
    """Return an engine for a SQLite or PostgreSQL URL, for example ``sqlite:///state.db``.

    Parameters
    ----------
    url
        Where the database is.
    must_exist
        Whether a SQLite file that is not there is an error.

    Raises
    ------
    StorageError
        If the URL cannot be read, names another database, or its driver is not installed.
    """
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except (ArgumentError, NoSuchModuleError) as error:
        # The URL itself is not repeated: it may hold a password.
        message = "the database must be a URL like 'sqlite:///outputwatch.db', got something else"
        raise StorageError(message) from error
    if backend == "sqlite":
        memory = parsed.database in (None, "", ":memory:")
        if must_exist and not memory and not Path(str(parsed.database)).is_file():
            message = f"there is no database {parsed.database!r}; run an audit or the demo first"
            raise StorageError(message)
        options: dict[str, Any] = {"poolclass": StaticPool} if memory else {}
        engine = create_engine(parsed, connect_args={"check_same_thread": False}, **options)
        event.listen(engine, "connect", _on_sqlite_connect)
        event.listen(engine, "begin", _on_sqlite_begin)
        return engine
    if backend == "postgresql":
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        try:
            engine = create_engine(parsed)
        except ModuleNotFoundError as error:
            message = "PostgreSQL needs its driver: pip install 'outputwatch[postgres]'"
            raise StorageError(message) from error
        event.listen(engine, "connect", _on_postgresql_connect)
        return engine
    message = f"the database must be SQLite or PostgreSQL, got {backend!r}"
    raise StorageError(message)


def is_conflict(error: DBAPIError) -> bool:
    """Return whether a statement failed because another program writes to the same rows."""
    driver = error.orig
    code = getattr(driver, "sqlite_errorname", None) or getattr(driver, "sqlstate", None)
    return code in _CONFLICTS


def not_opened(engine: Engine, error: DBAPIError) -> str:
    """Return why a database cannot be opened and what to check, in one line."""
    reason = " ".join(str(error.orig).split())
    advice = "the server runs, and that its address, name, user and password are right"
    if engine.dialect.name == "sqlite":
        advice = "the folder exists and may be written"
    url = engine.url.render_as_string()
    return f"the database {url!r} cannot be opened: {reason}; check that {advice}"


def refusal(error: Exception) -> str:
    """Return why a database could not be written, in words that repeat nothing of a record.

    Examples
    --------
    >>> refusal(TimeoutError("..."))
    'TimeoutError'
    """
    driver = error.orig if isinstance(error, DBAPIError) else None
    found = getattr(driver, "sqlite_errorname", None) or getattr(driver, "sqlstate", None)
    code = str(found or "")
    if code in _FULL:
        return f"no space is left on its disk ({code})"
    if code.startswith("SQLITE_IOERR"):
        return f"its disk refuses: no space, a limit on files, or a defect ({code})"
    return f"{type(error).__name__} ({code})" if code else type(error).__name__


def _on_sqlite_connect(connection: DBAPIConnection, _record: object) -> None:
    # The driver must not open transactions of its own: `begin` below does, DDL included.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    # A power cut may lose the last transactions whole; offsets and state go together, so
    # that what is lost is read again.
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _on_postgresql_connect(connection: DBAPIConnection, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute(_PATIENCE)
    cursor.close()
    connection.commit()


def _on_sqlite_begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    level = "FULL" if options.get(DURABLE) else "NORMAL"
    connection.exec_driver_sql(f"PRAGMA synchronous = {level}")
    # A writer takes its lock at once: a read that turns into a write cannot wait for another.
    writing = options.get(WRITING, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
