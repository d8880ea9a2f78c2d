"""Baselines of few windows whose outputs resemble each other: false alarms and delays."""

from dataclasses import dataclass

import numpy as np

from benchmarks.simulation.families import FAMILIES, Counts, Family, Gap
from benchmarks.simulation.tables import number, table
from benchmarks.simulation.watching import keys_of
from benchmarks.simulation.worlds import MONDAY_US, Conditions
from detectors.panels.model import History
from monitor.decision.budget import FalseAlarmBudget
from monitor.decision.evidence import EvidenceEvent
from monitor.decision.surveillance import Surveillance, Watched

__all__ = ["BASELINES", "Found", "few_windows_tables", "watched_after"]

BASELINES = (8, 14, 30)
"""Windows of the baseline."""

N_OUTPUTS = 1_000
_DAY_US = 86_400_000_000
_BUDGET = FalseAlarmBudget(incidents=1.0, days=90.0)
_CORRELATIONS = (0.0, 0.01, 0.05)


@dataclass(frozen=True, slots=True)
class Found:
    """What daily windows after a short baseline brought.

    Parameters
    ----------
    alarms, allowed
        Alarms of all series, and the number that the budget allows.
    standing
        Series that are said to be beyond tolerance in the baseline itself.
    delays
        Windows to the first alarm of each series, infinite if there was none.
    """

    alarms: int
    allowed: float
    standing: int
    delays: tuple[float, ...]


def watched_after(
    family: Family,
    n_baseline: int,
    correlation: float,
    *,
    before: float = 0.0,
    change: float = 0.0,
    n_series: int = 100,
    n_windows: int = 300,
    seed: int = 20261124,
) -> Found:
    """Return the alarms of series with `n_baseline` daily windows of 1,000 outputs as baseline.

    Parameters
    ----------
    family
        What is watched.
    n_baseline
        Windows of the baseline, eight at least.
    correlation
        Of two outputs of one window, in the baseline and after it.
    before
        A change that is there in the baseline already.
    change
        From the first window after the baseline on; 0 for none.
    n_series, n_windows
        Series, all under one budget, and windows after the baseline.
    seed
        Of the draws.
    """
    rng = np.random.default_rng([seed, n_baseline])
    baseline = family.asked(_drawn(family, n_baseline, n_series, correlation, before, rng))
    reference = baseline.sum(axis=0)
    monitor = Surveillance(budget=_BUDGET, window_seconds=_DAY_US / 1e6)
    monitor.add(_watched(family, baseline))
    after = family.asked(_drawn(family, n_windows, n_series, correlation, change, rng))
    keys, alarms, delays = keys_of(n_series), 0, np.full(n_series, np.inf)
    for window, counts in enumerate(after):
        asked = [family.question(*pair) for pair in zip(counts, reference, strict=True)]
        start = MONDAY_US + (n_baseline + window) * _DAY_US
        events = monitor.advance(dict(zip(keys, asked, strict=True)), start)
        rang = np.array([k in events and events[k].event is EvidenceEvent.ALARM for k in keys])
        alarms += int(rang.sum())
        delays = np.where(rang, np.minimum(delays, window + 1), delays)
    return Found(
        alarms=alarms,
        allowed=n_windows / _BUDGET.days * _BUDGET.incidents,
        standing=monitor.replay().n_standing,
        delays=tuple(delays.tolist()),
    )


def few_windows_tables() -> dict[str, str]:
    """Return the tables of false incidents, standing gaps and delays by windows of baseline."""
    return {"few windows": _quiet_table(), "few windows, delays": _delay_table()}


def _quiet_table() -> str:
    rows = []
    for family in FAMILIES:
        for correlation in _CORRELATIONS:
            found = [watched_after(family, n, correlation) for n in BASELINES]
            cells = [f"{one.alarms} of {number(one.allowed)}" for one in found]
            if isinstance(family, Gap):
                cells = [f"{c}; {one.standing}" for c, one in zip(cells, found, strict=True)]
            rows.append([f"{family.name}, correlation {correlation:g}", *cells])
    return table(["series", *[f"{n} windows" for n in BASELINES]], rows)


def _delay_table() -> str:
    rows = []
    for family in FAMILIES:
        for correlation in (0.0, 0.01):
            cells = [_delays(family, n, correlation) for n in BASELINES]
            rows.append([f"{family.name}, correlation {correlation:g}", *cells])
    return table(["series", *[f"{n} windows" for n in BASELINES]], rows)


def _delays(family: Family, n_baseline: int, correlation: float) -> str:
    cells = []
    for level in ("medium", "large"):
        change = family.changes[level]
        found = watched_after(
            family, n_baseline, correlation, change=change, n_series=40, n_windows=60
        )
        median, late = np.quantile(found.delays, [0.5, 0.9], method="higher")
        slow = "-" if np.isinf(late) else number(float(late))
        cells.append("no" if np.isinf(median) else f"{number(float(median))}/{slow}")
    return " ".join(cells)


def _drawn(
    family: Family,
    n_windows: int,
    n_series: int,
    correlation: float,
    change: float,
    rng: np.random.Generator,
) -> Counts:
    nothing = np.zeros((n_windows, n_series))
    given = Conditions(
        first=0,
        totals=np.full(n_windows, N_OUTPUTS, dtype=np.int64),
        common=nothing,
        apart=nothing,
        burst=nothing > 0,
        correlation=correlation,
    )
    return family.draw(given, np.full(n_windows, change), rng)


def _watched(family: Family, baseline: Counts) -> list[Watched]:
    reference = baseline.sum(axis=0)
    starts = tuple(MONDAY_US + window * _DAY_US for window in range(len(baseline)))
    return [
        Watched(
            key=key,
            reference=family.question(reference[row], reference[row]),
            history=History(
                start_us=starts,
                questions=tuple(
                    family.question(counts, reference[row]) for counts in baseline[:, row]
                ),
            ),
            min_windows=family.min_windows,
        )
        for row, key in enumerate(keys_of(baseline.shape[1]))
    ]
