"""Other rules on the same streams, vectorised, each with its usual default.

Every rule is given the baseline's counts once and then chunks of windows. It returns which
windows it flags, bool of shape (T, S).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import special

from benchmarks.simulation.control_charts import Chart
from benchmarks.simulation.families import CENTRES, Categories, Counts, Family, Gap, Numbers, Rate
from benchmarks.simulation.families import coarse as merged
from benchmarks.simulation.worlds import Array

__all__ = [
    "Baseline",
    "jensen_shannon_distances",
    "kolmogorov_smirnov_p_values",
    "normed_wasserstein_distances",
    "population_stability_indices",
    "rules_of",
]

Flags = npt.NDArray[np.bool_]
Rule = Callable[["Baseline", Counts], Flags]

CHUNKS_OF_REFERENCE = 10


@dataclass(frozen=True, slots=True, eq=False)
class Baseline:
    """What a rule knows of the stream before it begins.

    Parameters
    ----------
    windows
        Counts of the baseline's windows, of shape (T, S, ...).
    """

    windows: Counts
    known: dict[str, Array] = field(default_factory=dict)

    @property
    def total(self) -> Counts:
        """Return the counts of all windows together, of shape (S, ...)."""
        return np.asarray(self.windows.sum(axis=0))

    def chart(self, family: Family) -> Chart:
        """Return the control chart whose centre is the whole baseline's."""
        return Chart.plain(family, self.windows)

    def once(self, name: str, compute: Callable[[], Array]) -> Array:
        """Return what `compute` returns, computed once."""
        if name not in self.known:
            self.known[name] = compute()
        return self.known[name]


def kolmogorov_smirnov_p_values(reference: Counts, counts: Counts) -> Array:
    """Return asymptotic p-values of two samples on the same bins, along the last axis."""
    m, n = (x.sum(axis=-1).astype(np.float64) for x in (reference, counts))
    apart = (
        np.cumsum(reference, axis=-1) / m[..., None]
        - np.cumsum(counts, axis=-1) / np.maximum(n, 1)[..., None]
    )
    distance = np.abs(apart).max(axis=-1)
    p_values: Array = special.kolmogorov(np.sqrt(m * n / (m + n)) * distance)
    return p_values


def normed_wasserstein_distances(reference: Counts, counts: Counts, centres: Array) -> Array:
    """Return the distance over the reference's standard deviation, from binned values."""
    p, q = (x / np.maximum(x.sum(axis=-1, keepdims=True), 1) for x in (reference, counts))
    apart = np.abs(np.cumsum(p - q, axis=-1))[..., :-1]
    mean = (p * centres).sum(axis=-1)
    deviation = np.sqrt((p * centres**2).sum(axis=-1) - mean**2)
    distances: Array = (apart * np.diff(centres)).sum(axis=-1) / np.maximum(deviation, 0.001)
    return distances


def jensen_shannon_distances(reference: Counts, counts: Counts) -> Array:
    """Return the square root of the divergence in nats, as scipy and evidently define it."""
    p, q = (x / np.maximum(x.sum(axis=-1, keepdims=True), 1) for x in (reference, counts))
    middle = (p + q) / 2
    divergence = special.rel_entr(p, middle).sum(-1) + special.rel_entr(q, middle).sum(-1)
    distances: Array = np.sqrt(np.maximum(divergence, 0) / 2)
    return distances


def population_stability_indices(reference: Counts, counts: Counts) -> Array:
    """Return the index, with 0.0001 for empty bins as is usual."""
    p, q = (
        np.maximum(x / np.maximum(x.sum(axis=-1, keepdims=True), 1), 1e-4)
        for x in (reference, counts)
    )
    indices: Array = ((q - p) * np.log(q / p)).sum(axis=-1)
    return indices


def rules_of(family: Family) -> Mapping[str, Rule]:
    """Return the rules that people use for this kind of series."""
    if isinstance(family, Numbers):
        return {
            "KS test, p < 0.05": _ks,
            "PSI > 0.2 (12 bins)": _psi,
            "evidently default (normed Wasserstein >= 0.1)": _wasserstein,
            "NannyML (JS above mean + 3 sd of 10 reference chunks)": _nannyml,
            "3-sigma chart of the mean": _three_sigma_mean,
        }
    if isinstance(family, Categories):
        return {
            "chi-square test, p < 0.05": _chi_square,
            "PSI > 0.2": _psi_of_levels,
            "evidently default (JS distance >= 0.1)": _js,
            "NannyML (JS above mean + 3 sd of 10 reference chunks)": _nannyml_of_levels,
        }
    if isinstance(family, Rate):
        return {
            "z test, p < 0.05": _z_of_rate,
            "3-sigma p-chart": _three_sigma_rate,
            "3 sd of the baseline's windows": _three_deviations_of_rate,
        }
    return {
        "difference above 5 points" if _is_pair(family) else "four-fifths rule, each window": (
            _observed_gap if _is_pair(family) else _four_fifths
        ),
        "test of equal rates, p < 0.05": _equal_rates,
    }


def _is_pair(family: Family) -> bool:
    return isinstance(family, Gap) and len(family.shares) == 2


def _ks(baseline: Baseline, counts: Counts) -> Flags:
    return kolmogorov_smirnov_p_values(baseline.total, counts) < 0.05


def _psi(baseline: Baseline, counts: Counts) -> Flags:
    return population_stability_indices(merged(baseline.total, 12), merged(counts, 12)) > 0.2


def _psi_of_levels(baseline: Baseline, counts: Counts) -> Flags:
    return population_stability_indices(baseline.total, counts) > 0.2


def _wasserstein(baseline: Baseline, counts: Counts) -> Flags:
    return normed_wasserstein_distances(baseline.total, counts, CENTRES) >= 0.1


def _js(baseline: Baseline, counts: Counts) -> Flags:
    return jensen_shannon_distances(baseline.total, counts) >= 0.1


def _nannyml(baseline: Baseline, counts: Counts) -> Flags:
    return _above_chunks(baseline, counts, 12)


def _nannyml_of_levels(baseline: Baseline, counts: Counts) -> Flags:
    return _above_chunks(baseline, counts, counts.shape[-1])


def _above_chunks(baseline: Baseline, counts: Counts, n_bins: int) -> Flags:
    total = merged(baseline.total, n_bins)

    def limit() -> Array:
        pieces = np.array_split(baseline.windows, CHUNKS_OF_REFERENCE)
        chunks = np.stack([merged(piece.sum(axis=0), n_bins) for piece in pieces])
        distances = jensen_shannon_distances(total, chunks)
        upper: Array = distances.mean(axis=0) + 3 * distances.std(axis=0)
        return upper

    distances = jensen_shannon_distances(total, merged(counts, n_bins))
    return np.asarray(distances > baseline.once("nannyml", limit))


def _three_sigma_mean(baseline: Baseline, counts: Counts) -> Flags:
    return np.abs(baseline.chart(Numbers()).plotted(counts)[0]) > 3


def _chi_square(baseline: Baseline, counts: Counts) -> Flags:
    m, n = (x.sum(axis=-1, keepdims=True) for x in (baseline.total, counts))
    expected = (baseline.total + counts) / (m + n)
    statistic = sum(
        (x - k * expected) ** 2 / np.maximum(k * expected, 1e-9)
        for x, k in ((baseline.total, m), (counts, n))
    )
    freedom = counts.shape[-1] - 1
    return np.asarray(special.chdtrc(freedom, np.asarray(statistic).sum(axis=-1)) < 0.05)


def _z_of_rate(baseline: Baseline, counts: Counts) -> Flags:
    hits, total = counts[..., 0], counts[..., 1]
    base_hits, base_total = baseline.total[..., 0], baseline.total[..., 1]
    pooled = (hits + base_hits) / (total + base_total)
    deviation = np.sqrt(np.maximum(pooled * (1 - pooled), 1e-9) * (1 / total + 1 / base_total))
    return np.asarray(np.abs(hits / total - base_hits / base_total) / deviation > 1.959964)


def _three_sigma_rate(baseline: Baseline, counts: Counts) -> Flags:
    return np.abs(baseline.chart(Rate()).plotted(counts)[0]) > 3


def _three_deviations_of_rate(baseline: Baseline, counts: Counts) -> Flags:
    rates = baseline.windows[..., 0] / baseline.windows[..., 1]
    middle = baseline.once("mean", lambda: rates.mean(axis=0))
    deviation = baseline.once("deviation", lambda: rates.std(axis=0, ddof=1))
    return np.asarray(np.abs(counts[..., 0] / counts[..., 1] - middle) > 3 * deviation)


def _observed_gap(_baseline: Baseline, counts: Counts) -> Flags:
    rates = counts[..., 0, :] / np.maximum(counts[..., 1, :], 1)
    return np.asarray(np.ptp(rates, axis=-1) > 0.05)


def _four_fifths(_baseline: Baseline, counts: Counts) -> Flags:
    rates = counts[..., 0, :] / np.maximum(counts[..., 1, :], 1)
    seen = counts[..., 1, :] > 0
    lowest = np.where(seen, rates, 1.0).min(axis=-1)
    return np.asarray(lowest < 0.8 * np.where(seen, rates, 0.0).max(axis=-1))


def _equal_rates(_baseline: Baseline, counts: Counts) -> Flags:
    hits, totals = counts[..., 0, :], counts[..., 1, :]
    pooled = hits.sum(-1, keepdims=True) / np.maximum(totals.sum(-1, keepdims=True), 1)
    spread = np.maximum(totals * pooled * (1 - pooled), 1e-9)
    statistic = ((hits - totals * pooled) ** 2 / spread).sum(axis=-1)
    return np.asarray(special.chdtrc(counts.shape[-1] - 1, statistic) < 0.05)
