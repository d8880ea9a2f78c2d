"""Old records are dropped a few at a time, so that nobody who writes meanwhile waits for long.

Every function yields how many rows it dropped, after each of its transactions; in a trial run,
how many it would.
"""

from collections.abc import Iterable, Iterator, Mapping

from sqlalchemy import ColumnElement, Table, delete, exists, func, select, tuple_

from detectors.base import Verdict
from monitor.decision.state import SeriesKey
from monitor.sources.inbox import inbox_names
from monitor.storage import tables
from monitor.storage.store import AuditJob, Store
from monitor.storage.stream_tables import inbox, outbox, stream_letter

__all__ = ["ROWS_AT_ONCE", "drop_findings", "drop_inbox_keys", "drop_ledger", "drop_letters",
           "drop_sent", "is_finished"]  # fmt: skip

ROWS_AT_ONCE = 500
"""Rows that one transaction drops."""


def drop_findings(
    store: Store,
    job_id: str,
    before_us: int,
    *,
    kept_ids: frozenset[str] = frozenset(),
    kept_from: Mapping[SeriesKey, int] | None = None,
    dry_run: bool = False,
) -> Iterator[int]:
    """Drop findings that are not beyond tolerance and end at or before a time.

    Parameters
    ----------
    store
        The database.
    job_id
        The audit or the monitor that made them.
    before_us
        The time.
    kept_ids
        Findings that incidents refer to: they stay.
    kept_from
        Series of which everything from a time on stays.
    dry_run
        Whether they are only counted.
    """
    table = tables.finding
    for key in _series(store, job_id):
        until_us = min(before_us, (kept_from or {}).get(key, before_us))
        old = (
            (table.c.job_id == job_id)
            & (table.c.series == key.series)
            & (table.c.slice == key.slice)
            # The start is in the index; a window that ends before also begins before.
            & (table.c.start_us < until_us)
            & (table.c.end_us <= until_us)
            & (table.c.end_us > 1)
            & (table.c.verdict != str(Verdict.BEYOND))
        )
        if kept_ids:
            old = old & table.c.id.not_in(sorted(kept_ids))
        yield from _drop(store, table, old, dry_run=dry_run)


def drop_ledger(store: Store, job: AuditJob, *, dry_run: bool = False) -> Iterator[int]:
    """Drop what each file added to an audit: the same audit reads its files again.

    It is one transaction, else an audit that goes on meanwhile would find units that are done
    and miss their counts.
    """
    query = select(func.count()).where(tables.unit.c.job_id == job.id)
    with store.reading() as connection:
        n_units = int(connection.scalar(query) or 0)
    if n_units and not dry_run:
        store.ledger(job.id).clear()
    if n_units:
        yield n_units


def is_finished(store: Store, job_id: str) -> bool:
    """Return whether an audit has come to its end, where it writes the state of its series."""
    query = exists().where(tables.series_state.c.monitor == job_id)
    with store.reading() as connection:
        return bool(connection.scalar(select(query)))


def drop_letters(
    store: Store, monitor: str, before_us: int, *, dry_run: bool = False
) -> Iterator[int]:
    """Drop samples of records that a stream did not count, recorded before a time."""
    table = stream_letter
    old = (table.c.monitor == monitor) & (table.c.recorded_us < before_us)
    yield from _drop(store, table, old, dry_run=dry_run)


def drop_inbox_keys(
    store: Store, monitor: str, before_us: int, *, dry_run: bool = False
) -> Iterator[int]:
    """Drop keys of bodies that are counted and came before a time, those of parts included."""
    old = inbox.c.monitor.in_(inbox_names(monitor)) & inbox.c.body.is_(None)
    yield from _drop(store, inbox, old & (inbox.c.received_us < before_us), dry_run=dry_run)


def drop_sent(
    store: Store, monitor: str, before_us: int, *, dry_run: bool = False
) -> Iterator[int]:
    """Drop notifications that were sent before a time."""
    old = (outbox.c.monitor == monitor) & outbox.c.sent_us.is_not(None)
    yield from _drop(store, outbox, old & (outbox.c.sent_us < before_us), dry_run=dry_run)


def _series(store: Store, job_id: str) -> Iterator[SeriesKey]:
    """Yield the series of a job; each is one look into the index, however many its findings."""
    table = tables.finding
    columns = (table.c.series, table.c.slice)
    query = select(*columns).where(table.c.job_id == job_id).order_by(*columns).limit(1)
    next_query = query
    while True:
        with store.reading() as connection:
            found = connection.execute(next_query).one_or_none()
        if found is None:
            return
        yield SeriesKey(found.series, found.slice)
        next_query = query.where(tuple_(*columns) > tuple_(found.series, found.slice))


def _drop(store: Store, table: Table, old: ColumnElement[bool], *, dry_run: bool) -> Iterator[int]:
    if dry_run:
        with store.reading() as connection:
            n_old = int(connection.scalar(select(func.count()).select_from(table).where(old)) or 0)
        if n_old:
            yield n_old
        return
    keys = list(table.primary_key)
    while True:
        with store.reading() as connection:
            found = connection.execute(select(*keys).where(old).limit(ROWS_AT_ONCE)).all()
        if not found:
            return
        yield _drop_rows(store, table, [tuple(row) for row in found])
        if len(found) < ROWS_AT_ONCE:
            return


def _drop_rows(store: Store, table: Table, rows: Iterable[tuple[object, ...]]) -> int:
    chosen = list(rows)
    keys = list(table.primary_key)
    with store.writing() as connection:
        if len(keys) == 1:
            condition = keys[0].in_([row[0] for row in chosen])
        else:
            condition = tuple_(*keys).in_(chosen)
        connection.execute(delete(table).where(condition))
    return len(chosen)
