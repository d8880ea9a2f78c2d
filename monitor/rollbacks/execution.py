"""Where the execution of a plan stands, and which steps may follow: values, no doing."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from monitor.incidents.records import Record
from monitor.rollbacks.errors import Refusal, RefusedError

__all__ = [
    "Approval",
    "DryRun",
    "EndState",
    "Execution",
    "Outcome",
    "Stage",
    "Step",
    "StepKind",
    "advanced",
]


class Stage(StrEnum):
    """How far an execution is."""

    PREPARED = "prepared"
    APPLYING = "applying"
    VERIFYING = "verifying"
    ENDED = "ended"


_NEXT: Final[Mapping[Stage, frozenset[Stage]]] = {
    Stage.PREPARED: frozenset({Stage.APPLYING, Stage.VERIFYING, Stage.ENDED}),
    # There is no way back to `PREPARED`: what may have been sent is never sent again.
    Stage.APPLYING: frozenset({Stage.VERIFYING, Stage.ENDED}),
    Stage.VERIFYING: frozenset({Stage.ENDED}),
    Stage.ENDED: frozenset(),
}


class Outcome(StrEnum):
    """What is known of the switch itself."""

    NOT_SENT = "not_sent"
    APPLIED = "applied"
    UNKNOWN = "unknown"


class EndState(StrEnum):
    """How an execution ended; only `VERIFIED` and `ALREADY_THERE` mean that the target serves."""

    VERIFIED = "verified"
    ALREADY_THERE = "already_there"
    APPLIED_NOT_SERVING = "applied_not_serving"
    FAILED = "failed"
    REFUSED = "refused"


class StepKind(StrEnum):
    """What a step of an execution tells."""

    FROZEN = "frozen"
    DRY_RUN = "dry_run"
    APPROVED = "approved"
    BREAK_GLASS = "break_glass"
    ARMED_USED = "armed_used"
    REFUSED = "refused"
    APPLYING = "applying"
    APPLIED = "applied"
    OUTCOME_UNKNOWN = "outcome_unknown"
    RESUMED = "resumed"
    SEEN = "seen"
    ENDED = "ended"
    ABANDONED = "abandoned"
    UNDO_PREPARED = "undo_prepared"
    STARTED = "started"
    ARMED = "armed"
    DISARMED = "disarmed"
    REVIEWED = "reviewed"
    METRIC_WITHIN = "metric_within"
    METRIC_BEYOND = "metric_beyond"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of an execution, to be written down in its timeline.

    Parameters
    ----------
    kind
        What it tells.
    at_us
        When it happened.
    actor
        Who: ``monitor``, or a person.
    body
        What there is to tell, as JSON.
    """

    kind: StepKind
    at_us: int
    actor: str
    body: Record = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """What was shown before anybody agreed.

    Parameters
    ----------
    from_value, to_value
        What is in force, and what would be, as the adapter identifies them.
    from_reference, to
        What the adapter must be given to come back, and to go there.
    serving
        What the serving path must show afterwards.
    served_before
        What it showed before; None if it did not say.
    has_evidence
        Whether the target has passing evidence.
    text
        What the person who approves reads.
    hash
        A sha256 over all that was shown and over the plan: approvals are bound to it.
    """

    from_value: str
    to_value: str
    from_reference: str
    to: str
    serving: str
    served_before: str | None = None
    has_evidence: bool
    text: str
    hash: str

    @property
    def changes_something(self) -> bool:
        """Return whether the target is not in force already."""
        return self.from_value != self.to_value


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """The word of one person on one dry run.

    Parameters
    ----------
    approver
        Who.
    diff_hash
        The hash of the dry run that was read.
    at_us
        When.
    reason
        Why, in the person's words.
    legal_answer
        What was decided on telling an authority first, for a system that is high-risk.
    role
        In which role the person acted; empty if roles are not kept.
    """

    approver: str
    diff_hash: str
    at_us: int
    reason: str = ""
    legal_answer: str = ""
    role: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One execution of a plan, from its dry run to its end.

    Parameters
    ----------
    id
        A sha256 over plan, target, person and time; it is also the idempotency key.
    plan, plan_digest, target
        Which plan, a hash over its options, and what is switched.
    incident_id
        The incident it belongs to.
    requested_by, requested_role, reason
        Who asked for it, in which role, and why.
    undo_of
        The execution that it takes back.
    dry_run
        What was shown.
    frozen_hash
        A sha256 over the evidence that was kept before.
    needed_approvals
        Persons that must agree.
    approvals
        Those who did.
    break_glass
        The one person who went ahead alone.
    review_due_us, reviewed_by
        By when that must be reviewed, and who did; empty: nobody yet.
    armed_id
        The advance approval that was used.
    prepared_us
        When the dry run was made.
    approval_us
        How long an approval holds.
    stage, outcome
        How far it is.
    applying_us, deadline_us
        When the switch was about to be sent, and by when it must be seen.
    end, explanation, ended_us
        How it ended, in a word and in a sentence, and when.
    version
        Counts the changes.
    """

    id: str
    plan: str
    plan_digest: str
    target: str
    incident_id: str | None = None
    requested_by: str
    requested_role: str = ""
    reason: str
    undo_of: str | None = None
    dry_run: DryRun
    frozen_hash: str
    needed_approvals: int
    approvals: tuple[Approval, ...] = ()
    break_glass: Approval | None = None
    review_due_us: int | None = None
    reviewed_by: str = ""
    armed_id: str | None = None
    prepared_us: int
    approval_us: int
    stage: Stage = Stage.PREPARED
    outcome: Outcome = Outcome.NOT_SENT
    applying_us: int | None = None
    deadline_us: int | None = None
    end: EndState | None = None
    explanation: str = ""
    ended_us: int | None = None
    version: int = 0

    def is_approved(self, now_us: int) -> bool:
        """Return whether enough persons agreed of late, or one went ahead alone."""
        since = now_us - self.approval_us
        alone = self.break_glass is not None and self.break_glass.at_us >= since
        agreed = sum(1 for approval in self.approvals if approval.at_us >= since)
        return alone or agreed >= self.needed_approvals

    @property
    def serves(self) -> bool:
        """Return whether the target was seen to be served at its end."""
        return self.end in (EndState.VERIFIED, EndState.ALREADY_THERE)

    @property
    def contains(self) -> bool:
        """Return whether the clock of containment stops: it serves, and takes nothing back."""
        return self.serves and self.undo_of is None


def advanced(execution: Execution, stage: Stage, **changes: object) -> Execution:
    """Return an execution in a later stage.

    Raises
    ------
    RefusedError
        If that stage does not follow.
    """
    if stage not in _NEXT[execution.stage]:
        message = (
            f"the execution {execution.id[:12]!r} must not go from {execution.stage.value!r} to "
            f"{stage.value!r}; prepare a new one"
        )
        raise RefusedError(Refusal.WRONG_STAGE, message)
    changed: Mapping[str, object] = {"stage": stage, "version": execution.version + 1, **changes}
    return replace(execution, **changed)  # type: ignore[arg-type]  # names are checked by replace
