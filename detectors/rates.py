"""The change of a rate against its baseline: difference, ratio, and how it is put in words."""

import dataclasses
import math
from dataclasses import dataclass
from typing import Literal

from detectors.base import Direction, Estimate, Finding, Measure
from detectors.comparison import Comparison
from detectors.evidence.questions import Question, RateQuestion, Watched
from detectors.intervals import difference_estimate, rate_estimate, ratio_estimate
from detectors.wording import points_text, share_text, times_text

__all__ = ["Count", "RateTerms", "Watch", "rate_finding"]

Watch = Literal["up", "down", "both"]
"""Which way a rate must go to depart: up, down, or either."""

Count = tuple[int, int]
"""Successes and trials."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RateTerms:
    """On what terms a rate is judged.

    Parameters
    ----------
    subject, of
        The sentence begins with ``<subject> <share> of <of>``.
    confidence
        Of the two-sided intervals.
    watch
        Which way counts as a departure.
    tolerance_difference
        The accepted difference of rates, a share above 0; None: not decided on.
    tolerance_ratio
        The accepted ratio of the larger to the smaller rate, above 1; None: not decided on.
        With both tolerances set, the rate departs only if it is beyond both.
    """

    subject: str
    of: str
    confidence: float
    watch: Watch = "both"
    tolerance_difference: float | None = None
    tolerance_ratio: float | None = None

    @property
    def tolerance(self) -> float:
        """Return the tolerance that the effect is written against."""
        if self.tolerance_difference is not None:
            return self.tolerance_difference
        if self.tolerance_ratio is not None:
            return self.tolerance_ratio
        message = "a rate needs tolerance_difference or tolerance_ratio, got neither"
        raise ValueError(message)

    @property
    def unit(self) -> str:
        """Return the effect's unit."""
        if self.tolerance_difference is not None:
            return f"share of {self.of}"
        return "times (larger over smaller rate)"

    def question(self, window: Count, reference: Count, *, repeats: int = 1) -> Question | None:
        """Return the question of these counts, None if either side has no trial.

        Parameters
        ----------
        window, reference
            Successes and trials.
        repeats
            How many trials one output may be, at most.
        """
        if window[1] == 0 or reference[1] == 0:
            return None
        return RateQuestion(
            hits=window[0],
            total=window[1],
            reference_hits=reference[0],
            reference_total=reference[1],
            tolerance_ratio=self.tolerance_ratio,
            tolerance_difference=self.tolerance_difference,
            watched=Watched(self.watch),
            repeats=repeats,
        )


def rate_finding(
    comparison: Comparison, terms: RateTerms, window: Count, reference: Count
) -> Finding:
    """Return the finding on a rate, given that both sides have enough trials.

    Parameters
    ----------
    comparison
        What the finding is about; its tolerance, unit and rows are set here.
    terms
        On what terms it is judged.
    window, reference
        Successes and trials, trials at least 1.
    """
    comparison = dataclasses.replace(
        comparison,
        tolerance=terms.tolerance,
        unit=terms.unit,
        n_rows=window[1],
        n_reference_rows=reference[1],
    )
    rose = window[0] / window[1] >= reference[0] / reference[1]
    upwards = terms.watch == "up" or (terms.watch == "both" and rose)
    signed = difference_estimate(window, reference, terms.confidence)
    plain_ratio = ratio_estimate(window, reference, terms.confidence)
    # Both are turned so that larger is worse, also where a fall is watched.
    difference = signed if upwards else Estimate(-signed.value, -signed.high, -signed.low)
    ratio = plain_ratio if upwards else _inverse(plain_ratio)
    departure = _departure(terms, difference, ratio)
    effect = ratio if terms.tolerance_difference is None else difference
    equal = window[0] * reference[1] == reference[0] * window[1]
    return comparison.decided(
        effect=effect,
        departure=departure,
        direction=Direction.NONE if equal else Direction.UP if rose else Direction.DOWN,
        headline=_change(terms, window, reference),
        sentence=_sentence(
            terms, window, reference, effect, beyond=departure.low > 1, upwards=upwards
        ),
        measures=_measures(terms, window, reference, signed, plain_ratio),
        n_affected=_affected(window, reference, upwards),
    )


def _inverse(ratio: Estimate) -> Estimate:
    return Estimate(1 / ratio.value, 1 / ratio.high, 1 / ratio.low)


def _departure(terms: RateTerms, difference: Estimate, ratio: Estimate) -> Estimate:
    scales: list[Estimate] = []
    if terms.tolerance_difference is not None:
        scales.append(difference.scaled(1 / terms.tolerance_difference))
    if terms.tolerance_ratio is not None:
        logarithms = Estimate(*(math.log(x) for x in (ratio.value, ratio.low, ratio.high)))
        scales.append(logarithms.scaled(1 / math.log(terms.tolerance_ratio)))
    # With two tolerances the smaller departure decides, bound by bound.
    return Estimate(
        min(scale.value for scale in scales),
        min(scale.low for scale in scales),
        min(scale.high for scale in scales),
    )


def _measures(
    terms: RateTerms,
    window: Count,
    reference: Count,
    difference: Estimate,
    ratio: Estimate,
) -> tuple[Measure, ...]:
    estimates = {
        "rate": rate_estimate(*window, terms.confidence),
        "reference_rate": rate_estimate(*reference, terms.confidence),
        "difference": difference,
        "ratio": ratio,
    }
    return tuple(Measure(name, e.value, e.low, e.high) for name, e in estimates.items())


def _affected(window: Count, reference: Count, upwards: bool) -> int:
    excess = window[0] - window[1] * reference[0] / reference[1]
    return max(round(excess if upwards else -excess), 0)


def _change(terms: RateTerms, window: Count, reference: Count) -> str:
    now, normal = share_text(window[0] / window[1]), share_text(reference[0] / reference[1])
    return f"{terms.subject} {now} of {terms.of}, normally {normal}"


def _sentence(
    terms: RateTerms,
    window: Count,
    reference: Count,
    effect: Estimate,
    *,
    beyond: bool,
    upwards: bool,
) -> str:
    by_points = terms.tolerance_difference is not None
    text = points_text if by_points else times_text
    accepted = " and ".join(_accepted(terms))
    change = _change(terms, window, reference)
    if beyond:
        way = ("up" if upwards else "down") if by_points else ("more" if upwards else "fewer")
        return (
            f"{change}: {text(effect.value)} {way} (at least {text(effect.low)}), "
            f"{accepted} accepted"
        )
    most = text(max(effect.high, 0.0))
    if effect.high <= terms.tolerance:
        return f"{change}: within the accepted {accepted} (at most {most})"
    return f"{change}: not shown to be beyond the accepted {accepted} (at most {most})"


def _accepted(terms: RateTerms) -> list[str]:
    accepted: list[str] = []
    if terms.tolerance_difference is not None:
        accepted.append(points_text(terms.tolerance_difference, exact=True))
    if terms.tolerance_ratio is not None:
        accepted.append(times_text(terms.tolerance_ratio, exact=True))
    return accepted
