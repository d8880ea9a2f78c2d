"""Which jobs are whose, what incidents hold of them, and whose turn it is to tidy up."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import func, select

from monitor.decision.state import SeriesKey
from monitor.incidents.model import Incident
from monitor.storage.statements import upsert
from monitor.storage.store import Store
from monitor.storage.stream_tables import monitor as monitor_table
from monitor.storage.stream_tables import monitor_job, upkeep
from monitor.storage.tables import finding

__all__ = ["Held", "claim_upkeep", "held_by_incidents", "jobs_of_monitors", "note_job"]

_IDS_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What incidents hold of the findings and windows of one job.

    Parameters
    ----------
    from_us
        When the first incident began that is still open; None: nothing is held.
    number
        The number of that incident.
    series
        When that was for each series of an open incident.
    finding_ids
        Findings that incidents refer to, open or not.
    """

    from_us: int | None = None
    number: int | None = None
    series: Mapping[SeriesKey, int] = field(default_factory=dict)
    finding_ids: frozenset[str] = frozenset()


def note_job(store: Store, monitor: str, job_id: str, *, now_us: int) -> None:
    """Remember that a job is one of a monitor's; the first time stays."""
    row = {"monitor": monitor, "job_id": job_id, "begun_us": now_us}
    with store.writing() as connection:
        upsert(connection, monitor_job, [row], replace=False)


def jobs_of_monitors(store: Store) -> dict[str, dict[str, bool]]:
    """Return the jobs of every monitor that ever ran, and whether each is the present one."""
    jobs: dict[str, dict[str, bool]] = {}
    with store.reading() as connection:
        for row in connection.execute(select(monitor_job.c.monitor, monitor_job.c.job_id)):
            jobs.setdefault(row.monitor, {})[row.job_id] = False
        for row in connection.execute(select(monitor_table.c.name, monitor_table.c.job_id)):
            jobs.setdefault(row.name, {})[row.job_id] = True
    return jobs


def claim_upkeep(store: Store, monitor: str, *, now_us: int, every_us: int) -> bool:
    """Return whether it is the caller's turn: nobody took one within the last `every_us`."""
    with store.begin():
        # Workers take turns at the monitor's row, as for checkpoints.
        store.streams(monitor).locked()
        with store.writing() as connection:
            query = select(upkeep.c.begun_us).where(upkeep.c.monitor == monitor)
            begun_us = connection.scalar(query)
            if begun_us is not None and begun_us + every_us > now_us:
                return False
            upsert(connection, upkeep, [{"monitor": monitor, "begun_us": now_us}])
    return True


def held_by_incidents(store: Store, job_id: str, incidents: Iterable[Incident]) -> Held:
    """Return what incidents hold of a job: those that refer to one of its findings."""
    concerned = [each for each in incidents if _refers(store, job_id, _finding_ids(each))]
    ids = frozenset().union(*(_finding_ids(each) for each in concerned))
    active = [each for each in concerned if each.is_active and each.has_times]
    series: dict[SeriesKey, int] = {}
    for each in active:
        for signal in each.signals:
            key = SeriesKey(signal.identity.series, signal.identity.slice)
            series[key] = min(series.get(key, _begun(each)), _begun(each))
    first = min(active, key=_begun, default=None)
    if first is None:
        return Held(finding_ids=ids)
    return Held(from_us=_begun(first), number=first.number, series=series, finding_ids=ids)


def _begun(incident: Incident) -> int:
    firsts = [signal.first.window.start_us for signal in incident.signals]
    return min([incident.onset_us, incident.first_window.start_us, *firsts])


def _finding_ids(incident: Incident) -> frozenset[str]:
    return frozenset(
        observation.finding_id
        for signal in incident.signals
        for observation in (signal.first, signal.freshest, signal.worst)
    )


def _refers(store: Store, job_id: str, ids: frozenset[str]) -> bool:
    listed = sorted(ids)
    with store.reading() as connection:
        for start in range(0, len(listed), _IDS_AT_ONCE):
            part = listed[start : start + _IDS_AT_ONCE]
            query = select(func.count()).where(finding.c.job_id == job_id, finding.c.id.in_(part))
            if connection.scalar(query):
                return True
    return False
