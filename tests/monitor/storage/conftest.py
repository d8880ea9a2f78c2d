"""Every test of the store runs on SQLite, and on a PostgreSQL server of its own."""

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.storage import Store


def _programs() -> Path | None:
    """Return the folder of PostgreSQL's programs, the newest if there are several."""
    installed = Path("/usr/lib/postgresql")
    versions = sorted(installed.glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    if versions:
        return versions[-1].parent
    found = shutil.which("initdb")
    return None if found is None else Path(found).resolve().parent


@contextlib.contextmanager
def _running_server(programs: Path) -> Iterator[Path]:
    """Provide the folder of the socket of a fresh server, which listens nowhere else."""
    # A socket's path must be short, so it is not in pytest's folder.
    folder = Path(tempfile.mkdtemp(prefix="outputwatch-"))
    log = folder / "log"
    as_user: dict[str, object] = {}
    if os.geteuid() == 0:
        # The server refuses to run as root.
        account = pwd.getpwnam("postgres")
        os.chown(folder, account.pw_uid, account.pw_gid)
        as_user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}

    def call(program: str, *arguments: str) -> None:
        command = [str(programs / program), "-D", str(folder / "data"), *arguments]
        subprocess.run(
            command,
            check=True,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=60,
            **as_user,
        )

    try:
        call("initdb", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync")
        options = f"-F -k {folder} -c listen_addresses='' -c max_connections=40"
        call("pg_ctl", "start", "-w", "-l", str(log), "-o", options)
        try:
            yield folder
        finally:
            call("pg_ctl", "stop", "-m", "immediate")
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[Path]:
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed: no initdb in PATH or /usr/lib/postgresql")
    pytest.importorskip("psycopg", reason="needs the extra 'postgres'")
    with _running_server(programs) as socket_folder:
        yield socket_folder


def _new_database(socket_folder: Path) -> str:
    """Return the URL of an empty schema, which is as good as a database and made at once."""
    import psycopg

    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(host=str(socket_folder), user="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}")
    schema = f"-csearch_path%3D{name}"
    return f"postgresql://postgres@/postgres?host={socket_folder}&options={schema}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'outputwatch.db'}"
    return _new_database(request.getfixturevalue("postgresql_server"))


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    with Store.open(database_url) as opened:
        yield opened
