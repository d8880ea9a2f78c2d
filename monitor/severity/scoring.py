"""Five axes of 0 to 3 points, a table from their sum to a tier, caps and floors."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Final

from monitor.incidents.roles import Role
from monitor.incidents.suggestion import Axes, Suggestion, Tier, worse
from monitor.severity.axes import (
    CONSEQUENTIAL,
    Points,
    at_worst,
    effect_points,
    people_points,
    reach_points,
    reversal_points,
    stakes_points,
)
from monitor.severity.inputs import Evidence, Fact, SeverityInputs
from monitor.severity.registry import severity_policy
from monitor.severity.rules import PolicyRules, ScoringRules, built_in_rules
from monitor.severity.soundness import floor_faults, scoring_faults

__all__ = ["FACT_WORDS", "FiveAxes", "tier_of_score"]

FACT_WORDS: Final[Mapping[Fact, str]] = {
    Fact.HARM_LINKED: "served output is linked to death, serious injury or self-harm",
    Fact.CHILD_EXPLOITATION: "content that exploits children was served",
    Fact.ACT_OUTSIDE_AUTHORITY: "an agent did something irreversible outside its authority",
    Fact.CLOCK_48_HOURS: "a reporting clock of 48 hours or less may be running",
    Fact.CLOCK_72_HOURS: "a reporting clock of 72 hours may be running",
    Fact.DATA_SHOWN_TO_ANOTHER: "one person's data was shown to another",
    Fact.GUARDRAIL_MISSING: "a required guardrail was not in the serving path",
    Fact.OUTSIDE_INQUIRY: "a regulator, a court, the press or a customer's executive has asked",
}

_CAP_WORDS: Final[Mapping[Evidence, str]] = {
    Evidence.NOT_ESTABLISHED: "cap: the breach is not established, so watch it",
    Evidence.ONE_WINDOW: "cap: seen in one window",
    Evidence.REPEATED: "cap: no person has confirmed it",
    Evidence.CONFIRMED: "cap: the policy suggests no graver tier by points",
}


def tier_of_score(score: int, tiers: Mapping[Tier, int]) -> Tier:
    """Return the gravest tier whose least sum a score reaches, else SEV4.

    Examples
    --------
    >>> tier_of_score(9, {Tier.SEV3: 5, Tier.SEV2: 8, Tier.SEV1: 11}).value
    'SEV2'
    """
    reached = [tier for tier, least in tiers.items() if score >= least]
    return min(reached, key=lambda tier: tier.rank, default=Tier.SEV4)


@severity_policy
@dataclass(frozen=True, slots=True, kw_only=True)
class FiveAxes:
    """Effect, reach, stakes, reversal and people, each worth 0 to 3 points.

    The built-in numbers are a starting point: a worse input never lowers the suggestion, but
    they were not calibrated on real incidents.

    Parameters
    ----------
    rules
        The numbers, with name and version; the built-in ones unless given.

    Raises
    ------
    ValueError
        If a worse input could lower the suggestion.
    """

    name: ClassVar[str] = "five_axes"

    rules: PolicyRules = field(default_factory=built_in_rules)
    label: str = field(init=False)

    def __post_init__(self) -> None:
        """Refuse rules that are not sound, and name the rest once."""
        each_mode = (self.rules.scoring, *self.rules.failure_modes.values())
        faults = [fault for scoring in each_mode for fault in scoring_faults(scoring)]
        for fault in (*faults, *floor_faults(self.rules.floors)):
            message = f"{'.'.join(fault.where)}: {fault.message}"
            raise ValueError(message)
        label = f"{self.rules.name} {self.rules.version}"
        if self.rules != built_in_rules():
            # Whoever changes a number and not the version is found out.
            label += f" ({self.rules.digest[:8]})"
        object.__setattr__(self, "label", label)

    @property
    def version(self) -> str:
        """Return what names these numbers."""
        return self.rules.version

    @property
    def floors(self) -> dict[Fact, Tier]:
        """Return the mildest tier that each fact allows."""
        return {fact: floor.tier for fact, floor in self.rules.floors.items()}

    @property
    def entitled(self) -> dict[Fact, frozenset[Role]]:
        """Return the roles that may state each fact."""
        return {fact: floor.roles for fact, floor in self.rules.floors.items()}

    def suggest(self, inputs: SeverityInputs) -> Suggestion:
        """Return the tier from what is known, and the tier with every unknown at its worst."""
        scoring = self.rules.of_mode(inputs.failure_mode)
        points = _points(inputs, scoring)
        axes = _axes(points)
        tier, cap_reasons = _capped(tier_of_score(axes.score, scoring.tiers), inputs, scoring)
        floor, floor_reasons = self._floor(inputs)
        tier = worse(tier, floor)
        return Suggestion(
            tier=tier,
            could_be=worse(tier, self._could_be(inputs)),
            axes=axes,
            reasons=(*(point.reason for point in points.values()), *cap_reasons, *floor_reasons),
            unknowns=tuple(unknown for point in points.values() for unknown in point.unknown),
            held=inputs.evidence is Evidence.NOT_ESTABLISHED and tier is Tier.SEV4,
            policy=self.label,
            floor=floor if floor_reasons else None,
        )

    def points(self, inputs: SeverityInputs) -> dict[str, Points]:
        """Return the points of each axis, with the reason."""
        return _points(inputs, self.rules.of_mode(inputs.failure_mode))

    def _could_be(self, inputs: SeverityInputs) -> Tier:
        worst = at_worst(inputs)
        scoring = self.rules.of_mode(worst.failure_mode)
        tier = tier_of_score(_axes(_points(worst, scoring)).score, scoring.tiers)
        if worst.shadow and not worst.facts:
            tier = _no_worse_than(tier, scoring.caps.shadow)
        return worse(tier, self._floor(worst)[0])

    def _floor(self, inputs: SeverityInputs) -> tuple[Tier, tuple[str, ...]]:
        tier = Tier.SEV4
        reasons: list[str] = []
        for fact in sorted(inputs.facts):
            floor = self.rules.floors[fact].tier
            if floor is not Tier.SEV4:
                tier = worse(tier, floor)
                reasons.append(f"floor {floor}: {FACT_WORDS[fact]}")
        ratio, rule = inputs.impact_ratio, self.rules.impact_ratio
        # A shadow output decides nothing, so the four-fifths rule has no decision to judge.
        decides = inputs.stakes in CONSEQUENTIAL and not inputs.shadow
        if ratio is not None and decides and ratio.high < rule.below:
            tier = worse(tier, rule.tier)
            reasons.append(
                f"floor {rule.tier}: the whole interval of the impact ratio, up to "
                f"{ratio.high:.2f}, is below {rule.below:.2f} in a consequential use"
            )
        return tier, tuple(reasons)


def _points(inputs: SeverityInputs, rules: ScoringRules) -> dict[str, Points]:
    return {
        "effect": effect_points(inputs, rules.cuts.effect),
        "reach": reach_points(inputs, rules.cuts),
        "stakes": stakes_points(inputs, rules),
        "reversal": reversal_points(inputs, rules),
        "people": people_points(inputs, rules.points),
    }


def _capped(
    tier: Tier, inputs: SeverityInputs, rules: ScoringRules
) -> tuple[Tier, tuple[str, ...]]:
    reasons: list[str] = []
    cap = rules.caps.of(inputs.evidence)
    if cap is not Tier.SEV1:
        tier = _no_worse_than(tier, cap)
        reasons.append(_CAP_WORDS[inputs.evidence])
    if inputs.shadow and not inputs.facts:
        tier = _no_worse_than(tier, rules.caps.shadow)
        reasons.append("cap: shadow traffic, no output reaches a person")
    return tier, tuple(reasons)


def _axes(points: Mapping[str, Points]) -> Axes:
    return Axes(**{name: point.points for name, point in points.items()})


def _no_worse_than(tier: Tier, cap: Tier) -> Tier:
    return max(tier, cap, key=lambda each: each.rank)
