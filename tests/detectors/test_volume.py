from collections.abc import Callable

import numpy as np
import pytest

from baselines.layout import Layout
from baselines.reference import Reference
from baselines.schema import Schema
from baselines.summary import Window, WindowKey, WindowSummary
from detectors.base import Direction, Finding, Verdict
from detectors.volume import Volume

LAYOUT = Layout(())
HOUR_US = 3_600_000_000


def window(hour: int, rows: int, *, hours: int = 1, ordinal: int = 0) -> Window:
    key = WindowKey(hour * HOUR_US, (hour + hours) * HOUR_US, ordinal=ordinal)
    return Window(key, WindowSummary(LAYOUT, np.array([rows], dtype=np.int64)))


@pytest.fixture
def compare() -> Callable[..., Finding]:
    def run(history: list[Window], present: Window, **options: object) -> Finding:
        rows = sum(past.summary.n_rows for past in history)
        summary = WindowSummary(LAYOUT, np.array([rows], dtype=np.int64))
        reference = Reference(schema=Schema(columns=()), summary=summary, history=tuple(history))
        return Volume(**options).compare(reference, present)

    return run


STEADY = [window(hour, 1_000 + 10 * (hour % 3)) for hour in range(24)]


@pytest.mark.parametrize(
    ("rows", "verdict", "direction"),
    [
        (1_010, Verdict.WITHIN, Direction.NONE),
        (1_900, Verdict.WITHIN, Direction.UP),
        (600, Verdict.WITHIN, Direction.DOWN),
        (2_600, Verdict.BEYOND, Direction.UP),
        (400, Verdict.BEYOND, Direction.DOWN),
        (1, Verdict.BEYOND, Direction.DOWN),
    ],
)
def test_half_or_double_is_accepted_and_not_more(compare, rows, verdict, direction) -> None:
    finding = compare(STEADY, window(100, rows))

    assert finding.verdict is verdict
    assert finding.direction is direction
    assert finding.measure("normal_outputs") == 1_010


def test_no_outputs_at_all_cannot_be_seen(compare) -> None:
    finding = compare(STEADY, window(100, 0))

    assert finding.verdict is Verdict.CANNOT_SEE
    assert finding.sentence == "no outputs at all, normal are 1 010 outputs"


def test_windows_that_normally_swing_need_more_to_be_unusual(compare) -> None:
    swinging = [window(hour, 500 if hour % 2 else 2_000) for hour in range(24)]

    assert compare(STEADY, window(100, 3_500)).verdict is Verdict.BEYOND
    assert compare(swinging, window(100, 3_500)).verdict is Verdict.WITHIN


def test_nights_are_compared_with_nights(compare) -> None:
    # 1970-01-01 was a Thursday: days 2 and 3 of every seven are the weekend.
    working_days = [day for day in range(28) if day % 7 not in (2, 3)]
    history = [
        window(24 * day + hour, 100 if hour < 6 else 5_000)
        for day in working_days
        for hour in range(24)
    ]

    night, noon = window(24 * 28 + 3, 110), window(24 * 28 + 12, 110)

    assert compare(history, night).verdict is Verdict.WITHIN
    assert compare(history, night).measure("normal_outputs") == 100
    assert compare(history, noon).verdict is Verdict.BEYOND


def test_weekends_are_compared_with_weekends(compare) -> None:
    # Day 0, 1970-01-01, was a Thursday, so day 58 is a Saturday and day 57 a Friday.
    history = [window(24 * day + 9, 100 if day % 7 in (2, 3) else 5_000) for day in range(56)]

    friday, saturday = window(24 * 57 + 9, 110), window(24 * 58 + 9, 110)

    assert compare(history, saturday).verdict is Verdict.WITHIN
    assert compare(history, friday).verdict is Verdict.BEYOND


def test_few_windows_of_the_baseline_leave_wider_bounds(compare) -> None:
    few = compare([window(hour, 100) for hour in range(8)], window(500, 150)).effect
    many = compare([window(hour, 100) for hour in range(400)], window(500, 150)).effect

    assert few.low < many.low
    assert few.high > many.high


def test_only_windows_of_the_same_length_are_compared(compare) -> None:
    longer = [window(2 * k, 2_000, hours=2) for k in range(30)]

    finding = compare([*longer, *STEADY[:7]], window(100, 1_000))

    assert finding.verdict is Verdict.INSUFFICIENT_DATA
    assert "has 7 windows as long as this one" in finding.sentence


def test_windows_of_a_fixed_number_of_rows_have_no_volume(compare) -> None:
    history = [window(hour, 1_000, ordinal=hour) for hour in range(24)]

    finding = compare(history, window(100, 1_000))

    assert finding.verdict is Verdict.INSUFFICIENT_DATA
    assert "use windows of time" in finding.sentence


def test_a_trickle_is_too_little_to_compare_with(compare) -> None:
    assert (
        compare([window(hour, 3) for hour in range(24)], window(100, 90)).verdict
        is Verdict.INSUFFICIENT_DATA
    )


def test_only_the_watched_direction_departs(compare) -> None:
    flood, drought = window(100, 9_000), window(100, 90)

    assert compare(STEADY, flood, direction="down").verdict is Verdict.WITHIN
    assert compare(STEADY, flood, direction="up").verdict is Verdict.BEYOND
    assert compare(STEADY, drought, direction="up").verdict is Verdict.WITHIN
    assert compare(STEADY, drought, direction="down").verdict is Verdict.BEYOND


def test_a_window_at_the_tolerance_is_called_beyond_no_more_often_than_it_may(compare) -> None:
    random = np.random.default_rng(11)
    beyond = 0
    for _ in range(400):
        # Negative binomial: a gamma of mean 200 or 400 and relative variance 0.05.
        past = random.poisson(200 * random.gamma(20, 1 / 20, 24))
        present = random.poisson(400 * random.gamma(20, 1 / 20))
        history = [window(hour, int(rows)) for hour, rows in enumerate(past)]
        finding = compare(history, window(100, int(present)), confidence=0.9)
        beyond += finding.verdict is Verdict.BEYOND

    # One in twenty of 400 is 20; 37 is 3.9 standard deviations above.
    assert beyond <= 37


def test_a_window_that_the_log_cuts_off_is_not_judged(compare) -> None:
    cut = Window(window(100, 100).key, window(100, 100).summary, complete=False)

    finding = compare(STEADY, cut)

    assert finding.verdict is Verdict.INSUFFICIENT_DATA
    assert "begin or end inside" in finding.sentence


def test_cut_off_windows_of_the_baseline_are_not_what_is_normal(compare) -> None:
    first = Window(window(24, 5).key, window(24, 5).summary, complete=False)

    finding = compare([*STEADY, *[first] * 20], window(100, 1_010))

    assert finding.measure("baseline_windows") == len(STEADY)
