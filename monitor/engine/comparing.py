"""One batch against the baseline: intervals, and false discoveries over the whole audit."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from baselines.reference import Reference
from baselines.summary import Window, WindowKey
from detectors.base import Detector, Finding, Verdict
from detectors.evidence.fixed_sample import benjamini_yekutieli
from monitor.config.model import DetectorEntry

__all__ = ["Compared", "compare_windows", "compared", "p_value"]

Compared = Mapping[tuple[WindowKey, str], float]
"""Adjusted p-values by window and series."""

_LEAST_NATS = math.log(2.0) + 1e-9
_MOST_NATS = 25.0
_HALVINGS = 12
"""The p-value is known to within one per cent of its logarithm, at most 0.01 nats."""


def p_value(detector: Detector, reference: Reference, window: Window) -> float | None:
    """Return one minus the largest confidence at which the whole interval is beyond tolerance.

    It is the p-value of the very intervals that findings show, so a reader can follow it; it
    is as exact as they are. 1 if the interval is not beyond even at a confidence of a half; None
    if the window cannot be judged, or has no interval.

    Parameters
    ----------
    detector
        With an option `confidence`, which is varied.
    reference, window
        As in `compare`.
    """
    options: Any = detector

    def is_beyond(nats: float) -> bool:
        confidence = 1 - math.exp(-nats)
        trial: Detector = replace(options, confidence=confidence)
        return trial.compare(reference, window).verdict is Verdict.BEYOND

    first = detector.compare(reference, window)
    effect = first.effect
    if first.verdict not in (Verdict.WITHIN, Verdict.BEYOND) or effect is None:
        return None
    if effect.low == effect.high:
        return None  # a plain threshold or a report: there is no interval to vary
    low, high = _LEAST_NATS, _MOST_NATS
    if not is_beyond(low):
        return 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if is_beyond(middle) else (low, middle)
    return math.exp(-low)


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
                p = p_value(entry.detector, reference, window)
                if p is not None:
                    asked[window.key, entry.series] = p
    if not asked:
        return {}
    adjusted = benjamini_yekutieli(np.array(list(asked.values())))
    return dict(zip(asked, adjusted.tolist(), strict=True))


def compared(finding: Finding, adjusted: float | None, rate: float) -> Finding:
    """Return the finding as the comparison of the whole audit decides it.

    Parameters
    ----------
    finding
        What the window shows.
    adjusted
        Its adjusted p-value; None if it is not part of the comparison.
    rate
        The false discovery rate that is accepted.
    """
    if finding.verdict not in (Verdict.WITHIN, Verdict.BEYOND) or adjusted is None:
        return finding
    if adjusted <= rate:
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
