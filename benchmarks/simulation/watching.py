"""Streams watched as the monitor watches them: calibrated, replayed, under one budget."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.simulation.families import Family
from benchmarks.simulation.worlds import (
    DAY,
    WINDOW_US,
    Array,
    Conditions,
    World,
    conditions,
    starts_us,
)
from detectors.evidence.budget import log_thresholds
from detectors.evidence.questions import Question
from detectors.evidence.shiryaev_roberts import EvidenceRule, leak_windows
from detectors.panels.gaps import GapModel
from detectors.panels.mixes import MixModel
from detectors.panels.model import History
from detectors.panels.panel import Panel, PanelState
from detectors.panels.rates import RateModel
from monitor.decision.budget import FalseAlarmBudget
from monitor.decision.calibration import calibrated
from monitor.decision.evidence import Calibration
from monitor.decision.state import SeriesKey
from monitor.decision.surveillance import Surveillance, Watched

__all__ = ["BUDGET", "CHUNK", "Stage", "Watch", "chunks", "keys_of", "prepared"]

Counts = npt.NDArray[np.int64]

BUDGET = FalseAlarmBudget(incidents=1.0, days=30.0)
"""One false incident in 30 days, which are 8,640 windows."""

CHUNK = 100

_MODELS: Mapping[str, Any] = {"mix": MixModel, "rate": RateModel, "gap": GapModel}


@dataclass(slots=True)
class Watch:
    """The panels of one family as `Surveillance` sets them up, without a record a series.

    Parameters
    ----------
    panels
        With the rows that sit in each.
    thresholds
        ln c of every series.
    calibrations
        What the replay of the baseline showed.
    """

    panels: list[tuple[list[int], Panel, PanelState]]
    thresholds: Array
    calibrations: tuple[Calibration, ...]

    @classmethod
    def calibrated(
        cls, family: Family, watched: Sequence[Watched], budget: FalseAlarmBudget
    ) -> "Watch":
        """Return the panels, calibrated and replayed on the baseline's own windows."""
        histories = [one.history for one in watched]
        references: list[Any] = [one.reference for one in watched]
        model = _MODELS[references[0].kind].calibrated(references, histories)
        windows = budget.seconds * 1e6 / WINDOW_US
        thresholds = log_thresholds([windows] * len(watched), budget.incidents)
        leak = leak_windows(np.full(len(watched), DAY), thresholds)
        rule = EvidenceRule(min_windows=family.min_windows)
        found = calibrated(model, histories, rule=rule, leak=leak, thresholds=thresholds)
        panels = []
        for factor in np.unique(found.factors):
            rows = np.flatnonzero(found.factors == factor).tolist()
            part = model.take(rows).widened(found.factors[rows])
            panel = Panel(model=part, rule=rule, leak=leak[rows])
            panels.append((rows, panel, panel.begin(thresholds[rows])))
        return cls(panels, thresholds, found.calibrations)

    def advance(self, questions: Sequence[Question], start_us: int) -> npt.NDArray[np.bool_]:
        """Return which series begin to fire with one more window, bool of shape (S,)."""
        alarms = np.zeros(len(questions), dtype=np.bool_)
        for at, (rows, panel, state) in enumerate(self.panels):
            asked = [questions[row] for row in rows]
            after, reading = panel.advance(state, asked, start_us, self.thresholds[rows])
            self.panels[at] = (rows, panel, after)
            alarms[rows] = reading.alarm
        return alarms

    def fresh(self) -> "Watch":
        """Return a copy that goes its own way: states are never changed in place."""
        return Watch(list(self.panels), self.thresholds, self.calibrations)


@dataclass(frozen=True, slots=True)
class Stage:
    """A world and a family, with a baseline.

    Parameters
    ----------
    family, world
        What is watched, and where.
    baseline
        Counts of the baseline's windows, of shape (T, S, ...).
    watched
        The series with their histories.
    given
        What the windows after the baseline are drawn under.
    budget
        Of all series together.
    """

    family: Family
    world: World
    baseline: Counts
    watched: Sequence[Watched]
    given: Conditions
    budget: FalseAlarmBudget = BUDGET

    def watch(self) -> Watch:
        """Return the panels, calibrated."""
        return Watch.calibrated(self.family, self.watched, self.budget)

    def monitor(self) -> Surveillance:
        """Return the same as the monitor does it, calibrated."""
        monitor = Surveillance(budget=self.budget, window_seconds=WINDOW_US / 1e6)
        monitor.add(self.watched)
        return monitor

    def questions(self, counts: Counts, given: Conditions) -> Iterator[tuple[list[Question], int]]:
        """Yield what every series asks, and the start, window by window."""
        reference = self.family.asked(self.baseline.sum(axis=0))
        question = self.family.question
        windows = self.family.asked(counts)
        for window, start in zip(windows, starts_us(given), strict=True):
            yield [question(*pair) for pair in zip(window, reference, strict=True)], start


def keys_of(n_series: int) -> list[SeriesKey]:
    """Return the keys of the series, in order."""
    return [SeriesKey(f"series {row:04d}") for row in range(n_series)]


def prepared(
    family: Family, world: World, *, n_series: int, n_windows: int, rng: np.random.Generator
) -> Stage:
    """Return the stage: draw the baseline, and what comes after it."""
    n_baseline = world.baseline_windows
    everything = conditions(world, n_series, n_baseline + n_windows, rng)
    before = everything.part(0, n_baseline)
    baseline = np.concatenate(
        [
            family.draw(part, np.zeros(part.n_windows), rng)
            for part in chunks(before, 0, n_baseline)
        ]
    )
    return Stage(
        family=family,
        world=world,
        baseline=baseline,
        watched=_watched(family, family.asked(baseline), starts_us(before)),
        given=everything.part(n_baseline, n_baseline + n_windows),
    )


def chunks(given: Conditions, begin: int, end: int) -> Iterator[Conditions]:
    """Yield the windows from `begin` to before `end`, a hundred at a time."""
    for first in range(begin, end, CHUNK):
        yield given.part(first, min(first + CHUNK, end))


def _watched(family: Family, baseline: Counts, starts: list[int]) -> list[Watched]:
    reference = baseline.sum(axis=0)
    return [
        Watched(
            key=key,
            reference=family.question(reference[row], reference[row]),
            history=History(
                start_us=tuple(starts),
                questions=tuple(
                    family.question(counts, reference[row]) for counts in baseline[:, row]
                ),
            ),
            min_windows=family.min_windows,
        )
        for row, key in enumerate(keys_of(baseline.shape[1]))
    ]
