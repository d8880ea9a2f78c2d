"""Who agrees to what: approvals, the one person who goes ahead alone, and the stop switch."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from monitor.incidents.records import to_record
from monitor.incidents.roles import is_same_person
from monitor.rollbacks.errors import Refusal, RefusedError
from monitor.rollbacks.execution import Approval, Execution, Stage, Step, StepKind
from monitor.rollbacks.ledger import Switch
from monitor.rollbacks.means import Means
from monitor.rollbacks.plans import RollbackPlan

__all__ = ["allow_all", "approve", "break_glass", "refusals_noted", "stop_all"]

_REVIEW_US = 24 * 3_600_000_000
_LEAST_REASON = 10


@contextmanager
def refusals_noted(means: Means, execution_id: str, actor: str) -> Iterator[None]:
    """Write down as a step what a safeguard refuses within a block, and raise it all the same."""
    try:
        yield
    except RefusedError as error:
        body = {"refusal": error.refusal.value, "explanation": str(error)}
        step = Step(
            kind=StepKind.REFUSED, at_us=means.clock.now_us(), actor=actor or "unknown", body=body
        )
        # Whoever changed it meanwhile does not hide why this was refused.
        with suppress(RefusedError):
            means.ledger.save(means.ledger.load(execution_id), [step])
        raise


def approve(
    means: Means,
    plan: RollbackPlan,
    execution_id: str,
    *,
    approver: str,
    diff_hash: str,
    reason: str = "",
    legal_answer: str = "",
    role: str = "",
) -> Execution:
    """Return an execution with the word of one more person.

    Parameters
    ----------
    diff_hash
        The hash of the dry run that the person has read.
    legal_answer
        Needed for a high-risk system: what was decided on telling an authority first.

    Raises
    ------
    RefusedError
        If the hash is not that of the dry run, or the person may not approve.
    """
    execution = means.ledger.load(execution_id)
    with refusals_noted(means, execution_id, approver):
        _check_open(plan, execution, diff_hash)
        _check_approver(execution, approver)
        _check_legal_answer(plan, legal_answer)
    approval = Approval(
        approver=approver.strip(),
        diff_hash=diff_hash,
        at_us=means.clock.now_us(),
        reason=reason,
        legal_answer=legal_answer,
        role=role,
    )
    since = approval.at_us - execution.approval_us
    held = tuple(
        each
        for each in execution.approvals
        if each.at_us >= since and not is_same_person(each.approver, approver)
    )
    approved = replace(execution, approvals=(*held, approval), version=execution.version + 1)
    means.ledger.save(approved, [_step(StepKind.APPROVED, approval)])
    return approved


def break_glass(
    means: Means,
    plan: RollbackPlan,
    execution_id: str,
    *,
    person: str,
    diff_hash: str,
    reason: str,
    role: str = "",
) -> Execution:
    """Return an execution that one person takes upon themselves; it must be reviewed in a day.

    Raises
    ------
    RefusedError
        If the hash is not that of the dry run, nobody is named, or the reason is no sentence.
    """
    execution = means.ledger.load(execution_id)
    with refusals_noted(means, execution_id, person):
        _check_open(plan, execution, diff_hash)
        _check_typed(person, reason)
    now_us = means.clock.now_us()
    word = Approval(
        approver=person.strip(), diff_hash=diff_hash, at_us=now_us, reason=reason, role=role
    )
    alone = replace(
        execution,
        break_glass=word,
        review_due_us=now_us + _REVIEW_US,
        version=execution.version + 1,
    )
    means.ledger.save(alone, [_step(StepKind.BREAK_GLASS, word)])
    return alone


def stop_all(means: Means, *, actor: str, reason: str) -> None:
    """Let no rollback begin any more, until `allow_all`; those that were sent are still seen."""
    _turn(means, actor, reason, stopped=True)


def allow_all(means: Means, *, actor: str, reason: str) -> None:
    """Let rollbacks begin again."""
    _turn(means, actor, reason, stopped=False)


def _turn(means: Means, actor: str, reason: str, *, stopped: bool) -> None:
    if not actor.strip() or not reason.strip():
        message = "the stop switch must be turned by a named person, with a reason; give both"
        raise RefusedError(Refusal.REASON_MISSING, message)
    at_us = means.clock.now_us()
    # Two who turn it at once take turns.
    with means.ledger.begin():
        switch = Switch(stopped=stopped, actor=actor, reason=reason, at_us=at_us)
        means.ledger.turn_switch(switch)


def _check_open(plan: RollbackPlan, execution: Execution, diff_hash: str) -> None:
    if execution.stage is not Stage.PREPARED:
        message = (
            f"the rollback {execution.id[:12]!r} must be prepared to be agreed to, it is "
            f"{execution.stage.value!r}; prepare a new one"
        )
        raise RefusedError(Refusal.WRONG_STAGE, message)
    if execution.plan_digest != plan.digest:
        message = f"the plan {plan.name!r} has changed since the dry run; prepare anew"
        raise RefusedError(Refusal.PLAN_CHANGED, message)
    if diff_hash != execution.dry_run.hash:
        message = (
            f"the approval is for the dry run {diff_hash[:12]!r}, this one is "
            f"{execution.dry_run.hash[:12]!r}; read it and approve that"
        )
        raise RefusedError(Refusal.APPROVAL_STALE, message)


def _check_approver(execution: Execution, approver: str) -> None:
    if not approver.strip():
        message = "the approver must be named; give a name"
        raise RefusedError(Refusal.APPROVER_NOT_ALLOWED, message)
    if is_same_person(approver, execution.requested_by):
        message = (
            f"{approver!r} asked for this rollback and must not approve it; ask somebody else, "
            "or go ahead alone with a reason"
        )
        raise RefusedError(Refusal.APPROVER_NOT_ALLOWED, message)


def _check_legal_answer(plan: RollbackPlan, legal_answer: str) -> None:
    if plan.options.high_risk and not legal_answer.strip():
        message = (
            "the system is high-risk: legal_answer must say whether an authority is told before "
            "it is altered"
        )
        raise RefusedError(Refusal.REASON_MISSING, message)


def _check_typed(person: str, reason: str) -> None:
    if not person.strip() or len(reason.strip()) < _LEAST_REASON:
        message = (
            f"who goes ahead alone must be named and type a reason of {_LEAST_REASON} characters "
            f"or more, got {reason!r}"
        )
        raise RefusedError(Refusal.REASON_MISSING, message)


def _step(kind: StepKind, word: Approval) -> Step:
    return Step(kind=kind, at_us=word.at_us, actor=word.approver, body=to_record(word))
