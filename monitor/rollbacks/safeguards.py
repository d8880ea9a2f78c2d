"""What holds a rollback back: stop switch, consent, too many of them, and one lock per target."""

from dataclasses import dataclass

from monitor.rollbacks.errors import Refusal, RefusedError
from monitor.rollbacks.execution import Execution
from monitor.rollbacks.ledger import Lock
from monitor.rollbacks.means import Means
from monitor.rollbacks.plans import RollbackPlan

__all__ = ["LEASE_SECONDS", "MAX_PER_HOUR", "Safeguards"]

MAX_PER_HOUR = 3
"""Executions of one target that may be sent within an hour."""

LEASE_SECONDS = 15.0
"""How long a process may be without a sign of life, besides what it waits for."""

_HOUR_US = 3_600_000_000
# An adapter reads, writes and reads again within one call.
_CALLS = 4


@dataclass(frozen=True, slots=True)
class Safeguards:
    """The safeguards of one plan; each method raises `RefusedError` if it holds."""

    means: Means
    plan: RollbackPlan

    def check_plan(self, execution: Execution) -> None:
        """Refuse an execution that was prepared with another plan."""
        if execution.plan != self.plan.name or execution.plan_digest != self.plan.digest:
            message = (
                f"the plan {self.plan.name!r} must be the one that the rollback "
                f"{execution.id[:12]!r} was prepared with, unchanged; prepare anew"
            )
            raise RefusedError(Refusal.PLAN_CHANGED, message)

    def check(self, execution: Execution) -> None:
        """Refuse what is stopped, not agreed to, or done too often."""
        ledger, now_us = self.means.ledger, self.means.clock.now_us()
        self.check_switch()
        if not execution.is_approved(now_us):
            message = (
                f"the rollback {execution.id[:12]!r} must have {execution.needed_approvals} "
                f"approvals that still hold, it has {len(execution.approvals)}; have it approved"
            )
            raise RefusedError(Refusal.APPROVAL_MISSING, message)
        sent = ledger.sent_since(execution.target, now_us - _HOUR_US)
        if execution.dry_run.changes_something and sent >= MAX_PER_HOUR:
            message = (
                f"the target {execution.target!r} must not be switched more than {MAX_PER_HOUR} "
                f"times an hour, it was {sent} times; find out why it does not hold"
            )
            raise RefusedError(Refusal.TOO_OFTEN, message)

    def check_switch(self) -> None:
        """Refuse everything while rollbacks are stopped."""
        switch = self.means.ledger.switch()
        if switch is not None and switch.stopped:
            message = f"rollbacks are stopped by {switch.actor!r}: {switch.reason}; ask there"
            raise RefusedError(Refusal.STOPPED, message)

    def lock(self, execution: Execution) -> None:
        """Take the target, for as long as one call to the plane may take."""
        wanted = self.lease(execution, self.apply_seconds())
        held = self.means.ledger.take_lock(wanted, now_us=self.means.clock.now_us())
        if held.execution_id != execution.id:
            message = (
                f"the target {execution.target!r} is held by the rollback "
                f"{held.execution_id[:12]!r}; wait for its end, resume it or give it up"
            )
            raise RefusedError(Refusal.LOCKED, message)
        if held.owner != self.means.owner:
            message = (
                f"the rollback {execution.id[:12]!r} is with another process, which has "
                f"{(held.lease_until_us - self.means.clock.now_us()) / 1e6:.0f} seconds to give a "
                "sign of life; try again then"
            )
            raise RefusedError(Refusal.LOCKED, message)
        self.means.ledger.renew_lock(wanted)

    def lease(self, execution: Execution, seconds: float) -> Lock:
        """Return a lock of the target that holds for so many seconds."""
        return Lock(
            target=execution.target,
            execution_id=execution.id,
            owner=self.means.owner,
            lease_until_us=self.means.clock.now_us() + int(seconds * 1_000_000),
        )

    def apply_seconds(self) -> float:
        """Return how long a switch may take at most."""
        called = self.plan.adapter.timeout_seconds
        return LEASE_SECONDS + _CALLS * called
