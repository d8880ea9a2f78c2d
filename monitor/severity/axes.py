"""The five axes: from what is known to 0-3 points and a sentence."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from detectors.base import Estimate
from monitor.severity.inputs import Evidence, SeverityInputs
from monitor.severity.register import Reversibility, Stakes, Vulnerability

__all__ = [
    "CONSEQUENTIAL",
    "Points",
    "at_worst",
    "effect_points",
    "people_points",
    "points_between",
    "reach_points",
    "reversal_points",
    "stakes_points",
]

CONSEQUENTIAL: Final = frozenset({Stakes.CONSEQUENTIAL, Stakes.CRITICAL})

_NAMED_GROUPS: Final = 3
_STAKES: Final = tuple(Stakes)
_REVERSIBILITY: Final = tuple(Reversibility)
_STAKES_WORDS: Final = {
    Stakes.NONE: "nobody is affected",
    Stakes.INCONVENIENCE: "inconvenience or quality",
    Stakes.CONSEQUENTIAL: "access, money, a job, dignity or privacy",
    Stakes.CRITICAL: "health, safety, liberty or children",
}
_REVERSIBILITY_WORDS: Final = {
    Reversibility.AUTOMATIC: "undone automatically",
    Reversibility.CORRECTABLE: "correctable with effort",
    Reversibility.HARD: "hard to undo",
    Reversibility.IRREVERSIBLE: "cannot be undone",
}


@dataclass(frozen=True, slots=True)
class Points:
    """One axis: 0 to 3 points, why, and what is unknown about it."""

    points: int
    reason: str
    unknown: tuple[str, ...] = ()


def points_between(value: float, cuts: Sequence[float]) -> int:
    """Return how many of the ascending `cuts` the value has reached.

    Examples
    --------
    >>> points_between(1.5, (1.0, 1.5, 3.0))
    2
    """
    return sum(value >= cut for cut in cuts)


def effect_points(inputs: SeverityInputs, cuts: Sequence[float]) -> Points:
    """Return the points of the departure, at the bound nearest to no breach.

    Once a person has confirmed the breach, the point estimate is used.
    """
    if inputs.departure is None:
        return Points(0, "effect: no size was measured", ("size of the effect",))
    if inputs.evidence is Evidence.CONFIRMED:
        size, words = inputs.departure.value, "about"
    else:
        size, words = inputs.departure.low, "at least"
    return Points(
        points_between(size, cuts), f"effect: {words} {_number(size)} times the tolerance"
    )


def reach_points(
    inputs: SeverityInputs, share_cuts: Sequence[float], people_cuts: Sequence[float]
) -> Points:
    """Return the points of the share of traffic or the people since onset, the worse of both."""
    if inputs.share is None and inputs.people is None:
        return Points(0, "reach: not measured", ("share of traffic and people concerned",))
    points, words = 0, []
    if inputs.share is not None:
        points = max(points, points_between(inputs.share, share_cuts))
        words.append(f"{_number(inputs.share * 100)} % of the traffic")
    if inputs.people is not None:
        points = max(points, points_between(inputs.people, people_cuts))
        words.append(f"{inputs.people:,} people or outputs since the onset")
    return Points(points, f"reach: {', '.join(words)}")


def stakes_points(inputs: SeverityInputs, if_unknown: int) -> Points:
    """Return the points of the declared stakes, `if_unknown` where nobody declared them."""
    if inputs.stakes is None:
        reason = f"stakes: not declared, taken as {_STAKES[if_unknown]}"
        return Points(if_unknown, reason, ("stakes of the use",))
    return Points(_STAKES.index(inputs.stakes), f"stakes: {_STAKES_WORDS[inputs.stakes]}")


def reversal_points(inputs: SeverityInputs, cuts: Sequence[float], if_unknown: int) -> Points:
    """Return the points of reversibility or duration, the worse of both."""
    words: list[str] = []
    unknown: list[str] = []
    if inputs.reversibility is None:
        points = if_unknown
        words.append(f"reversibility not declared, taken as {_REVERSIBILITY[if_unknown]}")
        unknown.append("reversibility of a decision")
    else:
        points = _REVERSIBILITY.index(inputs.reversibility)
        words.append(_REVERSIBILITY_WORDS[inputs.reversibility])
    if inputs.days is None:
        unknown.append("time since the onset")
    else:
        points = max(points, points_between(inputs.days, cuts))
        words.append(f"{_number(inputs.days)} days since the onset")
    return Points(points, f"reversal and duration: {', '.join(words)}", tuple(unknown))


def people_points(inputs: SeverityInputs) -> Points:
    """Return the points of who is worse off."""
    unknown: list[str] = []
    if inputs.vulnerable_users is None:
        unknown.append("whether vulnerable people use the system")
    if inputs.protected_group_worse_off is None:
        unknown.append("whether a protected group is worse off")
    points, words = 0, "no protected group is known to be worse off"
    if inputs.protected_group_worse_off:
        points, words = 1, "a protected group is worse off"
        if inputs.stakes in CONSEQUENTIAL:
            points, words = 2, "a protected group is worse off in a consequential use"
    if inputs.vulnerable_users is Vulnerability.EXPECTED and points < 2:
        points, words = 2, "vulnerable people are among the users"
    if inputs.vulnerable_users is Vulnerability.DIRECT:
        points, words = 3, "vulnerable people are directly exposed"
    return Points(points, f"people: {words}{_undeclared(inputs)}", tuple(unknown))


def _undeclared(inputs: SeverityInputs) -> str:
    """Return which groups are worse off without being declared protected, if any are."""
    groups = inputs.undeclared_worse_off
    if not groups:
        return ""
    named = ", ".join(groups[:_NAMED_GROUPS])
    more = len(groups) - _NAMED_GROUPS
    others = f" and {more} more" if more > 0 else ""
    verb = "is" if len(groups) == 1 else "are"
    return (
        f"; {named}{others} {verb} worse off, of an attribute that is not declared protected: "
        f"people decide whether it should be"
    )


def at_worst(inputs: SeverityInputs) -> SeverityInputs:
    """Return the inputs with every unknown at its worst and estimates at their far ends."""
    far = math.inf if inputs.departure is None else inputs.departure.high
    ratio = inputs.impact_ratio
    protected = inputs.protected_group_worse_off
    unmeasured = inputs.share is None and inputs.people is None
    return replace(
        inputs,
        departure=Estimate(far, far, far),
        impact_ratio=None if ratio is None else Estimate(ratio.low, ratio.low, ratio.low),
        share=1.0 if unmeasured else inputs.share,
        days=math.inf if inputs.days is None else inputs.days,
        stakes=inputs.stakes or Stakes.CRITICAL,
        reversibility=inputs.reversibility or Reversibility.IRREVERSIBLE,
        vulnerable_users=inputs.vulnerable_users or Vulnerability.DIRECT,
        protected_group_worse_off=True if protected is None else protected,
    )


def _number(value: float) -> str:
    return f"{value:.3g}"
