"""Carry out what was agreed to: once, under a lock, and seen to the end even if killed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from monitor.incidents.records import Record, to_record
from monitor.incidents.timeline import MONITOR
from monitor.rollbacks.adapter import Applied, Observed
from monitor.rollbacks.agreeing import refusals_noted
from monitor.rollbacks.errors import (
    MovedError,
    NotAppliedError,
    Refusal,
    RefusedError,
    UnreadableError,
)
from monitor.rollbacks.execution import (
    EndState,
    Execution,
    Outcome,
    Stage,
    Step,
    StepKind,
    advanced,
)
from monitor.rollbacks.means import Means
from monitor.rollbacks.plans import RollbackPlan, resolve_target
from monitor.rollbacks.preparing import Resolve, dry_run, undo_target
from monitor.rollbacks.safeguards import LEASE_SECONDS, Safeguards
from monitor.rollbacks.verifying import Sight, judged, watch

__all__ = ["abandon", "execute", "resume"]


def execute(means: Means, plan: RollbackPlan, execution_id: str) -> Execution:
    """Switch what was agreed to, and watch until it is served or the time is up.

    Returns
    -------
    Execution
        Ended. If the target has moved since the dry run, it ended as refused.

    Raises
    ------
    RefusedError
        If a safeguard holds that may give way: an approval is missing, another execution has
        the target, rollbacks are stopped, or there were too many. It stays prepared.
    UnreadableError
        If the plane cannot be read; it stays prepared.
    """
    with refusals_noted(means, execution_id, MONITOR):
        return _Run(means, plan).execute(execution_id)


def resume(means: Means, plan: RollbackPlan, execution_id: str) -> Execution:
    """See an execution to its end whose process was killed; nothing is sent again.

    Raises
    ------
    RefusedError
        If it was never sent, or another process still has it.
    """
    with refusals_noted(means, execution_id, MONITOR):
        return _Run(means, plan).resume(execution_id)


def abandon(means: Means, execution_id: str, *, actor: str, reason: str) -> Execution:
    """Give up an execution that cannot be resumed; a person answers for what it left behind.

    Raises
    ------
    RefusedError
        If it has ended, a process still has it, or no reason is given.
    """
    execution = means.ledger.load(execution_id)
    if not actor.strip() or not reason.strip():
        message = "a rollback must be given up by a named person, with a reason; give both"
        raise RefusedError(Refusal.REASON_MISSING, message)
    lock = means.ledger.lock(execution.target)
    now_us = means.clock.now_us()
    if lock and lock.execution_id == execution.id and lock.lease_until_us > now_us:
        message = f"the rollback {execution.id[:12]!r} is still running; wait for its end"
        raise RefusedError(Refusal.LOCKED, message)
    explanation = f"given up by {actor}: {reason}"
    ended = advanced(
        execution,
        Stage.ENDED,
        end=EndState.FAILED,
        explanation=explanation,
        ended_us=now_us,
    )
    step = Step(kind=StepKind.ABANDONED, at_us=now_us, actor=actor, body={"reason": reason})
    with means.ledger.begin():
        means.ledger.save(ended, [step])
        means.ledger.release_lock(ended.target, ended.id)
    return ended


@dataclass(frozen=True, slots=True)
class _Run:
    means: Means
    plan: RollbackPlan

    @property
    def safeguards(self) -> Safeguards:
        return Safeguards(self.means, self.plan)

    def execute(self, execution_id: str) -> Execution:
        execution = self._begun(execution_id)
        try:
            observed = self.plan.adapter.observe()
            resolve: Resolve = resolve_target
            if execution.undo_of is not None:
                resolve = undo_target(self.means.ledger.load(execution.undo_of))
            now_shown = dry_run(self.plan, observed, resolve)
        except Exception:
            # Nothing was sent: the target must not stay locked for it.
            self.means.ledger.release_lock(execution.target, execution.id)
            raise
        if now_shown.hash != execution.dry_run.hash:
            return self._ended(
                execution,
                EndState.REFUSED,
                "the target has moved since the dry run that was agreed to, from "
                f"{execution.dry_run.from_value!r} to {now_shown.from_value!r} or in what would "
                "change; prepare anew",
            )
        if execution.dry_run.changes_something:
            execution = self._sent(execution, observed)
        else:
            execution = self._seen_from(execution, Outcome.NOT_SENT, StepKind.SEEN, {})
        return execution if execution.stage is Stage.ENDED else self._watched(execution)

    def resume(self, execution_id: str) -> Execution:
        execution = self.means.ledger.load(execution_id)
        self.safeguards.check_plan(execution)
        if execution.stage not in (Stage.APPLYING, Stage.VERIFYING):
            message = (
                f"the rollback {execution.id[:12]!r} must have been sent to be resumed, it is "
                f"{execution.stage.value!r}"
            )
            raise RefusedError(Refusal.WRONG_STAGE, message)
        self.safeguards.lock(execution)
        now_us = self.means.clock.now_us()
        # Time that nobody watched does not count against it.
        deadline_us = max(execution.deadline_us or 0, now_us + self._max_us())
        body = {"stage": execution.stage.value, "outcome": execution.outcome.value}
        step = self._step(StepKind.RESUMED, body)
        if execution.stage is Stage.APPLYING:
            execution = advanced(
                execution, Stage.VERIFYING, outcome=Outcome.UNKNOWN, deadline_us=deadline_us
            )
        else:
            execution = replace(execution, deadline_us=deadline_us, version=execution.version + 1)
        self.means.ledger.save(execution, [step])
        return self._watched(execution)

    def _begun(self, execution_id: str) -> Execution:
        """Return an execution that no safeguard holds back, its target locked."""
        with self.means.ledger.begin():
            execution = self.means.ledger.load(execution_id)
            self.safeguards.check_plan(execution)
            if execution.stage is not Stage.PREPARED:
                message = (
                    f"the rollback {execution.id[:12]!r} must be prepared, it is "
                    f"{execution.stage.value!r}; resume it, or prepare a new one"
                )
                raise RefusedError(Refusal.WRONG_STAGE, message)
            self.safeguards.check(execution)
            self.safeguards.lock(execution)
        return execution

    def _max_us(self) -> int:
        return int(self.plan.options.verification.max_minutes * 60_000_000)

    def _sent(self, execution: Execution, observed: Observed) -> Execution:
        """Return the execution after its switch was sent, which is written down before."""
        now_us = self.means.clock.now_us()
        execution = advanced(
            execution,
            Stage.APPLYING,
            outcome=Outcome.UNKNOWN,
            applying_us=now_us,
            deadline_us=now_us + self._max_us(),
        )
        expected = {"expect": to_record(observed), "to": execution.dry_run.to}
        lease = self.safeguards.lease(execution, self.safeguards.apply_seconds())
        try:
            self.safeguards.check_switch()
        except RefusedError:
            self.means.ledger.release_lock(execution.target, execution.id)
            raise
        with self.means.ledger.begin():
            if not self.means.ledger.renew_lock(lease):
                message = f"the rollback {execution.id[:12]!r} lost its target; look at it again"
                raise RefusedError(Refusal.LOCKED, message)
            self.means.ledger.save(execution, [self._step(StepKind.APPLYING, expected)])
        return self._applied(execution, observed)

    def _applied(self, execution: Execution, observed: Observed) -> Execution:
        try:
            applied = self.plan.adapter.apply(observed, execution.dry_run.to, key=execution.id)
        except MovedError as error:
            return self._ended(execution, EndState.REFUSED, str(error), Outcome.NOT_SENT)
        except (NotAppliedError, UnreadableError) as error:
            return self._ended(execution, EndState.FAILED, str(error), Outcome.NOT_SENT)
        except Exception as error:  # whatever it was, it may have been after sending
            body = {"error": f"{type(error).__name__}: {error}"}
            return self._seen_from(execution, Outcome.UNKNOWN, StepKind.OUTCOME_UNKNOWN, body)
        return self._seen_from(execution, Outcome.APPLIED, StepKind.APPLIED, _told(applied))

    def _seen_from(
        self, execution: Execution, outcome: Outcome, kind: StepKind, body: Record
    ) -> Execution:
        deadline_us = execution.deadline_us or self.means.clock.now_us() + self._max_us()
        execution = advanced(execution, Stage.VERIFYING, outcome=outcome, deadline_us=deadline_us)
        self.means.ledger.save(execution, [self._step(kind, body)])
        return execution

    def _watched(self, execution: Execution) -> Execution:
        shown = execution.dry_run
        read_seconds = self.plan.adapter.timeout_seconds + self.plan.probe.timeout_seconds
        lease_seconds = LEASE_SECONDS + 2 * read_seconds

        def saw(sight: Sight, changed: bool) -> None:
            if not self.means.ledger.renew_lock(self.safeguards.lease(execution, lease_seconds)):
                message = f"another process has taken over {execution.id[:12]!r}; look there"
                raise RefusedError(Refusal.LOCKED, message)
            if changed:
                step = self._step(StepKind.SEEN, sight.record())
                self.means.ledger.save(execution, [step])

        seen, last = watch(
            self.means,
            self.plan,
            shown,
            # What was there already may have been put there a moment ago by somebody else.
            since_us=execution.applying_us or execution.prepared_us,
            deadline_us=execution.deadline_us or 0,
            saw=saw,
        )
        end, explanation = judged(shown, execution.outcome, seen, last)
        return self._ended(execution, end, explanation)

    def _ended(
        self,
        execution: Execution,
        end: EndState,
        explanation: str,
        outcome: Outcome | None = None,
    ) -> Execution:
        ended = advanced(
            execution,
            Stage.ENDED,
            end=end,
            explanation=explanation,
            ended_us=self.means.clock.now_us(),
            outcome=outcome or execution.outcome,
        )
        told = {
            "end": end.value,
            "explanation": explanation,
            "outcome": ended.outcome.value,
            "contains": ended.contains,
        }
        steps = [self._step(StepKind.ENDED, told)]
        if ended.outcome is not Outcome.NOT_SENT:
            undo = {"to": ended.dry_run.from_reference, "was": ended.dry_run.from_value}
            steps.append(self._step(StepKind.UNDO_PREPARED, undo))
        with self.means.ledger.begin():
            self.means.ledger.save(ended, steps)
            self.means.ledger.release_lock(ended.target, ended.id)
        return ended

    def _step(self, kind: StepKind, body: Mapping[str, object]) -> Step:
        at_us = self.means.clock.now_us()
        return Step(kind=kind, at_us=at_us, actor=MONITOR, body=dict(body))


def _told(applied: Applied) -> Record:
    return to_record(applied)
