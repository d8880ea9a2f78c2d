"""Series at their own time, and alarms dated by the windows that are remembered."""

from typing import Any

import numpy as np
import pytest

from detectors.evidence.group_gaps import GapTolerance, ToleratedGap
from detectors.evidence.questions import GapQuestion, MixQuestion, RateQuestion, SilenceQuestion
from detectors.panels.model import History
from monitor.decision.budget import FalseAlarmBudget
from monitor.decision.evidence import Evidence, EvidenceEvent
from monitor.decision.state import SeriesKey
from monitor.decision.surveillance import Surveillance, Watched

HOUR = 3_600_000_000
MONDAY = 4 * 24 * HOUR
WEEKS = 21 * 24
X, Y = SeriesKey("x"), SeriesKey("x", "region=EU")
SHARES = np.full(8, 0.125)


def hour_rate(hour: int) -> float:
    """Return 10 % by night and 40 % by day."""
    return 0.4 if 8 <= hour % 24 < 20 else 0.1


def rate(hits: int, n: int = 500) -> RateQuestion:
    return RateQuestion(
        hits=hits, total=n, reference_hits=2_500, reference_total=10_000, tolerance_ratio=1.25
    )


def mix(moved: float, rng: np.random.Generator, n: int = 500) -> MixQuestion:
    shares = SHARES + moved * np.array([1, 1, -1, -1, 0, 0, 0, 0]) / 2
    return MixQuestion(
        counts=rng.multinomial(n, shares),
        reference=np.full(8, 2_500, dtype=np.int64),
        tolerance=0.05,
        ordered=True,
    )


def gap(lost: float, rng: np.random.Generator, n: int = 500) -> GapQuestion:
    totals = np.array([[n // 2, n // 2]])
    return GapQuestion(
        hits=rng.binomial(totals, [[0.5 - lost, 0.5]]),
        totals=totals,
        reference_hits=np.array([[5_000, 5_000]]),
        reference_totals=np.array([[10_000, 10_000]]),
        tolerated=ToleratedGap(kind=GapTolerance.DIFFERENCE, limit=0.05),
        groups=("f", "m"),
    )


def silence(usual: float, rng: np.random.Generator, n: int = 500) -> SilenceQuestion:
    return SilenceQuestion(
        triggers=int(rng.binomial(n, usual)),
        checked=n,
        reference_triggers=500,
        reference_checked=10_000,
        tolerance=0.5,
    )


DRAWN: dict[str, tuple[Any, float, float]] = {
    "mix": (mix, 0.0, 0.25),
    "rate": (lambda p, rng: rate(int(rng.binomial(500, p))), 0.25, 0.45),
    "gap": (gap, 0.0, 0.2),
    "silence": (silence, 0.05, 0.0),
}


def watch(*keys: SeriesKey, past: list[Any], min_windows: int = 2) -> Surveillance:
    history = History(
        start_us=tuple(MONDAY + hour * HOUR for hour in range(len(past))), questions=tuple(past)
    )
    monitor = Surveillance(budget=FalseAlarmBudget(), window_seconds=3_600)
    monitor.add(
        [
            Watched(key=key, reference=past[0], history=history, min_windows=min_windows)
            for key in keys
        ]
    )
    return monitor


def steady(kind: str, n_windows: int = 48) -> list[Any]:
    rng = np.random.default_rng(1)
    draw, usual, _ = DRAWN[kind]
    return [draw(usual, rng) for _ in range(n_windows)]


def test_windows_of_one_stretch_are_held_to_their_own_hours() -> None:
    rng = np.random.default_rng(2)
    past = [rate(int(rng.binomial(500, hour_rate(hour)))) for hour in range(WEEKS)]
    together, alone = watch(X, Y, past=past), {X: watch(X, past=past), Y: watch(Y, past=past)}
    found: list[dict[SeriesKey, Evidence]] = []

    for step in range(30):
        # Slices that fill their windows at other speeds drift apart: one by day, one by night.
        starts = {X: MONDAY + 600 * HOUR + step * HOUR, Y: MONDAY + 612 * HOUR + step * HOUR}
        asked = {
            key: rate(int(rng.binomial(500, hour_rate(start // HOUR))))
            for key, start in starts.items()
        }
        found.append(together.advance(asked, starts[X], starts))
        for key, one in alone.items():
            one.advance({key: asked[key]}, starts[key])

    events = {reading.event for each in found for reading in each.values()}
    assert events == {EvidenceEvent.NONE}


@pytest.mark.parametrize("kind", sorted(DRAWN))
def test_series_apart_in_time_are_watched_as_each_would_be_alone(kind: str) -> None:
    rng = np.random.default_rng(3)
    draw, usual, changed = DRAWN[kind]
    past = steady(kind, WEEKS)
    together = watch(X, Y, past=past)
    apart = {key: watch(key, past=past) for key in (X, Y)}
    for one in apart.values():
        # The same share of the budget as beside each other.
        one._weights[SeriesKey("other")] = 1.0

    for step in range(14):
        starts = {X: MONDAY + step * HOUR, Y: MONDAY + (step * 5 + 7) * HOUR}
        asked = {key: draw(changed if step >= 4 else usual, rng) for key in starts}
        found = together.advance(asked, starts[X], starts)
        alone = {key: apart[key].advance({key: asked[key]}, starts[key])[key] for key in apart}

        assert found == alone


@pytest.mark.parametrize("kind", sorted(DRAWN))
def test_an_alarm_is_dated_to_the_window_of_the_change(kind: str) -> None:
    rng = np.random.default_rng(4)
    draw, usual, changed = DRAWN[kind]
    monitor = watch(X, past=steady(kind))
    begins = 30

    changes = [
        (hour, monitor.advance({X: draw(usual if hour < begins else changed, rng)}, hour * HOUR))
        for hour in range(begins + 10)
    ]

    (alarm,) = [(hour, each[X].change) for hour, each in changes if each[X].change is not None]
    hour, change = alarm
    assert change is not None
    assert hour - change.earliest <= begins <= hour - change.latest
    assert abs(hour - change.windows_ago - begins) <= 1
    assert change.n_windows == change.windows_ago + 1
    assert not change.may_be_older


def test_stretches_without_a_window_are_no_windows_since_the_onset() -> None:
    rng = np.random.default_rng(5)
    monitor = watch(X, past=steady("mix"))
    asked = [{X: mix(0.0, rng)}] * 30 + [{}] * 30 + [{X: mix(0.2, rng)} for _ in range(10)]

    readings = [monitor.advance(each, hour * HOUR)[X] for hour, each in enumerate(asked)]

    (alarm,) = [at for at, each in enumerate(readings) if each.change is not None]
    change = readings[alarm].change
    assert change is not None
    assert change.windows_ago == change.earliest == alarm - 60


def test_a_change_older_than_what_was_looked_at_says_so() -> None:
    rng = np.random.default_rng(6)
    monitor = watch(X, past=steady("rate"))

    readings = [monitor.advance({X: rate(rng.binomial(500, 0.4))}, h * HOUR)[X] for h in range(9)]

    (change,) = [each.change for each in readings if each.change is not None]
    assert change.may_be_older


def test_after_a_return_the_next_change_is_dated_by_later_windows_only() -> None:
    rng = np.random.default_rng(7)
    monitor = watch(X, past=steady("rate"))
    shares = [0.25] * 20 + [0.45] * 20 + [0.25] * 40 + [0.45] * 10

    readings = [
        monitor.advance({X: rate(int(rng.binomial(500, share)))}, hour * HOUR)[X]
        for hour, share in enumerate(shares)
    ]

    dates = [hour - each.change.windows_ago for hour, each in enumerate(readings) if each.change]
    assert dates == [20, 80]
