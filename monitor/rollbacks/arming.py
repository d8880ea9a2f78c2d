"""Consent in advance: one plan, one rule, one dry run, one use."""

import hashlib
from dataclasses import replace

from monitor.incidents.records import canonical_json, to_record
from monitor.incidents.timeline import MONITOR
from monitor.rollbacks.agreeing import approve
from monitor.rollbacks.errors import Refusal, RefusedError
from monitor.rollbacks.executing import abandon, execute
from monitor.rollbacks.execution import Execution, Stage, Step, StepKind
from monitor.rollbacks.ledger import Armed
from monitor.rollbacks.means import Means
from monitor.rollbacks.plans import RollbackPlan
from monitor.rollbacks.preparing import prepare

__all__ = ["arm", "disarm", "pull"]

_HOUR_US = 3_600_000_000


def arm(
    means: Means,
    plan: RollbackPlan,
    execution_id: str,
    *,
    rule: str,
    hours: float = 24.0,
    actor: str = MONITOR,
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
    actor
        Who arms it.

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
    _check_armable(execution, plan, now_us)
    armed = Armed(
        id="",
        plan=plan.name,
        target=plan.target,
        rule=rule,
        diff_hash=execution.dry_run.hash,
        approvers=tuple(each.approver for each in execution.approvals),
        reason=execution.reason,
        expires_us=now_us + int(hours * _HOUR_US),
        armed_us=now_us,
        execution_id=execution.id,
        roles=tuple(each.role for each in execution.approvals),
        legal_answer="; ".join(each.legal_answer for each in execution.approvals),
    )
    named = replace(armed, id=_hash(armed, now_us))
    step = Step(kind=StepKind.ARMED, at_us=now_us, actor=actor, body=to_record(named))
    with means.ledger.begin():
        means.ledger.arm(named)
        means.ledger.save(execution, [step])
    return named


def disarm(means: Means, armed_id: str, *, actor: str, reason: str) -> Armed:
    """Take consent back before it was used.

    Parameters
    ----------
    armed_id
        Its id, or the beginning of it that no other consent has.

    Raises
    ------
    RefusedError
        If there is none that was not used, or nobody or no reason is named.
    """
    if not actor.strip() or not reason.strip():
        message = "a plan must be disarmed by a named person, with a reason; give both"
        raise RefusedError(Refusal.REASON_MISSING, message)
    held = [each for each in means.ledger.consents() if each.id.startswith(armed_id.lower())]
    if len(held) != 1 or not armed_id:
        message = f"one unused consent must begin with {armed_id!r}, got {len(held)}; list them"
        raise RefusedError(Refusal.NOT_ARMED, message)
    armed = held[0]
    body = {"armed": armed.id, "rule": armed.rule, "reason": reason}
    step = Step(kind=StepKind.DISARMED, at_us=means.clock.now_us(), actor=actor.strip(), body=body)
    with means.ledger.begin():
        if not means.ledger.disarm(armed.id):
            message = f"the consent {armed.id[:12]!r} was used up meanwhile; see what came of it"
            raise RefusedError(Refusal.NOT_ARMED, message)
        if armed.execution_id:
            means.ledger.save(means.ledger.load(armed.execution_id), [step])
    return armed


def pull(means: Means, plan: RollbackPlan, *, rule: str, incident_id: str | None) -> Execution:
    """Carry out an armed plan because its rule was breached.

    It is tried once: what a safeguard refuses then is given up, and people decide.

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
    try:
        _consented(means, plan, execution, _fitting(plan, execution, held, rule))
        return execute(means, plan, execution.id)
    except RefusedError as error:
        # Where another process was quicker, there is nothing to give up.
        over = error.refusal is Refusal.NOT_ARMED
        if not over and means.ledger.load(execution.id).stage is Stage.PREPARED:
            abandon(means, execution.id, actor=MONITOR, reason=str(error))
        raise


def _check_armable(execution: Execution, plan: RollbackPlan, now_us: int) -> None:
    agreed = len(execution.approvals) >= execution.needed_approvals
    if not agreed or not execution.is_approved(now_us) or not execution.dry_run.changes_something:
        message = (
            f"the rollback {execution.id[:12]!r} must be agreed to by others, and change "
            "something, before its plan is armed"
        )
        raise RefusedError(Refusal.APPROVAL_MISSING, message)
    if execution.stage is not Stage.PREPARED:
        message = (
            f"the rollback {execution.id[:12]!r} must be prepared to be armed, it is "
            f"{execution.stage.value!r}; prepare a new one"
        )
        raise RefusedError(Refusal.WRONG_STAGE, message)
    if execution.plan_digest != plan.digest:
        message = f"the plan {plan.name!r} has changed since the dry run; prepare anew"
        raise RefusedError(Refusal.PLAN_CHANGED, message)


def _fitting(plan: RollbackPlan, execution: Execution, held: list[Armed], rule: str) -> Armed:
    for armed in held:
        if armed.diff_hash == execution.dry_run.hash:
            return armed
    message = (
        f"the plan {plan.name!r} is armed for {rule!r}, but not for what it would change now; "
        "read the dry run and ask a person"
    )
    raise RefusedError(Refusal.TARGET_MOVED, message)


def _consented(means: Means, plan: RollbackPlan, execution: Execution, armed: Armed) -> None:
    """Use the consent up and make it the approvals of an execution, all or nothing."""
    step = Step(
        kind=StepKind.ARMED_USED,
        at_us=means.clock.now_us(),
        actor=MONITOR,
        body=to_record(armed),
    )
    roles = armed.roles or ("",) * len(armed.approvers)
    with means.ledger.begin():
        if not means.ledger.use_armed(armed.id, execution.id):
            message = f"the consent {armed.id[:12]!r} was used up meanwhile; ask a person"
            raise RefusedError(Refusal.NOT_ARMED, message)
        means.ledger.save(execution, [step])
        for approver, role in zip(armed.approvers, roles, strict=True):
            approve(
                means,
                plan,
                execution.id,
                approver=approver,
                diff_hash=armed.diff_hash,
                reason=f"in advance: {armed.reason}",
                legal_answer=armed.legal_answer or "given when the plan was armed",
                role=role,
            )


def _hash(armed: Armed, now_us: int) -> str:
    return hashlib.sha256(canonical_json([to_record(armed), now_us]).encode()).hexdigest()
