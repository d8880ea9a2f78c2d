"""Rollbacks of the incidents of one monitor: what people ask for, agree to and carry out."""

import os
import secrets
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from monitor.clock import Clock
from monitor.config.model import Configuration
from monitor.engine.incident_desk import monitor_name
from monitor.engine.notifying import Tell, tell_nobody, telling
from monitor.engine.response.rolling.freezing import vault_freezer
from monitor.engine.response.rolling.ledger import IncidentLedger, Saw
from monitor.engine.response.rolling.rights import (
    check_armable,
    check_decided,
    check_may_agree,
    check_may_allow,
    check_workable,
)
from monitor.incidents.model import Incident
from monitor.incidents.roles import People, Person, RefusedActError
from monitor.rollbacks import agreeing, arming, executing, preparing, rehearsal
from monitor.rollbacks.errors import Refusal, RefusedError, RollbackError
from monitor.rollbacks.execution import Execution, Step, StepKind
from monitor.rollbacks.ledger import Armed, Switch
from monitor.rollbacks.means import Means
from monitor.rollbacks.plans import RollbackPlan, plan_named
from monitor.rollbacks.rehearsal import Rehearsal
from monitor.storage.store import Store

__all__ = ["RollbackDesk"]

_LEAST_HASH: Final = 12


@dataclass(slots=True, kw_only=True)
class RollbackDesk:
    """Takes rollbacks from the dry run to their end, for the incidents of one monitor.

    Every step is written down in the execution and in the timeline of its incident in one
    transaction, together with whom it is told to.

    Parameters
    ----------
    store, monitor
        Where the incidents are, and whose.
    plans
        What can be switched back.
    clock
        Tells the time.
    people
        Who may act.
    tell
        Writes down whom a step is told to.
    wait
        Lets so many seconds pass.
    saw
        Is told every step, for progress.
    owner
        Names this process, unlike any other.
    """

    store: Store
    monitor: str
    plans: Sequence[RollbackPlan]
    clock: Clock
    people: People = field(default_factory=People)
    tell: Tell = tell_nobody
    wait: Callable[[float], None] = time.sleep
    saw: Saw | None = None
    owner: str = field(default_factory=lambda: _owner())

    @classmethod
    def of(
        cls,
        configuration: Configuration,
        store: Store,
        clock: Clock,
        *,
        wait: Callable[[float], None] = time.sleep,
        saw: Saw | None = None,
    ) -> "RollbackDesk":
        """Return the desk of a configuration: its plans, its people and its channels."""
        monitor = monitor_name(configuration)
        return cls(
            store=store,
            monitor=monitor,
            plans=configuration.rollbacks,
            clock=clock,
            people=configuration.people,
            tell=telling(store, configuration, monitor),
            wait=wait,
            saw=saw,
        )

    @property
    def means(self) -> Means:
        """Return what executions are carried out with."""
        ledger = IncidentLedger(self.store, self.monitor, self.clock, tell=self.tell, saw=self.saw)
        return Means(
            ledger=ledger,
            clock=self.clock,
            owner=self.owner,
            wait=self.wait,
            freezers=(vault_freezer(self.store, self.monitor),),
        )

    def plan(self, name: str) -> RollbackPlan:
        """Return the plan with a name, or with the only name that begins so.

        Raises
        ------
        RollbackError
            If there is none, or more than one.
        """
        return plan_named(self.plans, name)

    def load(self, execution_id: str) -> Execution:
        """Return an execution by its id or its beginning.

        Raises
        ------
        RollbackError
            If there is none, or more than one.
        """
        return self.store.rollbacks().load(execution_id)

    def steps(self, execution_id: str) -> tuple[Step, ...]:
        """Return the steps of an execution, in order."""
        rollbacks = self.store.rollbacks()
        return rollbacks.steps(rollbacks.load(execution_id).id)

    def executions(self, incident: str | None = None) -> tuple[Execution, ...]:
        """Return the executions of an incident, or all of this monitor's plans, oldest first."""
        if incident is not None:
            found = self.store.incidents(self.monitor).find(incident)
            return self.store.rollbacks().executions(incident_id=found.id)
        names = {each.name for each in self.plans}
        return tuple(each for each in self.store.rollbacks().executions() if each.plan in names)

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
        found = None if incident is None else self._incident(incident)
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
        plan = self._plan_of(execution)
        check_may_agree(plan, by, self.people, self._incident_of(execution))
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
        plan = self._plan_of(execution)
        check_may_agree(plan, by, self.people, self._with_incident(execution))
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
        plan = self._plan_of(execution)
        incident = self._with_incident(execution)
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
        return executing.resume(self.means, self._plan_of(execution), execution.id)

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
            self._plan_of(execution),
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
        check_may_agree(self._plan_of(execution), by, self.people)
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
            self._plan_of(execution),
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
        found = self._incident(incident)
        return arming.pull(self.means, self.plan(plan), rule=rule, incident_id=found.id)

    def rehearse(self, plan: str) -> Rehearsal:
        """Return whether a plan could be carried out now; nothing is written anywhere."""
        return rehearsal.rehearse(self.plan(plan))

    def _plan_of(self, execution: Execution) -> RollbackPlan:
        return self.plan(execution.plan)

    def _incident(self, id_or_number: str) -> Incident:
        return self.store.incidents(self.monitor).find(id_or_number)

    def _incident_of(self, execution: Execution) -> Incident | None:
        return None if execution.incident_id is None else self._incident(execution.incident_id)

    def _with_incident(self, execution: Execution) -> Incident:
        incident = self._incident_of(execution)
        if incident is None:
            message = (
                f"the rollback {execution.id[:12]!r} was prepared without an incident, to be "
                "armed; prepare one with --incident, open it first if need be"
            )
            raise RefusedError(Refusal.WRONG_STAGE, message)
        return incident

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


def _owner() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
