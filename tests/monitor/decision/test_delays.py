"""Estimates of delays against simulation, and what they must not say."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from detectors.evidence.group_gaps import GapTolerance, ToleratedGap
from detectors.evidence.questions import GapQuestion, MixQuestion, Question, RateQuestion
from detectors.panels.model import History
from monitor.decision.budget import FalseAlarmBudget
from monitor.decision.delays import Change, expected_delays
from monitor.decision.evidence import EvidenceEvent
from monitor.decision.state import SeriesKey
from monitor.decision.surveillance import Surveillance, Watched

DAY = 86_400_000_000
N_SERIES, N_PAST, MOST = 15, 40, 60
SIZES = (1.5, 2.0, 4.0)
GROUPS = np.array([[600, 300, 200]])
MIX = np.full(5, 0.2)

Ask = Callable[[np.random.Generator, float], Question]


def rate(chance: np.random.Generator, size: float) -> RateQuestion:
    """Return a rate of 5 %, risen by a multiple of the two points accepted."""
    hits = int(chance.binomial(1_000, 0.05 + 0.02 * size))
    return RateQuestion(
        hits=hits,
        total=1_000,
        reference_hits=2_000,
        reference_total=40_000,
        tolerance_difference=0.02,
    )


def mix(chance: np.random.Generator, size: float) -> MixQuestion:
    """Return five levels, of which two have grown; 5 % may move."""
    moved = 0.05 * size * np.array([0.5, 0.5, -0.4, -0.3, -0.3])
    return MixQuestion(
        counts=chance.multinomial(1_000, MIX + moved),
        reference=np.full(5, 8_000),
        tolerance=0.05,
        ordered=False,
    )


def gap(chance: np.random.Generator, size: float) -> GapQuestion:
    """Return three groups, of which the smallest has fallen behind; 10 points are accepted."""
    apart, share = 0.1 * size, GROUPS[0, 2] / GROUPS.sum()
    rates = np.array([0.5 + share * apart] * 2 + [0.5 - (1 - share) * apart])
    return GapQuestion(
        hits=chance.binomial(GROUPS, rates),
        totals=GROUPS,
        reference_hits=GROUPS * 20,
        reference_totals=GROUPS * 40,
        tolerated=ToleratedGap(kind=GapTolerance.DIFFERENCE, limit=0.1),
        groups=("a", "b", "c"),
    )


def watched(ask: Ask) -> Surveillance:
    chance = np.random.default_rng(5)
    surveillance = Surveillance(budget=FalseAlarmBudget(), window_seconds=86_400)
    surveillance.add(
        [
            Watched(
                key=SeriesKey(f"{number:02d}"),
                reference=ask(chance, 0.0),
                history=past(ask, chance),
            )
            for number in range(N_SERIES)
        ]
    )
    return surveillance


def past(ask: Ask, chance: np.random.Generator) -> History:
    starts = tuple(day * DAY for day in range(N_PAST))
    return History(start_us=starts, questions=tuple(ask(chance, 0.0) for _ in starts))


def planned(surveillance: Surveillance, ask: Ask) -> tuple[Change, ...]:
    seat, log_thresholds = next(iter(surveillance.panels()))
    return expected_delays(
        seat.panel.model,
        0,
        seat.references[0],
        past(ask, np.random.default_rng(6)),
        log_threshold=float(log_thresholds[0]),
        sizes=SIZES,
    )


def median_delay(surveillance: Surveillance, ask: Ask, size: float) -> float:
    chance, delays = np.random.default_rng(7), dict.fromkeys(range(N_SERIES), math.inf)
    for window in range(1, MOST + 1):
        questions = {SeriesKey(f"{each:02d}"): ask(chance, size) for each in delays}
        found = surveillance.advance(questions, (N_PAST + window) * DAY)
        for each in delays:
            if found[SeriesKey(f"{each:02d}")].event is EvidenceEvent.ALARM:
                delays[each] = min(delays[each], window)
    return float(np.median(list(delays.values())))


@pytest.mark.parametrize("ask", [rate, mix, gap])
@pytest.mark.parametrize("size", SIZES)
def test_estimates_are_within_a_factor_of_two_of_simulation(ask: Ask, size: float) -> None:
    surveillance = watched(ask)

    estimate = planned(surveillance, ask)[0].windows[SIZES.index(size)]

    assert estimate is not None
    assert 0.5 <= estimate / median_delay(surveillance, ask, size) <= 2


def test_the_ways_out_of_tolerance_are_named_and_impossible_ones_are_not() -> None:
    found = {ask.__name__: planned(watched(ask), ask) for ask in (rate, mix, gap)}

    rise, fall = found["rate"]
    assert (rise.what, fall.what) == ("rise", "fall")
    # From 5 %, a rate can fall by twice two points, not by four times.
    assert fall.windows[1] is not None
    assert fall.windows[2] is None
    assert [change.what for change in found["mix"]] == ["shift"]
    assert [change.what for change in found["gap"]] == ["c lower", "c higher"]


def test_what_the_tolerance_in_use_holds_is_never_called() -> None:
    seat, log_thresholds = next(iter(watched(rate).panels()))
    wide = seat.panel.model.widened(np.full(N_SERIES, 2.0))

    rise = expected_delays(
        wide,
        0,
        seat.references[0],
        past(rate, np.random.default_rng(6)),
        log_threshold=float(log_thresholds[0]),
        sizes=SIZES,
    )[0]

    assert rise.windows[0] == math.inf
    assert rise.windows[2] is not None
    assert math.isfinite(rise.windows[2])
