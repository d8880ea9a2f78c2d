"""Facts that set a floor under the severity; the policy says which, and who may state them."""

from dataclasses import dataclass
from enum import StrEnum

from monitor.incidents.suggestion import Tier

__all__ = ["Fact", "HeldFact"]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldFact:
    """A fact that a person stated of an incident, and the mildest tier that it allows."""

    fact: Fact
    floor: Tier
