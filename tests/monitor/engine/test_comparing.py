"""Comparisons of one batch: p-values, and findings that show why they are named."""

from dataclasses import replace

import numpy as np
import pytest

from baselines.columns import Categories, Columns, Numbers
from baselines.counting import count
from baselines.layout import AxisNeed, CategoryAxis, Layout, NumericAxis, Table
from baselines.reference import Reference
from baselines.schema import Column, Dtype, Role, Schema
from baselines.summary import Window, WindowKey
from detectors.base import Detector, Estimate, FailureMode, Finding, Verdict
from detectors.classic_drift import ClassicDrift
from detectors.distribution_shift import DistributionShift
from detectors.evidence.rate_tests import rate_p_value
from detectors.rank_shift import RankShift
from detectors.rate_change import RateChange
from monitor.config.model import DetectorEntry
from monitor.config.problems import Place
from monitor.engine.comparing import compared, compared_entry, p_value

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
PLACE = Place(file="c.yaml", line=1, column=1, option="detectors[0]")
RATE = RateChange(column="ok", tolerance_difference=0.05)


def test_at_one_minus_its_p_value_the_interval_just_touches_the_tolerance() -> None:
    ranks = RankShift(column="x", tolerance=0.02)
    window = counted(1_000, shift=0.1)
    p = p_value(ranks, REFERENCE, window)
    assert p is not None

    below = replace(ranks, confidence=1 - p * 1.05).compare(REFERENCE, window)
    above = replace(ranks, confidence=1 - p * 0.95).compare(REFERENCE, window)

    assert below.verdict is Verdict.BEYOND
    assert above.verdict is Verdict.WITHIN


@pytest.mark.parametrize("rate", [0.58, 0.6, 0.63])
def test_a_rate_has_the_p_value_of_its_test_or_half_that_of_its_interval(rate: float) -> None:
    window = counted(1_000, rate=rate)
    p = p_value(RATE, REFERENCE, window)
    question = RATE.question(REFERENCE, window)
    assert p is not None
    assert question is not None

    below = replace(RATE, confidence=1 - 2 * p * 1.02).compare(REFERENCE, window)

    assert below.verdict is Verdict.BEYOND
    assert p >= rate_p_value(question)


@pytest.mark.parametrize(
    "detector",
    [
        RATE,
        RankShift(column="x", tolerance=0.02),
        DistributionShift(column="x", tolerance=0.05),
        DistributionShift(column="ok", tolerance=0.02),
    ],
)
@pytest.mark.parametrize("rate", [0.01, 0.05, 0.2])
def test_what_is_named_shows_bounds_that_are_beyond_its_tolerance(
    detector: Detector, rate: float
) -> None:
    entry = DetectorEntry(detector=detector, for_windows=1, place=PLACE)
    n_named = 0
    for step in range(30):
        window = counted(400, shift=0.01 * step, rate=0.5 + 0.006 * step)
        adjusted = p_value(detector, REFERENCE, window)

        finding = compared_entry(entry, REFERENCE, window, adjusted=adjusted, rate=rate)

        if finding.verdict is Verdict.BEYOND:
            n_named += 1
            assert finding.effect is not None
            assert finding.effect.low > finding.tolerance
            assert "not shown" not in finding.sentence
    assert 0 < n_named < 30


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
