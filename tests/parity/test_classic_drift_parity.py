"""Classic thresholds give the numbers of the libraries that they are known from."""

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
from detectors.base import Finding, Verdict
from detectors.classic_drift import NO_GUARANTEE, ClassicDrift

SCHEMA = Schema(columns=(Column(name="x", role=Role.NUMERIC),))


def rows(values: np.ndarray) -> Columns:
    times = np.zeros(len(values), dtype=np.int64)
    return Columns(n_rows=len(values), time_us=times, fields={"x": Numbers(values)})


@pytest.fixture
def samples() -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(5)
    return generator.normal(size=4_000), generator.normal(0.15, 1.1, size=1_000)


def finding(samples: tuple[np.ndarray, np.ndarray], measure: str, **options: float) -> Finding:
    old, new = samples
    layout = fit_layout(rows(old), SCHEMA, [(AxisNeed("x"),)])
    reference = Reference(schema=SCHEMA, summary=count(rows(old), layout))
    window = Window(WindowKey(0, 1), count(rows(new), layout))
    return ClassicDrift(column="x", measure=measure, **options).compare(reference, window)


def test_the_ks_p_value_is_scipys_within_what_bins_hide(samples) -> None:
    theirs = stats.ks_2samp(*samples, method="asymp")

    ours = finding(samples, "ks_p_value")

    # At bin edges the distance can only be smaller, by one bin's share of the reference.
    n = 4_000 * 1_000 / 5_000
    largest = stats.kstwobign.sf((theirs.statistic - 1 / 256) * np.sqrt(n))
    assert theirs.pvalue * 0.7 <= ours.effect.value <= largest * 1.3


def test_the_wasserstein_distance_is_scipys_within_a_bin(samples) -> None:
    old, new = samples
    theirs = stats.wasserstein_distance(old, new) / old.std()

    assert finding(samples, "wasserstein").effect.value == pytest.approx(theirs, abs=0.02)


@pytest.mark.parametrize(
    ("measure", "threshold", "verdict"),
    [
        ("psi", 0.01, Verdict.BEYOND),
        ("psi", 0.5, Verdict.WITHIN),
        ("ks_p_value", 0.05, Verdict.BEYOND),
        ("ks_p_value", 1e-30, Verdict.WITHIN),
        ("chi_square_p_value", 0.05, Verdict.BEYOND),
        ("jensen_shannon", 0.9, Verdict.WITHIN),
    ],
)
def test_a_window_is_beyond_on_the_right_side_of_its_threshold(
    samples, measure: str, threshold: float, verdict: Verdict
) -> None:
    found = finding(samples, measure, threshold=threshold)

    assert found.verdict is verdict
    assert NO_GUARANTEE in found.notes
    assert "no false-alarm guarantee" in found.sentence


def test_a_rank_measure_of_a_category_is_refused() -> None:
    schema = Schema(columns=(Column(name="topic", role=Role.CATEGORY),))

    problems = ClassicDrift(column="topic", measure="ks_p_value").problems(schema)

    assert problems == [("measure", "ks_p_value needs a numeric column")]
