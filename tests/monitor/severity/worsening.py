"""Made-up inputs, rules and single steps for the worse, drawn from a seeded generator."""

import random
from dataclasses import replace
from typing import Any

from detectors.base import Estimate, FailureMode
from monitor.incidents.suggestion import Tier
from monitor.severity.inputs import Evidence, Fact, SeverityInputs
from monitor.severity.register import Reversibility, Stakes, Vulnerability
from monitor.severity.rules import (
    Caps,
    Cuts,
    Floor,
    ImpactRatioFloor,
    PointTables,
    PolicyRules,
    ScoringRules,
    UnknownValues,
)

__all__ = ["STEPS", "made_inputs", "made_rules", "worsened"]

_LEVELS: dict[str, Any] = {
    "evidence": Evidence,
    "stakes": Stakes,
    "reversibility": Reversibility,
    "vulnerable_users": Vulnerability,
}
STEPS = (
    "departure", "share", "people", "days", "protected_group_worse_off", "impact_ratio",
    "shadow", "facts", *_LEVELS,
)  # fmt: skip


def made_inputs(rng: random.Random) -> SeverityInputs:
    """Return inputs of which nothing is unknown, often near the cuts of the built-in policy."""
    low, value, high = sorted(rng.choice((1.0, 1.5, 3.0)) * rng.uniform(0.5, 2) for _ in range(3))
    below, ratio, above = sorted(min(1.0, 0.8 * rng.uniform(0.5, 1.2)) for _ in range(3))
    return SeverityInputs(
        failure_mode=rng.choice((None, *FailureMode)),
        departure=Estimate(value, low, high),
        evidence=rng.choice(tuple(Evidence)),
        share=min(1.0, rng.choice((0.001, 0.05, 0.25)) * rng.uniform(0.2, 3)),
        people=int(rng.choice((50, 1_000, 50_000)) * rng.uniform(0.2, 3)),
        days=rng.choice((1, 7, 30)) * rng.uniform(0.2, 3),
        protected_group_worse_off=rng.random() < 0.5,
        impact_ratio=None if rng.random() < 0.3 else Estimate(ratio, below, above),
        stakes=rng.choice(tuple(Stakes)),
        reversibility=rng.choice(tuple(Reversibility)),
        vulnerable_users=rng.choice(tuple(Vulnerability)),
        shadow=rng.random() < 0.3,
        facts=frozenset(rng.sample(tuple(Fact), rng.choice((0, 0, 0, 1, 2)))),
    )


def worsened(inputs: SeverityInputs, step: str, rng: random.Random) -> SeverityInputs:
    """Return the inputs with one of them worse, or as bad as it was."""
    value = getattr(inputs, step)
    worse: Any
    if step in _LEVELS:
        levels = tuple(_LEVELS[step])
        worse = rng.choice(levels[levels.index(value) :])
    elif step == "departure":
        by = rng.uniform(0, 3)
        worse = Estimate(value.value + by, value.low + by, value.high + by)
    elif step == "impact_ratio":
        by = rng.uniform(0, 0.3)
        worse = value and Estimate(value.value - by, value.low - by, value.high - by)
    elif step == "share":
        worse = min(1.0, value * rng.uniform(1, 30))
    elif step in ("people", "days"):
        worse = value * rng.choice((1, 2, 10, 60))
    elif step == "facts":
        worse = value | {rng.choice(tuple(Fact))}
    else:
        worse = step != "shadow"
    return replace(inputs, **{step: worse})


def made_rules(rng: random.Random, *, sound: bool = True) -> PolicyRules:
    """Return rules that are made up; some tables of those that are not sound are unordered."""
    return PolicyRules(
        name="made_up",
        version="1",
        governed_by="a test",
        scoring=_scoring(rng, sound=sound),
        failure_modes={
            mode: _scoring(rng, sound=sound) for mode in FailureMode if rng.random() < 0.5
        },
        impact_ratio=ImpactRatioFloor(below=rng.uniform(0.1, 1), tier=rng.choice(tuple(Tier))),
        floors={
            fact: Floor(tier=rng.choice(tuple(Tier)), stated_by=("anybody",)) for fact in Fact
        },
    )


def _scoring(rng: random.Random, *, sound: bool) -> ScoringRules:
    def ordered() -> bool:
        return sound or rng.random() < 0.7

    def points(n: int) -> list[int]:
        drawn = [rng.randrange(4) for _ in range(n)]
        return sorted(drawn) if ordered() else drawn

    def cuts(scale: float) -> tuple[float, float, float]:
        first, second, third = sorted(scale * rng.uniform(0.1, 3) for _ in range(3))
        return first, second, third

    tiers = [rng.randrange(1, 16) for _ in range(3)]
    caps = [rng.choice(tuple(Tier)) for _ in Evidence]
    if ordered():
        tiers.sort()
    if ordered():
        caps.sort(key=lambda tier: -tier.rank)
    group, group_in_use = points(2)
    return ScoringRules(
        cuts=Cuts(effect=cuts(1.5), share=cuts(0.1), people=cuts(1_000), days=cuts(7)),
        points=PointTables(
            stakes=dict(zip(Stakes, points(4), strict=True)),
            reversibility=dict(zip(Reversibility, points(4), strict=True)),
            vulnerable_users=dict(zip(Vulnerability, points(3), strict=True)),
            protected_group=group,
            protected_group_in_consequential_use=group_in_use,
        ),
        unknown=UnknownValues(
            stakes=rng.choice(tuple(Stakes)), reversibility=rng.choice(tuple(Reversibility))
        ),
        tiers=dict(zip((Tier.SEV3, Tier.SEV2, Tier.SEV1), tiers, strict=True)),
        caps=Caps(
            **{evidence.value: cap for evidence, cap in zip(Evidence, caps, strict=True)},
            shadow=rng.choice(tuple(Tier)),
        ),
    )
