"""The ledger of an audit: each unit's partial counts, written once."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, delete, exists, insert, select

from monitor.storage.statements import Connections, in_batches, paged
from monitor.storage.tables import dead_letter, partial, unit

__all__ = ["Ledger", "Merged", "Partial", "Totals"]

Partial = tuple[str, int, int, bytes]
"""One unit's counts of one window: slice, start and end in microseconds, encoded counts."""

Merged = tuple[int, int, str, list[bytes]]
"""A window's partial counts: start and end in microseconds, slice, one body for each unit."""

_PAGE = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What the finished units of an audit held.

    Parameters
    ----------
    n_units
        Finished units.
    n_records
        Records that were read.
    n_rows
        Records that were counted.
    n_lines
        Lines that were read, blank ones included; 0 for formats without lines.
    rejected
        Records that were not counted, by reason.
    remarks
        Oddities in records that were counted, by kind.
    """

    n_units: int
    n_records: int
    n_rows: int
    n_lines: int
    rejected: Mapping[str, int]
    remarks: Mapping[str, int]


class Ledger:
    """What one audit has finished, so that it can be interrupted and resumed.

    A unit's id names its content (path, size, time, position), so a unit that is put twice,
    by two runners or after a crash, counts once.
    """

    def __init__(self, writing: Connections, reading: Connections, job_id: str) -> None:
        self._writing = writing
        self._reading = reading
        self.job_id = job_id

    def finished(self) -> frozenset[str]:
        """Return the ids of the units that are done."""
        query = select(unit.c.unit_id).where(unit.c.job_id == self.job_id)
        with self._reading() as connection:
            return frozenset(connection.scalars(query))

    def put(
        self,
        unit_id: str,
        *,
        n_records: int,
        n_rows: int,
        rejected: Mapping[str, int],
        remarks: Mapping[str, int] | None = None,
        samples: Iterable[Mapping[str, Any]] = (),
        n_lines: int = 0,
        partials: Iterable[Partial] = (),
    ) -> bool:
        """Write everything that one unit gave, in one transaction.

        Parameters
        ----------
        unit_id
            Names the content of the unit.
        n_records, n_rows, n_lines
            Records read, rows counted and lines read.
        rejected
            Records that were not counted, by reason.
        remarks
            Oddities in records that were counted, by kind.
        samples
            A few rejected records as JSON objects; each names its ``reason``.
        partials
            Slice, start, end and encoded counts of every window that the unit touched.

        Returns
        -------
        bool
            False if the unit was there already; nothing is then written.
        """
        row = {
            "job_id": self.job_id,
            "unit_id": unit_id,
            "n_records": n_records,
            "n_rows": n_rows,
            "n_lines": n_lines,
            "rejected": _words(rejected),
            "remarks": _words(remarks or {}),
        }
        with self._writing() as connection:
            if self._has(connection, unit_id):
                return False
            connection.execute(insert(unit), row)
            for batch in in_batches(self._partial_rows(unit_id, partials)):
                connection.execute(insert(partial), batch)
            for batch in in_batches(self._sample_rows(unit_id, samples)):
                connection.execute(insert(dead_letter), batch)
        return True

    def merged(self) -> Iterator[Merged]:
        """Yield the partial counts of each window, in order of start, slice and end.

        The bodies of one window are in order of unit id; a few of them are in memory at a
        time, whatever the size of the audit. Other methods may be called in between.
        """
        columns = (partial.c.start_us, partial.c.slice, partial.c.end_us, partial.c.unit_id)
        query = select(*columns, partial.c.body).where(partial.c.job_id == self.job_id)
        rows = paged(self._reading, query, columns, size=_PAGE)
        for key, group in groupby(rows, key=itemgetter("start_us", "end_us", "slice")):
            yield (*key, [bytes(row["body"]) for row in group])

    def totals(self) -> Totals:
        """Return what the finished units held, together."""
        query = select(unit).where(unit.c.job_id == self.job_id)
        n_units = 0
        counts: Counter[str] = Counter()
        rejected: Counter[str] = Counter()
        remarks: Counter[str] = Counter()
        for row in paged(self._reading, query, (unit.c.unit_id,), size=1_000):
            n_units += 1
            counts.update({name: row[name] for name in ("n_records", "n_rows", "n_lines")})
            rejected.update(row["rejected"])
            remarks.update(row["remarks"])
        return Totals(
            n_units=n_units,
            n_records=counts["n_records"],
            n_rows=counts["n_rows"],
            n_lines=counts["n_lines"],
            rejected=dict(sorted(rejected.items())),
            remarks=dict(sorted(remarks.items())),
        )

    def samples(self, limit: int = 100) -> tuple[Mapping[str, Any], ...]:
        """Return the first kept rejections, in order of unit."""
        query = select(dead_letter).where(dead_letter.c.job_id == self.job_id)
        query = query.order_by(dead_letter.c.unit_id, dead_letter.c.ordinal).limit(limit)
        with self._reading() as connection:
            return tuple({"unit_id": row.unit_id, **row.body} for row in connection.execute(query))

    def clear(self) -> None:
        """Forget every unit, to begin anew."""
        with self._writing() as connection:
            for table in (partial, dead_letter, unit):
                connection.execute(delete(table).where(table.c.job_id == self.job_id))

    def _has(self, connection: Connection, unit_id: str) -> bool:
        query = exists().where(unit.c.job_id == self.job_id, unit.c.unit_id == unit_id)
        return bool(connection.scalar(select(query)))

    def _partial_rows(
        self, unit_id: str, partials: Iterable[Partial]
    ) -> Iterator[Mapping[str, Any]]:
        for slice_, start_us, end_us, body in partials:
            yield {
                "job_id": self.job_id,
                "unit_id": unit_id,
                "slice": slice_,
                "start_us": start_us,
                "end_us": end_us,
                "body": body,
            }

    def _sample_rows(
        self, unit_id: str, samples: Iterable[Mapping[str, Any]]
    ) -> Iterator[Mapping[str, Any]]:
        for ordinal, sample in enumerate(samples):
            yield {
                "job_id": self.job_id,
                "unit_id": unit_id,
                "ordinal": ordinal,
                "reason": str(sample["reason"]),
                "body": dict(sample),
            }


def _words(counts: Mapping[str, int]) -> dict[str, int]:
    # A member of a string enum is a key like any other.
    return {str(key): int(count) for key, count in sorted(counts.items())}
