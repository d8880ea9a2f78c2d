"""Who does what, how incidents are related, and when reminders wait."""

from dataclasses import dataclass, replace
from typing import ClassVar

from monitor.incidents.acts.base import Occasion, Plain, Step
from monitor.incidents.model import Incident
from monitor.incidents.rights import Decision
from monitor.incidents.roles import Person, RefusedActError, Role, RoleHolder
from monitor.incidents.states import IncidentLink, LinkKind
from monitor.incidents.timeline import EntryKind

__all__ = ["Assign", "HandOver", "Relate", "Snooze"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assign(Plain):
    """Name who fills a role that nobody fills yet."""

    needs_reason: ClassVar[bool] = False

    role: Role
    name: str

    def decision(self) -> Decision:
        """Return what is decided by it."""
        return Decision.ASSIGN

    def applied(self, incident: Incident, occasion: Occasion) -> Step:
        """Return the incident with the role filled."""
        occasion.people.check(Person(name=self.name, role=self.role))
        holder = incident.holder(self.role)
        if holder is not None:
            message = (
                f"the role {self.role.value!r} must be free, got {holder!r} in it; use "
                "'incident handover'"
            )
            raise RefusedActError(message)
        return Step(
            incident=_with_holder(incident, self.role, self.name),
            kind=EntryKind.ROLE_ASSIGNED,
            body={"assigned_role": self.role.value, "name": self.name},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver(Plain):
    """Give a role to somebody else, and say where things stand.

    Parameters
    ----------
    role, name
        The role, and who fills it from now on.
    standing
        What is known, what was done, what comes next.
    """

    needs_reason: ClassVar[bool] = False

    role: Role
    name: str
    standing: str

    def decision(self) -> Decision:
        """Return what is decided by it: whoever has a role may give it away."""
        return Decision.RECORD

    def applied(self, incident: Incident, occasion: Occasion) -> Step:
        """Return the incident with the role in other hands."""
        occasion.people.check(Person(name=self.name, role=self.role))
        holder = incident.holder(self.role)
        leads = occasion.by.role in {Role.COMMANDER, Role.OWNER}
        if occasion.by.name != holder and not leads:
            message = (
                f"the role {self.role.value!r} is handed over by {holder!r}, who has it, by the "
                f"commander or by the owner; got {occasion.by.name!r} as "
                f"{occasion.by.role.value!r}"
            )
            raise RefusedActError(message)
        if not self.standing.strip():
            message = "a hand-over needs words on where things stand, got none"
            raise RefusedActError(message)
        return Step(
            incident=_with_holder(incident, self.role, self.name),
            kind=EntryKind.HANDED_OVER,
            body={
                "handed_role": self.role.value,
                "from": holder,
                "name": self.name,
                "text": self.standing,
            },
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Snooze(Plain):
    """Let reminders wait until a time; a graver suggestion or a fact wakes them."""

    needs_reason: ClassVar[bool] = True

    until_us: int

    def decision(self) -> Decision:
        """Return what is decided by it."""
        return Decision.SNOOZE

    def applied(self, incident: Incident, occasion: Occasion) -> Step:
        """Return the incident asleep."""
        if self.until_us <= occasion.now_us:
            message = "a snooze must end in the future; give --until a later time"
            raise RefusedActError(message)
        if incident.has_floor:
            message = (
                "an incident with a fact that sets a floor cannot be snoozed; acknowledge it "
                "instead"
            )
            raise RefusedActError(message)
        return Step(
            incident=replace(incident, snoozed_until_us=self.until_us),
            kind=EntryKind.SNOOZED,
            body={"until_us": self.until_us},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Relate(Plain):
    """Say how the incident stands to another one."""

    needs_reason: ClassVar[bool] = True

    kind: LinkKind
    other_id: str

    def decision(self) -> Decision:
        """Return what is decided by it."""
        return Decision.MERGE

    def applied(self, incident: Incident, occasion: Occasion) -> Step:
        """Return the incident with the link."""
        del occasion
        if self.other_id == incident.id:
            message = "an incident must be linked to another one, got itself"
            raise RefusedActError(message)
        link = IncidentLink(kind=self.kind, incident_id=self.other_id)
        if link in incident.links:
            message = f"the link {self.kind.value!r} to {self.other_id[:12]!r} is there already"
            raise RefusedActError(message)
        return Step(
            incident=replace(incident, links=(*incident.links, link)),
            kind=EntryKind.LINKED,
            body={"link": self.kind.value, "other": self.other_id},
        )


def _with_holder(incident: Incident, role: Role, name: str) -> Incident:
    others = tuple(each for each in incident.roles if each.role is not role)
    roles = sorted((*others, RoleHolder(role=role, name=name)), key=lambda each: each.role.value)
    return replace(incident, roles=tuple(roles))
