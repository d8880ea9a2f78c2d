"""A rollback in words and as a record for programs."""

from collections.abc import Iterator

from monitor.incidents.records import Record
from monitor.printing import time_text
from monitor.rollbacks.execution import Approval, Execution, Stage, Step, StepKind
from monitor.rollbacks.ledger import Armed

__all__ = ["armed_record", "rollback_lines", "rollback_record", "state_words", "step_words"]

_SHORT = 12
_WORDS = {
    StepKind.FROZEN: "evidence is kept",
    StepKind.DRY_RUN: "dry run made",
    StepKind.APPROVED: "approved",
    StepKind.BREAK_GLASS: "taken by one person alone; everybody is told",
    StepKind.ARMED_USED: "consent given in advance is used",
    StepKind.REFUSED: "refused",
    StepKind.APPLYING: "about to be sent",
    StepKind.APPLIED: "sent; the plane took it",
    StepKind.OUTCOME_UNKNOWN: "sent; what came of it is not known, so it is observed",
    StepKind.RESUMED: "taken up again by observing; nothing is sent",
    StepKind.SEEN: "seen",
    StepKind.ENDED: "ended",
    StepKind.ABANDONED: "given up",
    StepKind.UNDO_PREPARED: "can be taken back",
    StepKind.STARTED: "started",
    StepKind.ARMED: "armed",
    StepKind.DISARMED: "disarmed",
    StepKind.REVIEWED: "reviewed",
    StepKind.METRIC_WITHIN: "within tolerance in a whole window since",
    StepKind.METRIC_BEYOND: "still beyond tolerance in a whole window since",
}


def step_words(step: Step) -> str:
    """Return one line about a step.

    Examples
    --------
    >>> step_words(Step(kind=StepKind.APPROVED, at_us=0, actor="ben"))
    'approved by ben'
    """
    body, words = step.body, f"{_WORDS[step.kind]} by {step.actor}"
    if step.kind is StepKind.SEEN:
        words = f"seen: plane {body.get('plane')!r}, serving {body.get('serving')!r}"
        return f"{words}; {body['trouble']}" if body.get("trouble") else words
    if step.kind is StepKind.ENDED:
        return f"{body.get('end')}: {body.get('explanation')}"
    if step.kind in (StepKind.METRIC_WITHIN, StepKind.METRIC_BEYOND):
        return f"{body.get('series')} on {body.get('slice')}: {_WORDS[step.kind]}"
    said = body.get("explanation") or body.get("error") or body.get("text") or body.get("reason")
    return f"{words}: {said}" if said else words


def state_words(execution: Execution) -> str:
    """Return where an execution stands, in a few words."""
    if execution.end is not None:
        return execution.end.value
    if execution.stage is not Stage.PREPARED:
        return f"{execution.stage.value}, resume it if its process is gone"
    if execution.break_glass is not None:
        return "prepared, taken by one person alone"
    return f"prepared, {len(execution.approvals)} of {execution.needed_approvals} approvals"


def rollback_lines(execution: Execution, configuration: str) -> Iterator[str]:
    """Yield what a person needs of an execution, and what comes next."""
    shown = execution.dry_run
    yield f"rollback {execution.id[:_SHORT]}: {state_words(execution)}"
    if execution.explanation:
        yield execution.explanation
    about = "no incident" if execution.incident_id is None else execution.incident_id[:_SHORT]
    role = f" ({execution.requested_role})" if execution.requested_role else ""
    yield f"asked for by {execution.requested_by}{role} in {about}: {execution.reason}"
    for word in execution.approvals:
        yield f"approved by {_who(word)} at {time_text(word.at_us)}"
    if execution.break_glass is not None:
        reviewed = execution.reviewed_by or f"nobody yet, due {time_text(execution.review_due_us)}"
        yield f"alone: {_who(execution.break_glass)}; reviewed by {reviewed}"
    yield ""
    yield from shown.text.splitlines()
    if shown.served_before is not None:
        yield f"served before: {shown.served_before!r}"
    yield f"hash {shown.hash}"
    yield from _next(execution, configuration)


def rollback_record(execution: Execution) -> Record:
    """Return an execution for programs; times as RFC 3339 writes them."""
    shown = execution.dry_run
    return {
        "id": execution.id,
        "plan": execution.plan,
        "target": execution.target,
        "incident": execution.incident_id,
        "stage": execution.stage.value,
        "end": None if execution.end is None else execution.end.value,
        "explanation": execution.explanation,
        "outcome": execution.outcome.value,
        "serves": execution.serves,
        "contains": execution.contains,
        "requested_by": execution.requested_by,
        "reason": execution.reason,
        "undo_of": execution.undo_of,
        "dry_run": {
            "hash": shown.hash,
            "from": shown.from_value,
            "to": shown.to_value,
            "serving": shown.serving,
            "served_before": shown.served_before,
            "has_evidence": shown.has_evidence,
            "changes_something": shown.changes_something,
            "text": shown.text,
        },
        "needed_approvals": execution.needed_approvals,
        "approvals": [_word(each) for each in execution.approvals],
        "break_glass": None if execution.break_glass is None else _word(execution.break_glass),
        "review_due": _time(execution.review_due_us),
        "reviewed_by": execution.reviewed_by or None,
        "prepared": _time(execution.prepared_us),
        "sent": _time(execution.applying_us),
        "ended": _time(execution.ended_us),
    }


def armed_record(armed: Armed) -> Record:
    """Return consent given in advance for programs."""
    return {
        "id": armed.id,
        "plan": armed.plan,
        "target": armed.target,
        "rule": armed.rule,
        "hash": armed.diff_hash,
        "approvers": list(armed.approvers),
        "reason": armed.reason,
        "expires": _time(armed.expires_us),
        "rollback": armed.execution_id or None,
    }


def _next(execution: Execution, configuration: str) -> Iterator[str]:
    short = execution.id[:_SHORT]
    begin = f"outputwatch rollback {{}} {configuration} {short}"
    if execution.stage is Stage.PREPARED:
        missing = execution.needed_approvals - len(execution.approvals)
        if missing > 0 and execution.break_glass is None:
            words = "approval is" if missing == 1 else "approvals are"
            yield f"{missing} more {words} missing, of others than {execution.requested_by}:"
            yield f"  {begin.format('approve')} --hash {execution.dry_run.hash[:_SHORT]}"
        else:
            yield f"next: {begin.format('run')}"
    elif execution.stage is not Stage.ENDED:
        yield f"if its process is gone: {begin.format('resume')}"
    elif execution.applying_us is not None and execution.undo_of is None:
        yield f"to take it back: {begin.format('undo')}"


def _who(word: Approval) -> str:
    said = f", {word.reason!r}" if word.reason else ""
    return f"{word.approver} ({word.role}{said})" if word.role else f"{word.approver}{said}"


def _word(word: Approval) -> Record:
    return {
        "by": word.approver,
        "role": word.role,
        "at": _time(word.at_us),
        "hash": word.diff_hash,
        "reason": word.reason,
        "legal_answer": word.legal_answer,
    }


def _time(us: int | None) -> str | None:
    return None if us is None else time_text(us)
