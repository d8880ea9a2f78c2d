"""The trials: long quiet streams, and changes of known size."""

import gc
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from benchmarks.simulation.control_charts import (
    Adwin,
    Chart,
    Cusum,
    cusum_threshold,
    plotted_value,
)
from benchmarks.simulation.families import Categories, Counts, Family
from benchmarks.simulation.rivals import Baseline, rules_of
from benchmarks.simulation.watching import Stage, Watch, chunks, prepared
from benchmarks.simulation.worlds import MONDAY_US, WINDOW_US, Conditions, World, starts_us

__all__ = ["OURS", "Delays", "Quiet", "delays", "quiet", "staged"]

OURS = "outputwatch"
ADWIN_SERIES = 20
_STEPS = 1.3 ** np.arange(16)


@dataclass(slots=True, kw_only=True)
class Quiet:
    """What rules did while nothing changed.

    Parameters
    ----------
    n_windows, n_series
        Of the stream.
    allowed
        Expected incidents that the budget allows in all.
    onsets
        Alarms of each rule that began, in all.
    watched
        Series that a rule watched, if not all.
    busy
        Windows in which a series at least raised a new alarm.
    flagged
        Windows of a series that a rule without memory flagged, in all: one that flags every
        window raises few new alarms.
    thresholds
        Of the CUSUMs that raise no more alarms on this stream than are allowed, by name.
    """

    n_windows: int
    n_series: int
    allowed: float
    onsets: dict[str, int] = field(default_factory=dict)
    busy: dict[str, int] = field(default_factory=dict)
    flagged: dict[str, int] = field(default_factory=dict)
    watched: dict[str, int] = field(default_factory=dict)
    thresholds: dict[str, float] = field(default_factory=dict)

    def count(self, rule: str, alarms: npt.NDArray[np.bool_]) -> None:
        """Count new alarms, bool of shape (T, S)."""
        self.onsets[rule] = self.onsets.get(rule, 0) + int(alarms.sum())
        self.busy[rule] = self.busy.get(rule, 0) + int(alarms.any(axis=1).sum())

    def per_thousand(self, rule: str) -> float:
        """Return false alarms of a series in 1,000 windows."""
        n_series = self.watched.get(rule, self.n_series)
        return 1000 * self.onsets[rule] / (n_series * self.n_windows)


Delays = Mapping[str, tuple[float, float]]
"""Median and 90 % of the delay in windows, by rule; infinite if never."""


def staged(family: Family, world: World, n_series: int, n_windows: int, seed: int) -> Stage:
    """Return the stage of a trial; collection of garbage waits while it is set."""
    gc.disable()
    try:
        return prepared(
            family,
            world,
            n_series=n_series,
            n_windows=n_windows,
            rng=np.random.default_rng([seed, 1]),
        )
    finally:
        gc.enable()


def quiet(stage: Stage, watch: Watch, seed: int, *, rivals: bool = True) -> Quiet:
    """Return what our panels and the other rules do on a stream without change."""
    rng = np.random.default_rng([seed, 2])
    given = stage.given
    threshold_windows = stage.budget.seconds * 1e6 / WINDOW_US
    result = Quiet(
        n_windows=given.n_windows,
        n_series=given.n_series,
        allowed=given.n_windows / threshold_windows * stage.budget.incidents,
    )
    ours = watch.fresh()
    others = _Others(stage, threshold_windows * given.n_series) if rivals else None
    for part in chunks(given, 0, given.n_windows):
        counts = stage.family.draw(part, np.zeros(part.n_windows), rng)
        alarms = [ours.advance(*asked) for asked in stage.questions(counts, part)]
        result.count(OURS, np.array(alarms))
        if others is not None:
            others.take(counts, part, result)
    if others is not None:
        others.tune(result)
    return result


def delays(
    stage: Stage,
    watch: Watch,
    change: float,
    begins: int,
    n_windows: int,
    seed: int,
    tuned: Mapping[str, float],
) -> Delays:
    """Return how long each rule takes from a change on.

    A rule that also alarms without a change is given its first alarm from the change on: its
    delay is partly luck.

    Parameters
    ----------
    stage, watch
        Where, and our panels after the baseline.
    change
        How large; it begins `begins` windows after the baseline.
    begins, n_windows
        Windows before the change and from it on.
    seed
        Of the draws.
    tuned
        Thresholds of CUSUMs, from `quiet`.
    """
    rng = np.random.default_rng([seed, 3])
    ours = watch.fresh()
    counts, alarms = [], []
    for part in chunks(stage.given, 0, begins + n_windows):
        at = part.first - stage.given.first + np.arange(part.n_windows)
        drawn = stage.family.draw(part, change * (at >= begins), rng)
        counts.append(drawn)
        alarms += [ours.advance(*asked) for asked in stage.questions(drawn, part)]
    flags = {OURS: np.array(alarms)}
    every = np.concatenate(counts)
    baseline = Baseline(stage.baseline)
    for name, rule in rules_of(stage.family).items():
        flags[name] = rule(baseline, every)
    played = stage.given.part(0, begins + n_windows)
    flags |= _cusum_alarms(stage, every, played, tuned)
    return {name: _quantiles(flag, begins) for name, flag in flags.items()}


def _quantiles(flags: npt.NDArray[np.bool_], begins: int) -> tuple[float, float]:
    after = flags[begins:]
    delay = np.where(after.any(axis=0), after.argmax(axis=0) + 1.0, np.inf)
    median, late = np.quantile(delay, [0.5, 0.9], method="higher")
    return float(median), float(late)


def _charts(stage: Stage) -> dict[str, Chart]:
    if isinstance(stage.family, Categories):
        return {}
    n_before = len(stage.baseline)
    first = MONDAY_US + (stage.given.first - n_before) * WINDOW_US
    starts = [first + window * WINDOW_US for window in range(n_before)]
    calibrated = Chart.calibrated(stage.family, stage.baseline, starts)
    return {
        "CUSUM": Chart.plain(stage.family, stage.baseline),
        "CUSUM with our calibration": calibrated,
        "CUSUM with our calibration and tolerance": calibrated.beyond_tolerance(),
    }


def _cusum_alarms(
    stage: Stage, counts: Counts, given: Conditions, tuned: Mapping[str, float]
) -> dict[str, npt.NDArray[np.bool_]]:
    alarms = {}
    for name, chart in _charts(stage).items():
        for label in (name, f"{name}, tuned here"):
            if label not in tuned:
                continue
            cusum = Cusum.start(counts.shape[1], np.array([tuned[label]]))
            sides = zip(*chart.plotted(counts, starts_us(given)), strict=True)
            alarms[label] = np.stack([cusum.advance(*window)[:, 0] for window in sides])
    return alarms


class _Others:
    """The other rules on one stream, from chunk to chunk."""

    def __init__(self, stage: Stage, mean_windows: float) -> None:
        self.rules = rules_of(stage.family)
        self.baseline = Baseline(stage.baseline)
        self.before = {name: np.zeros(stage.given.n_series, np.bool_) for name in self.rules}
        self.family, self.charts = stage.family, _charts(stage)
        self.steps = cusum_threshold(mean_windows) * _STEPS
        n_series = stage.given.n_series
        self.cusums = {name: Cusum.start(n_series, self.steps) for name in self.charts}
        self.alarms = {name: np.zeros(len(_STEPS), np.int64) for name in self.charts}
        n_adwin = 0 if isinstance(stage.family, Categories) else min(ADWIN_SERIES, n_series)
        self.adwins = [Adwin([]) for _ in range(n_adwin)]

    def take(self, counts: Counts, given: Conditions, result: Quiet) -> None:
        """Count the alarms of a chunk."""
        for name, rule in self.rules.items():
            flags = rule(self.baseline, counts)
            earlier = np.concatenate([self.before[name][None], flags[:-1]])
            self.before[name] = flags[-1]
            result.count(name, flags & ~earlier)
            result.flagged[name] = result.flagged.get(name, 0) + int(flags.sum())
        for name, chart in self.charts.items():
            sides = zip(*chart.plotted(counts, starts_us(given)), strict=True)
            alarms = np.stack([self.cusums[name].advance(*window) for window in sides])
            result.count(name, alarms[..., 0])
            self.alarms[name] += alarms.sum(axis=(0, 1))
        if self.adwins:
            values, _ = plotted_value(self.family, counts[:, : len(self.adwins)])
            calls = [
                [one.advance(x) for one, x in zip(self.adwins, row, strict=True)] for row in values
            ]
            result.count("ADWIN on the windows' values", np.array(calls))
            result.watched["ADWIN on the windows' values"] = len(self.adwins)

    def tune(self, result: Quiet) -> None:
        """Keep the least threshold with no more alarms than the budget allows."""
        for name, alarms in self.alarms.items():
            result.thresholds[name] = float(self.steps[0])
            enough = np.flatnonzero(alarms <= max(result.allowed, 1))
            if len(enough):
                result.thresholds[f"{name}, tuned here"] = float(self.steps[enough[0]])
