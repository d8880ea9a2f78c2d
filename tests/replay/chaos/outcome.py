"""Everything in a database that must not depend on what happened to the workers."""

import hashlib
from dataclasses import dataclass, fields
from typing import Any

from baselines.baseline import Baseline
from monitor.config.model import Configuration
from monitor.engine.audit import run_audit
from monitor.engine.daemon.tally import StreamTally
from monitor.engine.incident_desk import monitor_name
from monitor.engine.progress import NoProgress
from monitor.engine.runners.serial import SerialRunner
from monitor.severity.scoring import FiveAxes
from monitor.storage.findings import finding_row
from monitor.storage.store import Store
from tests.replay.chaos.scenario import CLOCK

__all__ = ["AuditOutcome", "Outcome", "audit_outcome", "outcome"]


@dataclass(frozen=True)
class AuditOutcome:
    """What an audit of the same outputs finds too."""

    windows: tuple[Any, ...]
    finding_ids: tuple[str, ...]
    incident_ids: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """What a run leaves.

    Parameters
    ----------
    findings
        Ids and bodies.
    timelines
        Hashes of the entries of each incident.
    tallies
        What became of the records, by partition.
    letters
        Partition, position and reason of what was not counted.
    left_open
        Rows of windows that are not closed, and of event ids of open windows: none are left.
    """

    same_as_audit: AuditOutcome
    findings: tuple[Any, ...]
    timelines: tuple[Any, ...]
    tallies: tuple[Any, ...]
    letters: tuple[Any, ...]
    left_open: int

    @property
    def n_late(self) -> int:
        """Return how many records came for a closed window."""
        return sum(tally["n_late"] for _, tally in self.tallies)

    @property
    def unaccounted(self) -> int:
        """Return the records without a place."""
        return sum(StreamTally.from_json(tally).unaccounted for _, tally in self.tallies)

    def differences(self, other: "Outcome") -> list[str]:
        """Return the names of what is not the same."""
        names = [field.name for field in fields(self)]
        return [name for name in names if getattr(self, name) != getattr(other, name)]


def outcome(configuration: Configuration, store: Store) -> Outcome:
    """Return what a monitor has left in its database."""
    name = monitor_name(configuration)
    streams = store.streams(name)
    row = streams.known()
    assert row is not None, "the monitor has never run"
    starts = streams.open_starts()
    ids = [n for each in streams.partitions() for n in streams.ids_of(each.name)]
    return Outcome(
        same_as_audit=_decided(store, row.job_id, name),
        findings=tuple(
            tuple(sorted((key, str(value)) for key, value in finding_row(each).items()))
            for each in store.findings(row.job_id)
        ),
        timelines=tuple(
            (incident.id, tuple(e.hash for e in store.incidents(name).timeline(incident.id)))
            for incident in sorted(store.incidents(name).all(), key=lambda each: each.id)
        ),
        tallies=tuple((_number(each.name), dict(each.tally)) for each in streams.partitions()),
        letters=tuple(
            (_number(each.partition), each.position, each.reason)
            for each in streams.letters(limit=10_000)
            # One stands for all records of a poll with such a time, so that polls matter.
            if each.reason != "timestamp_in_future"
        ),
        left_open=len(starts) + len(ids),
    )


def _number(partition: str) -> str:
    """Return a partition without its topic, whose name may be any."""
    return partition.rpartition("/")[2]


def audit_outcome(configuration: Configuration, baseline: Baseline) -> AuditOutcome:
    """Return what an audit of the configuration's files finds."""
    with Store.open(configuration.storage.url) as store:
        result = run_audit(
            configuration,
            baseline=baseline,
            store=store,
            policy=FiveAxes(),
            clock=CLOCK,
            progress=NoProgress(),
            runner=SerialRunner(),
        )
        return _decided(store, result.job_id, monitor_name(configuration))


def _decided(store: Store, job_id: str, monitor: str) -> AuditOutcome:
    return AuditOutcome(
        windows=tuple(
            (each.key, each.n_rows, each.baseline_id, hashlib.sha256(each.body).hexdigest())
            for each in store.windows(job_id)
        ),
        finding_ids=tuple(sorted(each.id for each in store.findings(job_id))),
        incident_ids=tuple(sorted(each.id for each in store.incidents(monitor).all())),
    )
