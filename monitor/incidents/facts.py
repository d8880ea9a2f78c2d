"""Facts that set a floor under the severity, and who may state them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from monitor.incidents.roles import Role
from monitor.incidents.suggestion import Tier

__all__ = ["FACT_ROLES", "Fact", "HeldFact"]


class Fact(StrEnum):
    """Something that sets a floor, whatever the score says."""

    HARM_LINKED = "harm_linked"
    CHILD_EXPLOITATION = "child_exploitation"
    ACT_OUTSIDE_AUTHORITY = "act_outside_authority"
    CLOCK_48_HOURS = "clock_48_hours"
    CLOCK_72_HOURS = "clock_72_hours"
    DATA_SHOWN_TO_ANOTHER = "data_shown_to_another"
    GUARDRAIL_MISSING = "guardrail_missing"
    OUTSIDE_INQUIRY = "outside_inquiry"


_ANYBODY: Final = frozenset(Role)
_COUNSEL: Final = frozenset({Role.LEGAL})

FACT_ROLES: Final[Mapping[Fact, frozenset[Role]]] = {
    Fact.HARM_LINKED: _ANYBODY,
    Fact.CHILD_EXPLOITATION: _ANYBODY,
    Fact.ACT_OUTSIDE_AUTHORITY: _ANYBODY,
    # Whether a law sets a clock is a legal question, so only counsel lifts by it.
    Fact.CLOCK_48_HOURS: _COUNSEL,
    Fact.CLOCK_72_HOURS: _COUNSEL,
    Fact.DATA_SHOWN_TO_ANOTHER: _ANYBODY,
    Fact.GUARDRAIL_MISSING: frozenset({Role.ON_CALL, Role.COMMANDER, Role.ML_LEAD}),
    Fact.OUTSIDE_INQUIRY: _ANYBODY,
}
"""Who may state a fact. It is wide on purpose: a fact only lifts, and lifting is cheap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldFact:
    """A fact that a person stated of an incident, and the mildest tier that it allows."""

    fact: Fact
    floor: Tier
