"""Steps of an execution as entries of the timeline of its incident."""

from collections.abc import Mapping
from typing import Final

from monitor.incidents.records import Record
from monitor.incidents.timeline import EntryKind, TimelineEntry
from monitor.rollbacks.execution import EndState, Execution, Step, StepKind

__all__ = ["timeline_entry"]

_KINDS: Final[Mapping[StepKind, EntryKind]] = {
    StepKind.FROZEN: EntryKind.EVIDENCE_FROZEN,
    StepKind.DRY_RUN: EntryKind.ROLLBACK_PLANNED,
    StepKind.APPROVED: EntryKind.ROLLBACK_APPROVED,
    StepKind.BREAK_GLASS: EntryKind.ROLLBACK_APPROVED,
    StepKind.ARMED_USED: EntryKind.ROLLBACK_APPROVED,
    StepKind.REFUSED: EntryKind.ROLLBACK_REFUSED,
    StepKind.APPLYING: EntryKind.ROLLBACK_STEP,
    StepKind.APPLIED: EntryKind.ROLLBACK_APPLIED,
    StepKind.OUTCOME_UNKNOWN: EntryKind.ROLLBACK_STEP,
    StepKind.RESUMED: EntryKind.ROLLBACK_STEP,
    StepKind.SEEN: EntryKind.ROLLBACK_OBSERVED,
    StepKind.ENDED: EntryKind.ROLLBACK_STEP,
    StepKind.ABANDONED: EntryKind.ROLLBACK_ABORTED,
    StepKind.UNDO_PREPARED: EntryKind.ROLLBACK_STEP,
    StepKind.STARTED: EntryKind.ROLLBACK_STEP,
    StepKind.ARMED: EntryKind.ROLLBACK_ARMED,
    StepKind.DISARMED: EntryKind.ROLLBACK_DISARMED,
    StepKind.REVIEWED: EntryKind.ROLLBACK_STEP,
    StepKind.METRIC_WITHIN: EntryKind.ROLLBACK_STEP,
    StepKind.METRIC_BEYOND: EntryKind.ROLLBACK_STEP,
}
_ENDS: Final[Mapping[EndState, EntryKind]] = {
    EndState.VERIFIED: EntryKind.ROLLBACK_VERIFIED,
    EndState.ALREADY_THERE: EntryKind.ROLLBACK_VERIFIED,
    EndState.APPLIED_NOT_SERVING: EntryKind.ROLLBACK_FAILED,
    EndState.FAILED: EntryKind.ROLLBACK_FAILED,
    EndState.REFUSED: EntryKind.ROLLBACK_REFUSED,
}


def timeline_entry(execution: Execution, step: Step) -> TimelineEntry:
    """Return a step as an entry of the timeline of `Execution.incident_id`."""
    kind = _KINDS[step.kind]
    if step.kind is StepKind.ENDED:
        kind = _ENDS[EndState(step.body["end"])]
    body: Record = {
        "rollback": execution.id,
        "plan": execution.plan,
        "target": execution.target,
        "step": step.kind.value,
        **step.body,
    }
    return TimelineEntry(
        kind=kind, occurred_us=step.at_us, known_us=step.at_us, actor=step.actor, body=body
    )
