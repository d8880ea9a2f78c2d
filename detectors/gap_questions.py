"""The counts that evidence of gaps between groups is gathered from."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from detectors.evidence.group_gaps import GapTolerance, ToleratedGap
from detectors.evidence.questions import GapQuestion
from detectors.gap_rules import GapRule, RatioRule
from detectors.groups import GroupTable, rows_and_positives
from detectors.outcomes import Mask

__all__ = ["Strata", "gap_question", "strata_of", "tolerated_by"]

Strata = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]
"""Positives and rows, of shape (n_strata, n_groups) each."""


def tolerated_by(rule: GapRule) -> ToleratedGap:
    """Return the set of rates that a rule accepts."""
    if isinstance(rule, RatioRule):
        return ToleratedGap(kind=GapTolerance.RATIO, limit=rule.tolerance)
    return ToleratedGap(kind=GapTolerance.DIFFERENCE, limit=rule.accepted)


def strata_of(table: GroupTable, rates: Sequence[tuple[Mask, Mask]]) -> Strata:
    """Return the counts of several rates as strata, which must not share rows.

    Parameters
    ----------
    table
        Counts by group.
    rates
        The cells of each rate's numerator and denominator.
    """
    counts = [rows_and_positives(table, positive, counted) for positive, counted in rates]
    rows, positives = zip(*counts, strict=True)
    return np.stack(positives), np.stack(rows)


def gap_question(
    groups: tuple[str, ...], window: Strata, reference: Strata, tolerated: ToleratedGap
) -> GapQuestion | None:
    """Return the question of these counts, None if either side has no row.

    Parameters
    ----------
    groups
        All groups of the layout, whatever their size.
    window, reference
        Their counts.
    tolerated
        The rates that are accepted in every stratum.
    """
    if not (window[1].any() and reference[1].any()):
        return None
    return GapQuestion(
        hits=window[0],
        totals=window[1],
        reference_hits=reference[0],
        reference_totals=reference[1],
        tolerated=tolerated,
        groups=groups,
    )
