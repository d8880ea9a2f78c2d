"""Plans, executions and incidents of one monitor, and what rollbacks are carried out with."""

import os
import secrets
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Self

from monitor.clock import Clock
from monitor.config.model import Configuration
from monitor.engine.incident_desk import monitor_name
from monitor.engine.notifying import Tell, tell_nobody, telling
from monitor.engine.response.rolling.freezing import vault_freezer
from monitor.engine.response.rolling.ledger import IncidentLedger, Saw
from monitor.incidents.model import Incident
from monitor.incidents.roles import People
from monitor.incidents.vault import unsealed
from monitor.rollbacks.errors import Refusal, RefusedError
from monitor.rollbacks.execution import Execution, Step, StepKind
from monitor.rollbacks.means import Means
from monitor.rollbacks.plans import RollbackPlan, plan_named
from monitor.storage.store import Store

__all__ = ["RollbackOffice"]


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


def _owner() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
