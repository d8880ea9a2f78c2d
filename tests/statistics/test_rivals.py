"""Our vectorised versions of other tools' rules give what the tools themselves give."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from benchmarks.simulation.control_charts import Adwin, Cusum, cusum_threshold
from benchmarks.simulation.families import CENTRES, FINE_BINS
from benchmarks.simulation.rivals import (
    jensen_shannon_distances,
    kolmogorov_smirnov_p_values,
    normed_wasserstein_distances,
)


@pytest.fixture(params=range(4))
def counts(request: pytest.FixtureRequest) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(request.param)
    shares = np.ones(FINE_BINS) / FINE_BINS
    moved = shares * rng.uniform(0.8, 1.2, FINE_BINS)
    return rng.multinomial(5_000, shares), rng.multinomial(700, moved / moved.sum())


def rows(counts: np.ndarray, values: np.ndarray) -> pd.Series:
    return pd.Series(np.repeat(values, counts))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_wasserstein_is_that_of_evidently(counts) -> None:
    from evidently.legacy.calculations.stattests import wasserstein_stat_test

    reference, window = (rows(one, CENTRES) for one in counts)
    theirs = wasserstein_stat_test(reference, window, "num", 0.1)

    ours = normed_wasserstein_distances(*counts, CENTRES)

    # Theirs takes pandas' deviation, with n - 1.
    assert ours == pytest.approx(theirs.drift_score, rel=2e-4)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_jensen_shannon_is_that_of_evidently(counts) -> None:
    from evidently.legacy.calculations.stattests import jensenshannon_stat_test

    names = np.array([f"level {number:02d}" for number in range(FINE_BINS)])
    reference, window = (rows(one, names) for one in counts)
    theirs = jensenshannon_stat_test(reference, window, "cat", 0.1)

    ours = jensen_shannon_distances(*counts)

    assert ours == pytest.approx(theirs.drift_score, rel=1e-3)


def test_kolmogorov_smirnov_is_that_of_scipy(counts) -> None:
    theirs = stats.ks_2samp(*(rows(one, CENTRES) for one in counts), method="asymp")

    ours = kolmogorov_smirnov_p_values(*counts)

    assert ours == pytest.approx(theirs.pvalue, abs=0.02)


def test_a_cusum_of_noise_alarms_about_as_often_as_its_threshold_says() -> None:
    rng = np.random.default_rng(1)
    cusum = Cusum.start(400, np.array([cusum_threshold(200.0)]))

    alarms = sum(cusum.advance(z, -z).sum() for z in rng.normal(size=(2_000, 400)))

    assert alarms / (2_000 * 400) == pytest.approx(1 / 200, rel=0.1)


def test_adwin_finds_a_jump_and_forgets_what_was_before() -> None:
    rng = np.random.default_rng(1)
    values = np.concatenate([rng.normal(0.0, 0.1, 300), rng.normal(1.0, 0.1, 300)])
    adwin = Adwin([])

    calls = [at for at, value in enumerate(values) if adwin.advance(float(value))]

    assert len(calls) >= 1
    assert 300 <= calls[0] < 340
    assert np.mean(adwin.values) > 0.9
