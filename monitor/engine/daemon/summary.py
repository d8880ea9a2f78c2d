"""What a run has done, in words and as JSON."""

from dataclasses import dataclass
from typing import Any

from monitor.config.model import Configuration
from monitor.engine.daemon.tally import StreamTally
from monitor.engine.daemon.worker import Ending
from monitor.engine.incident_desk import monitor_name
from monitor.printing import time_text
from monitor.storage.store import Store

__all__ = ["RunSummary", "run_record", "run_text", "summarise"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """Where a monitor stands after a run; the numbers are those of all its runs.

    Parameters
    ----------
    monitor, job_id
        Its name, and under which id its windows and findings are kept.
    ending
        Why this run ended.
    tally
        What became of all records.
    closed_us
        Start of the last window that was closed, None before the first.
    n_partitions, n_windows
        Partitions ever seen, and windows of all slices that are stored.
    n_active_incidents
        Incidents that nobody has resolved.
    """

    monitor: str
    job_id: str
    ending: Ending
    tally: StreamTally
    closed_us: int | None
    n_partitions: int
    n_windows: int
    n_active_incidents: int


def summarise(store: Store, configuration: Configuration, ending: Ending) -> RunSummary:
    """Return where the monitor of a configuration stands."""
    name = monitor_name(configuration)
    streams = store.streams(name)
    row = streams.known()
    partitions = streams.partitions()
    return RunSummary(
        monitor=name,
        job_id="" if row is None else row.job_id,
        ending=ending,
        tally=StreamTally.total(StreamTally.from_json(each.tally) for each in partitions),
        closed_us=None if row is None else row.closed_us,
        n_partitions=len(partitions),
        n_windows=0 if row is None else store.count_windows(row.job_id),
        n_active_incidents=len(store.incidents(name).active()),
    )


def run_record(summary: RunSummary) -> dict[str, Any]:
    """Return the summary, JSON-ready."""
    closed = summary.closed_us
    return {
        "monitor": summary.monitor,
        "job": summary.job_id,
        "ending": str(summary.ending),
        **summary.tally.to_json(),
        "unaccounted": summary.tally.unaccounted,
        "last_closed_window": None if closed is None else time_text(closed),
        "partitions": summary.n_partitions,
        "windows": summary.n_windows,
        "active_incidents": summary.n_active_incidents,
    }


def run_text(summary: RunSummary) -> str:
    """Return the summary for people."""
    tally = summary.tally
    parts = [
        f"{summary.monitor}: {tally.n_records:,} records of {summary.n_partitions} partitions",
        f"{tally.n_rows:,} counted",
    ]
    for number, word in (
        (tally.n_late, "late"),
        (tally.n_duplicates, "duplicates"),
        (tally.n_joined, "labels joined"),
        (tally.n_past_horizon, "without a label after the horizon"),
        (tally.n_crowded_out, "without a label because too many waited"),
        (tally.n_waiting, "waiting"),
    ):
        if number:
            parts.append(f"{number:,} {word}")
    if tally.rejected:
        parts.append(f"{tally.rejected.total():,} rejected")
    windows = f"{summary.n_windows:,} windows stored"
    incidents = f"{summary.n_active_incidents} incidents are not resolved"
    return f"{', '.join(parts)}; {windows}; {incidents}"
