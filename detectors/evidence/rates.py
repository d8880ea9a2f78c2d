"""E-values for a rate that has left its tolerance: too high, or too low."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detectors.evidence.beta_binomial import Array, effective_share, log_likelihood_ratio
from detectors.intervals import clopper_pearson

__all__ = [
    "ODDS_FACTORS",
    "RateBounds",
    "log_evidence_above",
    "log_evidence_below",
    "rate_bounds",
]

ODDS_FACTORS = (1.3, 2.0, 4.0)
"""How many times the odds of the bound each alternative has; nothing is learned."""

_BASELINE_CONFIDENCE = 0.99


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RateBounds:
    """The rates that are tolerated, each of shape (S,).

    `low` is 0 where no rate would be too low, `high` is 1 where none would be too high: no
    evidence can be gathered on that side.

    Parameters
    ----------
    baseline
        The baseline's own rate.
    low, high
        Rates from `low` to `high` are within tolerance.
    """

    baseline: Array
    low: Array
    high: Array


def rate_bounds(
    count: npt.ArrayLike,
    total: npt.ArrayLike,
    *,
    ratio: float | None = None,
    difference: float | None = None,
    correlation: npt.ArrayLike = 0.0,
    window_events: npt.ArrayLike = 1.0,
) -> RateBounds:
    """Return the rates that are tolerated, given the baseline's counts.

    With p = count / total, the upper bound is the largest of k p, p + d and the upper
    Clopper-Pearson bound of p (99 % two-sided); the lower bound is the smallest of p / k,
    p - d and the lower Clopper-Pearson bound. So a stream that has not changed is within the
    bounds with at least 99.5 % on each side, however small the baseline. (``p + 2.5 se`` is
    not enough for rare events: a baseline without any event would tolerate none.) With both
    tolerances a rate is beyond only if it is beyond both.

    Parameters
    ----------
    count, total
        Of the baseline, of shape (S,).
    ratio
        k > 1, tolerated ratio of larger to smaller rate.
    difference
        d in (0, 1), tolerated difference of rates.
    correlation, window_events
        Over-dispersion and mean events of a window; the baseline's counts are divided by the
        design effect 1 + (n - 1) rho.

    Raises
    ------
    ValueError
        If neither tolerance is given, or one is out of range.

    Examples
    --------
    >>> bounds = rate_bounds(200, 10_000, ratio=1.25)
    >>> round(float(bounds.low), 4), round(float(bounds.high), 4)
    (0.016, 0.025)
    >>> round(float(rate_bounds(0, 1000, ratio=1.25).high), 4)
    0.0053
    """
    _check_tolerances(ratio, difference)
    x, n = np.asarray(count, dtype=np.float64), np.asarray(total, dtype=np.float64)
    p = np.where(n > 0, x / np.maximum(n, 1.0), 0.5)
    share = effective_share(window_events, correlation)
    low, high = clopper_pearson(x * share, n * share, _BASELINE_CONFIDENCE)
    if ratio is not None:
        low, high = np.minimum(low, p / ratio), np.maximum(high, p * ratio)
    if difference is not None:
        low, high = np.minimum(low, p - difference), np.maximum(high, p + difference)
    return RateBounds(baseline=p, low=np.maximum(low, 0.0), high=np.minimum(high, 1.0))


def log_evidence_above(
    count: npt.ArrayLike, total: npt.ArrayLike, high: npt.ArrayLike, correlation: npt.ArrayLike
) -> Array:
    """Return the log e-values against "the rate is at most `high`", in nats.

    One beta-binomial likelihood ratio for each alternative: `high` with its odds multiplied
    by `ODDS_FACTORS`.

    Parameters
    ----------
    count, total, high, correlation
        Of shape (S,); see `log_likelihood_ratio` for when the e-values are valid.

    Returns
    -------
    ndarray
        Of shape (S, 3); 0 where `high` is 1.

    Examples
    --------
    >>> log_evidence_above([30, 20], [1000, 1000], 0.02, 0.0).round(2)
    array([[  1.89,   0.99, -16.68],
           [ -0.73,  -5.94, -30.54]])
    """
    return _log_evidence(count, total, high, correlation, np.array(ODDS_FACTORS))


def log_evidence_below(
    count: npt.ArrayLike, total: npt.ArrayLike, low: npt.ArrayLike, correlation: npt.ArrayLike
) -> Array:
    """Return the log e-values against "the rate is at least `low`", in nats.

    As `log_evidence_above`, with the odds of `low` divided; 0 where `low` is 0. A filter that
    has died shows here and, faster, in `detectors.evidence.silence`.
    """
    return _log_evidence(count, total, low, correlation, 1 / np.array(ODDS_FACTORS))


def _log_evidence(
    count: npt.ArrayLike,
    total: npt.ArrayLike,
    bound: npt.ArrayLike,
    correlation: npt.ArrayLike,
    factors: Array,
) -> Array:
    h = np.asarray(bound, dtype=np.float64)
    possible = (h > 0) & (h < 1)
    inside = np.where(possible, h, 0.5)
    odds = (inside / (1 - inside))[..., None] * factors
    x, n, rho = (
        np.asarray(one, dtype=np.float64)[..., None] for one in (count, total, correlation)
    )
    ratio = log_likelihood_ratio(x, n, odds / (1 + odds), inside[..., None], rho)
    return np.where(possible[..., None], ratio, 0.0)


def _check_tolerances(ratio: float | None, difference: float | None) -> None:
    if ratio is None and difference is None:
        message = "a rate needs a tolerance: give ratio, difference or both"
        raise ValueError(message)
    if ratio is not None and not ratio > 1:
        message = f"ratio must be above 1, got {ratio!r}"
        raise ValueError(message)
    if difference is not None and not 0 < difference < 1:
        message = f"difference must be between 0 and 1, got {difference!r}"
        raise ValueError(message)
