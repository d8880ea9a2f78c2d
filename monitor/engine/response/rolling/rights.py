"""Who may ask for a rollback, agree to it, and decide that it runs."""

from typing import Final

from monitor.incidents.model import Incident
from monitor.incidents.right_checks import check_right
from monitor.incidents.rights import RIGHTS, Decision, Right, SecondPerson
from monitor.incidents.roles import People, Person, RefusedActError, Role
from monitor.incidents.states import IncidentState
from monitor.incidents.suggestion import Tier
from monitor.incidents.timeline import MONITOR
from monitor.rollbacks.execution import Execution
from monitor.rollbacks.plans import PlanKind, RollbackPlan

__all__ = [
    "check_armable",
    "check_decided",
    "check_may_agree",
    "check_may_allow",
    "check_workable",
    "decision_of",
]

_AGREEING: Final = RIGHTS[Decision.ROLL_BACK].deciders | RIGHTS[Decision.ROLL_BACK].seconds
_ARMING: Final = frozenset({Role.COMMANDER, Role.OWNER})
_ALLOWING: Final = frozenset({Role.COMMANDER, Role.OWNER, Role.GOVERNANCE})
_OVER: Final = frozenset({IncidentState.CLOSED, IncidentState.DISMISSED})


def decision_of(plan: RollbackPlan) -> Decision:
    """Return what carrying a plan out decides: going back, or switching off."""
    return Decision.SWITCH_OFF if plan.options.kind is PlanKind.OFF else Decision.ROLL_BACK


def check_workable(incident: Incident) -> None:
    """Refuse an incident that nobody works on any more.

    Raises
    ------
    RefusedActError
        With what to do.
    """
    if incident.merged_into is not None:
        message = (
            f"incident {incident.short_id!r} was merged into {incident.merged_into[:12]!r}; "
            "prepare the rollback for that one"
        )
        raise RefusedActError(message)
    if incident.state in _OVER:
        message = (
            f"a rollback belongs to an incident that is worked on, got one that is "
            f"{incident.state.value!r}; take it back with 'incident back'"
        )
        raise RefusedActError(message)


def check_may_agree(
    plan: RollbackPlan, by: Person, people: People, incident: Incident | None = None
) -> None:
    """Refuse a person whose word does not count for a plan.

    Raises
    ------
    RefusedActError
        With the roles that count.
    """
    people.check(by)
    if by.role is Role.COMMANDER and incident is not None:
        _check_commander(by, incident)
    allowed = _AGREEING | RIGHTS[decision_of(plan)].deciders
    _check_role(by, allowed, "a rollback is agreed to by")


def check_decided(
    plan: RollbackPlan, execution: Execution, by: Person, people: People, incident: Incident
) -> None:
    """Refuse to run what nobody with the right decided, or what lacks its second person.

    Who runs it, who agreed to it and who asked for it are looked at, in this order: the
    decision is that of the first of them who has the right, another one of them stands by it.

    Raises
    ------
    RefusedActError
        With who decides, and who is missing.
    """
    people.check(by)
    alone = execution.break_glass
    if alone is not None and alone.approver == by.name:
        return
    words = [by, *_agreed(execution), *_asked(execution)]
    decision = decision_of(plan)
    able = [each for each in words if _may_decide(decision, each, people, incident)]
    if not able:
        check_right(decision, by, None, people=people, holders=incident.roles, tier=Tier.SEV4)
    right = RIGHTS[decision]
    grave = incident.tier.rank <= Tier.SEV2.rank and right.second is SecondPerson.GRAVE
    if grave and not any(_stands_by(each, one, right) for one in able for each in words):
        roles = ", ".join(role.value for role in Role if role in right.seconds)
        message = (
            f"a rollback in a {incident.tier.value} takes a second person in another role, one "
            f"of {roles}; have it approved by one"
        )
        raise RefusedActError(message)


def check_armable(execution: Execution, by: Person, people: People) -> None:
    """Refuse to arm a plan without two persons in different roles, one of them an owner.

    Raises
    ------
    RefusedActError
        With who may, and who is missing.
    """
    people.check(by)
    _check_role(by, _ARMING, "a plan is armed by")
    words = [*_agreed(execution), *_asked(execution)]
    if not any(each.name != by.name and each.role is not by.role for each in words):
        message = (
            f"to arm a plan takes a second person in another role than {by.role.value!r}; have "
            "it approved by one"
        )
        raise RefusedActError(message)


def check_may_allow(by: Person, people: People) -> None:
    """Refuse a person who may not let rollbacks begin again.

    Raises
    ------
    RefusedActError
        With the roles that may.
    """
    people.check(by)
    _check_role(by, _ALLOWING, "rollbacks are let begin again by")


def _may_decide(decision: Decision, person: Person, people: People, incident: Incident) -> bool:
    """Return whether a person may decide, second persons aside."""
    try:
        check_right(decision, person, None, people=people, holders=incident.roles, tier=Tier.SEV4)
    except RefusedActError:
        return False
    return True


def _stands_by(second: Person, first: Person, right: Right) -> bool:
    apart = second.name != first.name and second.role is not first.role
    return apart and second.role in right.seconds


def _agreed(execution: Execution) -> list[Person]:
    return [
        Person(name=each.approver, role=Role(each.role))
        for each in execution.approvals
        if each.role
    ]


def _asked(execution: Execution) -> list[Person]:
    if not execution.requested_role or execution.requested_by == MONITOR:
        return []
    return [Person(name=execution.requested_by, role=Role(execution.requested_role))]


def _check_commander(by: Person, incident: Incident) -> None:
    named = incident.holder(Role.COMMANDER)
    if named is not None and named != by.name:
        message = (
            f"the commander of this incident is {named!r}, got {by.name!r}; hand over the role "
            "first"
        )
        raise RefusedActError(message)


def _check_role(by: Person, allowed: frozenset[Role], what: str) -> None:
    if by.role not in allowed:
        roles = ", ".join(role.value for role in Role if role in allowed)
        message = f"{what} {roles}, got {by.role.value!r}; ask one of them"
        raise RefusedActError(message)
