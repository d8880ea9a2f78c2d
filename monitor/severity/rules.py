"""What a severity policy of five axes is made of: numbers and tables, and who governs them."""

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import annotated_types as at
import yaml

from detectors.base import FailureMode
from monitor.incidents.facts import Fact
from monitor.incidents.records import canonical_json, from_record, to_record
from monitor.incidents.roles import Role
from monitor.incidents.suggestion import Tier
from monitor.severity.inputs import Evidence
from monitor.severity.register import Reversibility, Stakes, Vulnerability

__all__ = [
    "ANYBODY",
    "BUILT_IN_FILE",
    "SCORING",
    "Caps",
    "Cuts",
    "Floor",
    "ImpactRatioFloor",
    "PointTables",
    "PolicyRules",
    "ScoringRules",
    "UnknownValues",
    "built_in_rules",
]

ANYBODY: Final = "anybody"
BUILT_IN_FILE: Final = Path(__file__).with_name("five_axes.yaml")

Points = Annotated[int, at.Ge(0), at.Le(3)]
ThreeCuts = tuple[
    Annotated[float, at.Ge(0)], Annotated[float, at.Ge(0)], Annotated[float, at.Ge(0)]
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cuts:
    """The values from which on an axis is worth 1, 2 and 3 points.

    Parameters
    ----------
    effect
        Departures, in multiples of the tolerance.
    share
        Shares of the traffic, 0 to 1.
    people
        People, or outputs where people are not counted, since the onset.
    days
        Days since the onset.
    """

    effect: ThreeCuts
    share: ThreeCuts
    people: ThreeCuts
    days: ThreeCuts


@dataclass(frozen=True, slots=True, kw_only=True)
class PointTables:
    """What is declared, and what is known of people, in points of 0 to 3.

    Parameters
    ----------
    stakes, reversibility, vulnerable_users
        Of each level of the system register, from the mildest on.
    protected_group, protected_group_in_consequential_use
        If a protected group is worse off, and if that is so in a use with consequential or
        critical stakes. Of these and `vulnerable_users` the most counts.
    """

    stakes: Mapping[Stakes, Points]
    reversibility: Mapping[Reversibility, Points]
    vulnerable_users: Mapping[Vulnerability, Points]
    protected_group: Points
    protected_group_in_consequential_use: Points


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownValues:
    """What the suggestion takes for what nobody has declared; `could be` takes the worst."""

    stakes: Stakes
    reversibility: Reversibility


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """The gravest tier that points can reach; SEV1 is no cap. Floors beat caps.

    Parameters
    ----------
    not_established, one_window, repeated, confirmed
        On this evidence.
    shadow
        If no output reaches a person and no fact is known.
    """

    not_established: Tier
    one_window: Tier
    repeated: Tier = Tier.SEV1
    confirmed: Tier = Tier.SEV1
    shadow: Tier

    def of(self, evidence: Evidence) -> Tier:
        """Return the cap of an evidence."""
        caps: dict[Evidence, Tier] = {
            Evidence.NOT_ESTABLISHED: self.not_established,
            Evidence.ONE_WINDOW: self.one_window,
            Evidence.REPEATED: self.repeated,
            Evidence.CONFIRMED: self.confirmed,
        }
        return caps[evidence]


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """The mildest tier that a fact allows, and who may state it.

    Parameters
    ----------
    tier
        SEV4 sets no floor.
    stated_by
        Roles, or ``anybody`` alone. What the monitor finds itself needs nobody.
    """

    tier: Tier
    stated_by: tuple[Role | Literal["anybody"], ...]

    @property
    def roles(self) -> frozenset[Role]:
        """Return the roles that may state the fact."""
        if ANYBODY in self.stated_by:
            return frozenset(Role)
        return frozenset(each for each in self.stated_by if isinstance(each, Role))


@dataclass(frozen=True, slots=True, kw_only=True)
class ImpactRatioFloor:
    """The tier of selection-rate ratios that are wholly too low in a consequential use.

    Parameters
    ----------
    below
        The whole interval of the ratio must be below it; 0.8 is the four-fifths rule.
    tier
        The mildest tier then.
    """

    below: Annotated[float, at.Gt(0), at.Le(1)]
    tier: Tier


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoringRules:
    """From inputs to a tier, before floors.

    Parameters
    ----------
    cuts, points, unknown
        How inputs become points on five axes.
    tiers
        The least sum of points, 0 to 16, of SEV3, SEV2 and SEV1; no sum reaches 16.
    caps
        What evidence can carry.
    """

    cuts: Cuts
    points: PointTables
    unknown: UnknownValues
    tiers: Mapping[Tier, Annotated[int, at.Ge(0), at.Le(16)]]
    caps: Caps


SCORING: Final = ("cuts", "points", "unknown", "tiers", "caps")
"""The options of `ScoringRules`, as a policy file has them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRules:
    """One version of a severity policy.

    Parameters
    ----------
    name, version
        Are kept with every suggestion; a change of any number is another version.
    governed_by
        Who decides about changes of the policy.
    scoring
        From inputs to a tier.
    failure_modes
        The rules of failure modes that have rules of their own.
    impact_ratio, floors
        Facts that outrank the points.
    """

    name: Annotated[str, at.MinLen(1)]
    version: Annotated[str, at.MinLen(1)]
    governed_by: Annotated[str, at.MinLen(1)]
    scoring: ScoringRules
    failure_modes: Mapping[FailureMode, ScoringRules] = field(default_factory=dict)
    impact_ratio: ImpactRatioFloor
    floors: Mapping[Fact, Floor]

    @property
    def digest(self) -> str:
        """Return the sha256 of all of it, in hexadecimal."""
        return hashlib.sha256(canonical_json(to_record(self)).encode()).hexdigest()

    def of_mode(self, mode: FailureMode | None) -> ScoringRules:
        """Return the rules of a failure mode."""
        if mode is None:
            return self.scoring
        return self.failure_modes.get(mode, self.scoring)


@functools.cache
def built_in_rules() -> PolicyRules:
    """Return the rules of the policy that is used where a configuration names no other."""
    content: dict[str, Any] = yaml.safe_load(BUILT_IN_FILE.read_text(encoding="utf-8"))
    scoring = {option: content.pop(option) for option in SCORING}
    return from_record(PolicyRules, {**content, "scoring": scoring})
