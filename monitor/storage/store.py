"""The one way into the database: transactions, and what is kept under them."""

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Table, delete, func, select
from sqlalchemy.exc import DBAPIError

from baselines.summary import WindowKey
from detectors.base import Verdict
from monitor.clock import Clock
from monitor.decision.state import SeriesKey, SeriesState
from monitor.incidents.model import Incident
from monitor.storage import tables
from monitor.storage.connection import WRITING, connect, is_conflict, not_opened
from monitor.storage.errors import ConcurrentWriteError, StorageError
from monitor.storage.findings import StoredFinding, finding_from_row, finding_row
from monitor.storage.inbox import DatabaseInbox
from monitor.storage.incidents import IncidentRepository
from monitor.storage.labels import WaitingRepository
from monitor.storage.ledger import Ledger
from monitor.storage.rollbacks import RollbackRepository
from monitor.storage.statements import in_batches, paged, upsert
from monitor.storage.streams import StreamRepository
from monitor.storage.upgrade import upgrade

__all__ = ["AuditJob", "Store", "StoredWindow"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditJob:
    """One audit: what was asked, and against which baseline."""

    id: str
    config_digest: str
    baseline_id: str
    created_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredWindow:
    """A closed window: its key and the encoded counts.

    Parameters
    ----------
    key
        Which window.
    n_rows
        Rows of it.
    baseline_id
        What it was counted on.
    body
        What `baselines.codec.encode_counts` returned.
    cut_short
        Whether it was closed before its time, by a change of baseline or of the cut of time:
        the rest of its rows is in no window of the job.
    """

    key: WindowKey
    n_rows: int
    baseline_id: str
    body: bytes
    cut_short: bool = False


class Store:
    """A database that is open.

    Every method is a transaction of its own, unless it is called inside `begin`: then all of
    them are kept together or not at all. Several threads may share a store; a transaction
    belongs to the thread that began it.

    Writing the same thing again changes nothing: ids are hashes of what they name.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._current = threading.local()

    @classmethod
    def open(cls, url: str, *, must_exist: bool = False) -> "Store":
        """Open the database at `url` and bring its tables up to date.

        Parameters
        ----------
        url
            ``sqlite:///relative.db``, ``sqlite:////absolute.db`` or
            ``postgresql://user@host/name``.
        must_exist
            Whether a SQLite file that is not there is an error; else it is created.

        Raises
        ------
        StorageError
            If the database cannot be opened, belongs to another program or was written by a
            newer outputwatch.
        """
        engine = connect(url, must_exist=must_exist)
        store = cls(engine)
        try:
            with store.writing() as connection:
                upgrade(connection)
        except DBAPIError as error:
            engine.dispose()
            raise StorageError(not_opened(engine, error)) from error
        except StorageError:
            engine.dispose()
            raise
        return store

    @property
    def dialect(self) -> str:
        """Return ``sqlite`` or ``postgresql``."""
        return self._engine.dialect.name

    def drop_old_pages(self) -> bool:
        """Empty the log that SQLite keeps beside its file; call it outside of a transaction.

        Until that is done, what was overwritten can still be read in the log, or in the file if
        the new page is in the log alone. The logs of a server are the server's.

        Returns
        -------
        bool
            Whether it was done: another program that has been reading for 30 seconds prevents it.
        """
        if self.dialect != "sqlite":
            return True
        with closing(self._engine.raw_connection()) as connection:
            cursor = connection.cursor()
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            (is_busy, *_) = cursor.fetchone() or (False,)
            cursor.close()
        return not is_busy

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def begin(self) -> Iterator[None]:
        """Make one transaction of everything in the block; an exception undoes all of it."""
        with self.writing():
            yield

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give the connection of the present transaction, or of a new one.

        Raises
        ------
        ConcurrentWriteError
            If another program wrote the same rows meanwhile, or did not stop writing for long;
            the transaction is undone.
        """
        present: Connection | None = getattr(self._current, "connection", None)
        if present is not None:
            yield present
            return
        with _conflicts_in_words(), self._engine.connect() as connection:
            connection = connection.execution_options(**{WRITING: True})
            with connection.begin():
                self._current.connection = connection
                try:
                    yield connection
                finally:
                    self._current.connection = None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give the connection of the present transaction, or one that only reads."""
        present: Connection | None = getattr(self._current, "connection", None)
        if present is not None:
            yield present
            return
        with self._engine.connect() as connection:
            yield connection

    def write_job(self, job: AuditJob) -> None:
        """Keep what an audit was asked; the first words about a job stay."""
        row = {
            "id": job.id,
            "config_digest": job.config_digest,
            "baseline_id": job.baseline_id,
            "created_us": job.created_us,
        }
        with self.writing() as connection:
            upsert(connection, tables.audit_job, [row], replace=False)

    def jobs(self) -> tuple[AuditJob, ...]:
        """Return every audit, oldest first."""
        table = tables.audit_job
        with self.reading() as connection:
            rows = connection.execute(select(table).order_by(table.c.created_us, table.c.id))
            return tuple(AuditJob(**row) for row in rows.mappings())

    def ledger(self, job_id: str) -> Ledger:
        """Return the ledger of one audit: which units are done, and what they counted."""
        return Ledger(self.writing, self.reading, job_id)

    def write_window(
        self, *, job_id: str, key: WindowKey, n_rows: int, baseline_id: str, body: bytes
    ) -> None:
        """Keep one closed window; `body` is what `baselines.codec.encode_counts` returned."""
        self.write_windows(
            job_id, [StoredWindow(key=key, n_rows=n_rows, baseline_id=baseline_id, body=body)]
        )

    def write_windows(self, job_id: str, windows: Iterable[StoredWindow]) -> None:
        """Keep many closed windows."""
        rows = ({"job_id": job_id, **_window_row(window)} for window in windows)
        self._upsert(tables.window_summary, rows)

    def windows(
        self, job_id: str, *, slice_: str | None = None, after_us: int | None = None
    ) -> Iterator[StoredWindow]:
        """Yield the windows of a job in order of start, slice and ordinal.

        Those of one slice only, and those that begin after a time only, if these are given.
        """
        table = tables.window_summary
        query = select(table).where(table.c.job_id == job_id)
        if after_us is not None:
            query = query.where(table.c.start_us > after_us)
        if slice_ is not None:
            query = query.where(table.c.slice == slice_)
        key = (table.c.start_us, table.c.slice, table.c.ordinal)
        for row in paged(self.reading, query, key, size=64):
            yield _stored_window(row)

    def windows_at(self, job_id: str, start_us: int) -> tuple[StoredWindow, ...]:
        """Return the windows of a job that begin at a time, in order of slice."""
        table = tables.window_summary
        query = select(table).where(table.c.job_id == job_id, table.c.start_us == start_us)
        with self.reading() as connection:
            rows = connection.execute(query.order_by(table.c.slice, table.c.ordinal)).mappings()
            return tuple(_stored_window(row) for row in rows)

    def count_windows(self, job_id: str) -> int:
        """Return how many windows of a job are stored."""
        table = tables.window_summary
        query = select(func.count()).where(table.c.job_id == job_id)
        with self.reading() as connection:
            return int(connection.scalar(query) or 0)

    def write_findings(self, findings: Iterable[StoredFinding]) -> None:
        """Keep findings, in one transaction."""
        self._upsert(tables.finding, (finding_row(finding) for finding in findings))

    def clear_findings(self, job_id: str) -> None:
        """Forget the findings of a job, to judge its windows anew."""
        table = tables.finding
        with self.writing() as connection:
            connection.execute(delete(table).where(table.c.job_id == job_id))

    def findings(
        self,
        job_id: str,
        *,
        series: str | None = None,
        slice_: str | None = None,
        verdict: Verdict | None = None,
        since_us: int | None = None,
    ) -> Iterator[StoredFinding]:
        """Yield the findings of a job in order of series, slice and start.

        Parameters
        ----------
        since_us
            Only those of windows that begin at this time or later.
        """
        table = tables.finding
        query = select(table).where(table.c.job_id == job_id)
        if since_us is not None:
            query = query.where(table.c.start_us >= since_us)
        for column, value in (("series", series), ("slice", slice_), ("verdict", verdict)):
            if value is not None:
                query = query.where(table.c[column] == str(value))
        key = (table.c.series, table.c.slice, table.c.start_us, table.c.ordinal, table.c.id)
        for row in paged(self.reading, query, key, size=256):
            yield finding_from_row(row)

    def states(self, monitor: str) -> dict[SeriesKey, SeriesState]:
        """Return where every series of a monitor stands."""
        table = tables.series_state
        query = select(table).where(table.c.monitor == monitor)
        query = query.order_by(table.c.series, table.c.slice)
        with self.reading() as connection:
            return {
                SeriesKey(row.series, row.slice): SeriesState.from_json(row.body)
                for row in connection.execute(query)
            }

    def save_states(self, monitor: str, states: Mapping[SeriesKey, SeriesState]) -> None:
        """Keep where series stand; those not named stay as they are."""
        rows = (
            {
                "monitor": monitor,
                "series": key.series,
                "slice": key.slice,
                "body": state.to_json(),
            }
            for key, state in states.items()
        )
        self._upsert(tables.series_state, rows)

    def streams(self, monitor: str) -> StreamRepository:
        """Return where a running monitor stands."""
        return StreamRepository(self.writing, self.reading, monitor)

    def awaiting_label(self, monitor: str) -> WaitingRepository:
        """Return what waits of a monitor for its other half: outputs, and labels."""
        return WaitingRepository(self.writing, self.reading, monitor)

    def inbox(self, monitor: str, clock: Clock) -> DatabaseInbox:
        """Return where outputs of a monitor wait that were sent to it; `clock` dates them."""
        return DatabaseInbox(self._engine, monitor, clock)

    def rollbacks(self) -> RollbackRepository:
        """Return the executions of rollback plans, of every monitor."""
        return RollbackRepository(self.writing, self.reading)

    def incidents(self, monitor: str | None = None) -> IncidentRepository:
        """Return the incidents of a monitor; without a name, of all of them, to be read."""
        return IncidentRepository(self.writing, self.reading, monitor)

    def incident(self, id_or_number: str) -> Incident:
        """Return one incident by its id, an id's unique beginning, or its number.

        Raises
        ------
        StorageError
            If there is none, or more than one.
        """
        return self.incidents().find(id_or_number)

    def _upsert(self, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
        with self.writing() as connection:
            for batch in in_batches(rows):
                upsert(connection, table, batch)


@contextmanager
def _conflicts_in_words() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        if is_conflict(error):
            raise ConcurrentWriteError from error
        raise


def _stored_window(row: Mapping[Any, Any]) -> StoredWindow:
    return StoredWindow(
        key=WindowKey(row["start_us"], row["end_us"], row["slice"], row["ordinal"]),
        n_rows=row["n_rows"],
        baseline_id=row["baseline_id"],
        body=bytes(row["body"]),
        cut_short=bool(row["cut_short"]),
    )


def _window_row(window: StoredWindow) -> dict[str, Any]:
    return {
        "start_us": window.key.start_us,
        "end_us": window.key.end_us,
        "slice": window.key.slice,
        "ordinal": window.key.ordinal,
        "n_rows": window.n_rows,
        "baseline_id": window.baseline_id,
        "body": window.body,
        "cut_short": window.cut_short,
    }
