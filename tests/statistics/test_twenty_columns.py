"""Panels of 1,000 rows and twenty columns beside a reference of 10,000 rows."""

import pytest

from benchmarks.simulation.peers import (
    ONE_IN_TWENTY_WINDOWS,
    PValues,
    by_default_tolerance,
    by_mix,
    by_ranks,
    comparison_trial,
    delay_of,
    monitoring_trial,
)
from detectors.missing_rate import MissingRate
from detectors.rate_change import RateChange

N_PANELS = 20


@pytest.mark.parametrize("tests", [by_mix, by_ranks])
def test_quiet_panels_are_not_flagged_in_comparison(tests: PValues) -> None:
    found = comparison_trial(tests, N_PANELS, 1, drift=False, n_references=2)

    # One in twenty is allowed; four would be a chance of 1.6 %.
    assert found.panels == N_PANELS
    assert found.flagged < 4


@pytest.mark.parametrize("tests", [by_mix, by_ranks])
def test_mild_drift_is_found_in_one_window_in_comparison(tests: PValues) -> None:
    found = comparison_trial(tests, N_PANELS, 2, drift=True, n_references=2)

    # In 1,000 panels a drifted column was named in 78 and 81 %; 10 would be a chance of 0.3 %.
    assert found.right > 10


def test_mild_drift_within_the_default_tolerance_is_not_named() -> None:
    found = comparison_trial(by_default_tolerance, N_PANELS, 2, drift=True, n_references=2)

    assert found.flagged == 0


def test_quiet_panels_are_flagged_no_more_often_than_the_budget_says_in_monitoring() -> None:
    quiet, _ = monitoring_trial(
        0.05, ONE_IN_TWENTY_WINDOWS, n_rows=10_000, n_streams=4, seed=3, n_references=2
    )

    assert quiet.panels == 80
    assert quiet.flagged <= 0.05 * quiet.panels + 3 * (0.05 * quiet.panels) ** 0.5


@pytest.mark.parametrize("seed", range(3))
def test_a_column_that_is_entirely_missing_fires_at_once(seed: int) -> None:
    assert delay_of(MissingRate(column="n3"), seed, missing="n3") == 1


@pytest.mark.parametrize("seed", range(6))
def test_refusals_that_double_from_ten_percent_fire_within_three_windows(seed: int) -> None:
    delay = delay_of(RateChange(column="refused"), seed, refusals=0.2)

    assert delay is not None
    assert delay <= 3
