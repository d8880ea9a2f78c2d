"""Panels of series: alarms, returns, silence and splits."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from detectors.evidence.group_gaps import GapTolerance, ToleratedGap
from detectors.evidence.questions import (
    GapQuestion,
    MixQuestion,
    Question,
    RateQuestion,
    SilenceQuestion,
    Watched,
)
from detectors.evidence.shiryaev_roberts import EvidenceRule, leak_windows
from detectors.panels.gaps import GapModel
from detectors.panels.mixes import MixModel
from detectors.panels.model import History
from detectors.panels.panel import Panel, PanelReading
from detectors.panels.rates import RateModel

HOUR = 3_600_000_000
BASE = np.array([100, 200, 300, 400, 500, 400, 300, 200], dtype=np.int64) * 10
RATE = 0.05
GAP = ToleratedGap(kind=GapTolerance.DIFFERENCE, limit=0.05)
LOG_THRESHOLD = np.log(1e6)


def mix(shift: float, generator: np.random.Generator, n: int = 1_000) -> MixQuestion:
    shares = BASE / BASE.sum()
    moved = np.zeros(len(BASE))
    moved[-1] = 1.0
    counts = generator.multinomial(n, (1 - shift) * shares + shift * moved)
    return MixQuestion(counts=counts, reference=BASE, tolerance=0.05, ordered=True)


def rate(hits_rate: float, generator: np.random.Generator, n: int = 1_000) -> RateQuestion:
    return RateQuestion(
        hits=int(generator.binomial(n, hits_rate)),
        total=n,
        reference_hits=int(RATE * 50_000),
        reference_total=50_000,
        tolerance_ratio=1.25,
    )


def gap(rates: list[float], generator: np.random.Generator, n: int = 500) -> GapQuestion:
    totals = np.full((1, len(rates)), n, dtype=np.int64)
    return GapQuestion(
        hits=generator.binomial(totals, np.array([rates])),
        totals=totals,
        reference_hits=np.full((1, len(rates)), 20_000, dtype=np.int64),
        reference_totals=np.full((1, len(rates)), 50_000, dtype=np.int64),
        tolerated=GAP,
        groups=tuple("abcdef"[: len(rates)]),
    )


def silence(rate_: float, generator: np.random.Generator, n: int = 500) -> SilenceQuestion:
    return SilenceQuestion(
        triggers=int(generator.binomial(n, rate_)),
        checked=n,
        reference_triggers=1_000,
        reference_checked=50_000,
        tolerance=0.5,
    )


QUIET = {
    "mix": lambda g: mix(0.0, g),
    "rate": lambda g: rate(RATE, g),
    "pair": lambda g: gap([0.4, 0.4], g),
    "groups": lambda g: gap([0.4, 0.4, 0.4, 0.4], g),
    "silence": lambda g: silence(0.02, g),
}
CHANGED = {
    "mix": lambda g: mix(0.3, g),
    "rate": lambda g: rate(4 * RATE, g),
    "pair": lambda g: gap([0.2, 0.5], g),
    "groups": lambda g: gap([0.2, 0.4, 0.4, 0.5], g),
    "silence": lambda g: silence(0.0, g),
}
MODELS: dict[str, Any] = {
    "mix": MixModel,
    "rate": RateModel,
    "pair": GapModel,
    "groups": GapModel,
    "silence": RateModel,
}
KINDS = sorted(QUIET)


def panel(kind: str, n_series: int = 1, *, min_windows: int = 2) -> Panel:
    generator = np.random.default_rng(1)
    history = History(
        start_us=tuple(hour * HOUR for hour in range(48)),
        questions=tuple(QUIET[kind](generator) for _ in range(48)),
    )
    references = [QUIET[kind](generator) for _ in range(n_series)]
    model = MODELS[kind].calibrated(references, [history] * n_series)
    leak = leak_windows(np.full(n_series, 24.0), np.full(n_series, LOG_THRESHOLD))
    return Panel(model=model, rule=EvidenceRule(min_windows=min_windows), leak=leak)


def played(
    watched: Panel, windows: list[list[Question | None]], log_threshold: float = LOG_THRESHOLD
) -> list[PanelReading]:
    threshold = np.full(watched.model.n_series, log_threshold)
    state = watched.begin(threshold)
    readings = []
    for hour, questions in enumerate(windows):
        state, reading = watched.advance(state, questions, (100 + hour) * HOUR, threshold)
        readings.append(reading)
    return readings


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_called_while_nothing_changes(kind: str) -> None:
    generator = np.random.default_rng(2)
    windows = [[QUIET[kind](generator) for _ in range(5)] for _ in range(300)]

    readings = played(panel(kind, 5), windows)

    assert not any(reading.alarm.any() for reading in readings)


@pytest.mark.parametrize("kind", KINDS)
def test_a_large_change_is_called_within_four_windows_and_dated(kind: str) -> None:
    generator = np.random.default_rng(3)
    windows: list[list[Question | None]] = [[QUIET[kind](generator)] for _ in range(50)]
    windows += [[CHANGED[kind](generator)] for _ in range(6)]

    readings = played(panel(kind), windows)

    alarms = [hour for hour, reading in enumerate(readings) if reading.alarm[0]]
    assert alarms
    assert 50 <= alarms[0] <= 53
    first = readings[alarms[0]]
    begun = alarms[0] - int(first.onset.windows_ago[0])
    earliest = alarms[0] - int(first.onset.earliest[0])
    assert earliest <= 50 <= begun + 1
    assert first.firing[0]


@pytest.mark.parametrize("kind", KINDS)
def test_an_alarm_ends_on_evidence_of_return_and_can_come_again(kind: str) -> None:
    generator = np.random.default_rng(4)
    phases = [(QUIET, 20), (CHANGED, 15), (QUIET, 40), (CHANGED, 15)]
    windows: list[list[Question | None]] = [
        [make[kind](generator)] for make, n in phases for _ in range(n)
    ]

    readings = played(panel(kind), windows)

    alarms = [hour for hour, reading in enumerate(readings) if reading.alarm[0]]
    returns = [hour for hour, reading in enumerate(readings) if reading.returned[0]]
    assert len(alarms) == 2
    assert len(returns) == 1
    assert 20 <= alarms[0] < 35 < returns[0] <= 50
    assert 75 <= alarms[1] < 90


@pytest.mark.parametrize("kind", KINDS)
def test_windows_without_outputs_neither_alarm_nor_end_one(kind: str) -> None:
    generator = np.random.default_rng(5)
    windows: list[list[Question | None]] = [[CHANGED[kind](generator)] for _ in range(10)]
    windows += [[None]] * 200

    readings = played(panel(kind), windows)

    assert readings[9].firing[0]
    assert all(reading.firing[0] for reading in readings[35:])
    assert not any(reading.seen[0] for reading in readings[35:])
    assert not any(np.isnan(reading.log_r).any() for reading in readings)


@pytest.mark.parametrize("kind", KINDS)
def test_a_series_reads_the_same_alone_and_beside_others(kind: str) -> None:
    generator = np.random.default_rng(6)
    windows = [[QUIET[kind](generator), CHANGED[kind](generator)] for _ in range(8)]

    together = played(panel(kind, 2), windows)
    alone = played(panel(kind, 1), [[one] for one, _ in windows])

    assert [reading.log_r[0] for reading in together] == [reading.log_r[0] for reading in alone]


@pytest.mark.parametrize("kind", KINDS)
def test_more_evidence_is_asked_for_by_a_smaller_budget(kind: str) -> None:
    delays = []
    for log_threshold in (np.log(1e3), np.log(1e6), np.log(1e12)):
        generator = np.random.default_rng(7)
        windows = [[CHANGED[kind](generator)] for _ in range(60)]
        readings = played(panel(kind), windows, log_threshold)
        delays.append(next(hour for hour, reading in enumerate(readings) if reading.alarm[0]))

    assert delays == sorted(delays)


def test_a_rate_says_which_way_it_went_and_by_how_much() -> None:
    generator = np.random.default_rng(8)
    for changed, way, tolerated in ((0.15, 1, 0.0125), (0.01, -1, 0.01)):
        readings = played(panel("rate"), [[rate(changed, generator)] for _ in range(30)])

        last = readings[-1]
        assert last.direction[0] == way
        true = abs(changed - RATE) / tolerated
        assert last.departure.low[0] <= true * 1.05
        assert last.departure.value[0] == pytest.approx(true, rel=0.35)


def test_a_rate_that_may_only_fall_is_silent_about_rising() -> None:
    generator = np.random.default_rng(9)
    question = rate(RATE, generator)
    down = RateQuestion(
        hits=0,
        total=0,
        reference_hits=question.reference_hits,
        reference_total=question.reference_total,
        tolerance_ratio=1.25,
        watched=Watched.DOWN,
    )
    model = RateModel.calibrated([down], [History(start_us=(), questions=())])
    watched = Panel(model=model, rule=EvidenceRule(), leak=np.array([50.0]))

    readings = played(watched, [[rate(0.5, generator)] for _ in range(20)])

    assert not any(reading.alarm[0] for reading in readings)


def test_a_witness_names_the_bins_that_grew() -> None:
    generator = np.random.default_rng(10)
    watched = panel("mix")
    threshold = np.array([LOG_THRESHOLD])
    state = watched.begin(threshold)
    for hour in range(4):
        state, _ = watched.advance(state, [mix(0.3, generator)], hour * HOUR, threshold)

    witness: Any = state.sides
    assert witness.witness[0].tolist() == [False] * 7 + [True]


@pytest.mark.parametrize("kind", ["rate", "mix", "silence"])
def test_outputs_that_are_counted_twice_are_evidence_once(kind: str) -> None:
    generator = np.random.default_rng(11)
    once = [CHANGED[kind](generator)]
    counted = {"rate": ("hits", "total"), "mix": ("counts",), "silence": ("triggers", "checked")}
    twice = replace(
        once[0],
        repeats=2,
        **{name: 2 * getattr(once[0], name) for name in counted[kind]},
    )
    alone = MODELS[kind].calibrated(once, [History(start_us=(), questions=())])
    doubled = MODELS[kind].calibrated([twice], [History(start_us=(), questions=())])

    first = alone.score(alone.learn(alone.begin(), once, 0), once, 0).log_e
    second = doubled.score(doubled.learn(doubled.begin(), [twice], 0), [twice], 0).log_e

    assert np.abs(first).max() > 1
    assert second == pytest.approx(first, rel=0.25)


def beside_a_new_group(rates: list[float], n_new: int, g: np.random.Generator) -> GapQuestion:
    totals = np.array([[500, 500, n_new]])
    return GapQuestion(
        hits=g.binomial(totals, np.array([rates])),
        totals=totals,
        reference_hits=np.array([[20_000, 20_000, 0]]),
        reference_totals=np.array([[50_000, 50_000, 0]]),
        tolerated=GAP,
        groups=("a", "b", "other"),
    )


def panel_of_a_pair(generator: np.random.Generator) -> Panel:
    quiet = tuple(beside_a_new_group([0.4, 0.4, 0.4], 0, generator) for _ in range(24))
    history = History(start_us=tuple(hour * HOUR for hour in range(24)), questions=quiet)
    model = GapModel.calibrated([quiet[0]], [history])
    return Panel(model=model, rule=EvidenceRule(min_windows=2), leak=np.array([50.0]))


def test_a_gap_of_two_groups_is_over_although_a_third_group_came_and_went() -> None:
    generator = np.random.default_rng(9)
    met = [beside_a_new_group([0.4, 0.4, 0.448], 3_000, generator) for _ in range(5)]
    apart = [beside_a_new_group([0.35, 0.45, 0.4], 0, generator) for _ in range(30)]
    back = [beside_a_new_group([0.4, 0.4, 0.4], 0, generator) for _ in range(20)]

    readings = played(
        panel_of_a_pair(generator), [[each] for each in (*met, *apart, *back)], np.log(1e4)
    )

    assert any(reading.alarm[0] for reading in readings[5:35])
    assert any(reading.returned[0] for reading in readings[35:])


def test_a_group_that_two_baseline_groups_lack_is_called_when_it_is_far_from_them() -> None:
    generator = np.random.default_rng(10)
    before = [beside_a_new_group([0.4, 0.4, 0.4], 0, generator) for _ in range(20)]
    fair = [beside_a_new_group([0.4, 0.4, 0.4], 300, generator) for _ in range(100)]
    apart = [beside_a_new_group([0.4, 0.4, 0.1], 300, generator) for _ in range(5)]

    readings = played(
        panel_of_a_pair(generator), [[each] for each in (*before, *fair, *apart)], np.log(1e4)
    )

    assert not any(reading.alarm[0] for reading in readings[:120])
    assert any(reading.alarm[0] for reading in readings[120:])
