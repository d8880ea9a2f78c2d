"""The one row that all workers of a running monitor share."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select, update

from monitor.storage.statements import Connections, upsert
from monitor.storage.stream_rows import MonitorRow
from monitor.storage.stream_tables import monitor

__all__ = ["MonitorRepository"]


class MonitorRepository:
    """The row of one running monitor; whoever writes its other tables takes it first.

    Parameters
    ----------
    writing, reading
        Give connections.
    name
        Of the monitor.
    """

    def __init__(self, writing: Connections, reading: Connections, name: str) -> None:
        self._writing = writing
        self._reading = reading
        self.name = name

    def create(self, row: MonitorRow) -> MonitorRow:
        """Return the monitor's row; the given one where there is none yet."""
        with self._writing() as connection:
            values = {"name": self.name, **_monitor_values(row)}
            upsert(connection, monitor, [values], replace=False)
            return _monitor(connection, self.name, lock=False)

    def locked(self) -> MonitorRow:
        """Return the monitor's row; other workers wait until this transaction ends."""
        with self._writing() as connection:
            return _monitor(connection, self.name, lock=True)

    def known(self) -> MonitorRow | None:
        """Return the monitor's row, None if it never ran."""
        with self._reading() as connection:
            found = connection.execute(
                select(monitor).where(monitor.c.name == self.name)
            ).one_or_none()
        return None if found is None else _monitor_row(found._mapping)

    def save(self, row: MonitorRow) -> None:
        """Replace the monitor's row."""
        with self._writing() as connection:
            change = update(monitor).where(monitor.c.name == self.name)
            connection.execute(change.values(**_monitor_values(row)))

    def _take_turn(self, connection: Connection) -> None:
        """Have others wait who write: taken first by everybody, nobody waits in a circle."""
        _monitor(connection, self.name, lock=True)


def _monitor(connection: Connection, name: str, *, lock: bool) -> MonitorRow:
    query = select(monitor).where(monitor.c.name == name)
    if lock:
        query = query.with_for_update()
    return _monitor_row(connection.execute(query).one()._mapping)


def _monitor_row(row: Mapping[Any, Any]) -> MonitorRow:
    snapshot = row["snapshot"]
    return MonitorRow(
        job_id=row["job_id"],
        baseline_id=row["baseline_id"],
        policy_digest=row["policy_digest"],
        counting=row["counting"],
        closed_us=row["closed_us"],
        begun_us=row["begun_us"],
        revision=row["revision"],
        snapshot=None if snapshot is None else bytes(snapshot),
    )


def _monitor_values(row: MonitorRow) -> dict[str, Any]:
    return {
        "job_id": row.job_id,
        "baseline_id": row.baseline_id,
        "policy_digest": row.policy_digest,
        "counting": dict(row.counting),
        "closed_us": row.closed_us,
        "begun_us": row.begun_us,
        "revision": row.revision,
        "snapshot": row.snapshot,
    }
