"""A window's finding in the light of the evidence: what is known of the change since it began."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from baselines.summary import WindowKey
from detectors.base import Finding, Measure, Verdict
from detectors.evidence.budget import periods_between, strength_words
from monitor.decision.budget import FalseAlarmBudget
from monitor.decision.evidence import Calibration, Evidence, Onset, Shadow
from monitor.decision.state import SeriesState, State
from monitor.printing import time_text

__all__ = ["Alarm", "Since", "alarm_of", "in_shadow", "weighed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """What was known when a series began to fire.

    Parameters
    ----------
    onset
        When the change most likely began, and the range that is plausible.
    strength
        How rarely chance alone would raise such an alarm, and under which budget, in words:
        the sentence is kept with the incident, and the budget may be another one by then.
    """

    onset: Onset
    strength: str

    @property
    def sentence(self) -> str:
        """Return since when, and how sure, in one clause."""
        onset = self.onset
        if not onset.window.has_times:
            return self.strength
        since = f"since about {time_text(onset.window.start_us)}"
        if onset.may_be_older:
            since += (
                f" (by {time_text(onset.latest.start_us)}; perhaps since before "
                f"{time_text(onset.earliest.start_us)}, the first window looked at)"
            )
        elif onset.earliest != onset.latest:
            since += (
                f" (between {time_text(onset.earliest.start_us)} and "
                f"{time_text(onset.latest.start_us)})"
            )
        return f"{since}; {self.strength}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """What the windows of a change show together.

    Parameters
    ----------
    finding
        On their counts added up.
    onset
        The window in which the change began.
    first
        The first window that was added up: a later one than `onset` if the change is older
        than the windows whose counts are kept.
    n_windows
        How many there are.
    """

    finding: Finding
    onset: WindowKey
    first: WindowKey
    n_windows: int

    @property
    def part(self) -> str:
        """Return which windows these are, where they are not all since the onset."""
        if self.first == self.onset:
            return ""
        times = f", from {time_text(self.first.start_us)} on" if self.first.has_times else ""
        return f"in the latest {self.n_windows} windows{times}: "


def alarm_of(evidence: Evidence, onset: Onset, budget: FalseAlarmBudget) -> Alarm:
    """Return what is known at the window that raised an alarm."""
    periods = periods_between(
        np.array(evidence.log_r), np.array(evidence.log_threshold), budget.incidents
    )
    strength = strength_words(float(periods), budget.seconds)
    return Alarm(onset=onset, strength=f"{strength}, at a budget of {budget}")


def weighed(
    finding: Finding,
    since: Since | None,
    state: SeriesState,
    alarm: Alarm | None,
    calibration: Calibration | None,
) -> Finding:
    """Return the finding as the evidence sees it.

    While the series fires the verdict is `BEYOND`, with the effect over the windows since the
    change began, as far as their counts are kept; while it recovers, and otherwise, `WITHIN`.
    A window that could not be judged, or without outputs to judge, stays as it is.

    Parameters
    ----------
    finding
        What the window alone shows.
    since
        What the windows since the onset show; None unless the series fires and the
        window had outputs to judge.
    state
        Of the series after the window.
    alarm
        What was known when it began to fire.
    calibration
        What calibration had to change.
    """
    notes = (*finding.notes, *(calibration.notes if calibration else ()))
    if state.state is State.FIRING and since is not None:
        sentence = _since_the_onset(since)
        if alarm is not None:
            sentence = f"{sentence}; {alarm.sentence}"
        together = since.finding
        return replace(
            finding,
            verdict=Verdict.BEYOND,
            effect=together.effect or finding.effect,
            departure=together.departure or finding.departure,
            direction=together.direction,
            measures=(*finding.measures, *_of_the_window(finding)),
            worse_off=together.worse_off,
            headline=together.headline,
            sentence=sentence,
            notes=_joined(together.notes, notes),
        )
    if finding.verdict is Verdict.BEYOND:
        sentence = f"{finding.sentence}; in this window alone, not enough evidence of a change yet"
        if state.state is State.RECOVERING:
            sentence = f"{finding.sentence}; the evidence since then speaks for a return"
        return replace(finding, verdict=Verdict.WITHIN, sentence=sentence, notes=notes)
    return replace(finding, notes=notes)


def _since_the_onset(since: Since) -> str:
    """Return what the windows since the onset show, never more than their interval does."""
    sentence, verdict = since.finding.sentence, since.finding.verdict
    if verdict is Verdict.BEYOND:
        return f"{since.part}{sentence}"
    if verdict is Verdict.WITHIN:
        windows = since.part or "the windows since the onset together: "
        return f"the alarm is not over; {windows}{sentence}"
    return f"there is evidence of a change, how large cannot be said: {since.part}{sentence}"


def in_shadow(finding: Finding, shadow: Shadow) -> Finding:
    """Return the finding of a series that is watched without alarms."""
    if finding.verdict not in (Verdict.WITHIN, Verdict.BEYOND):
        return finding
    return replace(
        finding,
        verdict=Verdict.INSUFFICIENT_DATA,
        effect=None,
        departure=None,
        sentence=f"{shadow.sentence}; this window: {finding.sentence}",
    )


def _of_the_window(finding: Finding) -> tuple[Measure, ...]:
    """Return the effect of the window alone, beside that since the onset."""
    effect = finding.effect
    if effect is None:
        return ()
    return (Measure("effect_in_this_window", effect.value, effect.low, effect.high),)


def _joined(first: Sequence[str], second: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *second)))
