"""What people decide about rollbacks to come: consent in advance, and the stop switch."""

from monitor.engine.response.rolling.office import RollbackOffice
from monitor.engine.response.rolling.rights import check_armable, check_may_allow
from monitor.incidents.roles import Person
from monitor.rollbacks import agreeing, arming
from monitor.rollbacks.errors import RollbackError
from monitor.rollbacks.execution import Execution
from monitor.rollbacks.ledger import Armed, Switch

__all__ = ["ConsentDesk"]


class ConsentDesk(RollbackOffice):
    """Takes consent in advance and gives it back, and stops all rollbacks of one monitor.

    Its parameters are those of `RollbackOffice`.
    """

    __slots__ = ()

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
        with self.rights_noted(execution, by):
            incident = self.incident_of(execution)
            check_armable(execution, by, self.people, self.clock.now_us(), incident)
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

    def _switch(self) -> Switch:
        switch = self.store.rollbacks().switch()
        if switch is None:
            message = "the stop switch was turned and must be there; look at the database"
            raise RollbackError(message)
        return switch
