"""Incidents and their timelines in the database."""

import itertools
import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, Select, exists, func, insert, select, text, update

from monitor.incidents.grouping import Changes
from monitor.incidents.model import Incident
from monitor.incidents.records import canonical_json, from_record, to_record
from monitor.incidents.states import ACTIVE, IncidentState
from monitor.incidents.timeline import (
    FIRST_PREV,
    EntryKind,
    RecordedEntry,
    TimelineEntry,
    broken_links,
    chained,
)
from monitor.storage.errors import ConcurrentWriteError, StaleIncidentError, StorageError
from monitor.storage.incident_response import (
    SilenceRepository,
    TimerRepository,
    VaultRepository,
)
from monitor.storage.incident_tables import incident_signal
from monitor.storage.statements import Connections, upsert
from monitor.storage.tables import incident, incident_entry

__all__ = ["IncidentRepository"]

_WORKED_ON = ACTIVE | {IncidentState.RESOLVED, IncidentState.IN_REVIEW}

_PROMISING = (
    EntryKind.ACTION_ITEM,
    EntryKind.CLOCK_STARTED,
    EntryKind.DRAFT_SENT,
    EntryKind.ROLLBACK_APPROVED,
)
_AT_ONCE = 500
# Any number will do as long as no other program picks it.
_LOCK = 1_612_508_374


class IncidentRepository:
    """The incidents of one monitor, or of all of them.

    Parameters
    ----------
    monitor
        Whose incidents; None reads those of every monitor, and writes nothing.
    """

    def __init__(self, writing: Connections, reading: Connections, monitor: str | None) -> None:
        self._writing = writing
        self._reading = reading
        self._monitor = monitor

    def all(self, states: Iterable[IncidentState] | None = None) -> tuple[Incident, ...]:
        """Return the incidents, those in some states only if these are given, oldest first."""
        query = self._select()
        if states is not None:
            query = query.where(incident.c.state.in_([str(state) for state in states]))
        return self._load(query)

    def active(self) -> tuple[Incident, ...]:
        """Return the incidents that breaches can join."""
        return self.all(ACTIVE)

    def holding(self, fingerprints: Collection[str]) -> tuple[Incident, ...]:
        """Return the incidents that ever held one of these signals, oldest first.

        Those of other signals are not read, however many there are.
        """
        found: dict[str, Incident] = {}
        wanted = iter(sorted(set(fingerprints)))
        while some := list(itertools.islice(wanted, _AT_ONCE)):
            held = select(incident_signal.c.incident_id).where(
                incident_signal.c.fingerprint.in_(some)
            )
            loaded = self._load(self._select().where(incident.c.id.in_(held)))
            found |= {each.id: each for each in loaded}
        return tuple(
            sorted(found.values(), key=lambda each: (each.first_window.start_us, each.id))
        )

    def find(self, id_or_number: str) -> Incident:
        """Return the incident with an id, an id's unique beginning, or a number.

        Raises
        ------
        StorageError
            If there is none, or more than one.
        """
        if id_or_number.isdecimal() and len(id_or_number) < 9:
            numbered = self._load(self._select().where(incident.c.number == int(id_or_number)))
            if numbered:
                return numbered[0]
        prefix = id_or_number.lower()
        found = self._load(
            self._select().where(func.substr(incident.c.id, 1, len(prefix)) == prefix).limit(3)
        )
        if prefix and len(found) == 1:
            return found[0]
        if not found:
            message = (
                f"no incident has an id that begins with {id_or_number!r}, nor this number; "
                "see 'outputwatch incident list'"
            )
            raise StorageError(message)
        message = f"more than one incident begins with {id_or_number!r}; give more characters"
        raise StorageError(message)

    def take_turn(self) -> None:
        """Wait until nobody else writes incidents, and keep them waiting until this is written.

        Who reads an incident, decides, and writes in one transaction begins with this: then
        nobody writes it in between. The lock ends with the transaction.
        """
        with self._writing() as connection:
            _take_turn(connection)

    def apply(self, changes: Changes, *, recorded_us: int) -> tuple[Incident, ...]:
        """Store changed incidents and add to their timelines, in one transaction.

        Returns
        -------
        tuple of Incident
            The stored incidents, numbered.

        Raises
        ------
        StaleIncidentError
            If somebody else changed one of them after it was read; nothing is written then.
        """
        with self._writing() as connection:
            _take_turn(connection)
            _refuse_the_stale(connection, changes.incidents)
            stored = tuple(self._save(connection, each) for each in changes.incidents)
            for incident_id, entries in changes.entries.items():
                _append(connection, incident_id, entries, recorded_us)
        return stored

    def save(self, changed: Incident) -> Incident:
        """Insert an incident or replace its latest version; a new one gets a number.

        Raises
        ------
        ConcurrentWriteError
            If somebody else changed it after it was read.
        """
        with self._writing() as connection:
            _take_turn(connection)
            return self._save(connection, changed)

    def append(
        self, incident_id: str, entries: Iterable[TimelineEntry], *, recorded_us: int
    ) -> None:
        """Add entries to a timeline; one that is there already is not told twice."""
        with self._writing() as connection:
            _take_turn(connection)
            _append(connection, incident_id, entries, recorded_us)

    def heads(self) -> dict[str, tuple[int, int]]:
        """Return version and last entry of every incident that is not closed."""
        table = incident_entry
        last = func.coalesce(func.max(table.c.seq), 0)
        query = (
            select(incident.c.id, incident.c.version, last)
            .outerjoin(table, table.c.incident_id == incident.c.id)
            .where(
                incident.c.monitor == self._named(),
                incident.c.state.in_([str(state) for state in _WORKED_ON]),
            )
            .group_by(incident.c.id, incident.c.version)
        )
        with self._reading() as connection:
            return {id_: (version, seq) for id_, version, seq in connection.execute(query)}

    def keeping_promises(self) -> tuple[str, ...]:
        """Return the incidents that nobody works on any more and that may still owe something.

        Their timelines tell whether anything of it is still due.
        """
        query = (
            select(incident.c.id)
            .where(
                incident.c.monitor == self._named(),
                incident.c.state.not_in([str(state) for state in _WORKED_ON]),
                exists().where(
                    incident_entry.c.incident_id == incident.c.id,
                    incident_entry.c.kind.in_([str(kind) for kind in _PROMISING]),
                ),
            )
            .order_by(incident.c.id)
        )
        with self._reading() as connection:
            return tuple(connection.scalars(query))

    def timers(self) -> TimerRepository:
        """Return what is due in the incidents of this monitor."""
        return TimerRepository(self._writing, self._reading, self._named())

    def silences(self) -> SilenceRepository:
        """Return the silences of this monitor."""
        return SilenceRepository(self._writing, self._reading, self._named())

    def vault(self) -> VaultRepository:
        """Return the encrypted contents of incidents."""
        return VaultRepository(self._writing, self._reading)

    def monitor_of(self, incident_id: str) -> str:
        """Return the name of the monitor that an incident belongs to."""
        query = select(incident.c.monitor).where(incident.c.id == incident_id)
        with self._reading() as connection:
            return str(connection.execute(query).scalar_one())

    def timeline(self, incident_id: str) -> tuple[RecordedEntry, ...]:
        """Return the timeline of an incident, in order."""
        table = incident_entry
        query = select(table).where(table.c.incident_id == incident_id).order_by(table.c.seq)
        with self._reading() as connection:
            return tuple(_entry(row) for row in connection.execute(query).mappings())

    def broken_links(self, incident_id: str) -> tuple[int, ...]:
        """Return the numbers of timeline entries that were changed behind our back."""
        return broken_links(self.timeline(incident_id))

    def _select(self) -> Select[Any]:
        query = select(incident.c.body, incident.c.number)
        if self._monitor is not None:
            query = query.where(incident.c.monitor == self._monitor)
        return query.order_by(incident.c.first_us, incident.c.id)

    def _load(self, query: Select[Any]) -> tuple[Incident, ...]:
        with self._reading() as connection:
            rows = connection.execute(query).all()
        return tuple(from_record(Incident, {**row.body, "number": row.number}) for row in rows)

    def _save(self, connection: Connection, changed: Incident) -> Incident:
        monitor = self._named()
        known = connection.execute(
            select(incident.c.number, incident.c.version, incident.c.body).where(
                incident.c.id == changed.id
            )
        ).one_or_none()
        number = known.number if known else _next_number(connection)
        row = {"monitor": monitor, "number": number, **_row(changed, number)}
        if known is None:
            connection.execute(insert(incident), row)
        elif known.version == changed.version - 1:
            same = (incident.c.id == changed.id) & (incident.c.version == known.version)
            # Another program may have written it since the lines above.
            if not connection.execute(update(incident).where(same).values(row)).rowcount:
                raise ConcurrentWriteError
        elif known.version != changed.version or known.body != row["body"]:
            raise ConcurrentWriteError
        _save_signals(connection, changed)
        return from_record(Incident, row["body"])

    def _named(self) -> str:
        if self._monitor is None:
            message = "incidents are stored for one monitor; name it"
            raise ValueError(message)
        return self._monitor


def _row(changed: Incident, number: int) -> dict[str, Any]:
    return {
        "id": changed.id,
        "state": str(changed.state),
        "failure_mode": str(changed.failure_mode),
        "tier": str(changed.suggestion.tier),
        "could_be": str(changed.could_be),
        "confirmed": str(changed.confirmed) if changed.confirmed else None,
        "first_us": changed.first_window.start_us,
        "last_us": changed.last_window.end_us,
        "version": changed.version,
        "body": {**to_record(changed), "number": number},
    }


def _save_signals(connection: Connection, changed: Incident) -> None:
    # None is ever taken out: an incident that gave a signal away goes on to tell of it.
    fingerprints = sorted({signal.fingerprint for signal in changed.signals})
    rows = [{"fingerprint": each, "incident_id": changed.id} for each in fingerprints]
    upsert(connection, incident_signal, rows, replace=False)


def _take_turn(connection: Connection) -> None:
    # SQLite has one writer at a time anyway. Numbers are of the whole database, so the lock is.
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


def _refuse_the_stale(connection: Connection, changed: Iterable[Incident]) -> None:
    """Look at all of them before the first is written, so that it can be done once more."""
    wanted = {each.id: each.version for each in changed}
    query = select(incident.c.id, incident.c.version).where(incident.c.id.in_(wanted))
    for row in connection.execute(query):
        if row.version not in (wanted[row.id] - 1, wanted[row.id]):
            raise StaleIncidentError


def _next_number(connection: Connection) -> int:
    return int(connection.scalar(select(func.coalesce(func.max(incident.c.number), 0))) or 0) + 1


def _append(
    connection: Connection,
    incident_id: str,
    entries: Iterable[TimelineEntry],
    recorded_us: int,
) -> None:
    table = incident_entry
    of_incident = select(table.c.seq, table.c.hash).where(table.c.incident_id == incident_id)
    last = connection.execute(of_incident.order_by(table.c.seq.desc()).limit(1)).one_or_none()
    seq, prev = (last.seq, last.hash) if last else (0, FIRST_PREV)
    for entry in entries:
        told = of_incident.where(table.c.key == entry.key)
        if connection.execute(told).one_or_none() is not None:
            continue
        seq += 1
        recorded = chained(incident_id, entry, seq=seq, recorded_us=recorded_us, prev=prev)
        connection.execute(insert(table), _entry_row(recorded))
        prev = recorded.hash


def _entry_row(recorded: RecordedEntry) -> dict[str, Any]:
    entry = recorded.entry
    return {
        "incident_id": recorded.incident_id,
        "seq": recorded.seq,
        "key": entry.key,
        "kind": str(entry.kind),
        "occurred_us": entry.occurred_us,
        "known_us": entry.known_us,
        "recorded_us": recorded.recorded_us,
        "actor": entry.actor,
        "body": canonical_json(entry.body),
        "prev": recorded.prev,
        "hash": recorded.hash,
    }


def _entry(row: Mapping[Any, Any]) -> RecordedEntry:
    return RecordedEntry(
        incident_id=row["incident_id"],
        seq=row["seq"],
        entry=TimelineEntry(
            kind=EntryKind(row["kind"]),
            occurred_us=row["occurred_us"],
            known_us=row["known_us"],
            actor=row["actor"],
            body=json.loads(row["body"]),
        ),
        recorded_us=row["recorded_us"],
        prev=row["prev"],
        hash=row["hash"],
    )
