"""Rollbacks of the incidents of one monitor: what people ask for, agree to and carry out."""

from dataclasses import replace
from typing import Final

from monitor.engine.response.rolling.consents import ConsentDesk
from monitor.engine.response.rolling.rights import (
    check_decided,
    check_may_abandon,
    check_may_agree,
    check_workable,
)
from monitor.incidents.roles import Person, RefusedActError, is_same_person
from monitor.rollbacks import agreeing, executing, preparing, rehearsal
from monitor.rollbacks.execution import Execution, Stage, StepKind
from monitor.rollbacks.rehearsal import Rehearsal

__all__ = ["RollbackDesk"]

_LEAST_HASH: Final = 12


class RollbackDesk(ConsentDesk):
    """Takes rollbacks from the dry run to their end, for the incidents of one monitor.

    Every step is written down in the execution and in the timeline of its incident in one
    transaction, together with whom it is told to; so is what the decision rights refuse. Its
    parameters are those of `RollbackOffice`.
    """

    __slots__ = ()

    def prepare(
        self, plan: str, by: Person, reason: str, *, incident: str | None = None
    ) -> Execution:
        """Keep the evidence, look, and return what would change, to be agreed to.

        Parameters
        ----------
        plan
            The name of a plan.
        by
            Who asks for it, in any role.
        reason
            Why.
        incident
            Id or number; None: to arm the plan, for a breach that has not come yet.

        Raises
        ------
        RefusedActError
            If the person may not act, or nobody works on the incident any more.
        RollbackError
            If there is no such plan, it cannot be prepared, or the plane cannot be read.
        """
        found = None if incident is None else self.incident(incident)
        with self.asking_noted(found, plan, by):
            self.people.check(by)
            if found is not None:
                check_workable(found)
        return preparing.prepare(
            self.means,
            self.plan(plan),
            requested_by=by.name,
            requested_role=by.role.value,
            reason=reason,
            incident_id=None if found is None else found.id,
        )

    def approve(
        self,
        execution_id: str,
        by: Person,
        diff_hash: str,
        *,
        reason: str = "",
        legal_answer: str = "",
    ) -> Execution:
        """Return an execution with the word of one more person.

        Parameters
        ----------
        diff_hash
            The hash of the dry run that was read, or its first 12 characters or more.
        legal_answer
            What was decided on telling an authority first, for a high-risk system.

        Raises
        ------
        RefusedActError, RefusedError
            If the person may not approve, or the hash is of another dry run.
        """
        execution = self.load(execution_id)
        plan = self.plan_of(execution)
        with self.rights_noted(execution, by):
            check_may_agree(plan, by, self.people, self.incident_of(execution))
        return agreeing.approve(
            self.means,
            plan,
            execution.id,
            approver=by.name,
            role=by.role.value,
            diff_hash=_whole(diff_hash, execution),
            reason=reason,
            legal_answer=legal_answer,
        )

    def break_glass(self, execution_id: str, by: Person, diff_hash: str, reason: str) -> Execution:
        """Return an execution that one person takes upon themselves; everybody is paged.

        Raises
        ------
        RefusedActError, RefusedError
            If the person may not, the hash is of another dry run, or the reason is too short.
        """
        execution = self.load(execution_id)
        plan = self.plan_of(execution)
        with self.rights_noted(execution, by):
            check_may_agree(plan, by, self.people, self.with_incident(execution))
        return agreeing.break_glass(
            self.means,
            plan,
            execution.id,
            person=by.name,
            role=by.role.value,
            diff_hash=_whole(diff_hash, execution),
            reason=reason,
        )

    def run(self, execution_id: str, by: Person) -> Execution:
        """Switch what was agreed to, and watch until it is served or the time is up.

        Returns
        -------
        Execution
            Ended; `Execution.contains` says whether the incident is contained by it.

        Raises
        ------
        RefusedActError
            If nobody with the right decided it, or a second person is missing.
        RefusedError
            If a safeguard holds; it stays prepared.
        UnreadableError
            If the plane cannot be read; it stays prepared.
        """
        execution = self.load(execution_id)
        plan = self.plan_of(execution)
        incident = self.with_incident(execution)
        with self.rights_noted(execution, by):
            check_workable(incident)
            now_us = self.clock.now_us()
            check_decided(plan, execution, by, self.people, incident, now_us)
        self.let_go(execution)
        means = self.means
        means.ledger.save(execution, [self.step(StepKind.STARTED, by)])
        return executing.execute(means, plan, execution.id)

    def resume(self, execution_id: str) -> Execution:
        """See an execution to its end whose process was killed; nothing is sent again.

        Raises
        ------
        RefusedError
            If it was never sent, or another process still has it.
        """
        execution = self.load(execution_id)
        self.let_go(execution)
        return executing.resume(self.means, self.plan_of(execution), execution.id)

    def abandon(self, execution_id: str, by: Person, reason: str) -> Execution:
        """Give an execution up; a person answers for what it left behind.

        Raises
        ------
        RefusedActError, RefusedError
            If the person may not, it has ended, or a process still has it.
        """
        execution = self.load(execution_id)
        # Without its plan it cannot be resumed: then it must be possible to give it up.
        plan = next((each for each in self.plans if each.name == execution.plan), None)
        with self.rights_noted(execution, by):
            check_may_abandon(plan, execution, by, self.people, self.incident_of(execution))
        self.let_go(execution)
        return executing.abandon(self.means, execution.id, actor=by.name, reason=reason)

    def undo(self, execution_id: str, by: Person, reason: str) -> Execution:
        """Return an execution that would take another one back; it needs consent of its own.

        Raises
        ------
        RefusedActError, RefusedError
            If the person may not act, the plan has changed since, or nothing was switched.
        """
        execution = self.load(execution_id)
        with self.rights_noted(execution, by):
            self.people.check(by)
        return preparing.prepare_undo(
            self.means,
            self.plan_of(execution),
            execution.id,
            requested_by=by.name,
            requested_role=by.role.value,
            reason=reason,
        )

    def review(self, execution_id: str, by: Person, text: str) -> Execution:
        """Record that somebody else looked at what one person did alone.

        Raises
        ------
        RefusedActError
            If nobody went ahead alone, it was reviewed, it still runs, or it is the same person.
        """
        execution = self.load(execution_id)
        with self.rights_noted(execution, by):
            check_may_agree(self.plan_of(execution), by, self.people)
        if execution.stage in (Stage.APPLYING, Stage.VERIFYING):
            # What is written now would make the process that carries it out give it up.
            message = (
                f"a rollback is reviewed when it has ended, {execution.id[:12]!r} is "
                f"{execution.stage.value!r}; wait for its end, or resume it"
            )
            raise RefusedActError(message)
        alone = execution.break_glass
        if alone is None or execution.reviewed_by:
            message = "what is reviewed is a rollback that one person did alone, once"
            raise RefusedActError(message)
        if is_same_person(alone.approver, by.name) or not text.strip():
            message = "a review is by somebody else, with a text; give both"
            raise RefusedActError(message)
        reviewed = replace(execution, reviewed_by=by.name, version=execution.version + 1)
        step = self.step(StepKind.REVIEWED, by, text=text)
        self.means.ledger.save(reviewed, [step])
        return reviewed

    def rehearse(self, plan: str) -> Rehearsal:
        """Return whether a plan could be carried out now; nothing is written anywhere."""
        return rehearsal.rehearse(self.plan(plan))


def _whole(diff_hash: str, execution: Execution) -> str:
    given = diff_hash.strip().lower()
    whole = execution.dry_run.hash
    return whole if len(given) >= _LEAST_HASH and whole.startswith(given) else diff_hash
