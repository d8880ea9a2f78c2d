"""What a severity policy suggests, with its reasons; a person decides."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

__all__ = ["Axes", "Suggestion", "Tier", "worse"]


class Tier(StrEnum):
    """How bad an incident is; the order of severity is that of `rank`."""

    SEV1 = "SEV1"
    SEV2 = "SEV2"
    SEV3 = "SEV3"
    SEV4 = "SEV4"

    @property
    def rank(self) -> int:
        """Return 1 for the worst tier to 4 for the mildest."""
        return int(self.value[-1])


def worse(first: Tier, second: Tier) -> Tier:
    """Return the more severe of two tiers."""
    return min(first, second, key=lambda tier: tier.rank)


@dataclass(frozen=True, slots=True, kw_only=True)
class Axes:
    """The score by axis, each from 0 to 3."""

    effect: int
    reach: int
    stakes: int
    reversal: int
    people: int

    @property
    def score(self) -> int:
        """Return the sum, 0 to 15."""
        return self.effect + self.reach + self.stakes + self.reversal + self.people


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """How bad it looks, and how bad it could be.

    Parameters
    ----------
    tier
        What the policy suggests from what is known.
    could_be
        The tier with every unknown at its worst and the effect at the far end of its
        interval; never milder than `tier`.
    axes
        The score behind `tier`.
    reasons
        Why, one sentence for each axis, cap and floor.
    unknowns
        What nobody has said or measured yet.
    held
        True while the breach is not established: something to watch, not to act on.
    policy
        The name and version of the policy.
    floor
        The tier that facts found by the monitor set, None if there are none.
    inputs
        What the policy was told, as a record, so that another policy can be asked; None in
        suggestions of releases that did not keep it.
    """

    tier: Tier
    could_be: Tier
    axes: Axes
    reasons: tuple[str, ...] = ()
    unknowns: tuple[str, ...] = ()
    held: bool = False
    policy: str
    floor: Tier | None = None
    inputs: dict[str, Any] | None = None

    @property
    def score(self) -> int:
        """Return the sum of the axes, 0 to 15."""
        return self.axes.score
