"""Where the partitions of a running monitor stand, and who owns them."""

import itertools
from collections.abc import Callable, Collection, Mapping
from typing import Any

from sqlalchemy import Connection, func, select, update

from monitor.storage.statements import in_batches, upsert
from monitor.storage.stream_monitor import MonitorRepository
from monitor.storage.stream_rows import Move, PartitionRow
from monitor.storage.stream_tables import partition

__all__ = ["PartitionRepository"]

_AT_ONCE = 500


class PartitionRepository(MonitorRepository):
    """The partitions of one running monitor."""

    def partitions(self) -> tuple[PartitionRow, ...]:
        """Return every partition that was ever claimed, by name."""
        query = select(partition).where(partition.c.monitor == self.name)
        with self._reading() as connection:
            rows = connection.execute(query.order_by(partition.c.name)).mappings()
            return tuple(_partition_row(row) for row in rows)

    def in_play(self, names: Collection[str]) -> tuple[PartitionRow, ...]:
        """Return the partitions that may bring more, and those with given names, by name.

        Rotated files, which become many, are left out: see `ended`.
        """
        here = partition.c.monitor == self.name
        with self._reading() as connection:
            found = connection.execute(
                select(partition).where(here, partition.c.ended.is_(False))
            ).mappings()
            rows = {row["name"]: _partition_row(row) for row in found}
            missing = iter(sorted(set(names) - rows.keys()))
            while some := list(itertools.islice(missing, _AT_ONCE)):
                named = select(partition).where(here, partition.c.name.in_(some))
                rows |= {
                    row["name"]: _partition_row(row)
                    for row in connection.execute(named).mappings()
                }
        return tuple(rows[name] for name in sorted(rows))

    def ended(self) -> PartitionRow | None:
        """Return all partitions that have ended as one without a name; None if none has."""
        query = select(
            func.count(), func.max(partition.c.newest_us), func.max(partition.c.moved_us)
        ).where(partition.c.monitor == self.name, partition.c.ended.is_(True))
        with self._reading() as connection:
            number, newest_us, moved_us = connection.execute(query).one()
        if not number:
            return None
        return PartitionRow(name="", ended=True, newest_us=newest_us, moved_us=moved_us)

    def expect(self, identities: Mapping[str, str], *, now_us: int) -> None:
        """Make rows for partitions that exist and have none yet; nobody owns them."""
        with self._writing() as connection:
            self._take_turn(connection)
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
        with self._writing() as connection:
            self._take_turn(connection)
            return {
                name: self._claimed(connection, name, identities[name], owner, now_us)
                for name in sorted(identities)
            }

    def claim_if(
        self, name: str, may: Callable[[PartitionRow], bool], *, owner: str, now_us: int
    ) -> PartitionRow:
        """Make `owner` the owner of a partition if it may be, judged by the present row.

        The row is returned as it was left; its owner tells whether it was claimed.
        """
        with self._reading() as connection:
            known = self._row(connection, name)
        if known is not None and not may(known):
            # Asked again and again: nobody who writes shall wait for it.
            return known
        with self._writing() as connection:
            self._take_turn(connection)
            known = self._row(connection, name)
            if known is not None and not may(known):
                return known
            return self._claimed(connection, name, "", owner, now_us)

    def release(self, epochs: Mapping[str, int], *, now_us: int) -> None:
        """Say that partitions have no owner now, those that still have the given epochs."""
        with self._writing() as connection:
            self._take_turn(connection)
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

    def _row(self, connection: Connection, name: str) -> PartitionRow | None:
        query = select(partition).where(partition.c.monitor == self.name, partition.c.name == name)
        found = connection.execute(query).mappings().one_or_none()
        return None if found is None else _partition_row(found)

    def _claimed(
        self, connection: Connection, name: str, identity: str, owner: str, now_us: int
    ) -> PartitionRow:
        fresh = self._fresh(name, identity, now_us)
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
        return _partition_row(connection.execute(change).mappings().one())

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
