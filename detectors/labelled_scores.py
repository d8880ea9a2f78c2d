"""Scores and labels in the window and in the baseline, bin by bin."""

import dataclasses
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from baselines.layout import NumericAxis, TableNeed, table_name
from baselines.reference import Reference
from baselines.summary import Window
from detectors.base import Detector, Finding, Measure
from detectors.comparison import Comparison, read_table
from detectors.confusion import unknown_positive
from detectors.label_coverage import label_note, n_with_label
from detectors.outcomes import counted_codes, positive_codes, positive_levels
from detectors.performance import why_unlabelled
from detectors.wording import plain

__all__ = ["LabelledScores", "ScoreCounts", "labelled_scores"]

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ScoreCounts:
    """Rows of negative and of positive label by score bin.

    Parameters
    ----------
    negatives, positives
        Counts of shape (n_bins + 2,): underflow, the bins, overflow.
    """

    negatives: Counts
    positives: Counts

    @property
    def rows(self) -> Counts:
        """Return the labelled rows of each bin."""
        return self.negatives + self.positives


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class LabelledScores:
    """What a metric of scores is computed from.

    Parameters
    ----------
    comparison
        What the finding is about, rows filled in.
    axis
        The score's bins.
    window, reference
        The counts.
    n_seen
        Rows of the window, labelled or not.
    """

    comparison: Comparison
    axis: NumericAxis
    window: ScoreCounts
    reference: ScoreCounts
    n_seen: int

    def with_coverage(self, finding: Finding) -> Finding:
        """Return the finding with the share of rows that have score and label measured."""
        coverage = Measure("label_coverage", self.comparison.n_rows / self.n_seen)
        return dataclasses.replace(finding, measures=(*finding.measures, coverage))


def labelled_scores(
    detector: Detector,
    reference: Reference,
    window: Window,
    *,
    need: TableNeed,
    tolerance: float,
    unit: str,
    min_rows: int,
) -> LabelledScores | Finding:
    """Return scores and labels, or the finding that there is too little of them.

    Parameters
    ----------
    detector
        The detector that compares.
    reference, window
        What it was given.
    need
        The table of score and label, in this order.
    tolerance, unit
        The effect that is accepted and its unit.
    min_rows
        The least number of labelled rows, in window and baseline.
    """
    score_name, label_name = (axis.column for axis in need)
    comparison = Comparison(
        detector=detector, columns=(score_name, label_name), tolerance=tolerance, unit=unit
    )
    counts = read_table(reference, window, table_name(need))
    if counts is None:
        return comparison.not_in_baseline(f"{score_name} and {label_name}")
    score, label = counts.table.axes
    sentence = unknown_positive(label, reference.schema)
    if sentence is not None or not isinstance(score, NumericAxis):
        return comparison.cannot_see(sentence or f"{plain(score_name)} must be numeric")
    positive = positive_codes(label, positive_levels(reference.schema, label_name))
    negative = counted_codes(label) & ~positive
    now, before = (
        ScoreCounts(
            negatives=cells[score.values][:, negative].sum(axis=1),
            positives=cells[score.values][:, positive].sum(axis=1),
        )
        for cells in (counts.window, counts.reference)
    )
    n_seen = int(counts.window.sum())
    comparison = comparison.with_rows(
        int(now.rows.sum()),
        int(before.rows.sum()),
        label_note(n_with_label(counts.window, label), n_seen),
    )
    what = f"{plain(score_name)} and {plain(label_name)}"
    unable = why_unlabelled(comparison, what, n_seen, min_rows)
    return unable or LabelledScores(
        comparison=comparison, axis=score, window=now, reference=before, n_seen=n_seen
    )
