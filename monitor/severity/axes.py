"""The five axes: from what is known to 0-3 points and a sentence."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from detectors.base import Estimate
from monitor.severity.inputs import Evidence, SeverityInputs
from monitor.severity.register import Reversibility, Stakes, Vulnerability
from monitor.severity.rules import Cuts, PointTables, ScoringRules

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
_VULNERABILITY_WORDS: Final = {
    Vulnerability.NONE: "vulnerable people are not expected among the users",
    Vulnerability.EXPECTED: "vulnerable people are among the users",
    Vulnerability.DIRECT: "vulnerable people are directly exposed",
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


def reach_points(inputs: SeverityInputs, cuts: Cuts) -> Points:
    """Return the points of the share of traffic or the people since onset, the worse of both."""
    if inputs.share is None and inputs.people is None:
        return Points(0, "reach: not measured", ("share of traffic and people concerned",))
    points, words = 0, []
    if inputs.share is not None:
        points = max(points, points_between(inputs.share, cuts.share))
        words.append(f"{_number(inputs.share * 100)} % of the traffic")
    if inputs.people is not None:
        points = max(points, points_between(inputs.people, cuts.people))
        words.append(f"{inputs.people:,} people or outputs since the onset")
    return Points(points, f"reach: {', '.join(words)}")


def stakes_points(inputs: SeverityInputs, rules: ScoringRules) -> Points:
    """Return the points of the stakes, those of `rules.unknown` where nobody declared them."""
    table = rules.points.stakes
    if inputs.stakes is None:
        taken = rules.unknown.stakes
        reason = f"stakes: not declared, taken as {taken}"
        return Points(table[taken], reason, ("stakes of the use",))
    return Points(table[inputs.stakes], f"stakes: {_STAKES_WORDS[inputs.stakes]}")


def reversal_points(inputs: SeverityInputs, rules: ScoringRules) -> Points:
    """Return the points of reversibility or duration, the worse of both."""
    words: list[str] = []
    unknown: list[str] = []
    if inputs.reversibility is None:
        taken = rules.unknown.reversibility
        points = rules.points.reversibility[taken]
        words.append(f"reversibility not declared, taken as {taken}")
        unknown.append("reversibility of a decision")
    else:
        points = rules.points.reversibility[inputs.reversibility]
        words.append(_REVERSIBILITY_WORDS[inputs.reversibility])
    if inputs.days is None:
        unknown.append("time since the onset")
    else:
        points = max(points, points_between(inputs.days, rules.cuts.days))
        words.append(f"{_number(inputs.days)} days since the onset")
    return Points(points, f"reversal and duration: {', '.join(words)}", tuple(unknown))


def people_points(inputs: SeverityInputs, table: PointTables) -> Points:
    """Return the points of who is worse off, the most that applies."""
    unknown: list[str] = []
    if inputs.vulnerable_users is None:
        unknown.append("whether vulnerable people use the system")
    if inputs.protected_group_worse_off is None:
        unknown.append("whether a protected group is worse off")
    points, words = 0, "no protected group is known to be worse off"
    if inputs.protected_group_worse_off:
        points, words = table.protected_group, "a protected group is worse off"
        if inputs.stakes in CONSEQUENTIAL:
            points = table.protected_group_in_consequential_use
            words = "a protected group is worse off in a consequential use"
    vulnerable = inputs.vulnerable_users
    if vulnerable is not None and table.vulnerable_users[vulnerable] > points:
        points = table.vulnerable_users[vulnerable]
        words = _VULNERABILITY_WORDS[vulnerable]
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
