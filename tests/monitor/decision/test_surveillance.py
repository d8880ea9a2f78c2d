"""All series under one budget."""

from typing import Any

import numpy as np
import pytest

from detectors.evidence.group_gaps import GapTolerance, ToleratedGap
from detectors.evidence.questions import GapQuestion, MixQuestion, RateQuestion
from detectors.panels.model import History
from monitor.decision.budget import FalseAlarmBudget
from monitor.decision.evidence import EvidenceEvent
from monitor.decision.state import SeriesKey
from monitor.decision.surveillance import Replay, Surveillance, Watched

DAY = 86_400_000_000
BASE = np.full(8, 1_000, dtype=np.int64)


def rate(hits: int, n: int = 1_000) -> RateQuestion:
    return RateQuestion(
        hits=hits,
        total=n,
        reference_hits=2_500,
        reference_total=50_000,
        tolerance_difference=0.02,
    )


def history(questions: list[Any]) -> History:
    starts = tuple(day * DAY for day in range(len(questions)))
    return History(start_us=starts, questions=tuple(questions))


def steady(name: str, generator: np.random.Generator, windows: int = 20) -> Watched:
    past = [rate(int(generator.binomial(1_000, 0.05))) for _ in range(windows)]
    return Watched(key=SeriesKey(name), reference=rate(0, 0), history=history(past))


def surveillance(days: float = 90) -> Surveillance:
    return Surveillance(budget=FalseAlarmBudget(incidents=1, days=days), window_seconds=86_400)


def test_thresholds_rise_when_series_come_and_the_budget_stays() -> None:
    generator = np.random.default_rng(1)
    watch = surveillance()
    watch.add([steady("a", generator)])
    alone = watch.advance({SeriesKey("a"): rate(50)}, 100 * DAY)[SeriesKey("a")].log_threshold

    watch.add([steady(name, generator) for name in "bcd"])
    readings = watch.advance({SeriesKey("a"): rate(50)}, 101 * DAY)

    assert alone == pytest.approx(np.log(90))
    assert [r.log_threshold for r in readings.values()] == pytest.approx([np.log(4 * 90)] * 4)


def test_a_series_of_more_weight_needs_less_evidence() -> None:
    generator = np.random.default_rng(2)
    watch = surveillance()
    heavy = steady("heavy", generator)
    light = steady("light", generator)
    watch.add([Watched(**{**_fields(heavy), "weight": 3.0}), light])

    readings = watch.advance({}, 100 * DAY)

    thresholds = {key.series: np.exp(r.log_threshold) for key, r in readings.items()}
    assert thresholds["heavy"] == pytest.approx(90 * 4 / 3)
    assert thresholds["light"] == pytest.approx(90 * 4)


def test_a_series_with_a_short_history_is_in_shadow_and_takes_no_budget() -> None:
    generator = np.random.default_rng(3)
    watch = surveillance()

    watch.add([steady("short", generator, windows=5), steady("long", generator)])

    assert watch.n_series == 1
    assert "5 windows" in watch.shadows[SeriesKey("short")].sentence
    assert SeriesKey("short") not in watch.advance({SeriesKey("short"): rate(900)}, 100 * DAY)


def test_a_series_that_swings_in_the_baseline_gets_a_wider_tolerance_and_says_so() -> None:
    # Week after week of 5 % and of 11 %, against a tolerance of two points.
    generator = np.random.default_rng(4)
    past = [
        rate(int(generator.binomial(1_000, 0.05 if day // 7 % 2 else 0.11))) for day in range(84)
    ]
    watch = surveillance()

    watch.add([Watched(key=SeriesKey("x"), reference=rate(0, 0), history=history(past))])

    found = watch.calibrations[SeriesKey("x")]
    assert found.correlation > 0
    assert found.quiet
    assert watch.replay().n_loud == 0


def test_a_series_that_is_quiet_at_no_tolerance_is_in_shadow_and_takes_no_budget() -> None:
    # Four days at four times the rate: the long baseline holds an incident.
    generator = np.random.default_rng(8)
    past = [
        rate(int(generator.binomial(1_000, 0.2 if 80 <= day < 84 else 0.05))) for day in range(200)
    ]
    key = SeriesKey("loud")
    watch = surveillance()

    watch.add(
        [
            Watched(key=key, reference=rate(0, 0), history=history(past)),
            steady("steady", generator),
        ]
    )
    found = [watch.advance({key: rate(900)}, (100 + day) * DAY) for day in range(5)]

    assert not watch.calibrations[key].quiet
    assert watch.n_series == 1
    assert all(key not in each for each in found)
    assert watch.shadows[key].sentence.startswith("in shadow: not covered by the budget")
    assert "rule: threshold" in watch.shadows[key].sentence
    assert watch.replay().n_loud == 1
    assert watch.replay().n_shadow == 0


def test_a_gap_that_stands_in_the_baseline_itself_is_not_explained_away() -> None:
    generator = np.random.default_rng(7)
    rates = np.array([[0.6, 0.36]])
    totals = np.full((1, 2), 500, dtype=np.int64)

    def gap() -> GapQuestion:
        return GapQuestion(
            hits=generator.binomial(totals, rates),
            totals=totals,
            reference_hits=np.array([[6_000, 3_600]], dtype=np.int64),
            reference_totals=np.array([[10_000, 10_000]], dtype=np.int64),
            tolerated=ToleratedGap(kind=GapTolerance.RATIO, limit=0.8),
            groups=("m", "f"),
        )

    key = SeriesKey("gap")
    watch = surveillance()
    watch.add([Watched(key=key, reference=gap(), history=history([gap() for _ in range(14)]))])

    events = [watch.advance({key: gap()}, (100 + day) * DAY)[key].event for day in range(6)]

    assert EvidenceEvent.ALARM in events
    assert watch.calibrations[key].widened == 1
    assert any("in the baseline itself" in note for note in watch.calibrations[key].notes)


def test_an_alarm_comes_once_and_ends_on_evidence() -> None:
    generator = np.random.default_rng(5)
    watch = surveillance()
    watch.add([steady("x", generator)])
    key = SeriesKey("x")

    events = [
        watch.advance({key: rate(hits)}, (100 + day) * DAY)[key].event
        for day, hits in enumerate([50] * 10 + [150] * 10 + [50] * 20)
    ]

    alarms = [day for day, event in enumerate(events) if event is EvidenceEvent.ALARM]
    returns = [day for day, event in enumerate(events) if event is EvidenceEvent.RETURNED]
    assert len(alarms) == len(returns) == 1
    assert alarms[0] in (11, 12)
    assert 20 <= returns[0] <= 32


def test_kinds_that_cannot_share_a_panel_are_watched_side_by_side() -> None:
    generator = np.random.default_rng(6)
    mixes = [
        MixQuestion(
            counts=generator.multinomial(800, BASE / BASE.sum()),
            reference=BASE,
            tolerance=0.1,
            ordered=True,
        )
        for _ in range(12)
    ]
    watch = surveillance()
    watch.add(
        [
            steady("rate", generator),
            Watched(
                key=SeriesKey("mix"), reference=mixes[0], history=history(mixes), min_windows=1
            ),
        ]
    )

    readings = watch.advance({SeriesKey("mix"): mixes[0], SeriesKey("rate"): rate(50)}, 99 * DAY)

    assert set(readings) == {SeriesKey("mix"), SeriesKey("rate")}
    assert all(reading.seen for reading in readings.values())


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ((48, 14, 0, 0, 0), "48 series share the false-alarm budget of 1 per 90 days; replayed on "
         "the baseline's own 14 windows: 0 incidents"),
        ((48, 14, 3, 1, 2), "48 series share the false-alarm budget of 1 per 90 days; replayed on "
         "the baseline's own 14 windows: 0 incidents, 3 series with a wider tolerance; 1 more in "
         "shadow, not covered by the budget: quiet at no tolerance tried; 2 more in shadow: the "
         "baseline has too few windows"),
        ((0, 0, 0, 0, 7), "0 series share the false-alarm budget of 1 per 90 days; 7 more in "
         "shadow: the baseline has too few windows"),
    ],
)  # fmt: skip
def test_the_replay_is_told_in_one_sentence(numbers: tuple[int, ...], words: str) -> None:
    n_series, n_windows, n_widened, n_loud, n_shadow = numbers

    replay = Replay(
        budget=FalseAlarmBudget(),
        n_series=n_series,
        n_windows=n_windows,
        n_widened=n_widened,
        n_loud=n_loud,
        n_shadow=n_shadow,
    )

    assert replay.sentence == words


def _fields(watched: Watched) -> dict[str, Any]:
    return {name: getattr(watched, name) for name in ("key", "reference", "history")}
