"""When events happen: hours of the day, weekends, moods of the day, bursts."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from monitor.demo.scenario import DAYS, START_US

__all__ = ["Traffic", "arrival_times", "choose", "day_effects", "day_of", "hour_of", "timestamps"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_MINUTES_A_DAY = 1_440
_MINUTE_US = 60_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """The shape of a system's traffic.

    Parameters
    ----------
    night
        Traffic at the quietest hour over traffic at the busiest, in (0, 1].
    peak_hour
        The busiest hour of the day, UTC.
    weekend
        Traffic of a Saturday or Sunday over that of a weekday.
    day_spread
        Standard deviation of the logarithm of the day's own level.
    bursts
        How many half hours of the month have twice their traffic.
    """

    night: float
    peak_hour: float
    weekend: float
    day_spread: float
    bursts: int


def arrival_times(n_events: int, traffic: Traffic, rng: np.random.Generator) -> Integers:
    """Return the sorted times of `n_events` events, microseconds since the epoch."""
    minute = np.arange(DAYS * _MINUTES_A_DAY)
    rate = _expected(minute, traffic)
    rate *= np.exp(rng.normal(0.0, traffic.day_spread, DAYS))[minute // _MINUTES_A_DAY]
    for start in rng.integers(0, len(minute) - 30, traffic.bursts):
        rate[start : start + 30] *= 2.0
    per_minute = rng.multinomial(n_events, rate / rate.sum())
    within = rng.integers(0, _MINUTE_US, n_events)
    return np.sort(START_US + np.repeat(minute, per_minute) * _MINUTE_US + within)


def _expected(minute: Integers, traffic: Traffic) -> Floats:
    """Return the expected traffic of each minute, up to a factor."""
    angle = 2.0 * np.pi * (minute / 60.0 - traffic.peak_hour) / 24.0
    daily = traffic.night + (1.0 - traffic.night) * (0.5 + 0.5 * np.cos(angle)) ** 1.5
    weekday = (1 + minute // _MINUTES_A_DAY) % 7  # day 1 is a Tuesday; Monday is 0
    return np.asarray(np.where(weekday >= 5, traffic.weekend, 1.0) * daily, dtype=np.float64)


def day_of(time_us: Integers) -> Integers:
    """Return the day of each event, 0 for the first, of shape (n_events,)."""
    return (time_us - START_US) // (_MINUTES_A_DAY * _MINUTE_US)


def hour_of(time_us: Integers) -> Floats:
    """Return the hour of the day of each event, in [0, 24)."""
    return ((time_us - START_US) / (60 * _MINUTE_US)) % 24.0


def day_effects(spread: float, time_us: Integers, rng: np.random.Generator) -> Floats:
    """Return each event's share in the mood of its day, normal with standard deviation `spread`.

    Outputs of one day move together, so windows vary by more than independent events would.
    """
    return rng.normal(0.0, spread, DAYS)[day_of(time_us)]


def choose(shares: Floats, n_events: int, rng: np.random.Generator) -> Integers:
    """Return a category for each event, drawn with probability `shares`.

    Parameters
    ----------
    shares
        Non-negative, of shape (n_categories,), or (n_events, n_categories) for shares of each
        event's own; they need not sum to one.
    """
    cumulative = np.cumsum(np.broadcast_to(shares, (n_events, shares.shape[-1])), axis=1)
    draw = rng.random(n_events) * cumulative[:, -1]
    return np.asarray((draw[:, None] >= cumulative).sum(axis=1), dtype=np.int64)


def timestamps(time_us: Integers) -> list[str]:
    """Return the times in RFC 3339, to the microsecond, UTC."""
    stamps: list[str] = np.datetime_as_string(
        time_us.astype("datetime64[us]"), timezone="UTC"
    ).tolist()
    return stamps
