"""Rollbacks of the incidents of one monitor: what people ask for, agree to and carry out."""

from dataclasses import dataclass, replace
from typing import Final

from monitor.engine.response.rolling.office import RollbackOffice
from monitor.engine.response.rolling.rights import (
    check_armable,
    check_decided,
    check_may_agree,
    check_may_allow,
    check_workable,
)
from monitor.incidents.roles import Person, RefusedActError
from monitor.rollbacks import agreeing, arming, executing, preparing, rehearsal
from monitor.rollbacks.errors import RollbackError
from monitor.rollbacks.execution import Execution, Step, StepKind
from monitor.rollbacks.ledger import Armed, Switch
from monitor.rollbacks.rehearsal import Rehearsal

__all__ = ["RollbackDesk"]

_LEAST_HASH: Final = 12


@dataclass(slots=True, kw_only=True)
class RollbackDesk(RollbackOffice):
    """Takes rollbacks from the dry run to their end, for the incidents of one monitor.

    Every step is written down in the execution and in the timeline of its incident in one
    transaction, together with whom it is told to. Its parameters are those of `RollbackOffice`.
    """

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
        self.people.check(by)
        found = None if incident is None else self.incident(incident)
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
        check_workable(incident)
        check_decided(plan, execution, by, self.people, incident)
        means = self.means
        means.ledger.save(execution, [self._step(StepKind.STARTED, by)])
        return executing.execute(means, plan, execution.id)

    def resume(self, execution_id: str) -> Execution:
        """See an execution to its end whose process was killed; nothing is sent again.

        Raises
        ------
        RefusedError
            If it was never sent, or another process still has it.
        """
        execution = self.load(execution_id)
        return executing.resume(self.means, self.plan_of(execution), execution.id)

    def abandon(self, execution_id: str, by: Person, reason: str) -> Execution:
        """Give an execution up; a person answers for what it left behind.

        Raises
        ------
        RefusedActError, RefusedError
            If the person may not, it has ended, or a process still has it.
        """
        execution = self.load(execution_id)
        self.people.check(by)
        return executing.abandon(self.means, execution.id, actor=by.name, reason=reason)

    def undo(self, execution_id: str, by: Person, reason: str) -> Execution:
        """Return an execution that would take another one back; it needs consent of its own.

        Raises
        ------
        RefusedActError, RefusedError
            If the person may not act, the plan has changed since, or nothing was switched.
        """
        self.people.check(by)
        execution = self.load(execution_id)
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
            If nobody went ahead alone, it was reviewed, or it is the same person.
        """
        execution = self.load(execution_id)
        check_may_agree(self.plan_of(execution), by, self.people)
        alone = execution.break_glass
        if alone is None or execution.reviewed_by:
            message = "what is reviewed is a rollback that one person did alone, once"
            raise RefusedActError(message)
        if alone.approver.casefold() == by.name.casefold() or not text.strip():
            message = "a review is by somebody else, with a text; give both"
            raise RefusedActError(message)
        reviewed = replace(execution, reviewed_by=by.name, version=execution.version + 1)
        step = self._step(StepKind.REVIEWED, by, text=text)
        self.means.ledger.save(reviewed, [step])
        return reviewed

    def stop(self, by: Person, reason: str) -> Switch:
        """Let no rollback begin any more; those that were sent are still seen to their end.

        Raises
        ------
        RefusedActError, RefusedError
            If the person may not act, or no reason is given.
        """
        self.people.check(by)
        agreeing.stop_all(self.means, actor=by.name, reason=reason)
        return self._switch()

    def go_on(self, by: Person, reason: str) -> Switch:
        """Let rollbacks begin again.

        Raises
        ------
        RefusedActError, RefusedError
            If it is not the person's to decide, or no reason is given.
        """
        check_may_allow(by, self.people)
        agreeing.allow_all(self.means, actor=by.name, reason=reason)
        return self._switch()

    def arm(self, execution_id: str, by: Person, *, rule: str, hours: float = 24.0) -> Armed:
        """Turn an execution that was agreed to into consent for the next breach of a rule.

        Raises
        ------
        RefusedActError, RefusedError
            If it is not the person's to decide, or too few agreed.
        ValueError
            If `hours` is out of range.
        """
        execution = self.load(execution_id)
        check_armable(execution, by, self.people)
        return arming.arm(
            self.means,
            self.plan_of(execution),
            execution.id,
            rule=rule,
            hours=hours,
            actor=by.name,
        )

    def disarm(self, armed_id: str, by: Person, reason: str) -> Armed:
        """Take consent back before it was used.

        Raises
        ------
        RefusedActError, RefusedError
            If the person may not act, or there is no such consent.
        """
        self.people.check(by)
        return arming.disarm(self.means, armed_id, actor=by.name, reason=reason)

    def consents(self) -> tuple[Armed, ...]:
        """Return the unused consents for this monitor's plans that still hold."""
        now_us, names = self.clock.now_us(), {each.name for each in self.plans}
        held = self.store.rollbacks().consents()
        return tuple(each for each in held if each.plan in names and each.expires_us > now_us)

    def pull(self, plan: str, *, rule: str, incident: str) -> Execution:
        """Carry out an armed plan because its rule was breached; the monitor may do so once.

        Raises
        ------
        RefusedError
            If the plan is not armed for the rule, or the world has moved since it was.
        """
        found = self.incident(incident)
        return arming.pull(self.means, self.plan(plan), rule=rule, incident_id=found.id)

    def rehearse(self, plan: str) -> Rehearsal:
        """Return whether a plan could be carried out now; nothing is written anywhere."""
        return rehearsal.rehearse(self.plan(plan))

    def _switch(self) -> Switch:
        switch = self.store.rollbacks().switch()
        if switch is None:
            message = "the stop switch was turned and must be there; look at the database"
            raise RollbackError(message)
        return switch

    def _step(self, kind: StepKind, by: Person, **body: str) -> Step:
        told = {"role": by.role.value, **body}
        return Step(kind=kind, at_us=self.clock.now_us(), actor=by.name, body=told)


def _whole(diff_hash: str, execution: Execution) -> str:
    given = diff_hash.strip().lower()
    whole = execution.dry_run.hash
    return whole if len(given) >= _LEAST_HASH and whole.startswith(given) else diff_hash
