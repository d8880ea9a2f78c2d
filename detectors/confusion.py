"""Rates of a confusion matrix: which cells of prediction x label are counted in which rate."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from baselines.layout import Axis
from baselines.schema import Schema
from detectors.outcomes import (
    Mask,
    counted_codes,
    positive_codes,
    positive_levels,
    why_no_positive,
)

__all__ = ["ConfusionCells", "RateMetric", "confusion_cells", "unknown_positive"]


class RateMetric(StrEnum):
    """A rate of the confusion matrix.

    True and false positive, negative rates: given the label. Positive and negative predictive
    value: given the prediction.
    """

    TPR = "tpr"
    FPR = "fpr"
    FNR = "fnr"
    TNR = "tnr"
    PPV = "ppv"
    NPV = "npv"
    ACCURACY = "accuracy"

    @property
    def text(self) -> str:
        """Return the rate's name in words."""
        return _TEXTS[self]

    @property
    def low_is_worse(self) -> bool:
        """Return whether a low rate means more errors."""
        return self not in {RateMetric.FPR, RateMetric.FNR}


_TEXTS = {
    RateMetric.TPR: "true positive rate",
    RateMetric.FPR: "false positive rate",
    RateMetric.FNR: "false negative rate",
    RateMetric.TNR: "true negative rate",
    RateMetric.PPV: "positive predictive value",
    RateMetric.NPV: "negative predictive value",
    RateMetric.ACCURACY: "accuracy",
}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ConfusionCells:
    """The four cells of the confusion matrix, each a mask of shape (prediction, label)."""

    true_positive: Mask
    false_positive: Mask
    false_negative: Mask
    true_negative: Mask

    @property
    def labelled(self) -> Mask:
        """Return the cells that have both a prediction and a label."""
        return self.predicted_positive | self.false_negative | self.true_negative

    @property
    def predicted_positive(self) -> Mask:
        """Return the cells of a positive prediction and any label."""
        return self.true_positive | self.false_positive

    def rate(self, metric: RateMetric) -> tuple[Mask, Mask]:
        """Return the cells of a rate's numerator and of its denominator.

        References
        ----------
        .. [1] T. Fawcett, Pattern Recognition Letters 27 (2006), 861-874, sec. 2.
        """
        tp, fp, fn, tn = (
            self.true_positive,
            self.false_positive,
            self.false_negative,
            self.true_negative,
        )
        return {
            RateMetric.TPR: (tp, tp | fn),
            RateMetric.FPR: (fp, fp | tn),
            RateMetric.FNR: (fn, tp | fn),
            RateMetric.TNR: (tn, fp | tn),
            RateMetric.PPV: (tp, tp | fp),
            RateMetric.NPV: (tn, tn | fn),
            RateMetric.ACCURACY: (tp | tn, self.labelled),
        }[metric]


def confusion_cells(prediction: Axis, label: Axis, schema: Schema) -> ConfusionCells:
    """Return the four cells, by the schema's positive levels of the two columns.

    A level that is not positive is negative, also one that the baseline did not know; rows
    without a prediction or a label are in no cell.
    """
    said, not_said = _sides(prediction, schema)
    true, not_true = _sides(label, schema)
    return ConfusionCells(
        true_positive=np.logical_and.outer(said, true),
        false_positive=np.logical_and.outer(said, not_true),
        false_negative=np.logical_and.outer(not_said, true),
        true_negative=np.logical_and.outer(not_said, not_true),
    )


def unknown_positive(axis: Axis, schema: Schema) -> str | None:
    """Return a sentence if the axis knows none of its column's positive levels, else None."""
    return why_no_positive(axis, positive_levels(schema, axis.column))


def _sides(axis: Axis, schema: Schema) -> tuple[Mask, Mask]:
    positive = positive_codes(axis, positive_levels(schema, axis.column))
    return positive, counted_codes(axis) & ~positive
