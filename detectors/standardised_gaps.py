"""Gaps between groups at equal strata: standardised differences and Mantel-Haenszel ratios."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detectors.base import Estimate, Measure
from detectors.mover import combined_rates

__all__ = ["StandardisedGap", "gap_measures", "largest_size", "standardised_gap"]

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardisedGap:
    """One group's rate against another's, before and after making their strata equal.

    Parameters
    ----------
    crude
        The difference of the two groups' rates, strata ignored.
    standardised
        The weighted mean over strata of the difference within the stratum, with bounds.
    mantel_haenszel_ratio
        The second group's rate over the first's, strata kept apart; None if the first group
        has no positive row in a shared stratum.
    n_rows, n_outside
        Rows of the two groups in strata that hold both, and in strata that hold one only.
    """

    crude: float
    standardised: Estimate
    mantel_haenszel_ratio: float | None
    n_rows: int
    n_outside: int

    def is_simpson(self, tolerance: float) -> bool:
        """Return whether strata change the story: another sign, or a change over `tolerance`."""
        standardised = self.standardised.value
        return self.crude * standardised < 0 or abs(self.crude - standardised) > tolerance


def standardised_gap(
    positives: Counts, rows: Counts, weights: Counts, confidence: float
) -> StandardisedGap | None:
    """Return the gap of a first group's rate over a second's; None if they share no stratum.

    Parameters
    ----------
    positives, rows
        Counts of shape (2, n_strata): the first and the second group's.
    weights
        How much each stratum weighs, for example its rows in all groups, of shape
        (n_strata,); strata that lack one of the two groups weigh nothing.
    confidence
        Of the two-sided interval.

    References
    ----------
    .. [1] N. Mantel and W. Haenszel, Journal of the National Cancer Institute 22 (1959),
       719-748; S. Greenland and J. M. Robins, Biometrics 41 (1985), 55-68 (ratio of rates).
    .. [2] G. Y. Zou, W. Huang and X. Zhang, Computational Statistics and Data Analysis 53
       (2009), 1080-1085 (bounds of the weighted sum).

    Examples
    --------
    >>> x, n = np.array([[80, 10], [40, 20]]), np.array([[100, 100], [50, 200]])
    >>> gap = standardised_gap(x, n, n.sum(axis=0), 0.95)
    >>> round(gap.crude, 3), round(gap.standardised.value, 3)
    (0.21, 0.0)
    """
    shared = (rows > 0).all(axis=0) & (weights > 0)
    if not shared.any():
        return None
    x, n, weight = positives[:, shared], rows[:, shared], weights[shared] / weights[shared].sum()
    standardised = combined_rates(x.ravel(), n.ravel(), np.append(weight, -weight), confidence)
    first, second = (float(positives[k].sum() / rows[k].sum()) for k in (0, 1))
    return StandardisedGap(
        crude=first - second,
        standardised=standardised,
        mantel_haenszel_ratio=_mantel_haenszel(x, n),
        n_rows=int(n.sum()),
        n_outside=int(rows.sum() - n.sum()),
    )


def _mantel_haenszel(x: Counts, n: Counts) -> float | None:
    total = n.sum(axis=0)
    first = float((x[0] * n[1] / total).sum())
    second = float((x[1] * n[0] / total).sum())
    return second / first if first > 0 else None


def largest_size(gaps: Sequence[Estimate]) -> Estimate:
    """Return the size of the largest of several gaps, at least one, whichever way they go."""
    return Estimate(
        max(abs(gap.value) for gap in gaps),
        max(max(gap.low, -gap.high, 0.0) for gap in gaps),
        max(max(gap.high, -gap.low) for gap in gaps),
    )


def gap_measures(
    widest: StandardisedGap, gaps: Mapping[str, StandardisedGap], *, is_simpson: bool
) -> tuple[Measure, ...]:
    """Return the widest gap and every group's as measures of a finding."""
    measures = [
        Measure("crude_gap", widest.crude),
        Measure(
            "standardised_gap",
            widest.standardised.value,
            widest.standardised.low,
            widest.standardised.high,
        ),
        Measure("simpson", float(is_simpson)),
    ]
    if widest.mantel_haenszel_ratio is not None:
        measures.append(Measure("mantel_haenszel_ratio", widest.mantel_haenszel_ratio))
    for name, one in gaps.items():
        estimate = one.standardised
        measures.append(
            Measure(f"standardised_gap({name})", estimate.value, estimate.low, estimate.high)
        )
    return tuple(measures)
