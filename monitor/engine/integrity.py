"""All checks of a database together, and those that need to know the monitor."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import Connection, func, select

from baselines.codec import BaselineFormatError
from baselines.packing import decode_counts, encoded_length
from baselines.schema import Role
from baselines.store import BaselineStore, BaselineStoreError
from monitor.config.model import Configuration
from monitor.engine.daemon.snapshot import SnapshotError, read_snapshot
from monitor.engine.daemon.tally import StreamTally
from monitor.engine.incident_desk import monitor_name
from monitor.engine.progress import Progress
from monitor.storage.integrity import (
    Problem,
    count_windows,
    finding_problems,
    message_problems,
    page_problems,
    revision_problems,
    window_problems,
)
from monitor.storage.retention_jobs import jobs_of_monitors
from monitor.storage.store import Store
from monitor.storage.stream_tables import compacted_window, open_partial, partition
from monitor.storage.stream_tables import monitor as monitor_table
from monitor.storage.tables import window_summary
from monitor.windows.slices import ALL

__all__ = ["IntegrityReport", "check_database"]

_PROBLEMS_OF_A_KIND = 20


@dataclass(slots=True)
class IntegrityReport:
    """What was looked at and what was found.

    Parameters
    ----------
    problems
        At most twenty of a kind.
    checked
        What was looked at, one sentence each.
    remarks
        What was not looked at, with the reason, and what is unusual and fine.
    """

    problems: list[Problem] = field(default_factory=list)
    checked: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def add(self, what: str, problems: Iterator[Problem]) -> None:
        """Take over the problems of one check."""
        found = list(problems)
        self.problems += found[:_PROBLEMS_OF_A_KIND]
        rest = len(found) - _PROBLEMS_OF_A_KIND
        if rest > 0:
            self.problems.append(Problem(check=found[0].check, sentence=f"and {rest} more"))
        self.checked.append(what)


def check_database(
    store: Store, configuration: Configuration | None, *, now_us: int, progress: Progress
) -> IntegrityReport:
    """Return whether what is stored can be what was written. Nothing is changed.

    Parameters
    ----------
    store
        The database, not upgraded.
    configuration
        The monitor; None leaves out what takes its baselines and its schema to know.
    now_us
        The present time.
    progress
        Is told of each window.
    """
    report = IntegrityReport()
    if store.dialect == "sqlite":
        report.add("SQLite's pages and references", page_problems(store))
    else:
        report.remarks.append("the pages of PostgreSQL are its server's to check (pg_amcheck)")
    report.add("the revision of the tables", revision_problems(store))
    if report.problems:
        report.remarks.append("the rest was not looked at, it takes whole tables of this revision")
        return report
    progress.start("reading windows", count_windows(store))
    report.add("that windows can be read", window_problems(store, progress.advance))
    report.add("that findings are about stored windows", finding_problems(store))
    report.add("that timelines are as they were written", _timeline_problems(store))
    report.add("that no notifications wait", message_problems(store, now_us))
    report.add("that every record has a place", _tally_problems(store))
    _check_monitors(report, store, configuration)
    return report


def _check_monitors(
    report: IntegrityReport, store: Store, configuration: Configuration | None
) -> None:
    if configuration is None:
        report.remarks.append(
            "rows against windows and the evidence were not looked at, they take a CONFIG"
        )
        return
    report.add("that the evidence can be read", _snapshot_problems(store, configuration, report))
    if configuration.schema.only(Role.WEIGHT) is not None:
        report.remarks.append("records with weights cannot be compared with windows")
        return
    name = monitor_name(configuration)
    report.add("that windows hold every row", _row_problems(store, name))


def _timeline_problems(store: Store) -> Iterator[Problem]:
    repository = store.incidents()
    for incident in repository.all():
        broken = repository.broken_links(incident.id)
        if broken:
            numbers = ", ".join(map(str, broken))
            yield Problem(
                check="timelines",
                sentence=f"the timeline of incident #{incident.number} was changed behind the "
                f"program's back at entry {numbers}; compare with a backup",
            )


def _tally_problems(store: Store) -> Iterator[Problem]:
    with store.reading() as connection:
        rows = connection.execute(select(partition)).all()
    for row in rows:
        tally = StreamTally.from_json(row.tally)
        if tally.unaccounted:
            yield Problem(
                check="tallies",
                sentence=f"{tally.unaccounted} of {tally.n_records} records of partition "
                f"{row.name!r} of {row.monitor!r} have no account; please report this",
            )


def _row_problems(store: Store, name: str) -> Iterator[Problem]:
    jobs = sorted(jobs_of_monitors(store).get(name, {}))
    if not jobs:
        return
    # One transaction: a monitor that runs may close windows meanwhile.
    with store.reading() as connection:
        connection = _of_one_moment(connection)
        n_stored = sum(_stored_rows(connection, job_id) for job_id in jobs)
        n_open = _open_rows(connection, name)
        query = select(partition.c.tally).where(partition.c.monitor == name)
        tallies = [StreamTally.from_json(tally) for tally in connection.scalars(query)]
    total = StreamTally.total(tallies)
    expected = total.n_rows + total.n_amended
    if n_stored + n_open != expected:
        yield Problem(
            check="rows",
            sentence=f"the windows of {name!r} must hold {expected} rows as its partitions "
            f"counted, they hold {n_stored + n_open} ({n_stored} in closed windows, {n_open} in "
            "open ones); do not rely on its volumes, and please report this",
        )


def _of_one_moment(connection: Connection) -> Connection:
    if connection.dialect.name == "postgresql":
        return connection.execution_options(isolation_level="REPEATABLE READ")
    return connection


def _stored_rows(connection: Connection, job_id: str) -> int:
    return sum(
        int(
            connection.scalar(
                select(func.coalesce(func.sum(table.c.n_rows), 0)).where(
                    table.c.job_id == job_id, table.c.slice == ALL
                )
            )
            or 0
        )
        for table in (window_summary, compacted_window)
    )


def _open_rows(connection: Connection, name: str) -> int:
    query = select(open_partial.c.body).where(
        open_partial.c.monitor == name, open_partial.c.slice == ALL
    )
    bodies = (bytes(body) for body in connection.scalars(query))
    return sum(int(decode_counts(body, encoded_length(body))[0]) for body in bodies)


def _snapshot_problems(
    store: Store, configuration: Configuration, report: IntegrityReport
) -> Iterator[Problem]:
    name = monitor_name(configuration)
    with store.reading() as connection:
        query = select(monitor_table).where(monitor_table.c.name == name)
        row = connection.execute(query).one_or_none()
    if row is None or row.snapshot is None:
        return
    snapshot = bytes(row.snapshot)
    if not _is_whole(snapshot):
        yield Problem(
            check="evidence",
            sentence=f"the evidence of {name!r} is damaged; it is gathered anew from the stored "
            "windows at the next start",
        )
        return
    try:
        baseline = BaselineStore(configuration.baseline.directory).load(row.baseline_id)
        read_snapshot(snapshot, baseline.layout)
    except (BaselineStoreError, BaselineFormatError) as error:
        yield Problem(
            check="evidence",
            sentence=f"the baseline that {name!r} counts on cannot be read: {error}",
        )
    except SnapshotError:
        report.remarks.append(
            "the evidence was written by another version; it is gathered anew from the stored "
            "windows at the next start"
        )


def _is_whole(snapshot: bytes) -> bool:
    header, _, body = snapshot.partition(b"\n")
    return header.split(b" ")[-1] == hashlib.sha256(body).hexdigest().encode()
