"""Tests of one batch against a tolerated change of its mix, calibrated for usual sizes.

They ask what `detectors.evidence.fixed_sample.total_variation_p_value` asks, and see far
smaller changes: they rest on normal approximations (of counts of five and more, of sums of
many ranks) instead of inequalities that hold for every sample. Both samples are drawn: the
baseline's own sampling error is part of every variance.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from detectors.roc import area_under_roc_variance

__all__ = ["MixTest", "levels_p_value", "rank_p_value"]

_LEAST_EXPECTED = 5.0
_ROUNDS = 4
_STEPS = 16
_HALVINGS = 20

_RANK_SHARE = 0.8
"""Of the error of a numeric column, for the test of ranks; the rest is for all other changes.

Ranks alone see a small shift. Other changes lose a factor of five, which a few more rows make up
for."""

Array = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MixTest:
    """The test of a mix: of the shares of its bins or levels and, in bins with an order, of ranks.

    With an order two tests share the error: of ranks (0.8 of it), which sees a shift, and of the
    shares of all bins (0.2), which sees everything else. The smallest p-value, each divided by
    its share, is valid however they depend on each other. Moving a share d of the outputs
    changes the chance to be larger than a normal one by ``d (1 - d / 2)`` at most.

    Parameters
    ----------
    expected, observed
        Counts of the baseline and of the batch, of shape (n_bins,).
    ordered
        Whether neighbouring bins hold neighbouring values.

    References
    ----------
    .. [1] C. R. Genovese, K. Roeder and L. Wasserman, Biometrika 93 (2006), 509-524
       (weighted Bonferroni).
    """

    expected: Counts
    observed: Counts
    ordered: bool

    def p_value(self, tolerance: float) -> float:
        """Return the p-value of "at most `tolerance` of the outputs moved".

        The largest of a grid from 0 to `tolerance`: less than this is tolerated too.
        """
        return max(self._p_value(knot) for knot in _grid(tolerance))

    def lower_bound(self, tolerance: float, chance: float) -> float:
        """Return the share of outputs that moved at least, 0 if even none is not rejected.

        It is beyond `tolerance` if, and up to rounding only if, `p_value` of it is at most
        `chance`.

        Parameters
        ----------
        tolerance
            As in `p_value`.
        chance
            That the bound is above the true share, at most.
        """
        knots = (*_grid(tolerance), *np.linspace(tolerance, 1.0, 4 * _STEPS + 1)[1:].tolist())
        low = 0.0
        for knot in knots:
            if self._p_value(knot) > chance:
                return self._between(low, knot, chance)
            low = knot
        return low

    def _between(self, low: float, high: float, chance: float) -> float:
        for _ in range(_HALVINGS if high > 0 else 0):
            middle = (low + high) / 2
            low, high = (low, middle) if self._p_value(middle) > chance else (middle, high)
        return low

    def _p_value(self, tolerance: float) -> float:
        mix = levels_p_value(self.expected, self.observed, tolerance)
        if not self.ordered:
            return mix
        ranks = rank_p_value(self.expected, self.observed, tolerance * (1 - tolerance / 2))
        return min(ranks / _RANK_SHARE, mix / (1 - _RANK_SHARE), 1.0)


def _grid(tolerance: float) -> tuple[float, ...]:
    return tuple(np.linspace(0.0, tolerance, _STEPS + 1).tolist())


def levels_p_value(expected: Counts, observed: Counts, tolerance: float) -> float:
    """Return the p-value of "at most `tolerance` of the outputs moved between the levels".

    The pair of mixes within the tolerance that is nearest to the counts is sought: gains and
    losses beyond it are cut off at one multiple of their variance. The squared distance to it
    has at most the chi-square distribution with one degree of freedom for every independent
    constraint that holds it: one, and one for every level that it leaves as it was. At
    tolerance 0 this is the chi-square test of homogeneity.

    The smaller of Pearson's statistic and of the likelihood ratio is taken: the one is too
    large where rare levels burst, the other where counts are small. Levels with fewer than
    five outputs expected in either sample are taken together, which can only hide change.

    Parameters
    ----------
    expected, observed
        Counts of the baseline and of the batch, of shape (n_levels,).
    tolerance
        The accepted total variation, from 0 to below 1. The p-value may fall slightly where the
        tolerance rises; `MixTest` takes care of that.

    References
    ----------
    .. [1] G. Cox and X. Shi, Review of Economic Studies 90 (2023), 201-228 (degrees of
       freedom by the constraints that are active).
    .. [2] P. J. Huber, Annals of Mathematical Statistics 36 (1965), 1753-1758 (the nearest
       mix censors a ratio).
    .. [3] W. G. Cochran, Biometrics 10 (1954), 417-451 (expected counts of five).

    Examples
    --------
    >>> expected, observed = np.array([5000, 5000]), np.array([560, 440])
    >>> [round(levels_p_value(expected, observed, tolerance), 4) for tolerance in (0, 0.03, 0.06)]
    [0.0003, 0.0699, 1.0]
    """
    m, n = _together(expected, observed)
    if len(m) < 2 or not (m.any() and n.any()):
        return 1.0
    statistic, n_free = _distance_to_tolerated(m, n, tolerance)
    return float(special.chdtrc(n_free, statistic)) if statistic > 0 else 1.0


def _together(expected: Counts, observed: Counts) -> tuple[Array, Array]:
    """Return the counts with rare levels taken together, the largest first."""
    both = expected + observed
    order = np.argsort(-both, kind="stable")
    m, n, both = expected[order], observed[order], both[order]
    smaller = min(m.sum(), n.sum()) / max(both.sum(), 1)
    left = np.cumsum(both[::-1])[::-1]
    n_kept = int((both * smaller >= _LEAST_EXPECTED).sum())
    # The rare ones take a frequent one with them if they are too few by themselves.
    while 0 < n_kept < len(both) and left[n_kept] * smaller < _LEAST_EXPECTED:
        n_kept -= 1
    starts = np.arange(min(n_kept + 1, len(both)))
    grouped = np.add.reduceat(np.stack([m, n]), starts, axis=1).astype(np.float64)
    return grouped[0], grouped[1]


def _distance_to_tolerated(m: Array, n: Array, tolerance: float) -> tuple[float, int]:
    """Return the distance to the nearest pair within tolerance, and its degrees of freedom."""
    m_rows, n_rows = m.sum(), n.sum()
    difference = n / n_rows - m / m_rows
    together, weight = (m + n) / (m_rows + n_rows), n_rows / (m_rows + n_rows)
    tolerated = np.zeros_like(difference)
    # The variance is that of the nearest pair, so the two are found in turn.
    for _ in range(_ROUNDS if tolerance > 0 else 1):
        p = np.maximum(together - tolerated * weight, 1e-300)
        q = np.maximum(together + tolerated * (1 - weight), 1e-300)
        variance = p / m_rows + q / n_rows
        gained = _pulled(difference, variance, tolerance)
        tolerated = gained - _pulled(-difference, variance, tolerance)
    pearson = float((np.square(difference - tolerated) / variance).sum())
    ratio = special.rel_entr(m, m_rows * p).sum() + special.rel_entr(n, n_rows * q).sum()
    n_free = min(1 + int((tolerated == 0).sum()), len(m) - 1)
    return min(pearson, 2 * float(ratio)), n_free


def _pulled(change: Array, variance: Array, tolerance: float) -> Array:
    """Return gains pulled towards 0 by a multiple of their variance, to sum up to `tolerance`."""
    gains = np.maximum(change, 0.0)
    if gains.sum() <= tolerance:
        return gains
    ratio = gains / variance
    order = np.argsort(-ratio, kind="stable")
    multiples = (gains[order].cumsum() - tolerance) / variance[order].cumsum()
    # That many of the largest ratios stay above 0: the first multiple not below the next ratio.
    following = np.append(ratio[order][1:], 0.0)
    multiple = multiples[int(np.argmax(multiples >= following))]
    pulled: Array = np.maximum(change - multiple * variance, 0.0)
    return pulled


def rank_p_value(expected: Counts, observed: Counts, tolerance: float) -> float:
    """Return the p-value of "the chance to be larger is within `tolerance` of one half".

    The test of Mann and Whitney on bins, ties counting half. Against a tolerance d it is the
    chance that a normal variable of mean d has at least the observed distance from 0, either
    way; at 0 it is the usual two-sided test. The variance is the larger of DeLong's and of that
    without any change, which does not vanish where the samples are apart.

    Parameters
    ----------
    expected, observed
        Counts of the baseline and of the batch, bins in order, of shape (n_bins,).
    tolerance
        The accepted distance from one half, from 0 to 0.5.

    References
    ----------
    .. [1] H. B. Mann and D. R. Whitney, Annals of Mathematical Statistics 18 (1947), 50-60.
    .. [2] E. R. DeLong, D. M. DeLong and D. L. Clarke-Pearson, Biometrics 44 (1988), 837-845.

    Examples
    --------
    >>> expected, observed = np.array([300, 400, 300]), np.array([50, 80, 90])
    >>> [round(rank_p_value(expected, observed, tolerance), 4) for tolerance in (0, 0.03, 0.06)]
    [0.0016, 0.0479, 0.4286]
    """
    m, n = int(expected.sum()), int(observed.sum())
    if min(m, n) < 2:
        return 1.0
    chance, variance = area_under_roc_variance(expected, observed)
    ties = float((((expected + observed) / (m + n)) ** 3).sum())
    unchanged = (1 - ties) / 12 * (1 / m + 1 / n)
    distance, deviation = abs(chance - 0.5), max(variance, unchanged) ** 0.5
    if deviation <= 0 or distance <= tolerance:
        return 1.0
    near, far = (distance - tolerance) / deviation, (distance + tolerance) / deviation
    return float(special.ndtr(-near) + special.ndtr(-far))
