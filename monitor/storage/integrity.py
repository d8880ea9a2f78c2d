"""Whether what is stored can be what was written: pages, counts, references, messages."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, and_, exists, func, or_, select

from baselines.packing import BaselineFormatError, decode_counts, encoded_length
from monitor.printing import time_text
from monitor.storage.statements import paged
from monitor.storage.store import Store
from monitor.storage.stream_tables import compacted_window, open_partial, outbox
from monitor.storage.tables import finding, window_summary
from monitor.storage.upgrade import current_revision, head_revision

__all__ = [
    "Problem",
    "count_windows",
    "finding_problems",
    "message_problems",
    "page_problems",
    "revision_problems",
    "window_problems",
]

_STUCK_US = 3_600_000_000
_PAGE = 256

Advance = Callable[[int], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something that must not be.

    Parameters
    ----------
    check
        Which check found it.
    sentence
        What was found, and what to do.
    """

    check: str
    sentence: str


def revision_problems(store: Store) -> Iterator[Problem]:
    """Yield a problem unless the tables are those of this program."""
    with store.reading() as connection:
        revision = current_revision(connection)
    head = head_revision()
    if revision != head:
        yield Problem(
            check="revision",
            sentence=f"the tables must be of revision {head!r}, they are of {revision!r}; make a "
            "backup, then run: outputwatch database upgrade",
        )


def page_problems(store: Store) -> Iterator[Problem]:
    """Yield what SQLite finds wrong with its own pages and references."""
    with store.reading() as connection:
        pages = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check")]
        references = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if pages != ["ok"]:
        for page in pages:
            yield Problem(check="pages", sentence=f"SQLite finds: {page}; go back to a backup")
    for row in references:
        yield Problem(
            check="pages",
            sentence=f"row {row[1]} of table {row[0]!r} refers to a row of {row[2]!r} that is "
            "not there; go back to a backup",
        )


def count_windows(store: Store) -> int:
    """Return how many rows `window_problems` reads."""
    with store.reading() as connection:
        return sum(
            int(connection.scalar(select(func.count()).select_from(table)) or 0)
            for table in (window_summary, compacted_window, open_partial)
        )


def window_problems(store: Store, advance: Advance) -> Iterator[Problem]:
    """Yield stored counts that cannot be read, or that disagree with what is noted of them."""
    lengths: dict[str, int] = {}
    for table in (window_summary, compacted_window, open_partial):
        owner = "monitor" if table is open_partial else "job_id"
        for row in paged(store.reading, select(table), list(table.primary_key), size=_PAGE):
            fault = _fault(row, lengths, f"{owner} {row[owner]}")
            if fault is not None:
                yield Problem(check="windows", sentence=f"{_named(table, row, owner)} {fault}")
            advance(1)


def _fault(row: Mapping[str, Any], lengths: dict[str, int], owner: str) -> str | None:
    body = bytes(row["body"])
    try:
        length = encoded_length(body)
        counts = decode_counts(body, length)
    except BaselineFormatError as error:
        return f"cannot be read: {error}"
    if lengths.setdefault(owner, length) != length:
        return f"holds {length} counts, others of its {owner.split()[0]} {lengths[owner]}"
    n_rows = int(counts[0]) if length else 0
    if row.get("n_rows", n_rows) != n_rows:
        return f"is noted with {row['n_rows']} outputs, it counts {n_rows}"
    if row.get("end_us", row["start_us"] + 1) <= row["start_us"]:
        return "ends before it begins"
    return None


def _named(table: Table, row: Mapping[str, Any], owner: str) -> str:
    kinds = {"window_summary": "window", "compacted_window": "day or month"}
    kind = kinds.get(table.name, "open window")
    return (
        f"the {kind} of {row['slice']!r} from {time_text(row['start_us'])} on, of the "
        f"{owner.removesuffix('_id')} {row[owner][:12]!r},"
    )


def finding_problems(store: Store) -> Iterator[Problem]:
    """Yield a problem for each job with findings about windows that are not stored."""
    table, windows, longer = finding, window_summary, compacted_window
    same = (windows.c.job_id == table.c.job_id) & (windows.c.slice == table.c.slice)
    stored = exists().where(
        same, windows.c.start_us == table.c.start_us, windows.c.ordinal == table.c.ordinal
    )
    added_up = exists().where(
        and_(
            longer.c.job_id == table.c.job_id,
            longer.c.slice == table.c.slice,
            longer.c.start_us <= table.c.start_us,
            longer.c.end_us >= table.c.end_us,
        )
    )
    query = (
        select(table.c.job_id, func.count(), func.min(table.c.start_us))
        .where(~or_(stored, added_up))
        .group_by(table.c.job_id)
    )
    with store.reading() as connection:
        found = connection.execute(query).all()
    for job_id, number, first_us in found:
        yield Problem(
            check="findings",
            sentence=f"{number} findings of the job {job_id[:12]!r} are about windows that are "
            f"not stored, the first from {time_text(first_us)} on; audit the log again",
        )


def message_problems(store: Store, now_us: int) -> Iterator[Problem]:
    """Yield a problem for each channel whose notifications wait for longer than an hour."""
    waiting = outbox.c.sent_us.is_(None) & (outbox.c.due_us < now_us - _STUCK_US)
    given_up = outbox.c.state == "dead"
    counted = (func.count(), func.min(outbox.c.created_us))
    groups = (outbox.c.monitor, outbox.c.channel, given_up.label("given_up"))
    query = select(*groups, *counted).where(waiting | given_up, outbox.c.sent_us.is_(None))
    with store.reading() as connection:
        found = connection.execute(query.group_by(*groups)).all()
    for monitor, channel, dead, number, since_us in found:
        what = "were given up" if dead else "wait for more than an hour"
        yield Problem(
            check="notifications",
            sentence=f"{number} notifications of {monitor!r} to {channel!r} {what}, the first of "
            f"{time_text(since_us)}; see that the channel is reachable and a monitor runs",
        )
