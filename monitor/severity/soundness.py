"""What makes rules sound: no input that gets worse may lower what they suggest."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Final, TypeVar

from monitor.incidents.facts import Fact
from monitor.incidents.suggestion import Tier
from monitor.severity.inputs import Evidence
from monitor.severity.register import Reversibility, Stakes, Vulnerability
from monitor.severity.rules import ANYBODY, Caps, Cuts, Floor, PointTables, ScoringRules

__all__ = ["Fault", "floor_faults", "scoring_faults"]


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is wrong with rules.

    Parameters
    ----------
    where
        The options that lead there.
    message
        What must hold, what was found and why.
    missing
        Whether it is not there at all.
    """

    where: tuple[str, ...]
    message: str
    missing: bool = False


_L = TypeVar("_L", bound=StrEnum)

_LOWERS: Final = "else a worse input would lower the suggestion"
_SCORED: Final = (Tier.SEV3, Tier.SEV2, Tier.SEV1)


def scoring_faults(rules: ScoringRules) -> Iterator[Fault]:
    """Yield every reason for which these rules could lower a suggestion as inputs get worse.

    Cuts that do not ascend, a table that is worth less at a worse level, a tier that takes
    fewer points than a milder one, better evidence that is capped lower, and levels that are
    missing from a table. Rules without any are monotone: each axis then is a non-decreasing
    function of each input, the sum of each axis, the tier of the sum and the cap.
    """
    yield from _cut_faults(rules.cuts)
    yield from _table_faults(rules.points)
    yield from _tier_faults(rules.tiers)
    yield from _cap_faults(rules.caps)


def floor_faults(floors: Mapping[Fact, Floor]) -> Iterator[Fault]:
    """Yield facts that are forgotten, or whose roles are missing or contradict each other."""
    for fact in Fact:
        if fact not in floors:
            message = f"must say which floor {fact.value!r} sets; SEV4 is none"
            yield Fault(("floors", fact.value), message, missing=True)
        elif not floors[fact].stated_by:
            message = f"must name a role, or {ANYBODY!r}; else nobody could state it"
            yield Fault(("floors", fact.value, "stated_by"), message)
        elif ANYBODY in floors[fact].stated_by and len(floors[fact].stated_by) > 1:
            message = f"must be roles, or {ANYBODY!r} alone, got both"
            yield Fault(("floors", fact.value, "stated_by"), message)


def _cut_faults(cuts: Cuts) -> Iterator[Fault]:
    for axis in ("effect", "share", "people", "days"):
        listed: Sequence[float] = getattr(cuts, axis)
        if any(after < before for before, after in pairwise(listed)):
            shown = ", ".join(f"{cut:g}" for cut in listed)
            yield Fault(("cuts", axis), f"must ascend, got {shown}; {_LOWERS}")


def _table_faults(points: PointTables) -> Iterator[Fault]:
    yield from _level_faults("stakes", points.stakes, tuple(Stakes))
    yield from _level_faults("reversibility", points.reversibility, tuple(Reversibility))
    yield from _level_faults("vulnerable_users", points.vulnerable_users, tuple(Vulnerability))
    least = points.protected_group
    if points.protected_group_in_consequential_use < least:
        yield Fault(
            ("points", "protected_group_in_consequential_use"),
            f"must be worth at least as much as 'protected_group', {least}, got "
            f"{points.protected_group_in_consequential_use}; {_LOWERS}",
        )


def _level_faults(table: str, points: Mapping[_L, int], levels: Sequence[_L]) -> Iterator[Fault]:
    for level in levels:
        if level not in points:
            message = f"must be given, the points of {level.value!r}"
            yield Fault(("points", table, level.value), message, missing=True)
    known = [level for level in levels if level in points]
    for milder, graver in pairwise(known):
        if points[graver] < points[milder]:
            yield Fault(
                ("points", table, graver.value),
                f"must be worth at least as much as {milder.value!r}, {points[milder]}, got "
                f"{points[graver]}; {_LOWERS}",
            )


def _tier_faults(tiers: Mapping[Tier, int]) -> Iterator[Fault]:
    if Tier.SEV4 in tiers:
        message = "must not be given: SEV4 is what reaches no other tier"
        yield Fault(("tiers", "SEV4"), message)
    for tier in _SCORED:
        if tier not in tiers:
            message = f"must be given, the least sum of {tier.value}"
            yield Fault(("tiers", tier.value), message, missing=True)
    known = [tier for tier in _SCORED if tier in tiers]
    for milder, graver in pairwise(known):
        if tiers[graver] < tiers[milder]:
            yield Fault(
                ("tiers", graver.value),
                f"must take at least as many points as {milder.value}, {tiers[milder]}, got "
                f"{tiers[graver]}; {_LOWERS}",
            )


def _cap_faults(caps: Caps) -> Iterator[Fault]:
    for weaker, better in pairwise(Evidence):
        before, after = caps.of(weaker), caps.of(better)
        if after.rank > before.rank:
            yield Fault(
                ("caps", better.value),
                f"must be {before.value} or graver, the cap of {weaker.value!r}, got "
                f"{after.value}; else better evidence would lower the suggestion",
            )
