"""Where a running monitor stands: its partitions, and the windows that are not decided yet."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, delete, func, select, update

from monitor.storage.statements import Connections, in_batches, paged, upsert
from monitor.storage.stream_tables import monitor, open_partial, partition, seen_ids, stream_letter

__all__ = ["Letter", "MonitorRow", "Move", "PartialRow", "PartitionRow", "StreamRepository"]

_PAGE = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorRow:
    """What all workers of a monitor share.

    Parameters
    ----------
    job_id
        Under which its windows and findings are kept.
    baseline_id
        What windows are counted on and compared with.
    policy_digest
        How windows are decided.
    counting
        How events are cut into windows and slices.
    closed_us
        Start of the last stretch of time that was closed; None before the first.
    revision
        Grows with every decision.
    snapshot
        The evidence after the last decision; None: to be gathered anew.
    """

    job_id: str
    baseline_id: str
    policy_digest: str
    counting: Mapping[str, Any]
    closed_us: int | None = None
    revision: int = 0
    snapshot: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionRow:
    """Where one partition stands; times are microseconds by the wall clock, except `newest_us`.

    Parameters
    ----------
    name, identity
        What it is called, and what it was when its position was written.
    position
        Where to go on; None: nothing of it was counted yet.
    epoch, owner
        The number of its present owner, and that worker's name; empty: nobody.
    newest_us
        The newest event time that was counted, None without any.
    caught_up, ended
        Whether everything there was had been read, and whether no more will ever come.
    moved_us, attended_us
        When its last record came, and when its owner last said where it stands.
    tally
        What became of its records, by kind.
    """

    name: str
    identity: str = ""
    position: int | None = None
    epoch: int = 0
    owner: str = ""
    newest_us: int | None = None
    caught_up: bool = False
    ended: bool = False
    moved_us: int = 0
    attended_us: int = 0
    tally: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A partition's new place, valid only if nobody else took it over or moved it.

    `epoch` and `old` are what the owner believes; the rest is as in `PartitionRow`.
    """

    name: str
    epoch: int
    old: int | None
    new: int | None
    newest_us: int | None
    caught_up: bool
    ended: bool
    moved_us: int
    attended_us: int
    tally: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartialRow:
    """What one partition adds to one open window: encoded counts."""

    partition: str
    slice: str
    start_us: int
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A record that was not counted, or a stretch of records that could not be read."""

    partition: str
    position: int
    reason: str
    recorded_us: int
    body: Mapping[str, Any]


class StreamRepository:
    """The state of one running monitor in the database.

    Parameters
    ----------
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

    def partitions(self) -> tuple[PartitionRow, ...]:
        """Return every partition that was ever claimed, by name."""
        query = select(partition).where(partition.c.monitor == self.name)
        with self._reading() as connection:
            rows = connection.execute(query.order_by(partition.c.name)).mappings()
            return tuple(_partition_row(row) for row in rows)

    def expect(self, identities: Mapping[str, str], *, now_us: int) -> None:
        """Make rows for partitions that exist and have none yet; nobody owns them."""
        with self._writing() as connection:
            _monitor(connection, self.name, lock=True)
            rows = [self._fresh(name, identities[name], now_us) for name in sorted(identities)]
            for batch in in_batches(rows):
                upsert(connection, partition, batch, replace=False)

    def claim(
        self, identities: Mapping[str, str], *, owner: str, now_us: int
    ) -> dict[str, PartitionRow]:
        """Make `owner` the owner of partitions, given with their present identities.

        The rows are returned as they were left, with the new epoch: an identity that differs
        from the present one means that the partition is another one now.
        """
        claimed: dict[str, PartitionRow] = {}
        with self._writing() as connection:
            # Taken first by everybody who will write: nobody waits in a circle.
            _monitor(connection, self.name, lock=True)
            for name in sorted(identities):
                fresh = self._fresh(name, identities[name], now_us)
                upsert(connection, partition, [fresh], replace=False)
                change = (
                    update(partition)
                    .where(partition.c.monitor == self.name, partition.c.name == name)
                    .values(
                        epoch=partition.c.epoch + 1,
                        owner=owner,
                        caught_up=False,
                        moved_us=now_us,
                        attended_us=now_us,
                    )
                    .returning(partition)
                )
                claimed[name] = _partition_row(connection.execute(change).mappings().one())
        return claimed

    def release(self, epochs: Mapping[str, int], *, now_us: int) -> None:
        """Say that partitions have no owner now, those that still have the given epochs."""
        with self._writing() as connection:
            _monitor(connection, self.name, lock=True)
            for name, epoch in sorted(epochs.items()):
                connection.execute(
                    update(partition)
                    .where(
                        partition.c.monitor == self.name,
                        partition.c.name == name,
                        partition.c.epoch == epoch,
                    )
                    .values(owner="", caught_up=False, attended_us=now_us)
                )

    def renew(self, name: str, epoch: int, identity: str) -> None:
        """Begin a partition anew, at 0, that is another one than its position was written for."""
        with self._writing() as connection:
            connection.execute(
                update(partition)
                .where(
                    partition.c.monitor == self.name,
                    partition.c.name == name,
                    partition.c.epoch == epoch,
                )
                .values(identity=identity, position=0, ended=False)
            )

    def move(self, change: Move) -> bool:
        """Write where a partition stands; False if another worker owns it by now."""
        place = partition.c.position
        expected = place.is_(None) if change.old is None else place == change.old
        with self._writing() as connection:
            result = connection.execute(
                update(partition)
                .where(
                    partition.c.monitor == self.name,
                    partition.c.name == change.name,
                    partition.c.epoch == change.epoch,
                    expected,
                )
                .values(
                    position=change.new,
                    newest_us=change.newest_us,
                    caught_up=change.caught_up,
                    ended=change.ended,
                    moved_us=change.moved_us,
                    attended_us=change.attended_us,
                    tally=dict(change.tally),
                )
            )
            return result.rowcount == 1

    def put_partials(self, rows: Iterable[PartialRow]) -> None:
        """Write what partitions add to open windows, in place of what they added before."""
        values = (
            {
                "monitor": self.name,
                "start_us": row.start_us,
                "slice": row.slice,
                "partition": row.partition,
                "body": row.body,
            }
            for row in rows
        )
        with self._writing() as connection:
            for batch in in_batches(values):
                upsert(connection, open_partial, batch)

    def partials_of(self, name: str) -> dict[tuple[str, int], bytes]:
        """Return what one partition adds to open windows, by slice and start."""
        query = select(open_partial).where(
            open_partial.c.monitor == self.name, open_partial.c.partition == name
        )
        with self._reading() as connection:
            return {
                (row.slice, row.start_us): bytes(row.body) for row in connection.execute(query)
            }

    def open_starts(self) -> tuple[int, ...]:
        """Return the starts of the stretches of time that are open, ascending."""
        query = select(open_partial.c.start_us).where(open_partial.c.monitor == self.name)
        with self._reading() as connection:
            starts = connection.scalars(query.distinct().order_by(open_partial.c.start_us))
            return tuple(starts)

    def merged(self, until_us: int) -> Iterator[tuple[int, str, list[bytes]]]:
        """Yield start, slice and one body for each partition of windows that begin before a time.

        In order of start and slice; a few of them are in memory at a time.
        """
        columns = (open_partial.c.start_us, open_partial.c.slice, open_partial.c.partition)
        query = select(*columns, open_partial.c.body).where(
            open_partial.c.monitor == self.name, open_partial.c.start_us < until_us
        )
        rows = paged(self._reading, query, columns, size=_PAGE)
        for (start_us, slice_), group in itertools.groupby(
            rows, key=lambda row: (row["start_us"], row["slice"])
        ):
            yield start_us, slice_, [bytes(row["body"]) for row in group]

    def forget_open(self, until_us: int) -> None:
        """Delete the partial counts and the event ids of windows that begin before a time."""
        with self._writing() as connection:
            for table in (open_partial, seen_ids):
                connection.execute(
                    delete(table).where(table.c.monitor == self.name, table.c.start_us < until_us)
                )

    def add_ids(self, name: str, start_us: int, position: int, body: bytes) -> None:
        """Keep the hashes of event ids that were counted in an open window.

        Those that are kept at the same position, of a partition that began anew, stay.
        """
        at = (
            seen_ids.c.monitor == self.name,
            seen_ids.c.partition == name,
            seen_ids.c.start_us == start_us,
            seen_ids.c.position == position,
        )
        with self._writing() as connection:
            known = connection.scalar(select(seen_ids.c.body).where(*at))
        body = body if known is None else bytes(known) + body
        row = {
            "monitor": self.name,
            "partition": name,
            "start_us": start_us,
            "position": position,
            "body": body,
        }
        with self._writing() as connection:
            upsert(connection, seen_ids, [row])

    def ids_of(self, name: str) -> Iterator[tuple[int, bytes]]:
        """Yield start and hashes of the event ids that a partition counted in open windows."""
        query = select(seen_ids.c.start_us, seen_ids.c.body).where(
            seen_ids.c.monitor == self.name, seen_ids.c.partition == name
        )
        with self._reading() as connection:
            for row in connection.execute(query):
                yield row.start_us, bytes(row.body)

    def add_letters(self, letters: Sequence[Letter], *, limit: int) -> int:
        """Keep samples of what was not counted, `limit` of each reason; return how many."""
        kept = 0
        with self._writing() as connection:
            counts: dict[str, int] = {}
            for letter in letters:
                if letter.reason not in counts:
                    counts[letter.reason] = self._letters(connection, letter.reason)
                if counts[letter.reason] >= limit:
                    continue
                counts[letter.reason] += 1
                kept += 1
                row = {
                    "monitor": self.name,
                    "partition": letter.partition,
                    "position": letter.position,
                    "reason": letter.reason,
                    "recorded_us": letter.recorded_us,
                    "body": dict(letter.body),
                }
                upsert(connection, stream_letter, [row], replace=False)
        return kept

    def letters(self, *, limit: int = 1_000) -> tuple[Letter, ...]:
        """Return samples of what was not counted, by partition and position."""
        table = stream_letter
        query = select(table).where(table.c.monitor == self.name)
        query = query.order_by(table.c.partition, table.c.position, table.c.reason).limit(limit)
        with self._reading() as connection:
            return tuple(
                Letter(
                    partition=row.partition,
                    position=row.position,
                    reason=row.reason,
                    recorded_us=row.recorded_us,
                    body=row.body,
                )
                for row in connection.execute(query)
            )

    def _fresh(self, name: str, identity: str, now_us: int) -> dict[str, Any]:
        return {
            "monitor": self.name,
            "name": name,
            "identity": identity,
            "position": None,
            "epoch": 0,
            "owner": "",
            "newest_us": None,
            "caught_up": False,
            "ended": False,
            "moved_us": now_us,
            "attended_us": now_us,
            "tally": {},
        }

    def _letters(self, connection: Connection, reason: str) -> int:
        table = stream_letter
        query = select(func.count()).where(table.c.monitor == self.name, table.c.reason == reason)
        return int(connection.scalar(query) or 0)


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
        "revision": row.revision,
        "snapshot": row.snapshot,
    }


def _partition_row(row: Mapping[Any, Any]) -> PartitionRow:
    return PartitionRow(
        name=row["name"],
        identity=row["identity"],
        position=row["position"],
        epoch=row["epoch"],
        owner=row["owner"],
        newest_us=row["newest_us"],
        caught_up=row["caught_up"],
        ended=row["ended"],
        moved_us=row["moved_us"],
        attended_us=row["attended_us"],
        tally=row["tally"],
    )
