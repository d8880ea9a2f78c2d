"""A plan carried out from its dry run to its end, on the real clock."""

from pathlib import Path

from monitor.clock import SystemClock
from monitor.rollbacks.adapter import Adapter, Probe
from monitor.rollbacks.agreeing import approve
from monitor.rollbacks.executing import execute
from monitor.rollbacks.execution import Execution
from monitor.rollbacks.means import Means
from monitor.rollbacks.plans import (
    Evidence,
    PlanKind,
    PlanOptions,
    Release,
    RollbackPlan,
    Verification,
)
from monitor.rollbacks.preparing import prepare
from monitor.storage import Store

__all__ = ["carried_out", "plan_to", "script"]


def plan_to(
    adapter: Adapter, probe: Probe, *, to: str, serving: str = "", max_minutes: float = 0.5
) -> RollbackPlan:
    release = Release(
        reference=to, serving=serving, evidence=Evidence.PASSING, evidence_source="tests"
    )
    return RollbackPlan(
        options=PlanOptions(
            name="back",
            kind=PlanKind.CONFIGURATION,
            target="real thing",
            owner="mo",
            to=to,
            releases=(release,),
            verification=Verification(reads=2, interval_seconds=0.1, max_minutes=max_minutes),
        ),
        adapter=adapter,
        probe=probe,
    )


def carried_out(plan: RollbackPlan, folder: Path) -> Execution:
    with Store.open(f"sqlite:///{folder / 'ledger.db'}") as store:
        means = Means(ledger=store.rollbacks(), clock=SystemClock(), owner="tests")
        execution = prepare(means, plan, requested_by="ana", reason="gap")
        approve(means, plan, execution.id, approver="ben", diff_hash=execution.dry_run.hash)
        return execute(means, plan, execution.id)


def script(path: Path, text: str) -> str:
    """Write a program that nobody but its owner may write, and return its path."""
    path.write_text(text)
    path.chmod(0o755)
    return str(path)
