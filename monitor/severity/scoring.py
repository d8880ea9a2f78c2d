"""Five axes of 0 to 3 points, a table from their sum to a tier, caps and floors."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

import annotated_types as at

from monitor.incidents.suggestion import Axes, Suggestion, Tier, worse
from monitor.severity.axes import (
    CONSEQUENTIAL,
    Points,
    at_worst,
    effect_points,
    people_points,
    points_between,
    reach_points,
    reversal_points,
    stakes_points,
)
from monitor.severity.inputs import Evidence, Fact, SeverityInputs
from monitor.severity.registry import severity_policy

__all__ = ["DEFAULT_FLOORS", "FACT_WORDS", "FiveAxes", "tier_of_score"]

Cuts = tuple[float, float, float]

DEFAULT_FLOORS: Mapping[Fact, Tier] = {
    Fact.HARM_LINKED: Tier.SEV1,
    Fact.CHILD_EXPLOITATION: Tier.SEV1,
    Fact.ACT_OUTSIDE_AUTHORITY: Tier.SEV1,
    Fact.CLOCK_48_HOURS: Tier.SEV1,
    Fact.CLOCK_72_HOURS: Tier.SEV2,
    Fact.DATA_SHOWN_TO_ANOTHER: Tier.SEV2,
    Fact.GUARDRAIL_MISSING: Tier.SEV2,
    Fact.OUTSIDE_INQUIRY: Tier.SEV2,
}

FACT_WORDS: Mapping[Fact, str] = {
    Fact.HARM_LINKED: "served output is linked to death, serious injury or self-harm",
    Fact.CHILD_EXPLOITATION: "content that exploits children was served",
    Fact.ACT_OUTSIDE_AUTHORITY: "an agent did something irreversible outside its authority",
    Fact.CLOCK_48_HOURS: "a reporting clock of 48 hours or less may be running",
    Fact.CLOCK_72_HOURS: "a reporting clock of 72 hours may be running",
    Fact.DATA_SHOWN_TO_ANOTHER: "one person's data was shown to another",
    Fact.GUARDRAIL_MISSING: "a required guardrail was not in the serving path",
    Fact.OUTSIDE_INQUIRY: "a regulator, a court, the press or a customer's executive has asked",
}

_CAPS: Mapping[Evidence, tuple[Tier, str]] = {
    Evidence.NOT_ESTABLISHED: (Tier.SEV4, "cap: the breach is not established, so watch it"),
    Evidence.ONE_WINDOW: (Tier.SEV2, "cap: seen in one window"),
}


def tier_of_score(score: int, cuts: Cuts = (5, 8, 11)) -> Tier:
    """Return the tier of a score of 0 to 15; `cuts` are the least scores of SEV3, 2 and 1.

    Examples
    --------
    >>> tier_of_score(9).value
    'SEV2'
    """
    return (Tier.SEV4, Tier.SEV3, Tier.SEV2, Tier.SEV1)[points_between(score, cuts)]


@severity_policy
@dataclass(frozen=True, slots=True, kw_only=True)
class FiveAxes:
    """Effect, reach, stakes, reversal and people, each worth 0 to 3 points.

    The weights are a starting point: they are monotone, a worse input never lowers the
    suggestion, but they were not calibrated on real incidents. A change of any number is
    another version of the policy.

    Parameters
    ----------
    version
        Names these numbers; kept with every suggestion.
    effect_cuts
        Departures, in multiples of the tolerance, that are worth 1, 2 and 3 points.
    share_cuts, people_cuts
        Shares of traffic (0 to 1) and people since the onset that are worth 1, 2 and 3.
    days_cuts
        Days since the onset that are worth 1, 2 and 3.
    tier_cuts
        The least sums of SEV3, SEV2 and SEV1.
    impact_ratio
        Selection-rate ratios wholly below this in a consequential use are SEV2 or worse: the
        four-fifths rule of 29 CFR 1607.4(D).
    unknown_stakes, unknown_reversibility
        Points of what nobody has declared; ``could be as high as`` always takes 3.
    floors
        The mildest tier that each fact allows.
    """

    name: ClassVar[str] = "five_axes"

    version: Annotated[str, at.MinLen(1)] = "1"
    effect_cuts: Cuts = (1.0, 1.5, 3.0)
    share_cuts: Cuts = (0.001, 0.05, 0.25)
    people_cuts: Cuts = (50, 1_000, 50_000)
    days_cuts: Cuts = (1, 7, 30)
    tier_cuts: Cuts = (5, 8, 11)
    impact_ratio: Annotated[float, at.Gt(0), at.Le(1)] = 0.80
    unknown_stakes: Annotated[int, at.Ge(0), at.Le(3)] = 2
    unknown_reversibility: Annotated[int, at.Ge(0), at.Le(3)] = 1
    floors: Mapping[Fact, Tier] = field(default_factory=lambda: dict(DEFAULT_FLOORS))

    def suggest(self, inputs: SeverityInputs) -> Suggestion:
        """Return the tier from what is known, and the tier with every unknown at its worst."""
        points = self.points(inputs)
        axes = _axes(points)
        tier, cap_reasons = self._capped(tier_of_score(axes.score, self.tier_cuts), inputs)
        floor, floor_reasons = self._floor(inputs)
        tier = worse(tier, floor)
        return Suggestion(
            tier=tier,
            could_be=worse(tier, self._could_be(inputs)),
            axes=axes,
            reasons=(*(point.reason for point in points.values()), *cap_reasons, *floor_reasons),
            unknowns=tuple(unknown for point in points.values() for unknown in point.unknown),
            held=inputs.evidence is Evidence.NOT_ESTABLISHED and tier is Tier.SEV4,
            policy=f"{self.name} {self.version}",
            floor=floor if floor_reasons else None,
        )

    def points(self, inputs: SeverityInputs) -> dict[str, Points]:
        """Return the points of each axis, with the reason."""
        return {
            "effect": effect_points(inputs, self.effect_cuts),
            "reach": reach_points(inputs, self.share_cuts, self.people_cuts),
            "stakes": stakes_points(inputs, self.unknown_stakes),
            "reversal": reversal_points(inputs, self.days_cuts, self.unknown_reversibility),
            "people": people_points(inputs),
        }

    def _could_be(self, inputs: SeverityInputs) -> Tier:
        worst = at_worst(inputs)
        tier = tier_of_score(_axes(self.points(worst)).score, self.tier_cuts)
        if worst.shadow and not worst.facts:
            tier = _no_worse_than(tier, Tier.SEV3)
        return worse(tier, self._floor(worst)[0])

    def _capped(self, tier: Tier, inputs: SeverityInputs) -> tuple[Tier, tuple[str, ...]]:
        reasons: list[str] = []
        if inputs.evidence in _CAPS:
            cap, reason = _CAPS[inputs.evidence]
            tier = _no_worse_than(tier, cap)
            reasons.append(reason)
        if inputs.shadow and not inputs.facts:
            tier = _no_worse_than(tier, Tier.SEV3)
            reasons.append("cap: shadow traffic, no output reaches a person")
        return tier, tuple(reasons)

    def _floor(self, inputs: SeverityInputs) -> tuple[Tier, tuple[str, ...]]:
        tier = Tier.SEV4
        reasons: list[str] = []
        for fact in sorted(inputs.facts):
            if fact in self.floors:
                tier = worse(tier, self.floors[fact])
                reasons.append(f"floor {self.floors[fact]}: {FACT_WORDS[fact]}")
        ratio = inputs.impact_ratio
        # A shadow output decides nothing, so the four-fifths rule has no decision to judge.
        decides = inputs.stakes in CONSEQUENTIAL and not inputs.shadow
        if ratio is not None and decides and ratio.high < self.impact_ratio:
            tier = worse(tier, Tier.SEV2)
            reasons.append(
                f"floor SEV2: the whole interval of the impact ratio, up to {ratio.high:.2f}, is "
                f"below {self.impact_ratio:.2f} in a consequential use"
            )
        return tier, tuple(reasons)


def _axes(points: Mapping[str, Points]) -> Axes:
    return Axes(**{name: point.points for name, point in points.items()})


def _no_worse_than(tier: Tier, cap: Tier) -> Tier:
    return max(tier, cap, key=lambda each: each.rank)
