"""Eight windows of baseline, outputs that resemble each other: the budget is kept all the same."""

import numpy as np
import pytest
from scipy import stats

from benchmarks.simulation.families import FAMILIES, Family, Gap
from benchmarks.simulation.few_windows import watched_after
from detectors.panels import rates


def most_alarms(n_series: int, n_windows: int, allowed: float) -> float:
    """Return what alarms exceed with a chance of 1 % if the mean is the budget."""
    chances = n_series * n_windows
    return float(stats.binom.ppf(0.99, chances, allowed / chances))


@pytest.mark.parametrize("correlation", [0.01, 0.05])
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_false_alarms_after_eight_windows_are_within_the_budget(
    family: Family, correlation: float
) -> None:
    found = watched_after(family, 8, correlation, n_series=40, n_windows=180, seed=1)

    assert found.alarms <= most_alarms(40, 180, found.allowed)


def test_the_estimate_alone_would_not_keep_the_budget_of_rates(monkeypatch) -> None:
    monkeypatch.setattr(rates, "set_correlation_bound", lambda *_: 0.0)

    found = watched_after(FAMILIES[2], 8, 0.05, n_series=100, n_windows=180, seed=1)

    assert found.alarms > most_alarms(100, 180, found.allowed)


@pytest.mark.parametrize("correlation", [0.0, 0.01, 0.05])
@pytest.mark.parametrize(
    "family", [one for one in FAMILIES if isinstance(one, Gap)], ids=lambda family: family.name
)
def test_a_gap_that_is_not_there_hardly_ever_stands_in_the_baseline(
    family: Family, correlation: float
) -> None:
    found = watched_after(family, 8, correlation, n_series=100, n_windows=1, seed=2)

    assert found.standing <= stats.binom.ppf(0.999, 100, 0.01)


def test_a_gap_that_is_there_stands_in_the_baseline() -> None:
    gap = FAMILIES[3].changes["large"]

    found = watched_after(FAMILIES[3], 8, 0.0, before=gap, n_series=20, n_windows=1)

    assert found.standing == 20


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_large_changes_are_called_within_days_after_eight_windows(family: Family) -> None:
    change = family.changes["large"]

    found = watched_after(family, 8, 0.0, change=change, n_series=20, n_windows=20, seed=3)

    assert np.median(found.delays) <= 4
