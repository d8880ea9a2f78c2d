"""Who decides what in one incident, by name, and which roles nobody fills yet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from monitor.incidents.model import Incident
from monitor.incidents.rights import RIGHTS, Decision, Right, SecondPerson
from monitor.incidents.roles import REQUIRED_ROLES, Role
from monitor.incidents.suggestion import Tier

__all__ = ["DecisionRight", "decision_rights", "unfilled_roles"]

_SHOWN: Final[Mapping[Decision, str]] = {
    Decision.CONFIRM: "whether it is an incident",
    Decision.SEVERITY: "its severity",
    Decision.DISMISS: "to dismiss it as false",
    Decision.CONTAIN: "to contain it",
    Decision.ROLL_BACK: "to roll back",
    Decision.HARM: "how many people were harmed",
    Decision.LEGAL_CLOCK: "which reporting clocks run",
    Decision.NOTICE_TO_USERS: "to tell users",
    Decision.NOTICE_TO_REGULATOR: "to tell an authority",
    Decision.NOTICE_TO_PUBLIC: "to tell the public",
    Decision.RESOLVE: "that it is over",
    Decision.CLOSE: "to close it",
}
_NONE: Final = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRight:
    """One decision about one incident.

    Parameters
    ----------
    decision
        What is decided, in words.
    monitor
        What the monitor may do by itself.
    decides
        The roles that decide, each with the name of who fills it.
    second
        The roles of the second person, ``none`` if there is no need for one.
    responsible, consulted, informed
        The other roles of the RACI table; those who decide are accountable.
    """

    decision: str
    monitor: str
    decides: str
    second: str
    responsible: tuple[str, ...] = ()
    consulted: tuple[str, ...] = ()
    informed: tuple[str, ...] = ()


def decision_rights(incident: Incident) -> tuple[DecisionRight, ...]:
    """Return who decides what, from the table of rights and the roles of the incident."""
    return tuple(_right(words, RIGHTS[decision], incident) for decision, words in _SHOWN.items())


def unfilled_roles(
    incident: Incident, required: Sequence[Role] = REQUIRED_ROLES
) -> tuple[str, ...]:
    """Return the roles that nobody fills: those a SEV1 or SEV2 needs, else who leads it.

    Parameters
    ----------
    incident
        The incident.
    required
        `monitor.incidents.roles.People.required_roles`: without them it is not resolved.
    """
    grave = incident.tier.rank <= Tier.SEV2.rank
    needed = required if grave else (Role.COMMANDER,)
    return tuple(role.value for role in needed if incident.holder(role) is None)


def _right(words: str, right: Right, incident: Incident) -> DecisionRight:
    deciders = right.deciders
    if incident.holder(Role.COMMANDER) is None:
        deciders = deciders | right.until_commander
    return DecisionRight(
        decision=words,
        monitor=right.monitor,
        decides=" or ".join(_named(role, incident) for role in Role if role in deciders),
        second=_second(right, incident),
        responsible=tuple(role.value for role in right.responsible),
        consulted=tuple(role.value for role in right.consulted),
        informed=tuple(role.value for role in right.informed),
    )


def _named(role: Role, incident: Incident) -> str:
    return f"{role.value} ({incident.holder(role) or 'nobody yet'})"


def _second(right: Right, incident: Incident) -> str:
    grave = incident.tier.rank <= Tier.SEV2.rank
    roles = " or ".join(role.value for role in Role if role in right.seconds)
    if right.second is SecondPerson.LOWERING and grave:
        return f"{roles}, to lower it"
    needed = right.second is SecondPerson.ALWAYS or (right.second is SecondPerson.GRAVE and grave)
    return roles if needed else _NONE
