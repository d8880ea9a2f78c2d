"""Contents that are kept apart from the timeline, and what is left when they are erased."""

from dataclasses import dataclass
from typing import ClassVar

from monitor.incidents.acts.base import Occasion, Plain, Step
from monitor.incidents.model import Incident
from monitor.incidents.rights import Decision
from monitor.incidents.timeline import EntryKind

__all__ = ["Erase", "Seal"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal(Plain):
    """Note that a content is kept in the vault.

    Parameters
    ----------
    commitment
        The hash of salt and content.
    about
        What it is, in words that say nothing about a person.
    """

    needs_reason: ClassVar[bool] = False

    commitment: str
    about: str

    def decision(self) -> Decision:
        """Return what is decided by it."""
        return Decision.RECORD

    def applied(self, incident: Incident, occasion: Occasion) -> Step:
        """Return the incident as it is, with the commitment."""
        del occasion
        body = {"commitment": self.commitment, "text": self.about}
        return Step(incident=incident, kind=EntryKind.SEALED, body=body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Erase(Plain):
    """Note that the key to every sealed content of the incident is destroyed."""

    needs_reason: ClassVar[bool] = True

    def decision(self) -> Decision:
        """Return what is decided by it."""
        return Decision.ERASE

    def applied(self, incident: Incident, occasion: Occasion) -> Step:
        """Return the incident as it is, with the number of contents that are gone."""
        sealed = [
            each
            for each in occasion.timeline
            if each.entry.kind is EntryKind.SEALED or "sample" in each.entry.body
        ]
        return Step(incident=incident, kind=EntryKind.ERASED, body={"erased_entries": len(sealed)})
