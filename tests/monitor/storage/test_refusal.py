"""Why a database refuses, in words that repeat nothing of a record."""

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError, OperationalError

from monitor.storage.connection import connect, refusal

SECRET = "a name of a person"


class _ServerError(Exception):
    def __init__(self, sqlstate: str) -> None:
        super().__init__(f"{SECRET} was refused")
        self.sqlstate = sqlstate


@pytest.fixture
def full(tmp_path: Path) -> DBAPIError:
    """Return what SQLite says when the database may not grow."""
    engine = connect(f"sqlite:///{tmp_path / 'full.db'}")
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE record (body TEXT)")
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(OperationalError) as refused:
            connection.exec_driver_sql("INSERT INTO record VALUES (?)", (SECRET * 10_000,))
    engine.dispose()
    return refused.value


def test_a_full_sqlite_database_is_told_as_such(full: DBAPIError) -> None:
    assert refusal(full) == "no space is left on its disk (SQLITE_FULL)"


@pytest.mark.parametrize(
    ("sqlstate", "words"),
    [
        ("53100", "no space is left on its disk (53100)"),
        ("57P01", "OperationalError (57P01)"),
    ],
)
def test_a_server_is_told_by_its_code_and_never_by_its_own_words(
    sqlstate: str, words: str
) -> None:
    error = OperationalError("INSERT", {"body": SECRET}, _ServerError(sqlstate))

    assert refusal(error) == words


def test_a_disk_that_refuses_may_be_full() -> None:
    driver = sqlite3.OperationalError("disk I/O error")
    driver.sqlite_errorname = "SQLITE_IOERR_WRITE"

    assert refusal(OperationalError("INSERT", {"body": SECRET}, driver)) == (
        "its disk refuses: no space, a limit on files, or a defect (SQLITE_IOERR_WRITE)"
    )
