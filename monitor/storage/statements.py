"""Statements that are the same on SQLite and PostgreSQL."""

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import Column, Connection, Insert, Select, Table, tuple_
from sqlalchemy.dialects import postgresql, sqlite

__all__ = ["Connections", "in_batches", "paged", "upsert"]

Connections = Callable[[], AbstractContextManager[Connection]]
"""Gives a connection, of the present transaction if there is one."""

_BATCH = 500


def upsert(
    connection: Connection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    replace: bool = True,
) -> None:
    """Insert rows; where the primary key exists, replace the row or leave it."""
    if rows:
        columns = frozenset(rows[0])
        statement = _upsert(table, connection.dialect.name, columns, replace=replace)
        connection.execute(statement, rows)


@functools.lru_cache(maxsize=64)
def _upsert(table: Table, dialect: str, columns: frozenset[str], *, replace: bool) -> Insert:
    """Return the statement for rows of some columns; building one costs more than a row does."""
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement = insert(table)
    keys = list(table.primary_key)
    if not replace:
        return statement.on_conflict_do_nothing(index_elements=keys)
    changed = {
        column.name: statement.excluded[column.name]
        for column in table.columns
        if not column.primary_key and column.name in columns
    }
    return statement.on_conflict_do_update(index_elements=keys, set_=changed)


def in_batches(rows: Iterable[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    """Yield rows a few hundred at a time, so that an endless stream fits in memory."""
    iterator = iter(rows)
    while batch := list(itertools.islice(iterator, _BATCH)):
        yield batch


def paged(
    reading: Connections, query: Select[Any], key: Sequence[Column[Any]], *, size: int
) -> Iterator[Mapping[str, Any]]:
    """Yield the rows of `query` in order of `key`, `size` at a time.

    No cursor stays open between two pages, so that the caller may write in between, and the
    next page begins after the last key: nothing is read twice.

    Parameters
    ----------
    query
        Selects the columns of `key` and others, in any order.
    key
        Columns that no two rows share.
    size
        Rows in memory at a time.
    """
    ordered = query.order_by(*key).limit(size)
    page_query = ordered
    while True:
        with reading() as connection:
            page = connection.execute(page_query).mappings().all()
        for row in page:
            yield {str(name): value for name, value in row.items()}
        if len(page) < size:
            return
        last = [page[-1][column.name] for column in key]
        page_query = ordered.where(tuple_(*key) > tuple_(*last))
