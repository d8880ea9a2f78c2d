"""Who may ask for a rollback, agree to it, and decide that it runs."""

from typing import Final

from monitor.incidents.model import Incident
from monitor.incidents.right_checks import check_right
from monitor.incidents.rights import RIGHTS, Decision, Right, SecondPerson
from monitor.incidents.roles import People, Person, RefusedActError, Role, is_same_person
from monitor.incidents.states import IncidentState
from monitor.incidents.suggestion import Tier
from monitor.incidents.timeline import MONITOR
from monitor.rollbacks.execution import Execution
from monitor.rollbacks.plans import PlanKind, RollbackPlan

__all__ = [
    "check_armable",
    "check_decided",
    "check_may_abandon",
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
    _check_commander(by, incident)
    _check_role(by, _agreeing(plan), "a rollback is agreed to by")


def check_may_abandon(
    plan: RollbackPlan | None,
    execution: Execution,
    by: Person,
    people: People,
    incident: Incident | None = None,
) -> None:
    """Refuse to give up a rollback of others, unless it is by one whose word counts for it.

    Parameters
    ----------
    plan
        None if it is not configured any more: what cannot be resumed must still have an end.

    Raises
    ------
    RefusedActError
        With who may.
    """
    people.check(by)
    if is_same_person(execution.requested_by, by.name):
        return
    _check_commander(by, incident)
    allowed = _AGREEING if plan is None else _agreeing(plan)
    what = f"a rollback is given up by {execution.requested_by!r}, who asked for it, or by"
    _check_role(by, allowed, what)


def check_decided(
    plan: RollbackPlan,
    execution: Execution,
    by: Person,
    people: People,
    incident: Incident,
    now_us: int,
) -> None:
    """Refuse to run what nobody with the right decided, or what lacks its second person.

    Who runs it, who agreed to it and who asked for it are looked at, in this order: the
    decision is that of the first of them who has the right, another one of them stands by it.
    Approvals that are too old by now do not count.

    Raises
    ------
    RefusedActError
        With who decides, and who is missing.
    """
    people.check(by)
    alone = execution.break_glass
    if alone is not None and is_same_person(alone.approver, by.name):
        return
    words = [by, *_agreed(execution, now_us), *_asked(execution)]
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


def check_armable(
    execution: Execution,
    by: Person,
    people: People,
    now_us: int,
    incident: Incident | None = None,
) -> None:
    """Refuse to arm a plan without two persons in different roles, one of them an owner.

    Raises
    ------
    RefusedActError
        With who may, and who is missing.
    """
    people.check(by)
    _check_commander(by, incident)
    _check_role(by, _ARMING, "a plan is armed by")
    words = [*_agreed(execution, now_us), *_asked(execution)]
    if not any(_is_apart(each, by) for each in words):
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
    return _is_apart(second, first) and second.role in right.seconds


def _is_apart(one: Person, other: Person) -> bool:
    return not is_same_person(one.name, other.name) and one.role is not other.role


def _agreeing(plan: RollbackPlan) -> frozenset[Role]:
    return _AGREEING | RIGHTS[decision_of(plan)].deciders


def _agreed(execution: Execution, now_us: int) -> list[Person]:
    return [
        Person(name=each.approver, role=Role(each.role))
        for each in execution.approvals
        if each.role and each.at_us >= now_us - execution.approval_us
    ]


def _asked(execution: Execution) -> list[Person]:
    if not execution.requested_role or execution.requested_by == MONITOR:
        return []
    return [Person(name=execution.requested_by, role=Role(execution.requested_role))]


def _check_commander(by: Person, incident: Incident | None) -> None:
    named = None if incident is None else incident.holder(Role.COMMANDER)
    if by.role is Role.COMMANDER and named is not None and not is_same_person(named, by.name):
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
