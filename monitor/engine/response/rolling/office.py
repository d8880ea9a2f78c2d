"""Plans, executions and incidents of one monitor, and what rollbacks are carried out with."""

import os
import secrets
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Self

from monitor.clock import Clock
from monitor.config.model import Configuration
from monitor.engine.incident_desk import monitor_name
from monitor.engine.notifying import Tell, tell_nobody, telling
from monitor.engine.response.rolling.freezing import vault_freezer
from monitor.engine.response.rolling.ledger import IncidentLedger, Saw
from monitor.engine.worker_names import has_gone
from monitor.incidents.business_hours import OFFICE_HOURS, BusinessHours
from monitor.incidents.model import Incident
from monitor.incidents.roles import People, Person, RefusedActError
from monitor.incidents.timeline import EntryKind, TimelineEntry
from monitor.incidents.vault import unsealed
from monitor.rollbacks.errors import Refusal, RefusedError
from monitor.rollbacks.execution import Execution, Step, StepKind
from monitor.rollbacks.ledger import Lock
from monitor.rollbacks.means import Means
from monitor.rollbacks.plans import RollbackPlan, plan_named
from monitor.storage.store import Store

__all__ = ["RollbackOffice", "is_orphan"]


@dataclass(slots=True, kw_only=True)
class RollbackOffice:
    """What the rollbacks of one monitor are looked up and carried out with.

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
    hours
        When people are at work, for timers.
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
    hours: BusinessHours = OFFICE_HOURS
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
    ) -> "Self":
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
            hours=configuration.incidents.business_hours,
        )

    @property
    def means(self) -> Means:
        """Return what executions are carried out with."""
        ledger = IncidentLedger(
            self.store, self.monitor, self.clock, tell=self.tell, saw=self.saw, hours=self.hours
        )
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

    def evidence(self, execution_id: str) -> tuple[str, ...]:
        """Return what was in force and served before an execution, out of the vault, as JSON.

        Raises
        ------
        VaultError
            If it was erased or changed.
        """
        execution = self.load(execution_id)
        if execution.incident_id is None:
            return ()
        vault = self.store.incidents(self.monitor).vault()
        key = vault.key(execution.incident_id)
        commitments = [
            str(kept["vault"])
            for step in self.steps(execution.id)
            if step.kind is StepKind.FROZEN
            for kept in step.body["kept"].get("evidence", ())
            if "vault" in kept
        ]
        return tuple(
            unsealed(
                vault.get(execution.incident_id, each), incident_id=execution.incident_id, key=key
            )
            for each in commitments
        )

    def executions(self, incident: str | None = None) -> tuple[Execution, ...]:
        """Return the executions of an incident, or all of this monitor's plans, oldest first."""
        if incident is not None:
            found = self.incident(incident)
            return self.store.rollbacks().executions(incident_id=found.id)
        names = {each.name for each in self.plans}
        return tuple(each for each in self.store.rollbacks().executions() if each.plan in names)

    def plan_of(self, execution: Execution) -> RollbackPlan:
        """Return the plan of an execution, as it is configured now."""
        return self.plan(execution.plan)

    def incident(self, id_or_number: str) -> Incident:
        """Return an incident of this monitor."""
        return self.store.incidents(self.monitor).find(id_or_number)

    def incident_of(self, execution: Execution) -> Incident | None:
        """Return the incident of an execution; None if it was prepared to be armed."""
        return None if execution.incident_id is None else self.incident(execution.incident_id)

    def with_incident(self, execution: Execution) -> Incident:
        """Return the incident of an execution that is to be carried out now.

        Raises
        ------
        RefusedError
            If it has none.
        """
        incident = self.incident_of(execution)
        if incident is None:
            message = (
                f"the rollback {execution.id[:12]!r} was prepared without an incident, to be "
                "armed; prepare one with --incident, open it first if need be"
            )
            raise RefusedError(Refusal.WRONG_STAGE, message)
        return incident

    def step(self, kind: StepKind, by: Person, **body: str) -> Step:
        """Return a step that a person took now."""
        told = {"role": by.role.value, **body}
        return Step(kind=kind, at_us=self.clock.now_us(), actor=by.name, body=told)

    @contextmanager
    def rights_noted(self, execution: Execution, by: Person) -> Iterator[None]:
        """Write down as a step what decision rights refuse within a block, and raise it."""
        try:
            yield
        except RefusedActError as error:
            refusal = Refusal.DECISION_RIGHT.value
            told = self.step(StepKind.REFUSED, by, refusal=refusal, explanation=str(error))
            # Whoever changed it meanwhile does not hide why this was refused.
            with suppress(RefusedError):
                self.means.ledger.save(self.load(execution.id), [told])
            raise

    @contextmanager
    def asking_noted(self, incident: Incident | None, plan: str, by: Person) -> Iterator[None]:
        """Do so before there is an execution: in the timeline of the incident alone."""
        try:
            yield
        except RefusedActError as error:
            if incident is not None:
                body = {
                    "plan": plan,
                    "step": StepKind.REFUSED.value,
                    "refusal": Refusal.DECISION_RIGHT.value,
                    "explanation": str(error),
                    "role": by.role.value,
                }
                now_us = self.clock.now_us()
                entry = TimelineEntry(
                    kind=EntryKind.ROLLBACK_REFUSED,
                    occurred_us=now_us,
                    known_us=now_us,
                    actor=by.name,
                    body=body,
                )
                incidents = self.store.incidents(self.monitor)
                incidents.append(incident.id, [entry], recorded_us=now_us)
            raise

    def let_go(self, execution: Execution) -> None:
        """End the lease of a process of this host that is not there any more."""
        ledger = self.store.rollbacks()
        lock = ledger.lock(execution.target)
        if lock is not None and lock.execution_id == execution.id and is_orphan(lock):
            # Only if it is still that process which has it.
            ledger.renew_lock(replace(lock, lease_until_us=0))


def is_orphan(lock: Lock) -> bool:
    """Return whether a target is held by a process of this host that is not there any more.

    False: it may live, or nothing is known of it.
    """
    process, _, _ = lock.owner.rpartition(":")
    return has_gone(process)


def _owner() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
