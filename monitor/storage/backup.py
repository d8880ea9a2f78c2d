"""A copy of the database while others go on writing to it, checked before it gets its name."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL
from sqlalchemy.engine import make_url

from monitor.storage.connection import connect
from monitor.storage.errors import StorageError

__all__ = ["Backup", "back_up"]

_PAGES_AT_ONCE = 2_000

Told = Callable[[int, int], object]
"""Is told how many pages are copied, and how many there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A copy that was checked.

    Parameters
    ----------
    path
        Where it is.
    kind
        ``sqlite``: a database that can be opened; ``pg_dump``: an archive for ``pg_restore``.
    n_bytes
        Its size.
    """

    path: Path
    kind: str
    n_bytes: int


def back_up(url: str, path: Path, *, told: Told | None = None) -> Backup:
    """Write what the database holds at one moment to a new file.

    Parameters
    ----------
    url
        The database.
    path
        The file; nothing may be there yet.
    told
        Is told of the progress; SQLite only.

    Raises
    ------
    StorageError
        If the file exists, the database cannot be read, the copy is not whole, or PostgreSQL's
        own programs, which do this, are not installed.
    """
    if path.exists():
        message = f"a backup must be a new file, {str(path)!r} exists; name another one"
        raise StorageError(message)
    connect(url, must_exist=True).dispose()
    parsed = make_url(url)
    if not path.parent.is_dir():
        message = f"the folder of the backup must exist, got {str(path.parent)!r}"
        raise StorageError(message)
    unfinished = path.with_name(f"{path.name}.unfinished")
    try:
        if parsed.get_backend_name() == "sqlite":
            _copy_sqlite(str(parsed.database), unfinished, told)
        else:
            _dump_postgresql(parsed, unfinished)
        _to_disk(unfinished)
        unfinished.rename(path)
    except (sqlite3.Error, OSError) as error:
        message = f"the backup {str(path)!r} could not be written: {error}"
        raise StorageError(message) from error
    finally:
        unfinished.unlink(missing_ok=True)
    kind = "sqlite" if parsed.get_backend_name() == "sqlite" else "pg_dump"
    return Backup(path=path, kind=kind, n_bytes=path.stat().st_size)


def _copy_sqlite(source: str, target: Path, told: Told | None) -> None:
    target.unlink(missing_ok=True)
    with closing(_read_only(Path(source))) as reading, closing(sqlite3.connect(target)) as copy:
        # A read that is open holds the moment: else every write of others would start it anew.
        reading.execute("BEGIN")
        reading.execute("SELECT count(*) FROM sqlite_master").fetchone()
        reading.backup(
            copy,
            pages=_PAGES_AT_ONCE,
            progress=None if told is None else lambda _, left, total: told(total - left, total),
        )
    with closing(_read_only(target)) as copy:
        found = [row[0] for row in copy.execute("PRAGMA integrity_check")]
    if found != ["ok"]:
        message = (
            f"the copy is not whole: {found[0]}; the database itself may be damaged, see "
            "'outputwatch database check'"
        )
        raise StorageError(message)


def _read_only(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    connection.isolation_level = None
    return connection


def _to_disk(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _dump_postgresql(url: URL, target: Path) -> None:
    programs = {name: shutil.which(name) for name in ("pg_dump", "pg_restore")}
    dump, restore = programs["pg_dump"], programs["pg_restore"]
    if dump is None or restore is None:
        message = (
            "a backup of PostgreSQL takes its programs pg_dump and pg_restore, which are not in "
            "PATH; install PostgreSQL's client programs, or back the server up with your own tools"
        )
        raise StorageError(message)
    environment = {**os.environ, **_libpq(url)}
    # No password on the command line: other users of the machine could read it.
    _run([dump, "--format=custom", "--no-password", f"--file={target}"], environment)
    _run([restore, "--list", str(target)], environment)


def _run(command: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = " ".join(done.stderr.split())
        message = f"{Path(command[0]).name} failed: {reason[:300]}"
        raise StorageError(message)


def _libpq(url: URL) -> dict[str, str]:
    """Return the variables by which PostgreSQL's programs find the database of a URL."""
    found = {
        "PGHOST": url.host or url.query.get("host"),
        "PGPORT": url.port,
        "PGUSER": url.username,
        "PGPASSWORD": url.password,
        "PGDATABASE": url.database,
        "PGOPTIONS": url.query.get("options"),
        "PGSSLMODE": url.query.get("sslmode"),
    }
    return {name: str(value) for name, value in found.items() if value is not None}
