"""A drift that lasts is one incident: opened once, dated, sized, closed once."""

import numpy as np
import pytest

from benchmarks.simulation.courses import N_DRIFTED, N_RECOVERED, Course, course
from benchmarks.simulation.families import FAMILIES
from benchmarks.simulation.trials import staged
from benchmarks.simulation.worlds import DAY, World

N_SERIES = 12


def incident(position: int, change: float) -> Course:
    n_windows = DAY + N_DRIFTED + N_RECOVERED
    stage = staged(FAMILIES[position], World.INDEPENDENT, N_SERIES, n_windows, 1)
    return course(stage, stage.monitor(), change, seed=1)


@pytest.fixture(scope="module")
def numeric() -> Course:
    return incident(0, 0.5)


def test_it_opens_once_and_closes_once(numeric: Course) -> None:
    assert (numeric.opens == 1).all()
    assert (numeric.closes == 1).all()
    assert np.median(numeric.closed) <= 10


def test_a_rule_without_memory_changes_its_mind_meanwhile(numeric: Course) -> None:
    assert numeric.flips >= 10


def test_its_onset_is_told_to_a_window_and_its_range_holds(numeric: Course) -> None:
    assert np.median(numeric.onset_error) <= 1
    assert numeric.onset_covered.mean() >= 0.9


def test_its_size_is_told_right_and_the_lower_bound_is_one(numeric: Course) -> None:
    assert np.median(numeric.size) == pytest.approx(numeric.true_size, rel=0.1)
    assert np.median(numeric.settled) == pytest.approx(numeric.true_size, rel=0.1)
    assert (numeric.least <= numeric.true_size).mean() >= 0.9


@pytest.mark.parametrize(("position", "change"), [(2, 1.0), (3, 0.25), (4, 0.6)])
def test_rates_and_gaps_open_and_close_once_as_well(position: int, change: float) -> None:
    found = incident(position, change)

    assert (found.opens == 1).all()
    assert (found.closes == 1).all()


def test_a_change_within_tolerance_opens_nothing() -> None:
    assert incident(0, 0.1).opens.sum() == 0
