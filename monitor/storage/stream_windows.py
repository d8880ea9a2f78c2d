"""What partitions have counted of windows that are open, and the event ids seen in them."""

import itertools
from collections.abc import Iterable, Iterator

from sqlalchemy import delete, select

from monitor.storage.statements import in_batches, paged, upsert
from monitor.storage.stream_monitor import MonitorRepository
from monitor.storage.stream_rows import PartialRow
from monitor.storage.stream_tables import open_partial, seen_ids

__all__ = ["OpenWindowRepository"]

_PAGE = 64


class OpenWindowRepository(MonitorRepository):
    """The open windows of one running monitor."""

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
