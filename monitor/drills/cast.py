"""Who plays in a scripted response, and who of them may decide what."""

from typing import Final

from monitor.drills.script import Cast
from monitor.errors import OutputwatchError
from monitor.incidents.rights import RIGHTS, Decision, SecondPerson
from monitor.incidents.roles import People, Person, Role
from monitor.incidents.suggestion import Tier

__all__ = ["MADE_UP", "NEEDED", "CastError", "cast_of", "entitled"]

MADE_UP: Final[Cast] = {
    Role.ON_CALL: "Robin (made up)",
    Role.COMMANDER: "Ada (made up)",
    Role.ML_LEAD: "Bo (made up)",
    Role.PRODUCT: "Cem (made up)",
    Role.LEGAL: "Lea (made up)",
    Role.COMMUNICATIONS: "Kim (made up)",
    Role.SCRIBE: "Sam (made up)",
    Role.OWNER: "Oda (made up)",
    Role.GOVERNANCE: "Gil (made up)",
}
"""Persons that nobody takes for real ones, in any text that they end up in."""


NEEDED: Final = (
    Role.ON_CALL,
    Role.COMMANDER,
    Role.ML_LEAD,
    Role.PRODUCT,
    Role.LEGAL,
    Role.COMMUNICATIONS,
    Role.SCRIBE,
)
"""The roles that every script has something for."""


class CastError(OutputwatchError):
    """The people of a configuration cannot play a script."""


def cast_of(people: People) -> Cast:
    """Return the persons that a configuration lists for each role, made-up ones where none is.

    A person may have several roles, but who decides and who stands by it must be two persons:
    so a role goes to whom has the fewest so far.

    Raises
    ------
    CastError
        If nobody is listed in a role that every script needs.
    """
    if not people.members:
        return MADE_UP
    cast: dict[Role, str] = {}
    for role in Role:
        able = [name for name, roles in people.members.items() if role in roles]
        if able:
            cast[role] = min(able, key=lambda name: (list(cast.values()).count(name), name))
    lacking = [role.value for role in NEEDED if role not in cast]
    if lacking:
        message = (
            f"people.members must name somebody as {', '.join(lacking)} for a script to respond; "
            "add them, or let people play without --scripted"
        )
        raise CastError(message)
    return cast


def entitled(decision: Decision, cast: Cast, tier: Tier) -> tuple[Person, Person | None]:
    """Return who of a cast decides something, and the second person if it takes one.

    Raises
    ------
    CastError
        If nobody of the cast may.
    """
    right = RIGHTS[decision]
    by = _first(right.deciders, cast, besides=None)
    grave = right.second is SecondPerson.GRAVE and tier.rank <= Tier.SEV2.rank
    if right.second is not SecondPerson.ALWAYS and not grave:
        return by, None
    return by, _first(right.seconds, cast, besides=by)


def _first(roles: frozenset[Role], cast: Cast, *, besides: Person | None) -> Person:
    for role in Role:
        if role not in roles or role not in cast:
            continue
        if besides is None or (cast[role] != besides.name and role is not besides.role):
            return Person(name=cast[role], role=role)
    wanted = ", ".join(role.value for role in Role if role in roles)
    beside = "" if besides is None else f" beside {besides.name!r}"
    message = f"somebody must be able to act as {wanted}{beside}; add one to people.members"
    raise CastError(message)
