import numpy as np
import pytest
from scipy import stats

from baselines.columns import Columns, Numbers
from baselines.counting import count
from baselines.fitting import fit_layout
from baselines.layout import AxisNeed
from baselines.reference import Reference
from baselines.schema import Column, Role, Schema
from baselines.summary import Window, WindowKey
from detectors.base import Direction, Finding, Verdict
from detectors.rank_shift import RankShift

SCHEMA = Schema(columns=(Column(name="x", role=Role.NUMERIC),))


def rows(values: np.ndarray) -> Columns:
    times = np.zeros(len(values), dtype=np.int64)
    return Columns(n_rows=len(values), time_us=times, fields={"x": Numbers(values)})


def compared(old: np.ndarray, new: np.ndarray, **options: float) -> Finding:
    layout = fit_layout(rows(old), SCHEMA, [(AxisNeed("x"),)])
    reference = Reference(schema=SCHEMA, summary=count(rows(old), layout))
    window = Window(WindowKey(0, 1), count(rows(new), layout))
    return RankShift(column="x", **options).compare(reference, window)


def test_the_chance_is_mann_and_whitneys_within_the_stated_binning_error() -> None:
    generator = np.random.default_rng(1)
    old, new = generator.normal(size=5_000), generator.normal(0.3, 1.0, size=800)

    found = compared(old, new)

    theirs = stats.mannwhitneyu(new, old).statistic / (len(old) * len(new))
    error = found.measure("binning_error")
    assert error < 0.005
    assert abs(found.measure("chance_to_be_larger") - theirs) <= error


@pytest.mark.parametrize(
    ("shift", "verdict", "direction"),
    [
        (0.5, Verdict.BEYOND, Direction.UP),
        (-0.5, Verdict.BEYOND, Direction.DOWN),
        (0.1, Verdict.WITHIN, Direction.UP),
    ],
)
def test_a_shift_beyond_the_tolerance_is_called_with_its_direction(
    shift: float, verdict: Verdict, direction: Direction
) -> None:
    generator = np.random.default_rng(2)

    found = compared(generator.normal(size=10_000), generator.normal(shift, 1.0, size=2_000))

    assert found.verdict is verdict
    assert found.direction is direction


def test_a_wider_spread_alone_is_not_a_shift_of_ranks() -> None:
    generator = np.random.default_rng(3)

    found = compared(generator.normal(size=10_000), generator.normal(0, 2.0, size=2_000))

    assert found.verdict is Verdict.WITHIN
    assert found.effect.value < 0.03


def test_unchanged_values_are_beyond_a_tiny_tolerance_as_rarely_as_the_confidence_says() -> None:
    generator = np.random.default_rng(4)
    old = generator.normal(size=10_000)

    false = sum(
        compared(old, generator.normal(size=500), tolerance=1e-6, confidence=0.9).verdict
        is Verdict.BEYOND
        for _ in range(300)
    )

    assert stats.binomtest(false, 300, 0.1).pvalue > 0.001
