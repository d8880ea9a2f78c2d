"""A batch over a log: every window compared with the baseline, incidents opened."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from baselines.baseline import Baseline
from baselines.layout import table_name
from baselines.schema import Role, Schema
from baselines.summary import Window
from detectors.base import Verdict
from monitor.clock import Clock
from monitor.config.model import Configuration
from monitor.decision.surveillance import Replay
from monitor.decoding.base import Needs
from monitor.engine.batch import Runner, closed_windows, count_units
from monitor.engine.dead_letters import write_dead_letters
from monitor.engine.evidence import freeze_outputs
from monitor.engine.identity import audit_id, configuration_digest
from monitor.engine.incident_desk import IncidentDesk, monitor_name
from monitor.engine.judgement import Judge, Judgement
from monitor.engine.log_sources import audited_source
from monitor.engine.notifying import incident_shelf
from monitor.engine.planning import closing_of, planned_work
from monitor.engine.progress import Progress
from monitor.engine.reading import Reading, TimeRange
from monitor.engine.recording import recorded
from monitor.engine.work import Work
from monitor.errors import OutputwatchError
from monitor.features.registry import with_features
from monitor.incidents.model import Incident
from monitor.severity.registry import SeverityPolicy
from monitor.sources.base import Unit
from monitor.storage.ledger import Totals
from monitor.storage.store import AuditJob, Store
from monitor.windows.slices import ALL

__all__ = ["AuditResult", "BaselineMismatchError", "LostRowsError", "run_audit"]


MAX_SAMPLES_READ = 100_000


class BaselineMismatchError(OutputwatchError):
    """The baseline was not fitted for this configuration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditResult:
    """What an audit found.

    Parameters
    ----------
    job_id
        Names the audit in the database; the same log and baseline give the same.
    baseline_id
        What windows were compared with.
    totals
        What became of the records.
    n_windows
        Windows of all traffic, empty ones included.
    n_slices
        Slices of traffic that were watched besides all of it.
    from_us, to_us
        Start of the first window and end of the last; None without windows or event times.
    verdicts
        Findings by verdict.
    unknown_series
        Series that no window could judge, with the reason given last.
    incidents
        The incidents that breaches of this audit belong to, in order of beginning.
    n_dead_letters
        Samples of rejected records that were written.
    breaks
        Stretches of event time between windows that are too long to judge, as (from, to).
    silent_since_us
        The end of the last window with outputs, if windows without any follow it.
    replay
        What the replay on the baseline's own windows showed; None where nothing is decided on
        evidence.
    """

    job_id: str
    baseline_id: str
    totals: Totals
    n_windows: int
    n_slices: int
    from_us: int | None
    to_us: int | None
    verdicts: Mapping[Verdict, int]
    unknown_series: Mapping[str, str]
    incidents: tuple[Incident, ...]
    n_dead_letters: int
    breaks: tuple[tuple[int, int], ...] = ()
    silent_since_us: int | None = None
    replay: Replay | None = None


@dataclass(slots=True)
class _Account:
    """Gathers the result while windows go by."""

    verdicts: Counter[Verdict] = field(default_factory=Counter)
    slices: set[str] = field(default_factory=set)
    judged_series: set[str] = field(default_factory=set)
    reasons: dict[str, str] = field(default_factory=dict)
    concerned: set[str] = field(default_factory=set)
    n_windows: int = 0
    n_rows: int = 0
    from_us: int | None = None
    to_us: int | None = None
    breaks: list[tuple[int, int]] = field(default_factory=list)
    silent_since_us: int | None = None

    def add(self, windows: Sequence[Window], judgement: Judgement) -> None:
        self.n_windows += 1
        self._look_for_silence(windows)
        self.slices.update(window.key.slice for window in windows)
        if windows[0].key.has_times:
            first, last = windows[0].key.start_us, max(window.key.end_us for window in windows)
            self.from_us = first if self.from_us is None else min(self.from_us, first)
            self.to_us = last if self.to_us is None else max(self.to_us, last)
        for judged in judgement.judged:
            finding = judged.finding
            self.verdicts[finding.verdict] += 1
            if finding.verdict in (Verdict.WITHIN, Verdict.BEYOND):
                self.judged_series.add(finding.series)
            else:
                self.reasons[finding.series] = finding.sentence
        self.concerned.update(breach.identity.fingerprint for breach in judgement.breaches)

    def _look_for_silence(self, windows: Sequence[Window]) -> None:
        key = windows[0].key
        n_rows = sum(w.summary.n_rows for w in windows if w.key.slice == ALL)
        self.n_rows += n_rows
        if not key.has_times:
            return
        if key.ordinal == 0 and self.to_us is not None and key.start_us > self.to_us:
            self.breaks.append((self.to_us, key.start_us))
        if n_rows:
            self.silent_since_us = None
        elif self.silent_since_us is None:
            self.silent_since_us = key.start_us

    @property
    def unknown_series(self) -> dict[str, str]:
        never = sorted(set(self.reasons) - self.judged_series)
        return {series: self.reasons[series] for series in never}


def run_audit(
    configuration: Configuration,
    *,
    baseline: Baseline,
    store: Store,
    policy: SeverityPolicy,
    clock: Clock,
    progress: Progress,
    runner: Runner,
    time: TimeRange | None = None,
) -> AuditResult:
    """Return what the configuration's log shows against a baseline.

    The log is counted unit by unit; each unit's counts are kept in the database, so an audit
    that was interrupted goes on where it stopped. Doing the same audit again changes nothing.

    Parameters
    ----------
    configuration
        What to read, what to watch and how to decide.
    baseline
        What windows are compared with.
    store
        Keeps counts, windows, findings and incidents.
    policy
        Suggests severity tiers.
    clock
        Tells when things became known.
    progress
        Told of each unit and window.
    runner
        Does the reading, in this process or several.
    time
        The stretch of event time to audit; None: all of the log.

    Raises
    ------
    BaselineMismatchError
        If the baseline lacks a table that a detector reads, or counts a column that the
        schema lacks.
    SourceError
        If there is nothing to read, or the source can only be followed.
    """
    schema = with_features(configuration.schema)
    source = audited_source(configuration)
    check_baseline(configuration, baseline, schema)
    reading = Reading(source=source, schema=schema, needs=Needs(), time=time or TimeRange())
    units = tuple(source.units())
    work = planned_work(configuration, reading, baseline.layout, units, progress)
    job = _job(configuration, baseline, work, units, clock)
    store.write_job(job)
    ledger = store.ledger(job.id)
    count_units(work, units, ledger=ledger, runner=runner, progress=progress)
    judge = Judge(configuration=configuration, baseline=baseline, policy=policy)
    desk = _desk(store, configuration, clock)
    account = _Account()
    store.clear_findings(job.id)
    closing = closing_of(configuration, work)
    judge.compare_all(closed_windows(ledger, closing))
    judged = ((windows, judge.judge(windows)) for windows in closed_windows(ledger, closing))
    for windows, judgement in recorded(judged, store=store, job=job, desk=desk):
        account.add(windows, judgement)
    store.save_states(job.id, judge.states)
    check_rows(schema, ledger.totals(), account.n_rows)
    freeze_outputs(
        desk.holding(account.concerned),
        configuration=configuration,
        store=store,
        monitor=monitor_name(configuration),
        clock=clock,
    )
    return AuditResult(
        job_id=job.id,
        baseline_id=baseline.id,
        totals=ledger.totals(),
        n_windows=account.n_windows,
        n_slices=len(account.slices - {"all"}),
        from_us=account.from_us,
        to_us=account.to_us,
        verdicts=dict(account.verdicts),
        unknown_series=account.unknown_series,
        incidents=desk.holding(account.concerned),
        n_dead_letters=write_dead_letters(
            ledger.samples(MAX_SAMPLES_READ), configuration.dead_letters
        ),
        breaks=tuple(account.breaks),
        silent_since_us=account.silent_since_us,
        replay=judge.watching.surveillance.replay() if judge.watching else None,
    )


class LostRowsError(OutputwatchError):
    """Rows that were read are not in the windows: a defect of ours."""


def check_rows(schema: Schema, totals: Totals, n_in_windows: int) -> None:
    """Raise LostRowsError unless the windows hold every row that was counted.

    Rows with weights stand for several outputs each, so they cannot be compared.
    """
    if schema.only(Role.WEIGHT) is None and totals.n_rows != n_in_windows:
        message = (
            f"{totals.n_rows} rows were counted, the windows hold {n_in_windows}: this is a "
            f"defect of outputwatch, do not rely on this audit; please report it"
        )
        raise LostRowsError(message)


def check_baseline(configuration: Configuration, baseline: Baseline, schema: Schema) -> None:
    """Raise BaselineMismatchError unless the baseline answers what detectors ask."""
    wanted = {
        table_name(need): entry.series
        for entry in configuration.detectors
        for need in entry.detector.tables(schema)
    }
    problems = [
        f"it has no table {name!r}, which {series} reads"
        for name, series in sorted(wanted.items())
        if name not in baseline.layout
    ]
    counted = {axis.column for table in baseline.layout.tables for axis in table.axes}
    problems += [
        f"it counts the column {name!r}, which the schema does not have"
        for name in sorted(counted)
        if name not in schema and not name.startswith("check:")
    ]
    if problems:
        message = (
            f"the baseline {baseline.id[:12]} does not fit {str(configuration.path)!r}: "
            f"{'; '.join(problems)}; fit a new one: outputwatch baseline fit"
        )
        raise BaselineMismatchError(message)


def _desk(store: Store, configuration: Configuration, clock: Clock) -> IncidentDesk:
    """Return the desk; what an old log shows is told to nobody unless that is asked for."""
    if not configuration.notifiers.audits:
        return IncidentDesk.opened(store, configuration, clock)
    shelf = incident_shelf(store, configuration, monitor_name(configuration))
    return IncidentDesk.over(shelf, configuration, clock)


def _job(
    configuration: Configuration,
    baseline: Baseline,
    work: Work,
    units: Sequence[Unit],
    clock: Clock,
) -> AuditJob:
    return AuditJob(
        id=audit_id(baseline.id, work, units),
        config_digest=configuration_digest(configuration),
        baseline_id=baseline.id,
        created_us=clock.now_us(),
    )
