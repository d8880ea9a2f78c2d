"""The bodies that were sent over HTTP, in the database."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, case, delete, func, select, text, update
from sqlalchemy.exc import SQLAlchemyError

from monitor.clock import Clock
from monitor.sources.inbox import InboxAwayError, Putting, StoredBody
from monitor.storage.connection import DURABLE, WRITING
from monitor.storage.stream_tables import inbox

__all__ = ["DatabaseInbox"]

_LOCK = 7_305_115
_US = 1_000_000
_PURGE_SECONDS = 60


class DatabaseInbox:
    """The inbox of one monitor; several threads may share it.

    Parameters
    ----------
    engine
        The database.
    monitor
        Whose inbox it is.
    clock
        Tells when a body came.
    """

    def __init__(self, engine: Engine, monitor: str, clock: Clock) -> None:
        self._engine = engine
        self._monitor = monitor
        # Written so that SQLite seeks by number: by monitor it would read every key.
        self._is_mine = inbox.c.monitor.concat("") == monitor
        self._clock = clock
        # No body waits below this number: keys that are kept are many, and need not be read.
        self._floor = 0
        self._next_purge_us = 0

    def put(self, key: str, body: bytes, *, n_records: int, max_waiting: int) -> Putting:
        """Keep a body; when this returns `accepted`, it is on disk."""
        digest = hashlib.sha256(body).hexdigest()
        with self._writing() as connection:
            self._take_turns(connection)
            known = connection.execute(
                select(inbox.c.digest).where(inbox.c.monitor == self._monitor, inbox.c.key == key)
            ).scalar()
            if known is not None:
                return Putting.DUPLICATE if known == digest else Putting.CONFLICT
            if self._waiting(connection) >= max_waiting:
                return Putting.FULL
            connection.execute(
                inbox.insert().values(
                    monitor=self._monitor,
                    key=key,
                    digest=digest,
                    received_us=self._clock.now_us(),
                    n_records=n_records,
                    body=body,
                )
            )
        return Putting.ACCEPTED

    def read_from(self, seq: int, *, limit: int) -> tuple[StoredBody, ...]:
        """Return the next bodies, in order."""
        query = select(inbox.c.seq, inbox.c.body).where(
            self._is_mine, inbox.c.seq >= seq, inbox.c.body.is_not(None)
        )
        with self._reading() as connection:
            rows = connection.execute(query.order_by(inbox.c.seq).limit(limit))
            return tuple(StoredBody(seq=row.seq, body=bytes(row.body)) for row in rows)

    def counted(self, below: int, *, keep_keys_seconds: int) -> None:
        """Drop bodies, and, once a minute, keys that came more than `keep_keys_seconds` ago."""
        mine = self._is_mine & (inbox.c.seq < below)
        now_us = self._clock.now_us()
        old = now_us - keep_keys_seconds * _US
        with self._writing() as connection:
            waiting = (inbox.c.seq >= self._floor) & inbox.c.body.is_not(None)
            connection.execute(update(inbox).where(mine, waiting).values(body=None))
            if now_us >= self._next_purge_us:
                connection.execute(delete(inbox).where(mine, inbox.c.received_us < old))
        if now_us >= self._next_purge_us:
            self._next_purge_us = now_us + min(_PURGE_SECONDS, keep_keys_seconds) * _US

    def waiting(self) -> int:
        """Return how many records wait."""
        with self._reading() as connection:
            return self._waiting(connection)

    def _waiting(self, connection: Connection) -> int:
        waits = inbox.c.body.is_not(None)
        query = select(
            func.coalesce(func.sum(case((waits, inbox.c.n_records), else_=0)), 0),
            func.min(case((waits, inbox.c.seq))),
            func.max(inbox.c.seq),
        ).where(self._is_mine, inbox.c.seq >= self._floor)
        n_records, first, last = connection.execute(query).one()
        if last is not None:
            # Numbers are visible in their order, so that none below the last is to come.
            self._floor = max(self._floor, last + 1 if first is None else first)
        return int(n_records)

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with _away_in_words(), self._engine.connect() as connection:
            connection = connection.execution_options(**{WRITING: True, DURABLE: True})
            with connection.begin():
                yield connection

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with _away_in_words(), self._engine.connect() as connection:
            yield connection

    def _take_turns(self, connection: Connection) -> None:
        """Let one transaction end before the next takes a number.

        PostgreSQL gives numbers before a transaction is visible: without this a smaller number
        could appear after a larger one was read, and would never be.
        """
        if connection.dialect.name == "postgresql":
            connection.execute(
                text("SELECT pg_advisory_xact_lock(:lock, hashtext(:monitor))"),
                {"lock": _LOCK, "monitor": self._monitor},
            )


@contextmanager
def _away_in_words() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        message = f"the inbox cannot be read or written: {' '.join(str(error).split())[:300]}"
        raise InboxAwayError(message) from error
