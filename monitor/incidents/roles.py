"""Who takes part in an incident, and who decides what: the table is data, checked in code."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Final

import annotated_types as at

from monitor.errors import OutputwatchError
from monitor.incidents.suggestion import Tier

__all__ = [
    "REQUIRED_ROLES",
    "RIGHTS",
    "Decision",
    "People",
    "Person",
    "RefusedActError",
    "Right",
    "Role",
    "RoleHolder",
    "SecondPerson",
    "check_right",
]


class RefusedActError(OutputwatchError):
    """A person asked for what the rules of an incident do not allow; nothing was changed."""


class Role(StrEnum):
    """In which capacity a person acts; one person may have several."""

    COMMANDER = "commander"
    ON_CALL = "on_call"
    ML_LEAD = "ml_lead"
    PRODUCT = "product"
    LEGAL = "legal"
    COMMUNICATIONS = "communications"
    SCRIBE = "scribe"
    OWNER = "owner"
    GOVERNANCE = "governance"


REQUIRED_ROLES: Final = (
    Role.COMMANDER,
    Role.ML_LEAD,
    Role.PRODUCT,
    Role.LEGAL,
    Role.COMMUNICATIONS,
)
"""Who must be named before a SEV1 or SEV2 can be called resolved."""


class Decision(StrEnum):
    """What somebody can decide or do."""

    OPEN = "open"
    ACKNOWLEDGE = "acknowledge"
    CONFIRM = "confirm"
    SEVERITY = "severity"
    DISMISS = "dismiss"
    FREEZE = "freeze"
    CONTAIN = "contain"
    ROLL_BACK = "roll_back"
    SWITCH_OFF = "switch_off"
    HARM = "harm"
    CAUSE = "cause"
    LEGAL_CLOCK = "legal_clock"
    NOTICE_TO_USERS = "notice_to_users"
    NOTICE_TO_REGULATOR = "notice_to_regulator"
    NOTICE_TO_PUBLIC = "notice_to_public"
    RESOLVE = "resolve"
    REVIEW = "review"
    PUBLISH_REVIEW = "publish_review"
    CLOSE = "close"
    MERGE = "merge"
    ASSIGN = "assign"
    SNOOZE = "snooze"
    SILENCE = "silence"
    RECORD = "record"
    ERASE = "erase"
    CHANGE_POLICY = "change_policy"


class SecondPerson(StrEnum):
    """When a decision takes a second person in another role."""

    NEVER = "never"
    GRAVE = "in SEV1 and SEV2"
    LOWERING = "to lower SEV1 or SEV2"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who acts, and in which role."""

    name: Annotated[str, at.MinLen(1)]
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleHolder:
    """Who fills a role of one incident."""

    role: Role
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """Who decides one thing.

    Parameters
    ----------
    monitor
        What the monitor may do by itself.
    deciders
        The roles that decide.
    until_commander
        Roles that decide as well while nobody is named commander.
    second
        When a second person is needed.
    seconds
        The roles that the second person may have.
    responsible, consulted, informed
        The rest of the RACI table; accountable are the deciders.
    """

    monitor: str = "never"
    deciders: frozenset[Role]
    until_commander: frozenset[Role] = frozenset()
    second: SecondPerson = SecondPerson.NEVER
    seconds: frozenset[Role] = frozenset()
    responsible: tuple[Role, ...] = ()
    consulted: tuple[Role, ...] = ()
    informed: tuple[Role, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Who may act: the ``people`` section.

    Without members everybody may act in any role; the role is stated and recorded.

    Parameters
    ----------
    members
        The roles that each person may act in, by name.
    required_roles
        Roles that must be filled before a SEV1 or SEV2 can be called resolved.
    """

    members: Mapping[str, tuple[Role, ...]] = field(default_factory=dict)
    required_roles: tuple[Role, ...] = REQUIRED_ROLES

    def check(self, person: Person) -> None:
        """Refuse a person who may not act in the role.

        Raises
        ------
        RefusedActError
            If members are listed and this one is not, or not with this role.
        """
        if not person.name.strip():
            message = "an act needs the name of a person; give it with --by"
            raise RefusedActError(message)
        if not self.members:
            return
        roles = self.members.get(person.name)
        if roles is None:
            message = (
                f"{person.name!r} is not listed under people.members of the configuration; "
                f"listed are {', '.join(sorted(self.members))}"
            )
            raise RefusedActError(message)
        if person.role not in roles:
            message = (
                f"{person.name!r} must act in a role listed under people.members, got "
                f"{person.role.value!r}; listed are {', '.join(roles)}"
            )
            raise RefusedActError(message)


_ALL: Final = frozenset(Role)
_LEADERS: Final = frozenset({Role.ON_CALL, Role.COMMANDER})
_COMMANDER: Final = frozenset({Role.COMMANDER})
_OTHERS: Final = frozenset(
    {Role.COMMANDER, Role.ML_LEAD, Role.PRODUCT, Role.LEGAL, Role.OWNER, Role.GOVERNANCE}
)
_AT_HAND: Final = frozenset({Role.ON_CALL})

RIGHTS: Final[Mapping[Decision, Right]] = {
    Decision.OPEN: Right(
        monitor="opens a candidate",
        deciders=_ALL,
        responsible=(Role.ON_CALL,),
        informed=(Role.LEGAL, Role.COMMUNICATIONS, Role.PRODUCT),
    ),
    Decision.ACKNOWLEDGE: Right(deciders=_LEADERS, responsible=(Role.ON_CALL,)),
    Decision.CONFIRM: Right(
        monitor="proposes",
        deciders=_LEADERS,
        responsible=(Role.ON_CALL,),
        informed=(Role.LEGAL, Role.COMMUNICATIONS, Role.PRODUCT),
    ),
    Decision.SEVERITY: Right(
        monitor="suggests with reasons",
        deciders=_COMMANDER,
        until_commander=_AT_HAND,
        second=SecondPerson.LOWERING,
        seconds=frozenset({Role.LEGAL, Role.OWNER}),
        responsible=(Role.ML_LEAD,),
        consulted=(Role.LEGAL, Role.PRODUCT),
    ),
    Decision.DISMISS: Right(
        deciders=_LEADERS,
        second=SecondPerson.GRAVE,
        seconds=_OTHERS,
        responsible=(Role.ON_CALL,),
    ),
    Decision.FREEZE: Right(monitor="does it at once", deciders=_ALL, responsible=(Role.ON_CALL,)),
    Decision.CONTAIN: Right(
        monitor="prepares",
        deciders=_LEADERS | {Role.ML_LEAD, Role.PRODUCT},
        responsible=(Role.ML_LEAD,),
        informed=(Role.LEGAL, Role.COMMUNICATIONS),
    ),
    Decision.ROLL_BACK: Right(
        monitor="prepares and tries without effect",
        deciders=_COMMANDER,
        second=SecondPerson.GRAVE,
        seconds=_OTHERS | _AT_HAND,
        responsible=(Role.ML_LEAD,),
        consulted=(Role.PRODUCT,),
        informed=(Role.LEGAL, Role.COMMUNICATIONS),
    ),
    Decision.SWITCH_OFF: Right(monitor="prepares", deciders=_COMMANDER | {Role.PRODUCT}),
    Decision.HARM: Right(
        deciders=_COMMANDER,
        second=SecondPerson.ALWAYS,
        seconds=frozenset({Role.LEGAL}),
        consulted=(Role.ML_LEAD, Role.PRODUCT),
    ),
    Decision.CAUSE: Right(
        monitor="lists candidates with evidence",
        deciders=frozenset({Role.ML_LEAD}),
        second=SecondPerson.ALWAYS,
        seconds=_OTHERS,
    ),
    Decision.LEGAL_CLOCK: Right(
        monitor="shows the earliest possible time",
        deciders=frozenset({Role.LEGAL}),
        responsible=(Role.LEGAL,),
        consulted=(Role.COMMANDER,),
    ),
    Decision.NOTICE_TO_USERS: Right(
        monitor="drafts",
        deciders=frozenset({Role.LEGAL}),
        second=SecondPerson.ALWAYS,
        seconds=frozenset({Role.COMMUNICATIONS}),
        responsible=(Role.COMMUNICATIONS,),
        consulted=(Role.PRODUCT, Role.ML_LEAD),
    ),
    Decision.NOTICE_TO_REGULATOR: Right(
        monitor="drafts",
        deciders=frozenset({Role.LEGAL}),
        second=SecondPerson.ALWAYS,
        seconds=frozenset({Role.COMMANDER, Role.OWNER, Role.COMMUNICATIONS}),
        responsible=(Role.LEGAL,),
        consulted=(Role.ML_LEAD, Role.COMMANDER),
    ),
    Decision.NOTICE_TO_PUBLIC: Right(
        monitor="drafts",
        deciders=frozenset({Role.OWNER, Role.LEGAL}),
        second=SecondPerson.ALWAYS,
        seconds=frozenset({Role.COMMUNICATIONS, Role.LEGAL}),
        responsible=(Role.COMMUNICATIONS,),
        consulted=(Role.LEGAL,),
    ),
    Decision.RESOLVE: Right(monitor="proposes on fresh evidence", deciders=_COMMANDER),
    Decision.REVIEW: Right(
        monitor="checks what is missing",
        deciders=_COMMANDER | {Role.OWNER, Role.SCRIBE},
        responsible=(Role.SCRIBE, Role.ML_LEAD),
        consulted=tuple(Role),
    ),
    Decision.PUBLISH_REVIEW: Right(
        monitor="checks what is missing",
        deciders=frozenset({Role.OWNER, Role.SCRIBE, Role.ML_LEAD}),
        second=SecondPerson.ALWAYS,
        seconds=_COMMANDER,
        responsible=(Role.SCRIBE, Role.ML_LEAD),
        consulted=(Role.LEGAL, Role.COMMUNICATIONS),
        informed=tuple(Role),
    ),
    Decision.CLOSE: Right(
        monitor="checks what is missing",
        deciders=_COMMANDER | {Role.OWNER},
        second=SecondPerson.GRAVE,
        seconds=_OTHERS,
    ),
    Decision.MERGE: Right(deciders=_LEADERS),
    Decision.ASSIGN: Right(
        deciders=_LEADERS | {Role.OWNER},
    ),
    Decision.SNOOZE: Right(deciders=_LEADERS),
    Decision.SILENCE: Right(deciders=_LEADERS | {Role.OWNER}),
    Decision.RECORD: Right(monitor="records what it sees", deciders=_ALL),
    Decision.ERASE: Right(
        deciders=frozenset({Role.LEGAL}),
        second=SecondPerson.ALWAYS,
        seconds=frozenset({Role.OWNER, Role.GOVERNANCE, Role.COMMANDER}),
    ),
    Decision.CHANGE_POLICY: Right(
        deciders=frozenset({Role.GOVERNANCE}), second=SecondPerson.ALWAYS, seconds=_OTHERS
    ),
}


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
    if by.role is Role.COMMANDER and by.name != commander:
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
    if second.name == by.name or second.role is by.role:
        message = f"{needed}; got {second.name!r} as {second.role.value!r} for both"
        raise RefusedActError(message)
    if second.role not in right.seconds:
        message = f"{needed}; got {second.role.value!r}"
        raise RefusedActError(message)


def _words(decision: Decision) -> str:
    return decision.value.replace("_", " ")


def _roles(roles: frozenset[Role]) -> str:
    return ", ".join(role.value for role in Role if role in roles)
