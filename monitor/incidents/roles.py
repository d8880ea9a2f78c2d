"""Who takes part in an incident, and in which role."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Final

import annotated_types as at

from monitor.errors import OutputwatchError

__all__ = [
    "REQUIRED_ROLES",
    "People",
    "Person",
    "RefusedActError",
    "Role",
    "RoleHolder",
    "is_same_person",
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


def is_same_person(one: str, other: str) -> bool:
    """Return whether two names are of one person: case and space around them do not matter.

    Examples
    --------
    >>> is_same_person("Ada", " ada"), is_same_person("ada", "ada b")
    (True, False)
    """
    return one.strip().casefold() == other.strip().casefold()


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
