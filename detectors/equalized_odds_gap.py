"""The larger of two gaps between groups: of the true and of the false positive rate."""

import dataclasses
from dataclasses import dataclass
from typing import Annotated, ClassVar

import annotated_types as at

from baselines.reference import Reference
from baselines.summary import Window
from detectors.base import Estimate, Finding, Measure, Verdict
from detectors.comparison import Comparison
from detectors.confusion import RateMetric
from detectors.evidence.questions import Question
from detectors.gap_findings import GapTerms, gap_finding
from detectors.gap_questions import tolerated_by
from detectors.gap_rules import DifferenceRule, GapComparison
from detectors.labelled_groups import LabelledGroupOptions, LabelledGroups
from detectors.options import group_label
from detectors.registry import detector
from detectors.wording import plain

__all__ = ["EqualizedOddsGap"]

_METRICS = (RateMetric.TPR, RateMetric.FPR)


@detector
@dataclass(frozen=True, slots=True, kw_only=True)
class EqualizedOddsGap(LabelledGroupOptions):
    """Compares both the true and the false positive rate between groups.

    The intervals of both rates and of all pairs of groups hold together. The groups with more
    errors, of either kind, are called worse off.

    With ``comparison: baseline`` it is decided by its interval in each window, without a
    false-alarm guarantee.

    Parameters
    ----------
    prediction, label, group, min_group_rows
        See `LabelledGroupOptions`.
    tolerance_difference
        The accepted difference between the highest and the lowest rate, of either kind.
    comparison
        Whether the gaps are held against the tolerance alone, or against the baseline's gaps.

    References
    ----------
    .. [1] M. Hardt, E. Price and N. Srebro, Advances in Neural Information Processing Systems
       29 (2016), definition 2.1.
    """

    name: ClassVar[str] = "equalized_odds_gap"

    tolerance_difference: Annotated[float, at.Gt(0), at.Lt(1)] = 0.1
    comparison: GapComparison = GapComparison.ABSOLUTE

    @property
    def series(self) -> str:
        """Return the name of the series, unique within a monitor."""
        return f"{self.name}({self.prediction}, {self.label}, {group_label(self.group)})"

    @property
    def asks(self) -> bool:
        """Return whether the gap is held against the tolerance alone.

        Rates whose gap is near the baseline's gap are not a convex set (the gap may turn
        round), and evidence against a set of rates needs a convex one.
        """
        return self.comparison == GapComparison.ABSOLUTE

    def question(self, reference: Reference, window: Window) -> Question | None:
        """Return the counts that evidence is gathered from; see `Detector`.

        Two strata: outputs whose label is positive, and those whose label is negative.
        """
        if not self.asks:
            return None
        return self.gap_question(
            reference, window, metrics=_METRICS, tolerated=tolerated_by(self._rule(RateMetric.TPR))
        )

    def compare(self, reference: Reference, window: Window) -> Finding:
        """Return how far apart the groups' error rates are."""
        comparison = Comparison(
            detector=self,
            columns=self.columns,
            tolerance=self.tolerance_difference,
            unit="larger of the differences of true and of false positive rates",
        )
        groups = self.labelled_groups(comparison, reference, window)
        if isinstance(groups, Finding):
            return groups
        comparison = dataclasses.replace(comparison, notes=groups.notes)
        findings = [self._one(comparison, groups, metric) for metric in _METRICS]
        for finding in findings:
            if finding.effect is None:
                return finding
        return dataclasses.replace(
            _larger(findings), measures=(*_measures(findings), *groups.measures)
        )

    def _rule(self, metric: RateMetric) -> DifferenceRule:
        return DifferenceRule(
            tolerance=self.tolerance_difference,
            confidence=self.confidence,
            low_is_worse=metric.low_is_worse,
            n_families=len(_METRICS),
        )

    def _one(self, comparison: Comparison, groups: LabelledGroups, metric: RateMetric) -> Finding:
        terms = GapTerms(
            subject=f"{metric.text} of {plain(self.prediction)}",
            attribute=group_label(self.group),
            rule=self._rule(metric),
            min_rows=self.min_rows,
            min_group_rows=self.min_group_rows,
            comparison=self.comparison,
        )
        finding = gap_finding(comparison, terms, *groups.rates(metric))
        # What both rates share is noted once; the rest says which rate it is about.
        own = [note for note in finding.notes if note not in comparison.notes]
        notes = (*(f"{metric.text}: {note}" for note in own), *comparison.notes)
        return dataclasses.replace(finding, notes=notes)


def _larger(findings: list[Finding]) -> Finding:
    effect = _maximum([f.effect for f in findings if f.effect is not None])
    departure = _maximum([f.departure for f in findings if f.departure is not None])
    is_beyond = any(finding.verdict is Verdict.BEYOND for finding in findings)
    largest = max(findings, key=lambda finding: finding.effect.value if finding.effect else 0.0)
    return dataclasses.replace(
        largest,
        verdict=Verdict.BEYOND if is_beyond else Verdict.WITHIN,
        effect=effect,
        departure=departure,
        n_rows=sum(finding.n_rows for finding in findings),
        n_reference_rows=sum(finding.n_reference_rows for finding in findings),
        worse_off=tuple(dict.fromkeys(group for f in findings for group in f.worse_off)),
        n_affected=sum(finding.n_affected or 0 for finding in findings),
        sentence="; ".join(finding.sentence for finding in findings),
        notes=tuple(dict.fromkeys(note for finding in findings for note in finding.notes)),
    )


def _maximum(estimates: list[Estimate]) -> Estimate:
    return Estimate(
        max(estimate.value for estimate in estimates),
        max(estimate.low for estimate in estimates),
        max(estimate.high for estimate in estimates),
    )


def _measures(findings: list[Finding]) -> tuple[Measure, ...]:
    return tuple(
        dataclasses.replace(measure, name=f"{metric.value}_{measure.name}")
        for metric, finding in zip(_METRICS, findings, strict=True)
        for measure in finding.measures
    )
