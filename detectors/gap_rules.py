"""When a gap between groups is too large: rules on the ratio or on the difference of rates."""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from detectors.base import Estimate
from detectors.groups import GroupRates
from detectors.mover import difference_of, ratio_of
from detectors.rate_gaps import (
    pairwise_bounds,
    rate_difference,
    rate_ratio,
    worse_by_difference,
    worse_by_ratio,
)

__all__ = [
    "DifferenceRule",
    "GapComparison",
    "GapJudgement",
    "GapRule",
    "RatioRule",
]


class GapComparison(StrEnum):
    """What a gap is held against: the tolerance alone, or the baseline's own gap plus it."""

    ABSOLUTE = "absolute"
    BASELINE = "baseline"


@dataclass(frozen=True, slots=True, kw_only=True)
class GapJudgement:
    """What a rule says about a set of rates.

    Parameters
    ----------
    effect, departure
        As in a finding.
    accepted
        The effect that is accepted.
    difference, ratio
        Highest minus lowest rate, and lowest over highest, with simultaneous bounds.
    worse_off
        The groups on the worse side of a pair that is established to be beyond tolerance.
    shortfall
        How many decisions would have to come out the other way for every group to be within
        tolerance of the best one; the "flip-flop" number of US adverse-impact practice.
    """

    effect: Estimate
    accepted: float
    departure: Estimate
    difference: Estimate
    ratio: Estimate
    worse_off: tuple[str, ...]
    shortfall: float

    @property
    def is_unestablished(self) -> bool:
        """Return whether the point estimate is beyond tolerance but the interval is not."""
        return self.departure.value > 1 >= self.departure.low


class GapRule(Protocol):
    """A rule on the gap between groups."""

    @property
    def accepted(self) -> float:
        """Return the effect that is accepted."""
        ...

    @property
    def unit(self) -> str:
        """Return the effect's unit."""
        ...

    def judge(self, rates: GroupRates, reference: GroupRates | None) -> GapJudgement:
        """Return what the rule says about at least two groups.

        Parameters
        ----------
        rates
            The window's.
        reference
            The baseline's, if the gap is held against it.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RatioRule:
    """The lowest rate must be at least `tolerance` of the highest: 0.8 is the four-fifths rule.

    The effect is one minus that ratio. Against a baseline it is one minus the window's ratio
    over the baseline's. The departure is ln(1 / ratio) / ln(1 / tolerance), so 0.8 is at
    tolerance, 0.64 twice and 0.51 three times.

    References
    ----------
    .. [1] Uniform Guidelines on Employee Selection Procedures, 29 CFR 1607.4(D).
    """

    tolerance: float
    confidence: float
    low_is_worse: bool = True

    @property
    def accepted(self) -> float:
        """Return the effect that is accepted: one minus the accepted ratio."""
        return round(1 - self.tolerance, 12)

    @property
    def unit(self) -> str:
        """Return the effect's unit."""
        return "one minus the ratio of the lowest to the highest rate"

    def judge(self, rates: GroupRates, reference: GroupRates | None) -> GapJudgement:
        """Return what the rule says; see `GapRule`."""
        bounds = pairwise_bounds(rates, self.confidence)
        ratio = rate_ratio(rates, bounds)
        held, accepted = ratio, self.tolerance
        worse = worse_by_ratio(rates, bounds, accepted, low_is_worse=self.low_is_worse)
        if reference is not None:
            before = rate_ratio(reference, pairwise_bounds(reference, self.confidence))
            held, accepted = ratio_of(ratio, before), self.tolerance * before.value
            worse = (
                _worst(rates, low_is_worse=self.low_is_worse) if held.high < self.tolerance else ()
            )
        shortfall = _shortfall_of_ratio(rates, accepted, low_is_worse=self.low_is_worse)
        return GapJudgement(
            effect=Estimate(1 - held.value, 1 - held.high, 1 - held.low),
            accepted=self.accepted,
            departure=_of_persons(self._departure(held), shortfall),
            difference=rate_difference(rates, bounds),
            ratio=ratio,
            worse_off=worse,
            shortfall=shortfall,
        )

    def _departure(self, ratio: Estimate) -> Estimate:
        at_tolerance = math.log(1 / self.tolerance)
        value, low, high = (
            -math.log(number) / at_tolerance for number in (ratio.value, ratio.high, ratio.low)
        )
        return Estimate(value, low, high)


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceRule:
    """The highest rate must be at most `tolerance` above the lowest.

    The effect is that difference; against a baseline, its growth.
    """

    tolerance: float
    confidence: float
    low_is_worse: bool = True
    n_families: int = 1

    @property
    def accepted(self) -> float:
        """Return the effect that is accepted."""
        return self.tolerance

    @property
    def unit(self) -> str:
        """Return the effect's unit."""
        return "difference between the highest and the lowest rate"

    def judge(self, rates: GroupRates, reference: GroupRates | None) -> GapJudgement:
        """Return what the rule says; see `GapRule`."""
        bounds = pairwise_bounds(rates, self.confidence, self.n_families)
        difference = rate_difference(rates, bounds)
        held, accepted = difference, self.tolerance
        worse = worse_by_difference(rates, bounds, accepted, low_is_worse=self.low_is_worse)
        if reference is not None:
            before_bounds = pairwise_bounds(reference, self.confidence, self.n_families)
            before = rate_difference(reference, before_bounds)
            held, accepted = difference_of(difference, before), self.tolerance + before.value
            worse = (
                _worst(rates, low_is_worse=self.low_is_worse) if held.low > self.tolerance else ()
            )
        shortfall = _shortfall_of_difference(rates, accepted, low_is_worse=self.low_is_worse)
        return GapJudgement(
            effect=held,
            accepted=self.accepted,
            departure=_of_persons(held.scaled(1 / self.tolerance), shortfall),
            difference=difference,
            ratio=rate_ratio(rates, bounds),
            worse_off=worse,
            shortfall=shortfall,
        )


def _of_persons(departure: Estimate, shortfall: float) -> Estimate:
    # A gap that less than one decision would close is never established.
    if shortfall >= 1:
        return departure
    return Estimate(departure.value, min(departure.low, 1.0), departure.high)


def _worst(rates: GroupRates, *, low_is_worse: bool) -> tuple[str, ...]:
    position = rates.rates.argmin() if low_is_worse else rates.rates.argmax()
    return (rates.names[int(position)],)


def _shortfall_of_ratio(rates: GroupRates, accepted: float, *, low_is_worse: bool) -> float:
    if low_is_worse:
        missing = accepted * rates.rates.max() * rates.rows - rates.positives
    else:
        missing = rates.positives - rates.rates.min() / accepted * rates.rows
    return float(missing.clip(min=0).sum())


def _shortfall_of_difference(rates: GroupRates, accepted: float, *, low_is_worse: bool) -> float:
    if low_is_worse:
        missing = (rates.rates.max() - accepted) * rates.rows - rates.positives
    else:
        missing = rates.positives - (rates.rates.min() + accepted) * rates.rows
    return float(missing.clip(min=0).sum())
