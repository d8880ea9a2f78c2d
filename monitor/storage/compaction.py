"""Windows that are old, added up to days and days to months of UTC.

Counts are integers on fixed bins, so a sum of windows is what counting on the longer window
gives. What was added up is in a table of its own: whoever judges windows meets only those of
the length that was asked for.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import ColumnElement, Connection, Select, Table, delete, func, select

from baselines.packing import BaselineFormatError, decode_counts, encode_counts, encoded_length
from monitor.storage.errors import StorageError
from monitor.storage.statements import in_batches, paged, upsert
from monitor.storage.store import Store
from monitor.storage.stream_tables import compacted_window
from monitor.storage.tables import window_summary

__all__ = [
    "CompactedWindow",
    "Compaction",
    "CompactionError",
    "Resolution",
    "compact_days",
    "compact_months",
    "compacted_until",
    "compacted_windows",
    "first_full",
    "newest_end",
]

_DAY_US = 86_400_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PAGE = 256


class Resolution(StrEnum):
    """How long windows are that were added up."""

    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactedWindow:
    """Windows of one slice that were added up.

    Parameters
    ----------
    resolution
        To what.
    start_us, end_us
        Of the day or month, in UTC.
    slice
        Which traffic.
    n_windows
        Windows that were added. A slice that not every window kept has fewer of them than
        ``all`` has, and its rest is in the slice of other values.
    n_rows, baseline_id, body
        As of a stored window.
    n_cut_short
        Windows among them that were closed before their time: `n_rows` is then less than what
        so many whole windows hold.
    """

    resolution: Resolution
    start_us: int
    end_us: int
    slice: str
    n_windows: int
    n_rows: int
    baseline_id: str
    body: bytes
    n_cut_short: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Compaction:
    """What one step did.

    Parameters
    ----------
    n_before, n_after
        Rows that were added up, and rows that hold their sums.
    """

    n_before: int
    n_after: int


class CompactionError(StorageError):
    """Windows that cannot be added up to days."""


@dataclass(slots=True)
class _Sum:
    """Counts of one slice that are being added up."""

    baseline_id: str
    counts: npt.NDArray[np.int64]
    n_windows: int = 0
    n_cut_short: int = 0

    def add(self, body: bytes, n_windows: int, n_cut_short: int) -> None:
        self.counts += decode_counts(body, len(self.counts))
        self.n_windows += n_windows
        self.n_cut_short += n_cut_short


@dataclass(slots=True)
class _Sums:
    """The sums of one day or month by slice, and what they were made of."""

    resolution: Resolution
    start_us: int
    end_us: int
    by_slice: dict[str, _Sum] = field(default_factory=dict)
    n_before: int = 0
    n_rows: int = 0

    def add(self, row: Mapping[str, Any]) -> None:
        body = bytes(row["body"])
        name = row["slice"]
        try:
            if name not in self.by_slice:
                zero = np.zeros(encoded_length(body), dtype=np.int64)
                self.by_slice[name] = _Sum(row["baseline_id"], zero)
            n_cut_short = int(row["n_cut_short"] if "n_cut_short" in row else row["cut_short"])
            self.by_slice[name].add(body, int(row.get("n_windows", 1)), n_cut_short)
        except BaselineFormatError as error:
            message = (
                f"the window of {name!r} that begins at {_text(row['start_us'])} cannot be added "
                f"up: {error}; see 'outputwatch database check'"
            )
            raise CompactionError(message) from error
        self.n_before += 1
        self.n_rows += int(row["n_rows"])

    def rows(self, job_id: str) -> Iterator[dict[str, Any]]:
        for name, total in sorted(self.by_slice.items()):
            yield {
                "job_id": job_id,
                "resolution": str(self.resolution),
                "start_us": self.start_us,
                "slice": name,
                "end_us": self.end_us,
                "n_windows": total.n_windows,
                "n_cut_short": total.n_cut_short,
                "n_rows": int(total.counts[0]),
                "baseline_id": total.baseline_id,
                "body": encode_counts(total.counts),
            }


def compact_days(
    store: Store,
    job_id: str,
    before_us: int,
    *,
    monitor: str | None = None,
    dry_run: bool = False,
) -> Iterator[Compaction]:
    """Add windows of event time up to days that end at or before a time; a step for each day.

    Windows are read and added before the transaction begins, which replaces them by their sums
    if they are still the same; else they wait for the next time.

    Parameters
    ----------
    store
        The database.
    job_id
        Whose windows.
    before_us
        The time.
    monitor
        The monitor that may be amending these windows meanwhile, as another writer.
    dry_run
        Whether nothing is replaced.

    Raises
    ------
    CompactionError
        If a window goes beyond its day, or cannot be read.
    """
    table, position = window_summary, None
    while True:
        first = first_full(store, job_id, position)
        if first is None:
            return
        start = first // _DAY_US * _DAY_US
        end = start + _DAY_US
        if end > before_us:
            return
        position = end
        chosen = _of_time(job_id) & (table.c.start_us >= start) & (table.c.start_us < end)
        sums = _Sums(Resolution.DAY, start, end)
        query = select(table).where(chosen)
        for row in paged(store.reading, query, _key(table), size=_PAGE):
            if row["end_us"] > end:
                message = (
                    f"windows of the job {job_id[:12]} must lie within a day of UTC to be added "
                    f"up, one goes from {_text(row['start_us'])} to {_text(row['end_us'])}; "
                    "they are kept as they are"
                )
                raise CompactionError(message)
            sums.add(row)
        with contextlib.nullcontext() if dry_run else store.begin():
            if monitor is not None and not dry_run:
                store.streams(monitor).locked()
            done = dry_run or _replaced(store, job_id, table, chosen, sums)
        if done:
            yield Compaction(n_before=sums.n_before, n_after=len(sums.by_slice))


def compact_months(
    store: Store, job_id: str, before_us: int, *, dry_run: bool = False
) -> Iterator[Compaction]:
    """Add days up to months that end at or before a time; a step for each month.

    A month that still has windows of their own length waits until these are days.
    """
    table, position = compacted_window, -(2**62)
    first = first_full(store, job_id)
    until_us = before_us if first is None else min(before_us, first)
    of_days = (table.c.job_id == job_id) & (table.c.resolution == str(Resolution.DAY))
    while True:
        query = select(func.min(table.c.start_us)).where(of_days, table.c.start_us >= position)
        found = _scalar(store, query)
        if found is None:
            return
        start, end = _month(found)
        if end > until_us:
            return
        position = end
        chosen = of_days & (table.c.start_us >= start) & (table.c.start_us < end)
        sums = _Sums(Resolution.MONTH, start, end)
        for row in paged(store.reading, select(table).where(chosen), _key(table), size=_PAGE):
            sums.add(row)
        if dry_run or _replaced(store, job_id, table, chosen, sums):
            yield Compaction(n_before=sums.n_before, n_after=len(sums.by_slice))


def compacted_windows(
    store: Store, job_id: str, *, resolution: Resolution | None = None
) -> Iterator[CompactedWindow]:
    """Yield what the windows of a job were added up to, in order of time and slice."""
    table = compacted_window
    query = select(table).where(table.c.job_id == job_id)
    if resolution is not None:
        query = query.where(table.c.resolution == str(resolution))
    key = (table.c.start_us, table.c.slice, table.c.resolution)
    for row in paged(store.reading, query, key, size=_PAGE):
        yield CompactedWindow(
            resolution=Resolution(row["resolution"]),
            start_us=row["start_us"],
            end_us=row["end_us"],
            slice=row["slice"],
            n_windows=row["n_windows"],
            n_cut_short=row["n_cut_short"],
            n_rows=row["n_rows"],
            baseline_id=row["baseline_id"],
            body=bytes(row["body"]),
        )


def compacted_until(store: Store, job_id: str) -> int | None:
    """Return the end of the last day or month of a job, None if it has none."""
    table = compacted_window
    return _scalar(store, select(func.max(table.c.end_us)).where(table.c.job_id == job_id))


def first_full(store: Store, job_id: str, from_us: int | None = None) -> int | None:
    """Return the start of the first window of event time that was not added up."""
    query = select(func.min(window_summary.c.start_us)).where(_of_time(job_id))
    if from_us is not None:
        query = query.where(window_summary.c.start_us >= from_us)
    return _scalar(store, query)


def newest_end(store: Store, job_id: str) -> int | None:
    """Return the end of the last window of event time of a job."""
    table = window_summary
    query = select(table.c.end_us).where(_of_time(job_id))
    return _scalar(store, query.order_by(table.c.start_us.desc()).limit(1))


def _scalar(store: Store, query: Select[Any]) -> int | None:
    with store.reading() as connection:
        found = connection.scalar(query)
    return None if found is None else int(found)


def _of_time(job_id: str) -> ColumnElement[bool]:
    table = window_summary
    return (table.c.job_id == job_id) & (table.c.ordinal == 0) & (table.c.end_us > 1)


def _key(table: Table) -> Sequence[Any]:
    last = table.c.ordinal if "ordinal" in table.c else table.c.resolution
    return (table.c.start_us, table.c.slice, last)


def _replaced(
    store: Store, job_id: str, table: Table, chosen: ColumnElement[bool], sums: _Sums
) -> bool:
    """Put sums in the place of what they were made of; False if that has changed meanwhile."""
    state = select(func.count(), func.coalesce(func.sum(table.c.n_rows), 0)).where(chosen)
    with store.writing() as connection:
        n_before, n_rows = connection.execute(state).one()
        if (int(n_before), int(n_rows)) != (sums.n_before, sums.n_rows):
            return False
        _add_to_what_is_there(connection, job_id, sums)
        for batch in in_batches(sums.rows(job_id)):
            upsert(connection, compacted_window, batch)
        connection.execute(delete(table).where(chosen))
    return True


def _add_to_what_is_there(connection: Connection, job_id: str, sums: _Sums) -> None:
    """Add what is there of a day or month, unless the sums hold it: an audit was done again.

    An audit that is done again brings all its rows anew, stragglers bring fewer.
    """
    table = compacted_window
    query = select(table).where(
        table.c.job_id == job_id,
        table.c.resolution == str(sums.resolution),
        table.c.start_us == sums.start_us,
    )
    present = connection.execute(query).mappings().all()
    if sum(int(row["n_rows"]) for row in present) > sums.n_rows:
        for row in present:
            sums.add({str(name): value for name, value in row.items()})


def _month(us: int) -> tuple[int, int]:
    """Return start and end of the month in which a time lies."""
    moment = _EPOCH + timedelta(microseconds=us)
    start = datetime(moment.year, moment.month, 1, tzinfo=UTC)
    end = datetime(moment.year + moment.month // 12, moment.month % 12 + 1, 1, tzinfo=UTC)
    microsecond = timedelta(microseconds=1)
    return (start - _EPOCH) // microsecond, (end - _EPOCH) // microsecond


def _text(us: int) -> str:
    return (_EPOCH + timedelta(microseconds=us)).strftime("%Y-%m-%dT%H:%M:%SZ")
