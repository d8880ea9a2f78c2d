"""The gap between groups in how often a prediction is right or wrong, once labels arrive."""

import dataclasses
from dataclasses import dataclass
from typing import Annotated, ClassVar

import annotated_types as at

from baselines.reference import Reference
from baselines.summary import Window
from detectors.base import Finding
from detectors.comparison import Comparison
from detectors.confusion import RateMetric
from detectors.evidence.questions import Question
from detectors.gap_findings import GapTerms, gap_finding
from detectors.gap_questions import tolerated_by
from detectors.gap_rules import DifferenceRule, GapComparison, GapRule, RatioRule
from detectors.labelled_groups import LabelledGroupOptions
from detectors.options import group_label
from detectors.registry import detector
from detectors.wording import plain

__all__ = ["ErrorRateGap"]


@detector
@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRateGap(LabelledGroupOptions):
    """Compares one rate of the confusion matrix between groups.

    Equal opportunity is the gap of the true positive rate; predictive equality that of the
    false positive rate; predictive parity that of the positive predictive value. The groups
    with more errors are called worse off.

    With ``comparison: baseline`` it is decided by its interval in each window, without a
    false-alarm guarantee.

    Parameters
    ----------
    prediction, label, group, min_group_rows
        See `LabelledGroupOptions`.
    metric
        Which rate.
    tolerance_difference
        The accepted difference between the highest and the lowest rate.
    tolerance_ratio
        The accepted ratio of the lowest to the highest rate; when set, it decides instead.
    comparison
        Whether the gap is held against the tolerance alone, or against the baseline's gap.
    """

    name: ClassVar[str] = "error_rate_gap"

    metric: RateMetric = RateMetric.TPR
    tolerance_difference: Annotated[float, at.Gt(0), at.Lt(1)] = 0.1
    tolerance_ratio: Annotated[float, at.Gt(0), at.Lt(1)] | None = None
    comparison: GapComparison = GapComparison.ABSOLUTE

    @property
    def series(self) -> str:
        """Return the name of the series, unique within a monitor."""
        columns = f"{self.prediction}, {self.label}, {group_label(self.group)}"
        return f"{self.name}({self.metric}, {columns})"

    @property
    def asks(self) -> bool:
        """Return whether the gap is held against the tolerance alone.

        Rates whose gap is near the baseline's gap are not a convex set (the gap may turn
        round), and evidence against a set of rates needs a convex one.
        """
        return self.comparison == GapComparison.ABSOLUTE

    def question(self, reference: Reference, window: Window) -> Question | None:
        """Return the counts that evidence is gathered from; see `Detector`."""
        if not self.asks:
            return None
        return self.gap_question(
            reference,
            window,
            metrics=(RateMetric(self.metric),),
            tolerated=tolerated_by(self._rule),
        )

    def compare(self, reference: Reference, window: Window) -> Finding:
        """Return how far apart the groups' rates are."""
        rule = self._rule
        comparison = Comparison(
            detector=self, columns=self.columns, tolerance=rule.accepted, unit=rule.unit
        )
        groups = self.labelled_groups(comparison, reference, window)
        if isinstance(groups, Finding):
            return groups
        terms = GapTerms(
            subject=f"{RateMetric(self.metric).text} of {plain(self.prediction)}",
            attribute=group_label(self.group),
            rule=rule,
            min_rows=self.min_rows,
            min_group_rows=self.min_group_rows,
            comparison=self.comparison,
        )
        comparison = dataclasses.replace(comparison, notes=groups.notes)
        finding = gap_finding(comparison, terms, *groups.rates(self.metric))
        return dataclasses.replace(finding, measures=(*finding.measures, *groups.measures))

    @property
    def _rule(self) -> GapRule:
        low_is_worse = RateMetric(self.metric).low_is_worse
        if self.tolerance_ratio is not None:
            return RatioRule(
                tolerance=self.tolerance_ratio,
                confidence=self.confidence,
                low_is_worse=low_is_worse,
            )
        return DifferenceRule(
            tolerance=self.tolerance_difference,
            confidence=self.confidence,
            low_is_worse=low_is_worse,
        )
