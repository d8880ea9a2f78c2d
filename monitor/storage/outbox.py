"""The outbox: notices that wait, were sent or were given up; each is leased by one sender."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, exists, func, or_, select, update

from monitor.incidents.records import Record
from monitor.storage.errors import StorageError
from monitor.storage.statements import upsert
from monitor.storage.store import Store
from monitor.storage.stream_tables import outbox

__all__ = ["NewNotice", "OutboxRepository", "OutboxRow", "OutboxState"]


class OutboxState(StrEnum):
    """What became of a notice."""

    WAITING = "waiting"
    SENT = "sent"
    DEAD = "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewNotice:
    """Something to tell on one channel.

    Parameters
    ----------
    id
        A sha256 of what is told, of which incident and on which channel: twice is once. It is
        also the idempotency key.
    body
        The notice as JSON.
    """

    id: str
    incident_id: str
    kind: str
    channel: str
    body: Record


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxRow:
    """A notice in the outbox; times in microseconds.

    Parameters
    ----------
    attempts
        How often a sender took it.
    due_us
        Before that time it is not tried.
    leased_until_us
        Until when a sender has it, None if none has.
    sent_us, provider_id
        When it was accepted, and what the provider calls it.
    last_error
        What the last failure said.
    """

    id: str
    monitor: str
    incident_id: str | None
    kind: str
    channel: str
    body: Mapping[str, Any]
    created_us: int
    state: OutboxState
    attempts: int
    due_us: int
    leased_until_us: int | None
    sent_us: int | None
    provider_id: str | None
    last_error: str | None


class OutboxRepository:
    """The outbox of one monitor.

    Notices of one incident on one channel leave in the order in which they were written: one
    that waits holds those behind it, one that was given up does not.
    """

    def __init__(self, store: Store, monitor: str) -> None:
        self._store = store
        self._monitor = monitor

    def put(self, notices: Iterable[NewNotice], *, now_us: int) -> None:
        """Write notices, in order; one that is there already stays as it is."""
        with self._store.writing() as connection:
            for notice in notices:
                newest = select(func.max(outbox.c.created_us)).where(
                    self._mine, outbox.c.incident_id == notice.incident_id
                )
                # No two of an incident have the same time, so that times tell the order.
                last_us = connection.scalar(newest)
                row = {
                    "id": notice.id,
                    "monitor": self._monitor,
                    "incident_id": notice.incident_id,
                    "kind": notice.kind,
                    "channel": notice.channel,
                    "body": notice.body,
                    "created_us": now_us if last_us is None else max(now_us, last_us + 1),
                    "state": OutboxState.WAITING.value,
                    "attempts": 0,
                    "due_us": now_us,
                }
                upsert(connection, outbox, [row], replace=False)

    def lease(self, channel: str, *, now_us: int, until_us: int) -> OutboxRow | None:
        """Take the next notice of a channel that is due; None if there is none.

        Nobody else gets it before `until_us`. It counts as an attempt from now on, so that a
        notice that kills its sender is given up like any other.
        """
        due = self._due(channel, now_us)
        with self._store.reading() as connection:
            if connection.execute(due).first() is None:
                return None
        with self._store.writing() as connection:
            row = connection.execute(due.with_for_update(skip_locked=True)).mappings().first()
            if row is None:
                return None
            taken = {"leased_until_us": until_us, "attempts": row["attempts"] + 1}
            connection.execute(update(outbox).where(outbox.c.id == row["id"]).values(taken))
            return _row({**row, **taken})

    def sent(self, row: OutboxRow, *, sent_us: int, provider_id: str | None) -> bool:
        """Note that a notice was accepted; False if that is known already."""
        return self._change(
            row,
            {"state": OutboxState.SENT.value, "sent_us": sent_us, "provider_id": provider_id,
             "leased_until_us": None, "last_error": None},
        )  # fmt: skip

    def failed(self, row: OutboxRow, error: str, *, due_us: int) -> bool:
        """Note that an attempt failed, and when the next one is due.

        False if another sender has it by now: its word counts.
        """
        values = {"due_us": due_us, "leased_until_us": None, "last_error": error}
        return self._change(row, values, leased=True)

    def give_up(self, row: OutboxRow, error: str) -> bool:
        """Note that a notice is not tried any more; False as for `failed`."""
        values = {"state": OutboxState.DEAD.value, "leased_until_us": None, "last_error": error}
        return self._change(row, values, leased=True)

    def rows(self, states: Iterable[OutboxState] | None = None) -> tuple[OutboxRow, ...]:
        """Return the notices, those in some states only if these are given, oldest first."""
        query = select(outbox).where(self._mine)
        if states is not None:
            query = query.where(outbox.c.state.in_([each.value for each in states]))
        query = query.order_by(outbox.c.created_us, outbox.c.id)
        with self._store.reading() as connection:
            return tuple(_row(row) for row in connection.execute(query).mappings())

    def counts(self) -> Mapping[OutboxState, int]:
        """Return how many notices there are in each state."""
        query = select(outbox.c.state, func.count()).where(self._mine).group_by(outbox.c.state)
        with self._store.reading() as connection:
            found = {str(state): int(n) for state, n in connection.execute(query)}
        return {state: found.get(state.value, 0) for state in OutboxState}

    def due(self, *, now_us: int) -> int:
        """Return how many notices wait and are due."""
        query = select(func.count()).where(
            self._mine, outbox.c.state == OutboxState.WAITING.value, outbox.c.due_us <= now_us
        )
        with self._store.reading() as connection:
            return int(connection.scalar(query) or 0)

    def was_told(self, incident_id: str, channel: str) -> bool:
        """Return whether anything of an incident was written for a channel."""
        query = select(outbox.c.id).where(
            self._mine, outbox.c.incident_id == incident_id, outbox.c.channel == channel
        )
        with self._store.reading() as connection:
            return connection.execute(query.limit(1)).first() is not None

    def find(self, prefix: str) -> OutboxRow:
        """Return the notice whose id begins so.

        Raises
        ------
        StorageError
            If there is none, or more than one.
        """
        found = [row for row in self.rows() if prefix and row.id.startswith(prefix.lower())]
        if len(found) != 1:
            n = "no notice" if not found else "more than one notice"
            message = f"{n} has an id that begins with {prefix!r}; see 'outputwatch outbox list'"
            raise StorageError(message)
        return found[0]

    def retry(self, ids: Iterable[str], *, now_us: int) -> int:
        """Let dead and waiting notices be tried at once, from the first attempt on."""
        values = {"state": OutboxState.WAITING.value, "attempts": 0, "due_us": now_us}
        statement = update(outbox).values(values).where(self._unsent(ids))
        with self._store.writing() as connection:
            return int(connection.execute(statement).rowcount)

    def drop(self, ids: Iterable[str], *, now_us: int) -> int:
        """Delete notices that were not sent and that no sender has."""
        statement = delete(outbox).where(self._unsent(ids), _is_free(now_us))
        with self._store.writing() as connection:
            return int(connection.execute(statement).rowcount)

    @property
    def _mine(self) -> ColumnElement[bool]:
        return outbox.c.monitor == self._monitor

    def _unsent(self, ids: Iterable[str]) -> ColumnElement[bool]:
        return and_(self._mine, outbox.c.id.in_(list(ids)), outbox.c.sent_us.is_(None))

    def _due(self, channel: str, now_us: int) -> Select[Any]:
        before = outbox.alias("before")
        held = exists().where(
            before.c.monitor == self._monitor,
            before.c.channel == channel,
            before.c.incident_id == outbox.c.incident_id,
            before.c.state == OutboxState.WAITING.value,
            before.c.created_us < outbox.c.created_us,
        )
        return (
            select(outbox)
            .where(
                self._mine,
                outbox.c.channel == channel,
                outbox.c.state == OutboxState.WAITING.value,
                outbox.c.due_us <= now_us,
                _is_free(now_us),
                ~held,
            )
            .order_by(outbox.c.created_us, outbox.c.id)
            .limit(1)
        )

    def _change(self, row: OutboxRow, values: Mapping[str, Any], *, leased: bool = False) -> bool:
        condition = and_(outbox.c.id == row.id, outbox.c.state == OutboxState.WAITING.value)
        if leased:
            condition = and_(
                condition,
                outbox.c.leased_until_us == row.leased_until_us,
                outbox.c.attempts == row.attempts,
            )
        with self._store.writing() as connection:
            changed = connection.execute(update(outbox).where(condition).values(**values))
            return int(changed.rowcount) == 1


def _is_free(now_us: int) -> ColumnElement[bool]:
    return or_(outbox.c.leased_until_us.is_(None), outbox.c.leased_until_us <= now_us)


def _row(row: Mapping[Any, Any]) -> OutboxRow:
    values = {str(name): value for name, value in row.items()}
    return OutboxRow(**{**values, "state": OutboxState(values["state"])})
