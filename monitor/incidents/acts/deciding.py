"""How bad it is: a person's decision, and facts that lift it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from monitor.incidents.acts.base import Occasion, Plain, Step
from monitor.incidents.facts import Fact, HeldFact
from monitor.incidents.model import Incident
from monitor.incidents.rights import Decision
from monitor.incidents.roles import RefusedActError, Role
from monitor.incidents.suggestion import Tier
from monitor.incidents.timeline import EntryKind

__all__ = ["DecideSeverity", "StateFact", "WithdrawFact"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideSeverity(Plain):
    """Confirm the suggested tier, or decide on another one."""

    needs_reason: ClassVar[bool] = True

    tier: Tier

    def decision(self) -> Decision:
        """Return what is decided by it."""
        return Decision.SEVERITY

    def lowers(self, incident: Incident) -> bool:
        """Return whether the tier becomes milder than it counts now."""
        return self.tier.rank > incident.tier.rank

    def applied(self, incident: Incident, occasion: Occasion) -> Step:
        """Return the incident with the tier decided, and both tiers written down."""
        _check_floor(incident, self.tier)
        suggestion = incident.suggestion
        body = {
            "suggested": incident.suggested.value,
            "could_be": incident.highest.value,
            "score": suggestion.score,
            "policy": suggestion.policy,
            "before": incident.tier.value,
            "decided": self.tier.value,
            # Tiers by which the decision is milder than the suggestion; negative: graver.
            "difference": self.tier.rank - incident.suggested.rank,
            "evidence_opened": occasion.has_opened_evidence,
        }
        return Step(
            incident=replace(incident, confirmed=self.tier),
            kind=EntryKind.SEVERITY_DECIDED,
            body=body,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StateFact(Plain):
    """State a fact that sets a floor under the tier.

    Parameters
    ----------
    fact
        The fact.
    floors
        The mildest tier that each fact allows, as the severity policy has it.
    entitled
        The roles that may state each fact, as the severity policy has them.
    """

    needs_reason: ClassVar[bool] = True

    fact: Fact
    floors: Mapping[Fact, Tier]
    entitled: Mapping[Fact, frozenset[Role]]

    def decision(self) -> Decision:
        """Return what is decided by it."""
        return Decision.RECORD

    def applied(self, incident: Incident, occasion: Occasion) -> Step:
        """Return the incident with the fact."""
        _check_entitled(self.fact, occasion.by.role, self.entitled[self.fact])
        if any(held.fact is self.fact for held in incident.facts):
            message = f"the fact {self.fact.value!r} is stated already; add a note instead"
            raise RefusedActError(message)
        held = HeldFact(fact=self.fact, floor=self.floors.get(self.fact, Tier.SEV4))
        changed = replace(incident, facts=(*incident.facts, held))
        body = {
            "fact": self.fact.value,
            "floor": held.floor.value,
            "before": incident.tier.value,
            "after": changed.tier.value,
        }
        return Step(incident=changed, kind=EntryKind.FACT_STATED, body=body)


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawFact(Plain):
    """Take a fact back that turned out not to hold; that it was stated stays written down."""

    needs_reason: ClassVar[bool] = True

    fact: Fact

    def decision(self) -> Decision:
        """Return what is decided by it: it may lower the tier, so it takes as much."""
        return Decision.SEVERITY

    def lowers(self, incident: Incident) -> bool:
        """Return whether the tier becomes milder without the fact."""
        return self._without(incident).tier.rank > incident.tier.rank

    def applied(self, incident: Incident, occasion: Occasion) -> Step:
        """Return the incident without the fact."""
        del occasion
        if all(held.fact is not self.fact for held in incident.facts):
            message = f"the fact {self.fact.value!r} must have been stated to be withdrawn"
            raise RefusedActError(message)
        changed = self._without(incident)
        body = {
            "fact": self.fact.value,
            "before": incident.tier.value,
            "after": changed.tier.value,
        }
        return Step(incident=changed, kind=EntryKind.FACT_WITHDRAWN, body=body)

    def _without(self, incident: Incident) -> Incident:
        left = tuple(held for held in incident.facts if held.fact is not self.fact)
        return replace(incident, facts=left)


def _check_entitled(fact: Fact, role: Role, entitled: frozenset[Role]) -> None:
    if role not in entitled:
        who = ", ".join(each.value for each in Role if each in entitled)
        message = f"the fact {fact.value!r} is stated by {who}, got {role.value!r}; ask them"
        raise RefusedActError(message)


def _check_floor(incident: Incident, tier: Tier) -> None:
    held = min(incident.facts, key=lambda each: each.floor.rank, default=None)
    if held is not None and tier.rank > held.floor.rank:
        message = (
            f"the tier must be {held.floor.value} or graver while the fact {held.fact.value!r} "
            f"stands, got {tier.value}; withdraw the fact first if it does not hold"
        )
        raise RefusedActError(message)
