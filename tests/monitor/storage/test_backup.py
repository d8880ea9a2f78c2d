"""A backup is whole, of one moment, and never in the place of something else."""

import sqlite3
import threading
from pathlib import Path

import pytest

from monitor.decision.state import SeriesKey, SeriesState
from monitor.storage import StorageError, Store
from monitor.storage.backup import back_up


def test_a_backup_holds_what_the_database_held(database_url: str, tmp_path: Path) -> None:
    with Store.open(database_url) as store:
        store.save_states("m", {SeriesKey("s"): SeriesState()})

        backup = back_up(database_url, tmp_path / "copy")

    assert backup.n_bytes == (tmp_path / "copy").stat().st_size > 0
    assert [path.name for path in tmp_path.glob("*.unfinished")] == []
    if backup.kind == "sqlite":
        with Store.open(f"sqlite:///{tmp_path / 'copy'}") as copy:
            assert copy.states("m") == {SeriesKey("s"): SeriesState()}
    else:
        assert (tmp_path / "copy").read_bytes()[:5] == b"PGDMP"


def test_others_may_write_while_a_backup_is_made(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'x.db'}"
    with Store.open(url) as store:
        written = threading.Event()

        def told(_done: int, _total: int) -> None:
            if not written.is_set():
                written.set()
                store.save_states("m", {SeriesKey("late"): SeriesState()})

        back_up(url, tmp_path / "copy.db", told=told)

        assert written.is_set()
        assert SeriesKey("late") in store.states("m")


def test_a_file_that_is_there_is_not_touched(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'x.db'}"
    Store.open(url).close()
    (tmp_path / "copy.db").write_text("precious")

    with pytest.raises(StorageError, match="must be a new file"):
        back_up(url, tmp_path / "copy.db")

    assert (tmp_path / "copy.db").read_text() == "precious"


def test_a_database_that_is_not_there_makes_no_backup(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="there is no database"):
        back_up(f"sqlite:///{tmp_path / 'none.db'}", tmp_path / "copy.db")

    assert list(tmp_path.iterdir()) == []


def test_a_damaged_database_is_not_called_backed_up(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with Store.open(f"sqlite:///{path}") as store:
        store.save_states("m", {SeriesKey(f"s{n}"): SeriesState() for n in range(2_000)})
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2 : len(damaged) // 2 + 8_192] = b"\xff" * 8_192
    path.write_bytes(damaged)

    with pytest.raises(StorageError, match=r"not whole|could not be written"):
        back_up(f"sqlite:///{path}", tmp_path / "copy.db")

    assert not (tmp_path / "copy.db").exists()


def test_without_the_programs_of_postgresql_the_message_says_so(
    tmp_path: Path, monkeypatch
) -> None:
    pytest.importorskip("psycopg", reason="needs the extra 'postgres'")
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(StorageError, match="pg_dump and pg_restore, which are not in PATH"):
        back_up("postgresql://watch@127.0.0.1:1/watch", tmp_path / "copy")


def test_a_password_is_not_on_the_command_line_of_another_program(tmp_path: Path) -> None:
    pytest.importorskip("psycopg", reason="needs the extra 'postgres'")

    with pytest.raises(StorageError, match="pg_dump") as caught:
        back_up("postgresql://watch:hunter2@127.0.0.1:1/watch", tmp_path / "copy")

    assert "hunter2" not in str(caught.value)
