"""Metrics of classification from the counts of prediction x label, with their bounds."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from baselines.layout import Axis, CategoryAxis
from baselines.schema import Schema
from detectors.base import Estimate
from detectors.confusion import ConfusionCells, RateMetric, confusion_cells
from detectors.intervals import rate_estimate
from detectors.mover import combined_rates
from detectors.outcomes import (
    Mask,
    counted_codes,
    knows_positive,
    positive_codes,
    positive_levels,
)

__all__ = [
    "ClassificationCells",
    "ClassificationMetric",
    "classification_cells",
    "f1_estimate",
    "hits_and_rows",
]

Counts = npt.NDArray[np.int64]


class ClassificationMetric(StrEnum):
    """A metric of classification; all but the first two need positive levels."""

    ACCURACY = "accuracy"
    BALANCED_ACCURACY = "balanced_accuracy"
    PRECISION = "precision"
    RECALL = "recall"
    SPECIFICITY = "specificity"
    F1 = "f1"

    @property
    def needs_positive(self) -> bool:
        """Return whether the metric has no meaning without a positive class."""
        return self not in {
            ClassificationMetric.ACCURACY,
            ClassificationMetric.BALANCED_ACCURACY,
        }

    @property
    def is_proportion(self) -> bool:
        """Return whether the metric is the share of right ones among some of the rows."""
        return self not in {
            ClassificationMetric.BALANCED_ACCURACY,
            ClassificationMetric.F1,
        }


_RATES = {
    ClassificationMetric.PRECISION: RateMetric.PPV,
    ClassificationMetric.RECALL: RateMetric.TPR,
    ClassificationMetric.SPECIFICITY: RateMetric.TNR,
}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ClassificationCells:
    """Which cells of prediction x label are right, and which class a label belongs to.

    Parameters
    ----------
    correct, labelled
        Masks of shape (prediction, label): right; with both values.
    classes
        Masks of shape (label,), one a class.
    confusion
        The four cells by positive levels; None if the two columns have no positive level.
    """

    correct: Mask
    labelled: Mask
    classes: tuple[Mask, ...]
    confusion: ConfusionCells | None

    def estimates(
        self, metric: ClassificationMetric, now: Counts, before: Counts, confidence: float
    ) -> tuple[Estimate, Estimate] | None:
        """Return the metric in two tables of counts, None if either lacks the rows it needs.

        Balanced accuracy is the mean recall of the classes that both tables hold.
        """
        if metric == ClassificationMetric.BALANCED_ACCURACY:
            return self._balanced(now, before, confidence)
        found = [self._estimate(metric, counts, confidence) for counts in (now, before)]
        first, second = found
        return None if first is None or second is None else (first, second)

    def proportion(self, metric: ClassificationMetric) -> tuple[Mask, Mask] | None:
        """Return the cells of a metric's numerator and denominator.

        None for a metric that is no proportion of rows, or has no meaning here.
        """
        if metric == ClassificationMetric.ACCURACY:
            return self.correct, self.labelled
        if self.confusion is None or not metric.is_proportion:
            return None
        return self.confusion.rate(_RATES[metric])

    def _estimate(
        self, metric: ClassificationMetric, counts: Counts, confidence: float
    ) -> Estimate | None:
        cells = self.proportion(metric)
        if cells is not None:
            return _rate(counts, *cells, confidence)
        return None if self.confusion is None else f1_estimate(self.confusion, counts, confidence)

    def _balanced(
        self, now: Counts, before: Counts, confidence: float
    ) -> tuple[Estimate, Estimate] | None:
        recalls = []
        for counts in (now, before):
            labelled, correct = counts * self.labelled, counts * (self.labelled & self.correct)
            rows = np.array([labelled[:, one].sum() for one in self.classes], dtype=np.int64)
            hits = np.array([correct[:, one].sum() for one in self.classes], dtype=np.int64)
            recalls.append((hits, rows))
        shared = (recalls[0][1] > 0) & (recalls[1][1] > 0)
        if not shared.any():
            return None
        weights = np.full(int(shared.sum()), 1 / shared.sum())
        first, second = (
            combined_rates(hits[shared], rows[shared], weights, confidence)
            for hits, rows in recalls
        )
        return first, second


def classification_cells(prediction: Axis, label: Axis, schema: Schema) -> ClassificationCells:
    """Return what is right: the same side of positive, or the same level name.

    Two columns of at most two levels each that both have a positive one are compared by it,
    whatever the levels are called; all others by the names of their levels, where a level that
    the baseline did not know is never right.
    """
    both = (prediction, label)
    has_positive = all(knows_positive(axis, positive_levels(schema, axis.column)) for axis in both)
    confusion = confusion_cells(prediction, label, schema) if has_positive else None
    labelled = np.logical_and.outer(counted_codes(prediction), counted_codes(label))
    positive = positive_codes(label, positive_levels(schema, label.column))
    if confusion is not None and all(_n_levels(axis) <= 2 for axis in both):
        return ClassificationCells(
            correct=confusion.true_positive | confusion.true_negative,
            labelled=labelled,
            classes=(positive, counted_codes(label) & ~positive),
            confusion=confusion,
        )
    return ClassificationCells(
        correct=_same_name(prediction, label),
        labelled=labelled,
        classes=tuple(np.eye(label.size, dtype=np.bool_)[: _n_levels(label)]),
        confusion=confusion,
    )


def hits_and_rows(counts: Counts, positive: Mask, counted: Mask) -> tuple[int, int]:
    """Return the counts in positive cells that are counted, and in all counted cells."""
    return int(counts[positive & counted].sum()), int(counts[counted].sum())


def f1_estimate(cells: ConfusionCells, counts: Counts, confidence: float) -> Estimate | None:
    """Return the F1 score with bounds; None without a true or false positive or false negative.

    F1 = 2 J / (1 + J) grows with J = TP / (TP + FP + FN), which is the rate of a binomial
    count given the number of rows that are not true negatives, so J's Wilson bounds carry over.

    References
    ----------
    .. [1] C. J. van Rijsbergen, Information Retrieval, 2nd ed., Butterworths, 1979, ch. 7.
    .. [2] J. Lever, M. Krzywinski and N. Altman, Nature Methods 13 (2016), 603-604 (J, the
       Jaccard index of the positive sets, and F1).
    """
    true_positive = int(counts[cells.true_positive].sum())
    wrong = int(counts[cells.false_positive | cells.false_negative].sum())
    if true_positive + wrong == 0:
        return None
    share = rate_estimate(true_positive, true_positive + wrong, confidence)
    value, low, high = (2 * j / (1 + j) for j in (share.value, share.low, share.high))
    return Estimate(value, low, high)


def _rate(counts: Counts, positive: Mask, counted: Mask, confidence: float) -> Estimate | None:
    hits, rows = hits_and_rows(counts, positive, counted)
    return rate_estimate(hits, rows, confidence) if rows else None


def _n_levels(axis: Axis) -> int:
    return len(axis.levels) if isinstance(axis, CategoryAxis) else 0


def _same_name(prediction: Axis, label: Axis) -> Mask:
    same = np.zeros((prediction.size, label.size), dtype=np.bool_)
    if isinstance(prediction, CategoryAxis) and isinstance(label, CategoryAxis):
        for code, level in enumerate(prediction.levels):
            if level in label.levels:
                same[code, label.levels.index(level)] = True
    return same
