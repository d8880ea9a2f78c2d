"""Outputs that wait for their labels, in the database."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, delete, func, select

from monitor.sources.labelled_stream.waiting import Waiting, WaitingState
from monitor.storage.label_tables import awaiting_label as table
from monitor.storage.statements import Connections, in_batches, upsert

__all__ = ["WaitingRepository"]

_IDS_AT_ONCE = 900
_OVER = (WaitingState.DONE, WaitingState.RELEASED)


class WaitingRepository:
    """What waits of one monitor; writing joins the present transaction.

    Parameters
    ----------
    writing, reading
        Give connections.
    monitor
        Whose it is.
    """

    def __init__(self, writing: Connections, reading: Connections, monitor: str) -> None:
        self._writing = writing
        self._reading = reading
        self._monitor = monitor

    def find(self, ids: Collection[int]) -> Mapping[int, Waiting]:
        """Return what is known of event ids."""
        found: dict[int, Waiting] = {}
        if not ids:
            return found
        with self._reading() as connection:
            for some in _cut(ids):
                query = select(table).where(table.c.monitor == self._monitor, table.c.id.in_(some))
                for row in connection.execute(query):
                    found[row.id] = _waiting(row)
        return found

    def oldest(
        self, state: WaitingState, *, until_us: int | None, limit: int
    ) -> Sequence[Waiting]:
        """Return the oldest of a state, by time and id, up to a time (None: any time)."""
        query = select(table).where(table.c.monitor == self._monitor, table.c.state == int(state))
        if until_us is not None:
            query = query.where(table.c.time_us <= until_us)
        query = query.order_by(table.c.time_us, table.c.id).limit(limit)
        with self._reading() as connection:
            return [_waiting(row) for row in connection.execute(query)]

    def count(self, state: WaitingState) -> int:
        """Return how many there are of a state."""
        query = select(func.count()).where(
            table.c.monitor == self._monitor, table.c.state == int(state)
        )
        with self._reading() as connection:
            return int(connection.scalar(query) or 0)

    def write(self, changed: Iterable[Waiting], dropped: Collection[int]) -> None:
        """Keep what changed, and forget other ids."""
        rows = (
            {
                "monitor": self._monitor,
                "id": each.id,
                "state": int(each.state),
                "time_us": each.time_us,
                "body": each.body,
            }
            for each in changed
        )
        with self._writing() as connection:
            for batch in in_batches(rows):
                upsert(connection, table, batch)
            for some in _cut(dropped):
                connection.execute(
                    delete(table).where(table.c.monitor == self._monitor, table.c.id.in_(some))
                )

    def forget(self, until_us: int) -> None:
        """Forget what is done or released and whose time is at most `until_us`."""
        with self._writing() as connection:
            connection.execute(
                delete(table).where(
                    table.c.monitor == self._monitor,
                    table.c.state.in_([int(state) for state in _OVER]),
                    table.c.time_us <= until_us,
                )
            )


def _cut(ids: Collection[int]) -> Iterable[list[int]]:
    """Yield ids so many at a time that a statement has room for them."""
    ordered = sorted(ids)
    for start in range(0, len(ordered), _IDS_AT_ONCE):
        yield ordered[start : start + _IDS_AT_ONCE]


def _waiting(row: Row[Any]) -> Waiting:
    return Waiting(
        id=row.id, state=WaitingState(row.state), time_us=row.time_us, body=bytes(row.body)
    )
