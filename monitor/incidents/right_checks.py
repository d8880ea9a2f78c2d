"""Decisions that are not theirs are refused, by the table of rights."""

from collections.abc import Mapping

from monitor.incidents.rights import RIGHTS, Decision, Right, SecondPerson
from monitor.incidents.roles import (
    People,
    Person,
    RefusedActError,
    Role,
    RoleHolder,
    is_same_person,
)
from monitor.incidents.suggestion import Tier

__all__ = ["check_right"]


def check_right(
    decision: Decision,
    by: Person,
    second: Person | None,
    *,
    people: People,
    holders: tuple[RoleHolder, ...] = (),
    tier: Tier = Tier.SEV4,
    lowers: bool = False,
) -> None:
    """Refuse a decision that is not theirs, or that lacks its second person.

    Parameters
    ----------
    decision
        What is decided.
    by, second
        Who decides, and who stands by it.
    people
        Who may act at all.
    holders
        Who fills which role of the incident.
    tier
        How severe the incident is before the decision.
    lowers
        Whether the decision makes the incident milder.

    Raises
    ------
    RefusedActError
        With who may decide it.
    """
    right = RIGHTS[decision]
    people.check(by)
    named = {holder.role: holder.name for holder in holders}
    allowed = right.deciders
    if Role.COMMANDER not in named:
        allowed = allowed | right.until_commander
    if by.role not in allowed:
        message = (
            f"{_words(decision)} is decided by {_roles(allowed)}, got {by.role.value!r}; "
            "ask one of them"
        )
        raise RefusedActError(message)
    _check_commander(by, named)
    if _needs_second(right.second, tier, lowers=lowers):
        _check_second(decision, right, by, second, people)


def _check_commander(by: Person, named: Mapping[Role, str]) -> None:
    commander = named.get(Role.COMMANDER, by.name)
    if by.role is Role.COMMANDER and not is_same_person(by.name, commander):
        message = (
            f"the commander of this incident is {commander!r}, got {by.name!r}; "
            "hand over the role first"
        )
        raise RefusedActError(message)


def _needs_second(when: SecondPerson, tier: Tier, *, lowers: bool) -> bool:
    grave = tier.rank <= Tier.SEV2.rank
    if when is SecondPerson.LOWERING:
        return grave and lowers
    return when is SecondPerson.ALWAYS or (when is SecondPerson.GRAVE and grave)


def _check_second(
    decision: Decision, right: Right, by: Person, second: Person | None, people: People
) -> None:
    needed = (
        f"{_words(decision)} needs a second person {right.second.value}, in another role: "
        f"{_roles(right.seconds)}"
    )
    if second is None:
        message = f"{needed}; name one with --second and --second-role"
        raise RefusedActError(message)
    people.check(second)
    if is_same_person(second.name, by.name) or second.role is by.role:
        message = f"{needed}; got {second.name!r} as {second.role.value!r} for both"
        raise RefusedActError(message)
    if second.role not in right.seconds:
        message = f"{needed}; got {second.role.value!r}"
        raise RefusedActError(message)


def _words(decision: Decision) -> str:
    return decision.value.replace("_", " ")


def _roles(roles: frozenset[Role]) -> str:
    return ", ".join(role.value for role in Role if role in roles)
