"""Consent in advance: one plan, one rule, one dry run, one use."""

import hashlib
from dataclasses import replace

from monitor.incidents.records import canonical_json, to_record
from monitor.incidents.timeline import MONITOR
from monitor.rollbacks.agreeing import approve
from monitor.rollbacks.errors import Refusal, RefusedError
from monitor.rollbacks.executing import execute
from monitor.rollbacks.execution import Execution, Step, StepKind
from monitor.rollbacks.ledger import Armed
from monitor.rollbacks.means import Means
from monitor.rollbacks.plans import RollbackPlan
from monitor.rollbacks.preparing import prepare

__all__ = ["arm", "pull"]

_HOUR_US = 3_600_000_000


def arm(
    means: Means,
    plan: RollbackPlan,
    execution_id: str,
    *,
    rule: str,
    hours: float = 24.0,
) -> Armed:
    """Turn an execution that was agreed to into consent for the breach of one rule.

    It is not carried out now. It holds for the very change that was shown: from what is in
    force to the target, by the plan as it is.

    Parameters
    ----------
    execution_id
        A prepared execution with enough approvals; who went ahead alone cannot arm.
    rule
        The series whose breach may use the consent.
    hours
        How long it holds, a week at most.

    Raises
    ------
    RefusedError
        If it was not agreed to, or would change nothing.
    ValueError
        If `hours` is out of range, or no rule is given.
    """
    if not 0 < hours <= 168 or not rule.strip():
        message = f"a plan must be armed for a rule and for up to 168 hours, got {hours!r}"
        raise ValueError(message)
    execution = means.ledger.load(execution_id)
    now_us = means.clock.now_us()
    agreed = len(execution.approvals) >= execution.needed_approvals
    if not agreed or not execution.is_approved(now_us) or not execution.dry_run.changes_something:
        message = (
            f"the rollback {execution.id[:12]!r} must be agreed to by others, and change "
            "something, before its plan is armed"
        )
        raise RefusedError(Refusal.APPROVAL_MISSING, message)
    armed = Armed(
        id="",
        plan=plan.name,
        target=plan.target,
        rule=rule,
        diff_hash=execution.dry_run.hash,
        approvers=tuple(each.approver for each in execution.approvals),
        reason=execution.reason,
        expires_us=now_us + int(hours * _HOUR_US),
    )
    named = replace(armed, id=_hash(armed, now_us))
    means.ledger.arm(named)
    return named


def pull(means: Means, plan: RollbackPlan, *, rule: str, incident_id: str | None) -> Execution:
    """Carry out an armed plan because its rule was breached.

    Raises
    ------
    RefusedError
        If the plan is not armed for the rule, or the world has moved since it was.
    """
    now_us = means.clock.now_us()
    held = [each for each in means.ledger.armed(plan.name, rule) if each.expires_us > now_us]
    if not held:
        message = f"the plan {plan.name!r} must be armed for {rule!r}; ask a person"
        raise RefusedError(Refusal.NOT_ARMED, message)
    reason = f"breach of {rule}"
    execution = prepare(means, plan, requested_by=MONITOR, reason=reason, incident_id=incident_id)
    for armed in held:
        if armed.diff_hash == execution.dry_run.hash:
            return _carried_out(means, plan, execution, armed)
    message = (
        f"the plan {plan.name!r} is armed for {rule!r}, but not for what it would change now; "
        "read the dry run and ask a person"
    )
    raise RefusedError(Refusal.TARGET_MOVED, message)


def _carried_out(
    means: Means, plan: RollbackPlan, execution: Execution, armed: Armed
) -> Execution:
    if not means.ledger.use_armed(armed.id, execution.id):
        message = f"the consent {armed.id[:12]!r} was used up meanwhile; ask a person"
        raise RefusedError(Refusal.NOT_ARMED, message)
    step = Step(
        kind=StepKind.ARMED_USED,
        at_us=means.clock.now_us(),
        actor=MONITOR,
        body=to_record(armed),
    )
    means.ledger.save(execution, [step])
    for approver in armed.approvers:
        approve(
            means,
            plan,
            execution.id,
            approver=approver,
            diff_hash=armed.diff_hash,
            reason=f"in advance: {armed.reason}",
            legal_answer="given when the plan was armed",
        )
    return execute(means, plan, execution.id)


def _hash(armed: Armed, now_us: int) -> str:
    return hashlib.sha256(canonical_json([to_record(armed), now_us]).encode()).hexdigest()
