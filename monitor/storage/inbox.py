"""The bodies that were sent over HTTP, in the database."""

import hashlib

from sqlalchemy import Connection, Engine, delete, func, select, text, update

from monitor.clock import Clock
from monitor.sources.inbox import Putting, StoredBody
from monitor.storage.connection import DURABLE, WRITING
from monitor.storage.stream_tables import inbox

__all__ = ["DatabaseInbox"]

_LOCK = 7_305_115


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
        self._clock = clock

    def put(self, key: str, body: bytes, *, n_records: int, max_waiting: int) -> Putting:
        """Keep a body; when this returns `accepted`, it is on disk."""
        digest = hashlib.sha256(body).hexdigest()
        with self._writing() as connection, connection.begin():
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
            inbox.c.monitor == self._monitor, inbox.c.seq >= seq, inbox.c.body.is_not(None)
        )
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(inbox.c.seq).limit(limit))
            return tuple(StoredBody(seq=row.seq, body=bytes(row.body)) for row in rows)

    def counted(self, below: int, *, keep_keys_seconds: int) -> None:
        """Drop bodies, and keys that came more than `keep_keys_seconds` ago."""
        mine = (inbox.c.monitor == self._monitor) & (inbox.c.seq < below)
        old = self._clock.now_us() - keep_keys_seconds * 1_000_000
        with self._writing() as connection, connection.begin():
            connection.execute(
                update(inbox).where(mine, inbox.c.body.is_not(None)).values(body=None)
            )
            connection.execute(delete(inbox).where(mine, inbox.c.received_us < old))

    def waiting(self) -> int:
        """Return how many records wait."""
        with self._engine.connect() as connection:
            return self._waiting(connection)

    def _waiting(self, connection: Connection) -> int:
        query = select(func.coalesce(func.sum(inbox.c.n_records), 0)).where(
            inbox.c.monitor == self._monitor, inbox.c.body.is_not(None)
        )
        return int(connection.execute(query).scalar_one())

    def _writing(self) -> Connection:
        return self._engine.connect().execution_options(**{WRITING: True, DURABLE: True})

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
