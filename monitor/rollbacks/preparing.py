"""Before anybody agrees: keep the evidence, look, and say what would change."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace

from monitor.incidents.records import Record, canonical_json, to_record
from monitor.incidents.timeline import MONITOR
from monitor.rollbacks.adapter import Observed
from monitor.rollbacks.errors import Refusal, RefusedError, RollbackError
from monitor.rollbacks.execution import DryRun, Execution, Step, StepKind
from monitor.rollbacks.means import Means
from monitor.rollbacks.plans import Release, RollbackPlan, Target, resolve_target

__all__ = ["Resolve", "dry_run", "prepare", "prepare_undo", "undo_target"]

_MINUTE_US = 60_000_000

Resolve = Callable[[RollbackPlan, Observed], Target]
"""Finds what a plan would go back to from what is in force."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    requested_by: str
    requested_role: str
    reason: str
    incident_id: str | None
    undo_of: str | None = None


def prepare(
    means: Means,
    plan: RollbackPlan,
    *,
    requested_by: str,
    reason: str,
    incident_id: str | None = None,
    requested_role: str = "",
) -> Execution:
    """Return an execution with its dry run, to be agreed to; nothing is switched.

    Raises
    ------
    RefusedError
        If evidence cannot be kept, or there is nothing to go back to.
    UnreadableError
        If the plane cannot be read.
    """
    request = _Request(
        requested_by=requested_by,
        requested_role=requested_role,
        reason=reason,
        incident_id=incident_id,
    )
    return _prepared(means, plan, request, resolve_target)


def prepare_undo(
    means: Means,
    plan: RollbackPlan,
    execution_id: str,
    *,
    requested_by: str,
    reason: str,
    requested_role: str = "",
) -> Execution:
    """Return an execution that would take another one back; it needs consent of its own.

    Raises
    ------
    RefusedError
        If the plan has changed since, evidence cannot be kept, or nothing was switched.
    UnreadableError
        If the plane cannot be read.
    """
    before = means.ledger.load(execution_id)
    if before.plan != plan.name or before.plan_digest != plan.digest:
        message = (
            f"the plan {plan.name!r} must be the one of {execution_id[:12]!r} and unchanged; "
            "switch by hand, or make a plan for it"
        )
        raise RefusedError(Refusal.PLAN_CHANGED, message)
    if before.applying_us is None:
        message = f"the rollback {execution_id[:12]!r} switched nothing that could be undone"
        raise RefusedError(Refusal.WRONG_STAGE, message)
    request = _Request(
        requested_by=requested_by,
        requested_role=requested_role,
        reason=reason,
        incident_id=before.incident_id,
        undo_of=before.id,
    )
    return _prepared(means, plan, request, undo_target(before))


def undo_target(before: Execution) -> Resolve:
    """Return how to find what an execution would be taken back to."""
    release = Release(
        reference=before.dry_run.from_reference, serving=before.dry_run.served_before or ""
    )

    def resolve(plan: RollbackPlan, _: Observed) -> Target:
        remark = f"takes back {before.id[:12]}: what was in force then has no evidence"
        diff = plan.adapter.diff(release.reference)
        return Target(release=release, diff=diff, remarks=(remark,))

    return resolve


def dry_run(
    plan: RollbackPlan,
    observed: Observed,
    resolve: Resolve = resolve_target,
    *,
    served_before: str | None = None,
) -> DryRun:
    """Return what a plan would change, with the hash that approvals are bound to."""
    target = resolve(plan, observed)
    diff = target.diff
    head = (
        f"plan {plan.name!r} ({plan.options.kind.value}), target {plan.target!r}: "
        f"to {target.release.reference!r}, served as {target.release.shown!r}"
    )
    text = "\n".join([head, *target.remarks, diff.text])
    told = {
        "plan": plan.digest,
        "from": diff.from_value,
        "to": target.release.reference,
        "to_value": diff.to_value,
        "serving": target.release.shown,
        "has_evidence": target.has_evidence,
        "text": text,
    }
    return DryRun(
        from_value=diff.from_value,
        to_value=diff.to_value,
        from_reference=observed.reference,
        to=target.release.reference,
        serving=target.release.shown,
        served_before=served_before,
        has_evidence=target.has_evidence,
        text=text,
        hash=_hash(told),
    )


def _prepared(means: Means, plan: RollbackPlan, request: _Request, resolve: Resolve) -> Execution:
    if not request.requested_by.strip() or not request.reason.strip():
        message = "a rollback must name who asks for it, and why; give both"
        raise RefusedError(Refusal.REASON_MISSING, message)
    begun_us = means.clock.now_us()
    observed = plan.adapter.observe()
    frozen, served = _frozen(means, plan, request, observed)
    frozen_us = means.clock.now_us()
    shown = dry_run(plan, observed, resolve, served_before=served)
    now_us = means.clock.now_us()
    options = plan.options
    needed = options.approvals + (0 if shown.has_evidence else 1)
    execution = Execution(
        id=_hash([plan.digest, to_record(request), begun_us, now_us, means.owner, shown.hash]),
        plan=plan.name,
        plan_digest=plan.digest,
        target=plan.target,
        incident_id=request.incident_id,
        requested_by=request.requested_by,
        requested_role=request.requested_role,
        reason=request.reason,
        undo_of=request.undo_of,
        dry_run=shown,
        frozen_hash=_hash(frozen),
        needed_approvals=needed if shown.changes_something else 0,
        prepared_us=now_us,
        approval_us=int(options.approval_minutes * _MINUTE_US),
    )
    kept = {"kept": frozen, "hash": execution.frozen_hash}
    asked: Record = {**to_record(shown), "reason": request.reason, "undo_of": request.undo_of}
    if request.requested_role:
        asked["role"] = request.requested_role
    steps = [
        Step(kind=StepKind.FROZEN, at_us=frozen_us, actor=MONITOR, body=kept),
        Step(kind=StepKind.DRY_RUN, at_us=now_us, actor=request.requested_by, body=asked),
    ]
    means.ledger.save(execution, steps)
    return execution


def _frozen(
    means: Means, plan: RollbackPlan, request: _Request, observed: Observed
) -> tuple[Record, str | None]:
    """Return the evidence that was kept, and what was served."""
    kept: Record = {"plane": to_record(observed)}
    served: str | None = None
    try:
        served = plan.probe.read()
        kept["served"] = served
    except RollbackError as error:
        # A serving path that is down is a reason to go back, not one to stay.
        kept["served_unknown"] = str(error)
    evidence: list[Record] = []
    for freeze in means.freezers:
        try:
            evidence += filter(None, [freeze(plan, request.incident_id, kept)])
        except Exception as error:
            message = f"evidence must be kept before anything is changed; it was not: {error}"
            raise RefusedError(Refusal.EVIDENCE_NOT_FROZEN, message) from error
    if evidence:
        # Who can be asked for the whole of it need not be told twice: it may be long, or about
        # people.
        kept = {**kept, "plane": to_record(replace(observed, detail={})), "evidence": evidence}
    return kept, served


def _hash(value: object) -> str:
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()
