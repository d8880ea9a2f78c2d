"""What a monitor does about rollbacks by itself: what is due, found in the database."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from detectors.base import Verdict
from monitor.config.model import Configuration
from monitor.engine.response.rolling.desk import RollbackDesk
from monitor.engine.response.rolling.office import is_orphan
from monitor.incidents.model import Incident
from monitor.incidents.observations import SignalKind
from monitor.incidents.timeline import MONITOR
from monitor.rollbacks.afterwards import note_metric
from monitor.rollbacks.errors import Refusal
from monitor.rollbacks.execution import Execution, Stage, StepKind
from monitor.rollbacks.ledger import Armed
from monitor.rollbacks.means import Means
from monitor.rollbacks.plans import is_named
from monitor.storage.store import Store

__all__ = ["DuePull", "due_pulls", "left_behind", "note_metrics"]

_SENT: Final = (Stage.APPLYING, Stage.VERIFYING)
_WATCHED_US: Final = 30 * 86_400_000_000
_NOTED: Final = {Verdict.WITHIN: StepKind.METRIC_WITHIN, Verdict.BEYOND: StepKind.METRIC_BEYOND}


@dataclass(frozen=True, slots=True, kw_only=True)
class DuePull:
    """An armed plan whose rule was breached in an incident."""

    armed_id: str
    plan: str
    rule: str
    incident_id: str


def left_behind(desk: RollbackDesk) -> tuple[str, ...]:
    """Return the executions that were sent and whose process gives no sign of life any more."""
    ledger, now_us = desk.store.rollbacks(), desk.clock.now_us()
    found = []
    for execution in _of(desk, ledger.executions(stages=_SENT)):
        lock = ledger.lock(execution.target)
        alive = lock is not None and (
            lock.execution_id != execution.id
            or (lock.lease_until_us > now_us and not is_orphan(lock))
        )
        if not alive and not _waits_for_a_person(desk, execution):
            found.append(execution.id)
    return tuple(found)


def due_pulls(desk: RollbackDesk) -> tuple[DuePull, ...]:
    """Return the armed plans whose rule was breached since, each to be carried out once."""
    consents = desk.consents()
    if not consents:
        return ()
    incidents = desk.store.incidents(desk.monitor).active()
    return tuple(
        DuePull(armed_id=armed.id, plan=armed.plan, rule=armed.rule, incident_id=incident.id)
        for armed in consents
        for incident in incidents
        if _breaches(incident, armed) and not _was_tried(desk, incident, armed)
    )


def note_metrics(desk: RollbackDesk, store: Store, configuration: Configuration) -> int:
    """Write down which series came back in a whole window after a rollback; return how many.

    A series is told when it is first seen beyond tolerance after the rollback, and when it is
    first seen within. Windows with too few rows tell nothing.
    """
    row = store.streams(desk.monitor).known()
    if row is None:
        return 0
    since_us = desk.clock.now_us() - _WATCHED_US
    n_noted = 0
    for execution in _of(desk, store.rollbacks().executions(stages=(Stage.ENDED,))):
        if execution.contains and (execution.ended_us or 0) >= since_us:
            means = desk.means
            # Nobody else can note the same in between.
            with means.ledger.begin():
                n_noted += _noted(desk, store, configuration, execution, means, row.job_id)
    return n_noted


def _of(desk: RollbackDesk, executions: Iterable[Execution]) -> Iterator[Execution]:
    """Yield those of this monitor's plans and incidents."""
    names, incidents = {plan.name for plan in desk.plans}, desk.store.incidents()
    for execution in executions:
        incident_id = execution.incident_id
        if execution.plan not in names or incident_id is None:
            continue
        # One database may hold several monitors with plans of the same name.
        if incidents.monitor_of(incident_id) == desk.monitor:
            yield execution


def _waits_for_a_person(desk: RollbackDesk, execution: Execution) -> bool:
    last = desk.steps(execution.id)[-1]
    refused = last.body.get("refusal") if last.kind is StepKind.REFUSED else None
    return refused == Refusal.PLAN_CHANGED.value


def _breaches(incident: Incident, armed: Armed) -> bool:
    """Return whether a rule was established beyond tolerance after it was armed."""
    return not incident.drill and any(
        signal.identity.series == armed.rule
        and signal.identity.kind is SignalKind.BREACH
        and not signal.recovered
        and not signal.suggestion.held
        and signal.freshest.window.end_us > armed.armed_us
        for signal in incident.own_signals
    )


def _was_tried(desk: RollbackDesk, incident: Incident, armed: Armed) -> bool:
    """Return whether a monitor carried the plan out in this incident, or had to give it up."""
    return any(
        each.plan == armed.plan
        and each.requested_by == MONITOR
        and each.stage is not Stage.PREPARED
        for each in desk.store.rollbacks().executions(incident_id=incident.id)
    )


def _noted(
    desk: RollbackDesk,
    store: Store,
    configuration: Configuration,
    execution: Execution,
    means: Means,
    job_id: str,
) -> int:
    noted = {
        (step.body.get("series"), step.body.get("slice"), step.kind)
        for step in means.ledger.steps(execution.id)
    }
    n_noted = 0
    for series, slice_ in sorted(_watched(desk, configuration, execution)):
        if (series, slice_, StepKind.METRIC_WITHIN) in noted:
            continue
        findings = store.findings(
            job_id, series=series, slice_=slice_, since_us=execution.ended_us
        )
        for found in findings:
            kind = _NOTED.get(found.finding.verdict)
            if kind is None or (series, slice_, kind) in noted:
                continue
            within = kind is StepKind.METRIC_WITHIN
            note_metric(
                means,
                execution.id,
                series=series,
                slice_=slice_,
                window_start_us=found.key.start_us,
                window_end_us=found.key.end_us,
                within=within,
            )
            noted.add((series, slice_, kind))
            n_noted += 1
            if within:
                break
    return n_noted


def _watched(
    desk: RollbackDesk, configuration: Configuration, execution: Execution
) -> set[tuple[str, str]]:
    """Return series and slices: those that the plan names, else those of the incident."""
    named = desk.plan(execution.plan).options.verification.series
    incident = desk.store.incidents(desk.monitor).find(str(execution.incident_id))
    own = {
        (signal.identity.series, signal.identity.slice)
        for signal in incident.own_signals
        if signal.identity.kind is SignalKind.BREACH
    }
    if not named:
        return own
    configured = {(entry.series, "all") for entry in configuration.detectors}
    return {each for each in own | configured if is_named(each[0], named)}
