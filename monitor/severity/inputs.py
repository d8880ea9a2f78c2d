"""What a severity policy is told: measured, declared and stated, kept apart."""

from dataclasses import dataclass
from enum import StrEnum

from detectors.base import Estimate, FailureMode
from monitor.incidents.facts import Fact
from monitor.severity.register import Reversibility, Stakes, Vulnerability

__all__ = ["Evidence", "Fact", "SeverityInputs"]


class Evidence(StrEnum):
    """How well a breach is established, from the weakest on."""

    NOT_ESTABLISHED = "not_established"
    ONE_WINDOW = "one_window"
    REPEATED = "repeated"
    CONFIRMED = "confirmed"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeverityInputs:
    """Everything a policy may use. None is unknown, which is not zero.

    Parameters
    ----------
    failure_mode
        Which of a policy's tables applies; None: those of all modes.
    departure
        The effect in multiples of its tolerance, with its interval.
    evidence
        How well the breach is established.
    share
        The share of the traffic that is concerned, 0 to 1.
    people
        People, or outputs where people are not counted, since the onset.
    days
        Days since the estimated onset.
    protected_group_worse_off
        Whether a protected group is on the worse side.
    undeclared_worse_off
        Groups on the worse side whose attribute nobody has declared protected.
    impact_ratio
        The ratio of the lowest to the highest selection rate, with its interval.
    stakes, reversibility, vulnerable_users, shadow
        As declared in the system register.
    facts
        What is known beside the numbers: found by the monitor or stated by a person.
    """

    failure_mode: FailureMode | None = None
    departure: Estimate | None = None
    evidence: Evidence = Evidence.ONE_WINDOW
    share: float | None = None
    people: int | None = None
    days: float | None = None
    protected_group_worse_off: bool | None = None
    undeclared_worse_off: tuple[str, ...] = ()
    impact_ratio: Estimate | None = None
    stakes: Stakes | None = None
    reversibility: Reversibility | None = None
    vulnerable_users: Vulnerability | None = None
    shadow: bool = False
    facts: frozenset[Fact] = frozenset()
