"""When a change began, looked at again once it is known: the windows before an alarm.

The CUSUM of `detectors.evidence.onset` only knows what was bet at the time, which is late for
small changes. Here the windows that are still at hand are scored again with the set that
raised the alarm. Neither the level before the change nor the one after it is known: both are
averaged over: the one within half the tolerance of the baseline, with the weights of a normal
distribution cut off at two standard deviations, the other over all sizes alike.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from detectors.evidence.beta_binomial import Array, effective_share, log_likelihood_ratio
from detectors.evidence.onset import Onset

__all__ = ["COVERAGE", "Gains", "GapCounts", "gap_gains", "onset_in_history", "share_gains"]

COVERAGE = 0.95
"""The share of the likelihood of all onsets that the plausible range holds."""

_N_SIZES = 24
_LEAST_LOG_ODDS = 0.05
_LEAST_GAP = 0.005
_RATES = (1e-6, 1 - 1e-6)
_FURTHEST = 0.999
_STEADY = np.linspace(-1.0, 1.0, 9)
_TOLERATED_SHARE = 0.5


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Gains:
    """Log likelihood ratios of K windows to the baseline, in nats; 0 for windows without outputs.

    Parameters
    ----------
    before
        Under B levels that are no change, of shape (K, ..., B).
    after
        Under A sizes of the change, of shape (K, ..., A).
    """

    before: Array
    after: Array


def onset_in_history(gains: Gains) -> Onset:
    """Return when the change began, given the windows until now, and the plausible range.

    For an onset at window j the likelihood is the mean over the levels before it of the
    product over earlier windows, times the mean over the sizes of the product from j on. The
    range holds the likeliest onsets until these have `COVERAGE` of the likelihood of all.

    Parameters
    ----------
    gains
        Of the windows, oldest first, K at least 1.

    References
    ----------
    .. [1] A. F. M. Smith, A Bayesian approach to inference about a change-point in a sequence
       of random variables, Biometrika 62 (1975), 407-416.

    Examples
    --------
    >>> gains = share_gains([20, 22, 31, 26, 41, 38], [1000] * 6, 0.02, bound=0.025)
    >>> onset = onset_in_history(gains)
    >>> int(onset.windows_ago), int(onset.earliest), int(onset.latest)
    (3, 4, 1)
    """
    # From the end: entry i is that of an onset i windows ago.
    since = np.cumsum(gains.after[::-1], axis=0)
    until = np.cumsum(gains.before, axis=0)
    until = np.concatenate([np.zeros_like(until[:1]), until[:-1]])[::-1]
    likelihood = _log_mean(since) + _log_mean(until - 2 * _STEADY**2)
    weight = np.exp(likelihood - likelihood.max(axis=0))
    order = np.argsort(-weight, axis=0, kind="stable")
    held = np.cumsum(np.take_along_axis(weight, order, axis=0), axis=0)
    enough = (held < COVERAGE * held[-1]).sum(axis=0)
    chosen = np.arange(len(weight)).reshape(-1, *[1] * (weight.ndim - 1)) <= enough
    plausible = np.zeros(weight.shape, dtype=np.bool_)
    np.put_along_axis(plausible, order, chosen, axis=0)
    return Onset(
        windows_ago=likelihood.argmax(axis=0),
        earliest=len(weight) - 1 - plausible[::-1].argmax(axis=0),
        latest=plausible.argmax(axis=0),
    )


def share_gains(
    count: npt.ArrayLike,
    total: npt.ArrayLike,
    baseline: npt.ArrayLike,
    *,
    bound: npt.ArrayLike,
    correlation: npt.ArrayLike = 0.0,
    repeats: npt.ArrayLike = 1.0,
) -> Gains:
    """Return the gains of a share that went beyond a bound.

    Beta-binomial likelihood ratios. Before: the baseline's odds, up to half the way to the
    bound and as far on the other side. After: 24 odds beyond the baseline's on the bound's
    side, from 5 % to a share of 99.9 % (or of 0.1 % and less).

    Parameters
    ----------
    count, total
        Outputs in the set that raised the alarm and all outputs, oldest window first, of
        shape (K, ...).
    baseline
        The set's usual share in each window, that broadcasts.
    bound
        The share at tolerance, on the side where the alarm was.
    correlation
        Within a window.
    repeats
        How often one output may have been counted.
    """
    x, n, rho = (
        np.asarray(one, dtype=np.float64)[..., None] for one in (count, total, correlation)
    )
    usual = np.clip(np.asarray(baseline, dtype=np.float64), *_RATES)[..., None]
    limit = np.clip(np.asarray(bound, dtype=np.float64), *_RATES)[..., None]
    odds, tolerated = special.logit(usual), special.logit(limit) - special.logit(usual)
    way = np.where(tolerated < 0, -1.0, 1.0)
    furthest = np.maximum(special.logit(_FURTHEST) - way * odds, 2 * _LEAST_LOG_ODDS)
    steps = _LEAST_LOG_ODDS * (furthest / _LEAST_LOG_ODDS) ** np.linspace(0.0, 1.0, _N_SIZES)
    before = _rates(odds + _TOLERATED_SHARE * tolerated * _STEADY)
    after = _rates(odds + way * steps)
    repeated = np.asarray(repeats, dtype=np.float64)
    return Gains(
        before=log_likelihood_ratio(x, n, before, usual, rho) / repeated,
        after=log_likelihood_ratio(x, n, after, usual, rho) / repeated,
    )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class GapCounts:
    """Two groups in K windows, of shape (K,): positives and outputs of the lower, the higher."""

    hits: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]
    totals: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]


def gap_gains(
    counts: GapCounts, usual: float, standard_error: float, correlation: float = 0.0
) -> Gains:
    """Return the gains of a gap that widened, whatever the rates do together.

    Normal likelihood ratios of the difference of rates, with the variance of the window's
    pooled rate. Before: the usual difference within two standard errors. After: 24 gaps, from
    half a point to 99.9 points wider.

    Parameters
    ----------
    counts
        Of the two groups.
    usual
        Rate of the lower group minus that of the higher one before the change.
    standard_error
        Of `usual`.
    correlation
        Of two outputs of one window and group.
    """
    (x1, x2), (n1, n2) = counts.hits, counts.totals
    both = (n1 > 0) & (n2 > 0)
    pooled = (x1 + x2 + 0.5) / (n1 + n2 + 1)
    precision = sum(1 / np.maximum(n * effective_share(n, correlation), 1e-9) for n in (n1, n2))
    variance = np.where(both, pooled * (1 - pooled) * precision, 1.0)[:, None]
    gap = x1 / np.maximum(n1, 1) - x2 / np.maximum(n2, 1)
    above = np.where(both, gap - usual, 0.0)[:, None]
    levels = 2 * standard_error * _STEADY
    sizes = -np.geomspace(_LEAST_GAP, _FURTHEST, _N_SIZES)
    before, after = (
        np.where(both[:, None], size * (above - size / 2) / variance, 0.0)
        for size in (levels, sizes)
    )
    return Gains(before=before, after=after)


def _rates(odds: Array) -> Array:
    rates: Array = np.clip(special.expit(odds), *_RATES)
    return rates


def _log_mean(values: Array) -> Array:
    """Return the log of the mean of exp(values) over the last axis."""
    mean: Array = special.logsumexp(values, axis=-1) - np.log(values.shape[-1])
    return mean
