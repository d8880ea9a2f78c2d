"""Judged windows to the database: windows, findings and incidents, many at a time."""

from collections.abc import Iterable, Iterator, Sequence

from baselines.packing import encode_counts
from baselines.summary import Window
from monitor.engine.incident_desk import IncidentDesk
from monitor.engine.judgement import Judgement
from monitor.storage.findings import StoredFinding
from monitor.storage.store import AuditJob, Store, StoredWindow

__all__ = ["recorded"]

Judged = tuple[Sequence[Window], Judgement]
"""The windows of one stretch of time, and what they brought."""

STRETCHES_AT_ONCE = 64
"""Stretches of time that are written in one transaction, at most."""

_CELLS_AT_ONCE = 1 << 22
"""Cells of windows that wait to be written, 32 MiB; one stretch may hold more."""


def recorded(
    judged: Iterable[Judged], *, store: Store, job: AuditJob, desk: IncidentDesk
) -> Iterator[Judged]:
    """Write what was judged and yield it again, once it is in the database.

    A stretch's windows, findings and incidents are kept together or not at all. Several
    stretches share a transaction, because beginning one costs as much as a small window. The
    windows are judged before it begins: others may write meanwhile.
    """
    for batch in _batches(judged):
        with store.begin():
            store.write_windows(
                job.id, (_stored(window, job) for windows, _ in batch for window in windows)
            )
            store.write_findings(
                StoredFinding(id=each.id, job_id=job.id, key=each.window.key, finding=each.finding)
                for _, judgement in batch
                for each in judgement.judged
            )
            for _, judgement in batch:
                desk.take(judgement)
        yield from batch


def _batches(judged: Iterable[Judged]) -> Iterator[list[Judged]]:
    batch: list[Judged] = []
    cells = 0
    for windows, judgement in judged:
        batch.append((windows, judgement))
        cells += sum(len(window.summary.counts) for window in windows)
        if len(batch) == STRETCHES_AT_ONCE or cells >= _CELLS_AT_ONCE:
            yield batch
            batch, cells = [], 0
    if batch:
        yield batch


def _stored(window: Window, job: AuditJob) -> StoredWindow:
    return StoredWindow(
        key=window.key,
        n_rows=window.summary.n_rows,
        baseline_id=job.baseline_id,
        body=encode_counts(window.summary.counts),
    )
