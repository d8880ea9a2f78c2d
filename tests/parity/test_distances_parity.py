"""Our distances on counts give the numbers of scipy and evidently on the same rows.

Categories agree to rounding. For numbers, binning costs precision: each assertion states the
bound of that error, computed from the rows.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.spatial.distance import jensenshannon

from baselines.binning import Binner
from baselines.columns import Columns, Numbers
from baselines.fitting import fit_layout
from baselines.layout import AxisNeed, NumericAxis
from baselines.schema import Column, Role, Schema
from detectors import distances

RANDOM = np.random.default_rng(17)
TABLES = [RANDOM.integers(1, 400, (2, n_bins)) for n_bins in (2, 3, 8, 16, 33)]
every_table = pytest.mark.parametrize("table", TABLES, ids=lambda table: f"{table.shape[1]} bins")

PAIRS = {
    "normal": (RANDOM.normal(0, 1, 4_000), RANDOM.normal(0.2, 1.2, 900)),
    "heavy tail": (RANDOM.lognormal(5, 1, 4_000), RANDOM.lognormal(5.3, 1, 900)),
    "whole numbers": (
        RANDOM.poisson(6, 4_000).astype(float),
        RANDOM.poisson(7, 900).astype(float),
    ),
    "same": (RANDOM.normal(0, 1, 4_000), RANDOM.normal(0, 1, 900)),
}
every_pair = pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS.keys())


@every_table
def test_jensen_shannon_equals_scipy(table) -> None:
    expected, observed = table

    ours = distances.jensen_shannon_distance(expected, observed)

    assert ours == pytest.approx(jensenshannon(expected, observed, base=2), abs=1e-12)


@every_table
def test_chi_square_equals_scipy(table) -> None:
    theirs = stats.chi2_contingency(table, correction=False)

    ours = distances.chi_square(*table)

    assert ours == pytest.approx((theirs.statistic, theirs.pvalue), rel=1e-9)


@every_table
def test_g_statistic_equals_scipy(table) -> None:
    theirs = stats.chi2_contingency(table, correction=False, lambda_="log-likelihood")

    ours = distances.g_statistic(*table)

    assert ours == pytest.approx((theirs.statistic, theirs.pvalue), rel=1e-9)


@every_table
def test_population_stability_is_the_sum_of_both_divergences_of_scipy(table) -> None:
    p = (table[0] + 0.5) / (table[0] + 0.5).sum()
    q = (table[1] + 0.5) / (table[1] + 0.5).sum()

    ours = distances.population_stability_index(*table)

    assert ours == pytest.approx(stats.entropy(p, q) + stats.entropy(q, p), rel=1e-9)


@every_table
def test_ordered_distances_equal_scipy_when_rows_sit_at_the_centres(table) -> None:
    centres = np.cumsum(RANDOM.random(table.shape[1]))
    rows = [np.repeat(centres, counts) for counts in table]

    ks = distances.kolmogorov_smirnov(*table)
    distance, in_deviations = distances.wasserstein(*table, centres)

    assert ks == pytest.approx(stats.ks_2samp(*rows, method="asymp").statistic, abs=1e-12)
    assert distance == pytest.approx(stats.wasserstein_distance(*rows), rel=1e-9)
    assert in_deviations == pytest.approx(distance / rows[0].std(), rel=1e-9)


@every_pair
def test_binned_kolmogorov_smirnov_is_below_scipy_by_less_than_one_bin(pair) -> None:
    expected, observed, _ = binned(pair)

    ours = distances.kolmogorov_smirnov(expected, observed)
    theirs = stats.ks_2samp(*pair, method="asymp").statistic

    shares = np.maximum(expected / expected.sum(), observed / observed.sum())
    assert theirs - shares.max() <= ours <= theirs + 1e-12


@every_pair
def test_binned_wasserstein_differs_from_scipy_by_less_than_rows_from_their_centres(pair) -> None:
    expected, observed, centres = binned(pair)

    ours, _ = distances.wasserstein(expected, observed, centres)

    error = abs(ours - stats.wasserstein_distance(*pair))
    assert error <= binning_error(pair) + 1e-12
    assert error < 0.02 * pair[0].std()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::FutureWarning")
class TestEvidently:
    """The plain functions behind evidently's reports."""

    @every_pair
    def test_kolmogorov_smirnov_is_theirs_within_one_bin(self, pair, stat_tests) -> None:
        expected, observed, _ = binned(pair)

        ours = distances.kolmogorov_smirnov(expected, observed)

        # Theirs is a p-value; ours brackets the statistic that it comes from.
        theirs, _ = stat_tests.numeric("ks_stat_test", pair)
        width = np.maximum(expected / expected.sum(), observed / observed.sum()).max()
        sizes = [len(rows) for rows in pair]
        least = two_sample_p_value(min(ours + width, 1.0), *sizes)
        most = two_sample_p_value(ours, *sizes)
        assert least * 0.98 - 1e-12 <= theirs <= most * 1.02 + 1e-12

    @every_pair
    def test_normalised_wasserstein_is_theirs_within_the_binning_error(
        self, pair, stat_tests
    ) -> None:
        expected, observed, centres = binned(pair)

        ours, _ = distances.wasserstein(expected, observed, centres)

        theirs, _ = stat_tests.numeric("wasserstein_stat_test", pair)
        deviation = pair[0].std()
        assert abs(ours / deviation - theirs) <= binning_error(pair) / deviation + 1e-9

    @every_table
    def test_jensen_shannon_of_categories_is_theirs(self, table, stat_tests) -> None:
        theirs, _ = stat_tests.category("jensenshannon_stat_test", table)

        # They take natural logarithms: the distance is ours times the square root of ln 2.
        ours = distances.jensen_shannon_distance(*table) * np.sqrt(np.log(2))

        assert ours == pytest.approx(theirs, abs=1e-9)

    @every_table
    def test_population_stability_is_theirs_when_half_a_row_weighs_nothing(
        self, table, stat_tests
    ) -> None:
        theirs, _ = stat_tests.category("psi_stat_test", table)

        # Theirs depends on shares only, so a sample ten thousand times as large has the same.
        ours = distances.population_stability_index(*(table * 10_000))

        assert ours == pytest.approx(theirs, rel=1e-3, abs=1e-6)


class PlainFunctions:
    """Calls evidently's functions on rows that we hand over."""

    def __init__(self) -> None:
        from evidently.legacy.calculations import stattests
        from evidently.legacy.core import ColumnType

        self.module, self.types = stattests, ColumnType

    def numeric(self, name: str, pair: tuple[np.ndarray, np.ndarray]) -> tuple[float, bool]:
        rows = [pd.Series(values) for values in pair]
        return getattr(self.module, name).func(*rows, self.types.Numerical, 0.1)

    def category(self, name: str, table: np.ndarray) -> tuple[float, bool]:
        levels = np.array([f"level {k}" for k in range(table.shape[1])])
        rows = [pd.Series(np.repeat(levels, counts)) for counts in table]
        return getattr(self.module, name).func(*rows, self.types.Categorical, 0.1)


@pytest.fixture
def stat_tests(monkeypatch) -> PlainFunctions:
    monkeypatch.setenv("DO_NOT_TRACK", "1")
    return PlainFunctions()


def axis_of(rows: np.ndarray) -> NumericAxis:
    columns = Columns(
        n_rows=len(rows),
        time_us=np.zeros(len(rows), dtype=np.int64),
        fields={"x": Numbers(rows)},
    )
    schema = Schema(columns=(Column(name="x", role=Role.NUMERIC),))
    axis = fit_layout(columns, schema, [(AxisNeed("x"),)]).tables[0].axes[0]
    assert isinstance(axis, NumericAxis)
    return axis


def binned(pair: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the counts of both samples, and the centres, under- and overflow included."""
    axis = axis_of(pair[0])
    counts = [
        np.bincount(Binner(axis.edges).codes(rows), minlength=axis.size)[axis.values]
        for rows in pair
    ]
    return counts[0], counts[1], outer_centres(axis)


def outer_centres(axis: NumericAxis) -> np.ndarray:
    return np.concatenate([axis.edges[:1], axis.centres, axis.edges[-1:]])


def binning_error(pair: tuple[np.ndarray, np.ndarray]) -> float:
    """Return the mean distance of rows to their bin's centre, summed over both samples."""
    axis = axis_of(pair[0])
    centres = outer_centres(axis)
    return sum(np.abs(rows - centres[Binner(axis.edges).codes(rows)]).mean() for rows in pair)


def two_sample_p_value(statistic: float, n: int, m: int) -> float:
    """Return Kolmogorov's p-value of a statistic, as scipy's asymptotic method has it."""
    return float(stats.kstwo.sf(statistic, np.round(n * m / (n + m))))
