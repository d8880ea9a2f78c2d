"""What is old is added up or dropped, step by step; each step is a short transaction."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from monitor.config.retention import RetentionSettings
from monitor.engine.progress import NoProgress, Progress
from monitor.printing import time_text
from monitor.storage.compaction import (
    CompactionError,
    compact_days,
    compact_months,
    newest_end,
)
from monitor.storage.retention import (
    drop_findings,
    drop_inbox_keys,
    drop_ledger,
    drop_letters,
    drop_sent,
    is_finished,
)
from monitor.storage.retention_jobs import Held, held_by_incidents, jobs_of_monitors
from monitor.storage.store import AuditJob, Store

__all__ = ["Retention", "RetentionReport", "Step"]

_DAY_US = 86_400_000_000


class Step(StrEnum):
    """What is done; the values are the names in the report."""

    WINDOWS = "windows_added_up"
    DAYS_MADE = "days_made"
    DAYS = "days_added_up"
    MONTHS_MADE = "months_made"
    FINDINGS = "findings_dropped"
    UNITS = "audit_units_dropped"
    LETTERS = "letters_dropped"
    INBOX = "inbox_keys_dropped"
    OUTBOX = "notifications_dropped"


@dataclass(slots=True)
class RetentionReport:
    """What was done so far.

    Parameters
    ----------
    counts
        Rows by step.
    kept
        Why something old was kept, one sentence each.
    """

    counts: Counter[Step] = field(default_factory=Counter)
    kept: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, object]:
        """Return every count by name, and the sentences."""
        return {**{str(step): self.counts[step] for step in Step}, "kept": list(self.kept)}


@dataclass(slots=True, kw_only=True)
class Retention:
    """Applies a ``retention`` section to what belongs to one monitor.

    Parameters
    ----------
    store
        The database.
    settings
        How long what is kept.
    monitor
        The name of the monitor.
    now_us
        The present time.
    with_audits
        Whether audits of the database are included; else only what the monitor itself made.
    dry_run
        Whether everything is only counted.
    progress
        Is told of each audit or monitor that is looked at.
    """

    store: Store
    settings: RetentionSettings
    monitor: str
    now_us: int
    with_audits: bool = False
    dry_run: bool = False
    progress: Progress = field(default_factory=NoProgress)
    report: RetentionReport = field(default_factory=RetentionReport)

    def steps(self) -> Iterator[Step]:
        """Do the work; each item is one transaction that was committed.

        Other programs may write between two steps. To stop early loses nothing.
        """
        incidents = self.store.incidents().all()
        jobs = self._jobs()
        self.progress.start("tidying up", len(jobs))
        for job, running in jobs:
            held = held_by_incidents(self.store, job.id, incidents)
            yield from self._windows(job, held, running=running)
            yield from self._findings(job, held, running=running)
            if self.with_audits and not running:
                yield from self._ledger(job)
            self.progress.advance()
        yield from self._boxes()

    def _jobs(self) -> list[tuple[AuditJob, bool]]:
        """Return the jobs in question, and whether each is that of a running monitor."""
        owned = jobs_of_monitors(self.store)
        ours = owned.pop(self.monitor, {})
        others = {job_id for jobs in owned.values() for job_id in jobs}
        return [
            (job, ours.get(job.id, False))
            for job in self.store.jobs()
            if job.id in ours or (self.with_audits and job.id not in others)
        ]

    def _windows(self, job: AuditJob, held: Held, *, running: bool) -> Iterator[Step]:
        before_us = self._before(job, self.settings.full_days, running=running)
        if before_us is None:
            return
        until_us = before_us
        if held.from_us is not None and held.from_us < before_us:
            until_us = held.from_us
            self.report.kept.append(
                f"windows from {time_text(held.from_us)} on keep their length, because incident "
                f"#{held.number} of that time is still open"
            )
        try:
            for done in compact_days(
                self.store,
                job.id,
                until_us,
                monitor=self.monitor if running else None,
                dry_run=self.dry_run,
            ):
                self.report.counts[Step.DAYS_MADE] += done.n_after
                yield self._done(Step.WINDOWS, done.n_before)
            months_us = self._before(job, self.settings.daily_days, running=running)
            if months_us is None:
                return
            for done in compact_months(
                self.store, job.id, min(until_us, months_us), dry_run=self.dry_run
            ):
                self.report.counts[Step.MONTHS_MADE] += done.n_after
                yield self._done(Step.DAYS, done.n_before)
        except CompactionError as error:
            self.report.kept.append(str(error))

    def _findings(self, job: AuditJob, held: Held, *, running: bool) -> Iterator[Step]:
        before_us = self._before(job, self.settings.findings_days, running=running)
        if before_us is None:
            return
        for n_dropped in drop_findings(
            self.store,
            job.id,
            before_us,
            kept_ids=held.finding_ids,
            kept_from=held.series,
            dry_run=self.dry_run,
        ):
            yield self._done(Step.FINDINGS, n_dropped)

    def _ledger(self, job: AuditJob) -> Iterator[Step]:
        days = self.settings.ledger_days
        if days is None or job.created_us > self.now_us - days * _DAY_US:
            return
        if not is_finished(self.store, job.id):
            return
        for n_dropped in drop_ledger(self.store, job, dry_run=self.dry_run):
            yield self._done(Step.UNITS, n_dropped)

    def _boxes(self) -> Iterator[Step]:
        settings = self.settings
        for step, drop, days in (
            (Step.LETTERS, drop_letters, settings.letters_days),
            (Step.INBOX, drop_inbox_keys, settings.inbox_days),
            (Step.OUTBOX, drop_sent, settings.outbox_days),
        ):
            if days is None:
                continue
            before_us = self.now_us - days * _DAY_US
            for n_dropped in drop(self.store, self.monitor, before_us, dry_run=self.dry_run):
                yield self._done(step, n_dropped)

    def _before(self, job: AuditJob, days: int | None, *, running: bool) -> int | None:
        """Return before which event time what a job counted is old; None if nothing is.

        A running monitor may be far behind the clock, while it reads what was written long ago:
        its own newest window counts. An audit of years ago is old once it was made long ago.
        """
        if days is None:
            return None
        before_us = self.now_us - days * _DAY_US
        if running:
            newest = newest_end(self.store, job.id)
            return None if newest is None else min(before_us, newest - days * _DAY_US)
        return before_us if job.created_us <= before_us else None

    def _done(self, step: Step, n_rows: int) -> Step:
        self.report.counts[step] += n_rows
        return step
