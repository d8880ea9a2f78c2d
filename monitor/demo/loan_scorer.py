"""A classifier that scores loan applications: inputs, score, decision, groups, some labels."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from monitor.demo.scenario import DAYS, PLANTED, at
from monitor.demo.traffic import Traffic, arrival_times, choose, day_effects

__all__ = ["AGE_BANDS", "CHANNELS", "LoanEvents", "draw_loans"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]

SEXES = ("F", "M", "X")
ETHNIC_GROUPS = ("asian", "black", "latino", "white")
AGE_BANDS = ("18-29", "30-44", "45-59", "60+")
REGIONS = ("coast", "east", "north", "south", "west")
CHANNELS = ("branch", "broker", "mobile", "web")
PRODUCTS = ("car", "home", "personal")

_SHARES = {
    "sex": np.array([0.46, 0.52, 0.02]),
    "ethnic_group": np.array([0.12, 0.17, 0.19, 0.52]),
    "age_band": np.array([0.22, 0.34, 0.26, 0.18]),
    "region": np.array([0.24, 0.19, 0.17, 0.22, 0.18]),
    "channel": np.array([0.12, 0.24, 0.34, 0.30]),
    "product": np.array([0.38, 0.20, 0.42]),
}
_MEDIAN_INCOME = np.array([30_000.0, 44_000.0, 52_000.0, 38_000.0])
_CREDIT_YEARS = np.array([3.5, 9.0, 17.0, 24.0])
_BASE_RATE = {  # shifts of the log-odds of approval: differences of up to about two points
    "sex": np.array([-0.03, 0.03, 0.0]),
    "ethnic_group": np.array([0.05, -0.03, -0.04, 0.01]),
}
_TRAFFIC = Traffic(night=0.04, peak_hour=14.0, weekend=0.45, day_spread=0.06, bursts=6)
_LABELLED = 0.35
_LABEL_DELAY_HOURS = 20.0
_AGE_PENALTY = 1.2  # log-odds
_START = {planted.key: planted.start_us for planted in PLANTED}


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanEvents:
    """Applications in order of time; every array has shape (n_events,).

    Parameters
    ----------
    time_us
        Microseconds since the epoch.
    sex, ethnic_group, age_band, region, channel, product
        Positions in the tuples of this module.
    income
        As the event records it: per year, per month where the broker's release says so.
    debt_ratio, credit_years, amount
        Monthly debts over income; years since the first credit; what is asked for.
    score
        The model's probability that the loan should be granted, four decimals.
    approved
        Whether the score reaches 0.5.
    label
        1 or 0: what an underwriter decided on reading it again; -1: not (yet) read again.
    label_us
        When, microseconds since the epoch.
    latency_ms
        Milliseconds.
    """

    time_us: Integers
    sex: Integers
    ethnic_group: Integers
    age_band: Integers
    region: Integers
    channel: Integers
    product: Integers
    income: Integers
    debt_ratio: Floats
    credit_years: Floats
    amount: Integers
    score: Floats
    approved: Booleans
    label: Integers
    label_us: Integers
    latency_ms: Integers


def draw_loans(n_events: int, rng: np.random.Generator) -> LoanEvents:
    """Return `n_events` applications of the demo's month."""
    time_us = arrival_times(n_events, _TRAFFIC, rng)
    who = {name: choose(shares, n_events, rng) for name, shares in _SHARES.items()}
    merit = rng.normal(0.0, 1.0, n_events)  # what income, debts and history have in common
    income_z = 0.6 * merit + 0.8 * rng.normal(0.0, 1.0, n_events)
    debt_z = -0.5 * merit + 0.87 * rng.normal(0.0, 1.0, n_events)
    credit_z = 0.4 * merit + 0.92 * rng.normal(0.0, 1.0, n_events)
    mood = day_effects(0.015, time_us, rng)
    income = _MEDIAN_INCOME[who["age_band"]] * np.exp(0.42 * income_z + mood)
    log_odds = 0.45 + 0.8 * income_z - 0.8 * debt_z + 0.6 * credit_z
    log_odds += sum(shift[who[name]] for name, shift in _BASE_RATE.items())
    log_odds += day_effects(0.05, time_us, rng)
    label, label_us = _labels(log_odds, time_us, rng)
    score = np.round(_probability(log_odds - _age_penalty(who["age_band"], time_us)), 4)
    return LoanEvents(
        time_us=time_us,
        **who,
        income=_recorded_income(income, who["channel"], time_us),
        debt_ratio=np.round(_probability(-0.75 + 0.55 * debt_z), 3),
        credit_years=np.round(_CREDIT_YEARS[who["age_band"]] * np.exp(0.3 * credit_z), 1),
        amount=_amounts(income, who["product"], rng),
        score=score,
        approved=score >= 0.5,
        label=label,
        label_us=label_us,
        latency_ms=np.round(np.exp(rng.normal(2.9, 0.35, n_events))).astype(np.int64),
    )


def _probability(log_odds: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-log_odds)), dtype=np.float64)


def _age_penalty(age_band: Integers, time_us: Integers) -> Floats:
    """Return what the planted rule takes off the log-odds."""
    hit = (age_band == AGE_BANDS.index("60+")) & (time_us >= _START["age-60-approvals"])
    return np.where(hit, _AGE_PENALTY, 0.0)


def _recorded_income(income: Floats, channel: Integers, time_us: Integers) -> Integers:
    """Return the income that the event shows, in whole units of currency."""
    hit = (channel == CHANNELS.index("broker")) & (time_us >= _START["broker-income-unit"])
    return np.round(np.where(hit, income / 12.0, income)).astype(np.int64)


def _amounts(income: Floats, product: Integers, rng: np.random.Generator) -> Integers:
    multiple = np.array([0.4, 3.2, 0.2])[product]
    amount = income * multiple * np.exp(rng.normal(0.0, 0.3, len(income)))
    return np.asarray(np.round(amount, -2), dtype=np.int64)


def _labels(
    log_odds: Floats, time_us: Integers, rng: np.random.Generator
) -> tuple[Integers, Integers]:
    """Return what underwriters decided and when; the last days' labels are still to come."""
    n_events = len(time_us)
    verdict = (rng.random(n_events) < _probability(log_odds)).astype(np.int64)
    delay = rng.exponential(_LABEL_DELAY_HOURS * 3.6e9, n_events).astype(np.int64)
    label_us = time_us + delay
    arrived = (rng.random(n_events) < _LABELLED) & (label_us < at(DAYS + 1))
    return np.where(arrived, verdict, -1), label_us
