"""One batch against the baseline: tests, and false discoveries over the whole audit."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from baselines.reference import Reference
from baselines.summary import Window, WindowKey
from detectors.base import Detector, Finding, Verdict
from detectors.batches import TestedInBatches
from detectors.evidence.false_discoveries import adjusted_p_values
from detectors.evidence.questions import RateQuestion
from detectors.evidence.rate_tests import rate_p_value
from monitor.config.model import DetectorEntry

__all__ = ["Compared", "compare_windows", "compared", "compared_entry", "p_value"]

Compared = Mapping[tuple[WindowKey, str], float]
"""Adjusted p-values by window and series."""

_JUDGED = (Verdict.WITHIN, Verdict.BEYOND)
_LEAST_NATS = math.log(2.0) + 1e-9
_MOST_NATS = 25.0
_HALVINGS = 12
"""The p-value is known to within one per cent of its logarithm, at most 0.01 nats."""


def p_value(detector: Detector, reference: Reference, window: Window) -> float | None:
    """Return the p-value of "the effect is within the tolerance".

    That of the detector's own test, if it has one. Of a rate, that of the score test, and no less
    than half of what the interval says: one end of an interval is wrong half as often as the
    whole. Otherwise what the interval says: one minus the largest confidence at which the whole
    of it is beyond tolerance. None if the window cannot be judged, or has no interval.

    Parameters
    ----------
    detector
        With an option `confidence`, which is varied.
    reference, window
        As in `compare`.
    """
    if isinstance(detector, TestedInBatches):
        return detector.p_value(reference, window)
    of_interval = _interval_p_value(detector, reference, window)
    question = detector.question(reference, window) if detector.asks else None
    if of_interval is None or not isinstance(question, RateQuestion):
        return of_interval
    return max(rate_p_value(question), of_interval / 2)


def _interval_p_value(detector: Detector, reference: Reference, window: Window) -> float | None:
    options: Any = detector

    def is_beyond(nats: float) -> bool:
        confidence = 1 - math.exp(-nats)
        trial: Detector = replace(options, confidence=confidence)
        return trial.compare(reference, window).verdict is Verdict.BEYOND

    first = detector.compare(reference, window)
    effect = first.effect
    if first.verdict not in _JUDGED or effect is None:
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

    Naming those up to q keeps the expected share of false ones among the named at most q,
    however they depend on each other: see `detectors.evidence.false_discoveries`.
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
    adjusted = adjusted_p_values(np.array(list(asked.values())))
    return dict(zip(asked, adjusted.tolist(), strict=True))


def compared_entry(
    entry: DetectorEntry,
    reference: Reference,
    window: Window,
    *,
    adjusted: float | None,
    rate: float,
) -> Finding:
    """Return the finding of an entry on a window, as the comparison of the whole audit decides it.

    A series that is named shows the bounds that say so: those of the detector's own test if it
    has one, at the detector's confidence or, where this is too high for it, that of `rate`.

    Parameters
    ----------
    entry, reference, window
        What is compared.
    adjusted, rate
        As in `compared`.
    """
    finding = entry.compare(reference, window)
    if adjusted is not None and adjusted <= rate and finding.verdict in _JUDGED:
        finding = replace(_named(entry.detector, reference, window, rate), series=entry.series)
    return compared(finding, adjusted, rate)


def _named(detector: Detector, reference: Reference, window: Window, rate: float) -> Finding:
    """Return the finding at the highest of three confidences that shows it beyond tolerance."""
    options: Any = detector
    # The p-value of a series that is named is at most the rate, that of one end half of it.
    for confidence in (options.confidence, 1 - rate, max(1 - 2 * rate, 0.5)):
        looser: Detector = replace(options, confidence=min(options.confidence, confidence))
        shown = looser.compare_batch if isinstance(looser, TestedInBatches) else looser.compare
        finding = shown(reference, window)
        if finding.verdict is Verdict.BEYOND:
            break
    return finding


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
    if finding.verdict not in _JUDGED or adjusted is None:
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
