"""What executions need remembered: their steps, one lock per target, and the stop switch."""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from monitor.rollbacks.execution import Execution, Stage, Step

__all__ = ["Armed", "Lock", "RollbackLedger", "Switch"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """Who holds a target, and until when without a sign of life."""

    target: str
    execution_id: str
    owner: str
    lease_until_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """The last word on whether rollbacks may run at all."""

    stopped: bool
    actor: str
    reason: str
    at_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Armed:
    """Consent given in advance: one plan, one rule, one dry run, one use.

    Parameters
    ----------
    id
        A sha256 over all of the others.
    plan, target
        Which plan, and what it switches.
    rule
        The series whose breach may use it.
    diff_hash
        The dry run that was agreed to: if the world has moved since, it does not hold.
    approvers
        Who agreed.
    reason
        Why.
    expires_us
        When it stops to hold.
    used_by
        The execution that used it up.
    armed_us
        Since when it holds: only what is seen later may use it.
    execution_id
        The execution whose dry run was agreed to.
    roles
        The roles of those who agreed, in the same order; empty if roles are not kept.
    legal_answer
        What was decided on telling an authority first, for a system that is high-risk.
    """

    id: str
    plan: str
    target: str
    rule: str
    diff_hash: str
    approvers: tuple[str, ...]
    reason: str
    expires_us: int
    used_by: str | None = None
    armed_us: int = 0
    execution_id: str = ""
    roles: tuple[str, ...] = ()
    legal_answer: str = ""


class RollbackLedger(Protocol):
    """Keeps executions; every method is a transaction of its own unless inside `begin`."""

    def begin(self) -> AbstractContextManager[None]:
        """Make one transaction of a block."""
        ...

    def save(self, execution: Execution, steps: Iterable[Step] = ()) -> None:
        """Keep an execution and add to its steps, unless somebody else changed it meanwhile.

        Raises
        ------
        RefusedError
            If the stored version is not the one before, or the same.
        """
        ...

    def load(self, execution_id: str) -> Execution:
        """Return an execution by its id or an id's unique beginning.

        Raises
        ------
        RollbackError
            If there is none, or more than one.
        """
        ...

    def executions(
        self,
        *,
        target: str | None = None,
        incident_id: str | None = None,
        stages: Iterable[Stage] | None = None,
    ) -> tuple[Execution, ...]:
        """Return the executions of a target, of an incident and in some stages, oldest first."""
        ...

    def steps(self, execution_id: str) -> tuple[Step, ...]:
        """Return the steps of an execution, in order."""
        ...

    def sent_since(self, target: str, since_us: int) -> int:
        """Return how many executions were about to be sent to a target since a time."""
        ...

    def take_lock(self, lock: Lock, *, now_us: int) -> Lock:
        """Take a target; return who has it now.

        It is taken if nobody has it, or if the same execution has it and its owner's lease is
        over. A target that another execution holds stays held, however old that is: what
        became of it is not known yet.
        """
        ...

    def lock(self, target: str) -> Lock | None:
        """Return who holds a target."""
        ...

    def renew_lock(self, lock: Lock) -> bool:
        """Put off the end of a lease; return whether the owner still holds the target."""
        ...

    def release_lock(self, target: str, execution_id: str) -> None:
        """Give a target free."""
        ...

    def switch(self) -> Switch | None:
        """Return the last word on whether rollbacks may run, None if nobody ever said."""
        ...

    def turn_switch(self, switch: Switch) -> None:
        """Add a word to that."""
        ...

    def arm(self, armed: Armed) -> None:
        """Keep consent given in advance."""
        ...

    def armed(self, plan: str, rule: str) -> tuple[Armed, ...]:
        """Return the unused consents for a plan and a rule."""
        ...

    def consents(self) -> tuple[Armed, ...]:
        """Return every unused consent, also those that hold no longer."""
        ...

    def disarm(self, armed_id: str) -> bool:
        """Take unused consent back; return whether it was there."""
        ...

    def use_armed(self, armed_id: str, execution_id: str) -> bool:
        """Use consent up; return whether it was there to be used."""
        ...
