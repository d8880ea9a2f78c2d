"""Rehearse plans: everything up to the switch, to know today whether they would work."""

from collections.abc import Iterable
from dataclasses import dataclass

from monitor.rollbacks.errors import RollbackError
from monitor.rollbacks.plans import RollbackPlan
from monitor.rollbacks.preparing import dry_run

__all__ = ["Rehearsal", "ready_gauge", "rehearse"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """How a rehearsal went.

    Parameters
    ----------
    plan
        The name of the plan.
    ready
        Whether it could be carried out now.
    reasons
        What stands in its way.
    remarks
        What does not, but should be known.
    text
        The dry run; empty if it did not come to that.
    in_force
        Whether the target is in force already, so that there is nothing to do.
    """

    plan: str
    ready: bool
    reasons: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    text: str = ""
    in_force: bool = False

    @property
    def broken(self) -> bool:
        """Return whether somebody must mend something before the plan can be carried out."""
        return not self.ready and (not self.in_force or len(self.reasons) > 1)


def rehearse(plan: RollbackPlan) -> Rehearsal:
    """Return whether a plan could be carried out now; nothing is written anywhere.

    A plan whose target is in force already is not ready: it would change nothing.
    """
    reasons: list[str] = []
    remarks: list[str] = []
    text, in_force = "", False
    try:
        plan.probe.read()
    except RollbackError as error:
        reasons.append(f"serving path: {error}")
    try:
        shown = dry_run(plan, plan.adapter.observe())
    except RollbackError as error:
        reasons.append(f"plane: {error}")
    else:
        text = shown.text
        in_force = not shown.changes_something
        if in_force:
            reasons.append(f"{shown.to!r} is in force already: there is nothing to go back to")
        if not shown.has_evidence:
            remarks.append(f"{shown.to!r} has no passing evidence: one more person must agree")
    return Rehearsal(
        plan=plan.name,
        ready=not reasons,
        reasons=tuple(reasons),
        remarks=tuple(remarks),
        text=text,
        in_force=in_force,
    )


def ready_gauge(rehearsals: Iterable[Rehearsal]) -> dict[str, int]:
    """Return the gauge ``rollback_ready`` by plan: 1 if it could be carried out, else 0.

    Examples
    --------
    >>> ready_gauge([Rehearsal(plan="model", ready=True)])
    {'model': 1}
    """
    return {rehearsal.plan: int(rehearsal.ready) for rehearsal in rehearsals}
