"""Comparisons of one batch: p-values of the intervals that findings show."""

from dataclasses import replace

import numpy as np
import pytest

from baselines.columns import Categories, Columns, Numbers
from baselines.counting import count
from baselines.layout import AxisNeed, CategoryAxis, Layout, NumericAxis, Table
from baselines.reference import Reference
from baselines.schema import Column, Dtype, Role, Schema
from baselines.summary import Window, WindowKey
from detectors.base import Estimate, FailureMode, Finding, Verdict
from detectors.classic_drift import ClassicDrift
from detectors.distribution_shift import DistributionShift
from detectors.rate_change import RateChange
from monitor.engine.comparing import compared, p_value

SCHEMA = Schema(
    columns=(
        Column(name="x", role=Role.NUMERIC),
        Column(name="ok", role=Role.CATEGORY, dtype=Dtype.BOOLEAN),
    )
)
LAYOUT = Layout(
    (
        Table((NumericAxis(AxisNeed("x"), np.linspace(0, 1, 17), (np.arange(16) + 0.5) / 16),)),
        Table((CategoryAxis(AxisNeed("ok"), ("false", "true")),)),
    )
)


def counted(n_rows: int, *, shift: float = 0.0, rate: float = 0.5) -> Window:
    values = (np.arange(n_rows) + 0.5) / n_rows * (1 - shift)
    ok = Categories.from_values(["true" if i < rate * n_rows else "false" for i in range(n_rows)])
    columns = Columns(
        n_rows=n_rows,
        time_us=np.zeros(n_rows, dtype=np.int64),
        fields={"x": Numbers(values), "ok": ok},
    )
    return Window(WindowKey(0, 1), count(columns, LAYOUT))


REFERENCE = Reference(schema=SCHEMA, summary=counted(20_000).summary)
RATE = RateChange(column="ok", tolerance_difference=0.05)


@pytest.mark.parametrize("rate", [0.58, 0.6, 0.63])
def test_at_one_minus_its_p_value_the_interval_just_touches_the_tolerance(rate: float) -> None:
    window = counted(1_000, rate=rate)
    p = p_value(RATE, REFERENCE, window)
    assert p is not None

    below = replace(RATE, confidence=1 - p * 1.05).compare(REFERENCE, window)
    above = replace(RATE, confidence=1 - p * 0.95).compare(REFERENCE, window)

    assert below.verdict is Verdict.BEYOND
    assert above.verdict is Verdict.WITHIN


def test_a_larger_change_has_a_smaller_p_value() -> None:
    windows = [counted(1_000, rate=rate) for rate in (0.5, 0.58, 0.62, 0.7, 0.9)]

    p_values = [p_value(RATE, REFERENCE, window) for window in windows]

    assert p_values[0] == 1.0
    assert p_values == sorted(p_values, reverse=True)


def test_a_plain_threshold_is_not_part_of_a_comparison() -> None:
    classic = ClassicDrift(column="x", measure="psi", threshold=0.01)

    assert p_value(classic, REFERENCE, counted(1_000, shift=0.5)) is None


def test_a_sample_that_is_too_small_is_not_part_of_a_comparison() -> None:
    assert p_value(DistributionShift(column="x"), REFERENCE, counted(20)) is None


@pytest.mark.parametrize(
    ("adjusted", "verdict"),
    [(0.01, Verdict.BEYOND), (0.05, Verdict.BEYOND), (0.06, Verdict.WITHIN)],
)
def test_a_series_is_named_if_its_adjusted_p_value_is_within_the_rate(
    adjusted: float, verdict: Verdict
) -> None:
    finding = Finding(
        detector="rate_change",
        series="rate_change(ok)",
        failure_mode=FailureMode.BEHAVIOURAL,
        verdict=Verdict.BEYOND,
        effect=Estimate(0.2, 0.1, 0.3),
        sentence="ok is up",
    )

    assert compared(finding, adjusted, 0.05).verdict is verdict
    assert compared(finding, None, 0.05) is finding
