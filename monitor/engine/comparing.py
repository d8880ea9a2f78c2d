"""One batch against the baseline: exact tests, and false discoveries over the whole audit."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from baselines.reference import Reference
from baselines.summary import Window, WindowKey
from detectors.base import Finding, Verdict
from detectors.evidence.fixed_sample import (
    benjamini_yekutieli,
    group_gap_p_value,
    rate_p_value_above,
    rate_p_value_below,
    total_variation_p_value,
)
from detectors.evidence.group_gaps import GapTolerance
from detectors.evidence.questions import (
    GapQuestion,
    MixQuestion,
    Question,
    RateQuestion,
    SilenceQuestion,
    Watched,
)
from detectors.evidence.two_group_gaps import GapLimit
from monitor.config.model import DetectorEntry

__all__ = ["Compared", "compare_windows", "compared", "p_value"]

Compared = Mapping[tuple[WindowKey, str], float]
"""Adjusted p-values by window and series."""


def p_value(question: Question) -> float:
    """Return the p-value of "within tolerance of the baseline" of one sample.

    It is valid in samples of any size, for independent outputs. Where one output may be
    counted several times the counts are divided by that.
    """
    if isinstance(question, RateQuestion):
        return _rate(question)
    if isinstance(question, SilenceQuestion):
        return _rate(
            RateQuestion(
                hits=question.triggers,
                total=question.checked,
                reference_hits=question.reference_triggers,
                reference_total=question.reference_checked,
                tolerance_ratio=1 / (1 - question.tolerance),
                watched=Watched.DOWN,
                repeats=question.repeats,
            )
        )
    if isinstance(question, MixQuestion):
        counts, reference = (
            one // question.repeats for one in (question.counts, question.reference)
        )
        return float(
            total_variation_p_value(
                reference, counts, question.tolerance, ordered=question.ordered
            )
        )
    return _gap(question)


def compare_windows(
    groups: Iterable[Sequence[Window]],
    entries: Sequence[DetectorEntry],
    reference_of: Callable[[str], Reference],
) -> Compared:
    """Return the adjusted p-value of every series in every window that can be asked.

    Benjamini-Yekutieli over all of them: naming those up to q keeps the expected share of
    false ones among the named at most q, however they depend on each other.
    """
    asked: dict[tuple[WindowKey, str], float] = {}
    for windows in groups:
        for window in windows:
            reference = reference_of(window.key.slice)
            for entry in entries:
                question = entry.detector.question(reference, window)
                if question is not None:
                    asked[window.key, entry.series] = p_value(question)
    adjusted = benjamini_yekutieli(np.array(list(asked.values())))
    return dict(zip(asked, adjusted.tolist(), strict=True))


def compared(finding: Finding, adjusted: float | None, rate: float) -> Finding:
    """Return the finding as the comparison of the whole audit decides it.

    Parameters
    ----------
    finding
        What the window shows.
    adjusted
        Its adjusted p-value; None if it could not be asked.
    rate
        The false discovery rate that is accepted.
    """
    if finding.verdict not in (Verdict.WITHIN, Verdict.BEYOND):
        return finding
    if adjusted is not None and adjusted <= rate:
        share = f"{100 * rate:g} %"
        sentence = (
            f"{finding.sentence}; beyond tolerance: at most {share} of the series that this "
            f"comparison names are expected to be there by chance"
        )
        return replace(finding, verdict=Verdict.BEYOND, sentence=sentence)
    if finding.verdict is Verdict.BEYOND:
        sentence = f"{finding.sentence}; not established among all series that were compared"
        return replace(finding, verdict=Verdict.WITHIN, sentence=sentence)
    return finding


def _rate(question: RateQuestion) -> float:
    repeats = question.repeats
    counts = (
        question.hits // repeats,
        question.total // repeats,
        question.reference_hits // repeats,
        question.reference_total // repeats,
    )
    ratio, difference = question.tolerance_ratio or 1.0, question.tolerance_difference or 0.0
    above = float(rate_p_value_above(*counts, ratio=ratio, difference=difference))
    below = float(rate_p_value_below(*counts, ratio=ratio, difference=difference))
    if question.watched is Watched.UP:
        return above
    if question.watched is Watched.DOWN:
        return below
    return min(1.0, 2 * min(above, below))


def _gap(question: GapQuestion) -> float:
    tolerated = question.tolerated
    if tolerated.kind is GapTolerance.RATIO:
        limit = GapLimit.ratio(tolerated.limit)
    elif tolerated.kind is GapTolerance.DIFFERENCE:
        limit = GapLimit.difference(tolerated.limit)
    else:
        limit = GapLimit()
    strata = [
        (hits[totals > 0], totals[totals > 0])
        for hits, totals in zip(question.hits, question.totals, strict=True)
        if (totals > 0).sum() > 1
    ]
    if not strata:
        return 1.0
    smallest = min(float(group_gap_p_value(hits, totals, limit)) for hits, totals in strata)
    return min(1.0, smallest * len(strata))
