"""How soon a monitor would call changes, by its configuration and its baseline."""

from collections.abc import Iterator
from dataclasses import dataclass

from baselines.baseline import ALL_TRAFFIC, Baseline
from detectors.panels.model import History
from monitor.config.decision import DecisionQuestion, DecisionRuleKind
from monitor.config.model import Configuration, DetectorEntry
from monitor.decision.delays import Change, expected_delays
from monitor.decision.state import SeriesKey
from monitor.decision.surveillance import Replay
from monitor.engine.audit import check_baseline
from monitor.engine.judgement import Judge
from monitor.engine.watching import Watching
from monitor.errors import OutputwatchError
from monitor.features.registry import with_features

__all__ = ["SIZES", "Delays", "SeriesDelays", "delays_of"]

SIZES = (1.5, 2.0, 4.0)
"""Multiples of the tolerance that are asked about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesDelays:
    """One series on one slice.

    Parameters
    ----------
    key
        Which.
    changes
        How long each way of leaving the tolerance takes to be called; none in shadow, and
        none where no change of these sizes is possible.
    shadow
        Why the series is watched without alarms, nothing if it is not.
    notes
        What calibration had to change.
    """

    key: SeriesKey
    changes: tuple[Change, ...] = ()
    shadow: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Delays:
    """All series of a monitor.

    Parameters
    ----------
    replay
        How they share the budget.
    series
        In order of name and slice.
    by_threshold
        Series that are decided window by window, so that there is nothing to estimate.
    small_slices
        Slices that are compared with all traffic: how many outputs they have is not known.
    """

    replay: Replay
    series: tuple[SeriesDelays, ...]
    by_threshold: tuple[str, ...]
    small_slices: tuple[str, ...]


def delays_of(configuration: Configuration, baseline: Baseline) -> Delays:
    """Return how long changes would take to be called.

    Raises
    ------
    BaselineMismatchError
        If the baseline lacks what a detector reads.
    OutputwatchError
        If nothing is decided on evidence.
    """
    check_baseline(configuration, baseline, with_features(configuration.schema))
    judge = Judge(configuration=configuration, baseline=baseline, policy=configuration.severity)
    watching = judge.watching
    if watching is None:
        raise OutputwatchError(_nothing_watched(configuration))
    slices = (ALL_TRAFFIC, *sorted(baseline.references.keys() - {ALL_TRAFFIC}))
    # All of them share the budget, also those that nothing can be said of.
    watching.add(slices)
    known = {each for each in slices if watching.reference_of(each).slice == each}
    found = (*_watched(watching), *_in_shadow(watching))
    return Delays(
        replay=watching.surveillance.replay(),
        series=tuple(
            sorted((each for each in found if each.key.slice in known), key=lambda each: each.key)
        ),
        by_threshold=tuple(
            entry.series
            for entry in configuration.detectors
            if entry.rule is not DecisionRuleKind.EVIDENCE
        ),
        small_slices=tuple(each for each in slices if each not in known),
    )


def _nothing_watched(configuration: Configuration) -> str:
    if configuration.decision.question is DecisionQuestion.COMPARISON:
        return (
            "--delays needs 'decision.question: monitoring', got 'comparison', which judges "
            "each window by itself"
        )
    return "--delays needs a series that is decided on evidence, all are 'rule: threshold'"


def _watched(watching: Watching) -> Iterator[SeriesDelays]:
    entries = {entry.series: entry for entry in watching.entries}
    calibrations = watching.surveillance.calibrations
    for seat, log_thresholds in watching.surveillance.panels():
        for row, key in enumerate(seat.keys):
            yield SeriesDelays(
                key=key,
                changes=expected_delays(
                    seat.panel.model,
                    row,
                    seat.references[row],
                    _history(watching, entries[key.series], key.slice),
                    log_threshold=float(log_thresholds[row]),
                    sizes=SIZES,
                ),
                notes=calibrations[key].notes,
            )


def _in_shadow(watching: Watching) -> Iterator[SeriesDelays]:
    for key, shadow in watching.surveillance.shadows.items():
        yield SeriesDelays(key=key, shadow=shadow.sentence)


def _history(watching: Watching, entry: DetectorEntry, slice_: str) -> History:
    reference = watching.reference_of(slice_)
    return History(
        start_us=tuple(past.key.start_us for past in reference.history),
        questions=tuple(entry.detector.question(reference, past) for past in reference.history),
    )
