"""What the limit of silence promises."""

import math
from collections.abc import Sequence

import numpy as np
import pytest

from baselines.columns import Columns
from baselines.fitting import fit_layout
from baselines.schema import Schema
from baselines.summary import Window, WindowKey, WindowSummary
from monitor.decision.heartbeat import Heartbeat

HOUR_US = 3_600_000_000
MONDAY_US = 4 * 24 * HOUR_US
EMPTY = Columns(n_rows=0, time_us=np.zeros(0, dtype=np.int64), fields={})
LAYOUT = fit_layout(EMPTY, Schema(columns=()), ())


def windows(counts: Sequence[int], *, length_us: int = HOUR_US) -> list[Window]:
    found = []
    for number, n_rows in enumerate(counts):
        cells = np.zeros(LAYOUT.n_cells, dtype=np.int64)
        cells[0] = n_rows
        start_us = MONDAY_US + number * length_us
        key = WindowKey(start_us, start_us + length_us)
        found.append(Window(key, WindowSummary(LAYOUT, cells)))
    return found


def poisson(mean: float, n_windows: int) -> list[int]:
    return [int(n) for n in np.random.default_rng(5).poisson(mean, n_windows)]


@pytest.fixture
def steady() -> Heartbeat:
    heartbeat = Heartbeat.from_history(windows([100] * 24 * 14), even_arrivals=True)
    assert heartbeat is not None
    return heartbeat


def test_of_even_traffic_the_limit_is_the_exact_waiting_time(steady) -> None:
    expected_an_hour = float(steady.expected[0])

    limit = steady.limit_seconds(MONDAY_US + HOUR_US // 2)

    assert limit == pytest.approx(math.log(1e6) / expected_an_hour * 3600)


def test_the_limit_is_never_less_than_two_looks(steady) -> None:
    assert steady.limit_seconds(MONDAY_US, poll_seconds=3600) == 7200


def test_silence_is_told_at_the_limit_and_not_before(steady) -> None:
    limit_us = math.ceil(steady.limit_seconds(MONDAY_US) * 1_000_000)

    assert not steady.is_silent(MONDAY_US, MONDAY_US + limit_us - 1000)
    assert steady.is_silent(MONDAY_US, MONDAY_US + limit_us)


def test_without_even_arrivals_only_whole_windows_count() -> None:
    heartbeat = Heartbeat.from_history(windows([100] * 24 * 14))

    assert heartbeat.limit_seconds(MONDAY_US + HOUR_US // 2) == 1.5 * 3600
    assert heartbeat.limit_seconds(MONDAY_US) == 3600


def test_a_job_that_writes_once_an_hour_is_not_called_silent_in_between() -> None:
    heartbeat = Heartbeat.from_history(windows([1000] * 24 * 14))
    just_after_the_burst = MONDAY_US + 1_000_000

    assert not heartbeat.is_silent(just_after_the_burst, MONDAY_US + HOUR_US + 1_000_000)


def test_nights_without_records_are_not_silence() -> None:
    day = [0] * 7 + [200] * 12 + [0] * 5
    heartbeat = Heartbeat.from_history(windows(day * 28))
    evening_us = MONDAY_US + 19 * HOUR_US

    limit = heartbeat.limit_seconds(evening_us)

    assert heartbeat.longest_empty_run == 12
    assert limit == (12 + 1) * 3600


def test_rates_that_vary_make_the_monitor_wait_longer() -> None:
    even = Heartbeat.from_history(windows([30] * 24 * 14), even_arrivals=True)
    varied = Heartbeat.from_history(windows([10, 50] * 12 * 14 + [50, 10] * 12 * 14))

    assert even.variation == 0
    assert varied.variation > 0.1
    assert varied.limit_seconds(MONDAY_US) > even.limit_seconds(MONDAY_US)


def test_a_smaller_chance_takes_longer() -> None:
    history = windows(poisson(40, 24 * 14))

    limits = [
        Heartbeat.from_history(history, chance=chance, even_arrivals=True).limit_seconds(MONDAY_US)
        for chance in (1e-3, 1e-6, 1e-9)
    ]

    assert limits == sorted(limits)
    assert limits[0] < limits[2]


def test_living_sources_are_called_silent_no_more_often_than_stated() -> None:
    chance, looks = 0.01, 20_000
    heartbeat = Heartbeat.from_history(
        windows(poisson(60, 24 * 28)), chance=chance, even_arrivals=True
    )
    limit = heartbeat.limit_seconds(MONDAY_US)

    waits = np.random.default_rng(6).exponential(60.0, looks)

    assert (waits > limit).mean() < chance + 3 * math.sqrt(chance / looks)
    assert (waits > limit).mean() > chance / 5


def test_rare_records_support_no_limit() -> None:
    heartbeat = Heartbeat.from_history(windows([1] + [0] * 24 * 13))

    assert heartbeat.limit_seconds(MONDAY_US) is None
    assert not heartbeat.is_silent(MONDAY_US, MONDAY_US + 10_000 * HOUR_US)


def test_windows_missing_from_the_history_count_as_empty() -> None:
    history = windows([100] * 24 * 14)

    heartbeat = Heartbeat.from_history(history[:100] + history[106:])

    assert heartbeat.longest_empty_run == 6


@pytest.mark.parametrize("history", [[], windows([5, 5])])
def test_too_short_a_history_gives_nothing(history) -> None:
    assert Heartbeat.from_history(history) is None


def test_a_day_of_hours_is_taken_together() -> None:
    heartbeat = Heartbeat.from_history(windows([50] * 24))

    assert (heartbeat.expected > 40).all()


def test_the_chance_must_be_a_probability() -> None:
    with pytest.raises(ValueError, match="strictly between 0 and 1, got 0"):
        Heartbeat.from_history(windows([5] * 9), chance=0)
