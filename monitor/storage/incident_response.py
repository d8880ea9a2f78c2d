"""Timers, silences and the vault of the incidents in the database."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import insert, or_, select, update

from monitor.incidents.records import from_record, to_record
from monitor.incidents.silences import Silence
from monitor.incidents.suggestion import Tier
from monitor.incidents.timers import Timer, TimerKind
from monitor.incidents.vault import Sealed
from monitor.storage.errors import StorageError
from monitor.storage.incident_tables import (
    incident_key,
    incident_secret,
    incident_timer,
    silence,
)
from monitor.storage.statements import Connections, upsert

__all__ = ["SilenceRepository", "TimerRepository", "VaultRepository"]


class TimerRepository:
    """What is due in the incidents of one monitor."""

    def __init__(self, writing: Connections, reading: Connections, monitor: str) -> None:
        self._writing = writing
        self._reading = reading
        self._monitor = monitor

    def pending(self, incident_id: str | None = None) -> tuple[Timer, ...]:
        """Return the timers that have neither fired nor been cancelled, the worst first."""
        table = incident_timer
        query = select(table).where(
            table.c.monitor == self._monitor,
            table.c.fired_us.is_(None),
            table.c.cancelled_us.is_(None),
        )
        if incident_id is not None:
            query = query.where(table.c.incident_id == incident_id)
        with self._reading() as connection:
            rows = connection.execute(query).mappings().all()
        return tuple(sorted(map(_timer, rows), key=lambda each: each.urgency))

    def create(self, timers: Sequence[Timer]) -> None:
        """Keep new timers; one that is there already stays as it is."""
        columns = set(incident_timer.c.keys())
        rows = [
            {
                "monitor": self._monitor,
                **{key: value for key, value in to_record(timer).items() if key in columns},
                "leased_until_us": None,
                "fired_us": None,
                "cancelled_us": None,
            }
            for timer in timers
        ]
        with self._writing() as connection:
            upsert(connection, incident_timer, rows, replace=False)

    def cancel(self, timers: Sequence[Timer], *, at_us: int) -> None:
        """Take timers away that are not needed any more; they stay readable."""
        table = incident_timer
        with self._writing() as connection:
            connection.execute(
                update(table)
                .where(table.c.id.in_([timer.id for timer in timers]), table.c.fired_us.is_(None))
                .values(cancelled_us=at_us)
            )

    def claim(self, *, now_us: int, lease_us: int, limit: int = 100) -> tuple[Timer, ...]:
        """Return timers that are due, the worst first; nobody else gets them for a while.

        Parameters
        ----------
        now_us
            The time by the clock.
        lease_us
            After so long they can be claimed again: whoever claimed them did not fire them.
        limit
            Timers at most.
        """
        table = incident_timer
        query = select(table).where(
            table.c.monitor == self._monitor,
            table.c.due_us <= now_us,
            table.c.fired_us.is_(None),
            table.c.cancelled_us.is_(None),
            or_(table.c.leased_until_us.is_(None), table.c.leased_until_us <= now_us),
        )
        with self._reading() as connection:
            if connection.execute(query.limit(1)).first() is None:
                # Asked every few seconds: whoever writes is not kept waiting for nothing.
                return ()
        # SQLite lets one program write at a time, so there is nothing to skip.
        query = query.with_for_update(skip_locked=True)
        with self._writing() as connection:
            rows = connection.execute(query).mappings().all()
            due = sorted(map(_timer, rows), key=lambda each: each.urgency)[:limit]
            connection.execute(
                update(table)
                .where(table.c.id.in_([timer.id for timer in due]))
                .values(leased_until_us=now_us + lease_us)
            )
        return tuple(due)

    def fired(self, timer: Timer, *, at_us: int, late: bool) -> bool:
        """Note that a timer has fired; return whether it was this call that did it."""
        table = incident_timer
        with self._writing() as connection:
            done = connection.execute(
                update(table)
                .where(
                    table.c.id == timer.id,
                    table.c.fired_us.is_(None),
                    table.c.cancelled_us.is_(None),
                )
                .values(fired_us=at_us, late=late)
            )
        return bool(done.rowcount)

    def fired_kinds(self, incident_id: str) -> dict[tuple[TimerKind, int, Tier], int]:
        """Return when each kind and step last fired for a tier."""
        table = incident_timer
        query = select(table).where(
            table.c.incident_id == incident_id, table.c.fired_us.is_not(None)
        )
        with self._reading() as connection:
            rows = connection.execute(query.order_by(table.c.fired_us)).mappings().all()
        return {
            (TimerKind(row["kind"]), row["step"], Tier(row["tier"])): row["fired_us"]
            for row in rows
        }


class SilenceRepository:
    """The silences of one monitor."""

    def __init__(self, writing: Connections, reading: Connections, monitor: str) -> None:
        self._writing = writing
        self._reading = reading
        self._monitor = monitor

    def all(self) -> tuple[Silence, ...]:
        """Return every silence, also those that have ended, in order of beginning."""
        query = select(silence.c.body).where(silence.c.monitor == self._monitor)
        with self._reading() as connection:
            rows = connection.execute(query).all()
        silences = (from_record(Silence, row.body) for row in rows)
        return tuple(sorted(silences, key=lambda each: (each.from_us, each.id)))

    def find(self, beginning: str) -> Silence:
        """Return the silence whose id begins so.

        Raises
        ------
        StorageError
            If there is none, or more than one.
        """
        found = [each for each in self.all() if each.id.startswith(beginning.lower())]
        if len(found) != 1 or not beginning:
            message = (
                f"one silence must have an id that begins with {beginning!r}, got {len(found)}; "
                "see 'outputwatch silence list'"
            )
            raise StorageError(message)
        return found[0]

    def save(self, changed: Silence) -> None:
        """Insert a silence or replace it."""
        row = {
            "id": changed.id,
            "monitor": self._monitor,
            "until_us": changed.until_us,
            "body": to_record(changed),
        }
        with self._writing() as connection:
            upsert(connection, silence, [row])


class VaultRepository:
    """Encrypted contents, and a key for each incident."""

    def __init__(self, writing: Connections, reading: Connections) -> None:
        self._writing = writing
        self._reading = reading

    def key(self, incident_id: str, *, fresh: bytes | None = None) -> bytes | None:
        """Return the key of an incident; None if it was destroyed or never made.

        Parameters
        ----------
        incident_id
            The incident.
        fresh
            A key to keep if there is none yet; a destroyed one is not replaced.
        """
        query = select(incident_key.c.key).where(incident_key.c.incident_id == incident_id)
        if fresh is not None:
            row = {"incident_id": incident_id, "key": fresh, "destroyed_us": None}
            with self._writing() as connection:
                upsert(connection, incident_key, [row], replace=False)
        with self._reading() as connection:
            kept = connection.scalar(query)
        return None if kept is None else bytes(kept)

    def put(self, incident_id: str, secret: Sealed) -> None:
        """Keep a content."""
        row = {
            "incident_id": incident_id,
            "commitment": secret.commitment,
            "body": secret.body,
        }
        with self._writing() as connection:
            connection.execute(insert(incident_secret), row)

    def get(self, incident_id: str, commitment: str) -> Sealed:
        """Return a content, still encrypted.

        Raises
        ------
        StorageError
            If there is none.
        """
        table = incident_secret
        query = select(table.c.body).where(
            table.c.incident_id == incident_id, table.c.commitment == commitment
        )
        with self._reading() as connection:
            body = connection.scalar(query)
        if body is None:
            message = f"the vault holds nothing for the commitment {commitment[:12]!r}"
            raise StorageError(message)
        return Sealed(commitment=commitment, body=bytes(body))

    def destroy_key(self, incident_id: str, *, at_us: int) -> None:
        """Overwrite the key of an incident: its contents cannot be read any more.

        Copies of the database made before still hold the key, until they are destroyed too.
        """
        row = {"incident_id": incident_id, "key": None, "destroyed_us": at_us}
        with self._writing() as connection:
            if connection.dialect.name == "sqlite":
                # What is overwritten must not stay readable in free pages of the file.
                connection.exec_driver_sql("PRAGMA secure_delete = ON")
            upsert(connection, incident_key, [row])


def _timer(row: Mapping[Any, Any]) -> Timer:
    return Timer(
        id=row["id"],
        incident_id=row["incident_id"],
        kind=TimerKind(row["kind"]),
        step=row["step"],
        tier=Tier(row["tier"]),
        created_us=row["created_us"],
        due_us=row["due_us"],
        late=row["late"],
    )
