"""Likelihood ratios of counts whose events within one window resemble each other.

Events of one window are often correlated (one user, one retry loop), so their count varies
more than a binomial one. It is taken as beta-binomial: the window draws its rate from a beta
distribution of mean p and concentration s = 1 / rho - 1, then draws the events from that
rate. `rho`, between 0 and 1, is the correlation of two events of one window; the variance of
the count is the binomial one times 1 + (n - 1) rho. At rho = 0 the count is binomial.
"""

import numpy as np
import numpy.typing as npt
from scipy import special

__all__ = ["Array", "effective_share", "log_likelihood_ratio", "log_probability_of_none"]

Array = npt.NDArray[np.float64]

_LEAST_CORRELATION = 1e-280
"""Stands for 0: its concentration is finite and beyond every count."""

_STIRLING_FROM = 16.0
"""Three terms of Stirling's series are exact to 2e-12 from here on."""


def log_likelihood_ratio(
    count: npt.ArrayLike,
    total: npt.ArrayLike,
    alternative: npt.ArrayLike,
    bound: npt.ArrayLike,
    correlation: npt.ArrayLike,
) -> Array:
    """Return ln P(count | alternative) - ln P(count | bound), both beta-binomial, in nats.

    ``ln B(x + q s, n - x + (1 - q) s) - ln B(q s, (1 - q) s)`` minus the same with the bound
    in place of q, where s = 1 / rho - 1.

    The ratio is a valid e-value (its mean is at most 1) for every mean rate on the bound's
    side: at most the bound if `alternative` is above it, at least the bound if it is below.
    The ratio is monotone in the count, and beta-binomial counts of one correlation are
    stochastically ordered by their mean. Required: `alternative` and `bound` are fixed before
    the window is seen, and the window's correlation is at most `correlation`.

    Parameters
    ----------
    count, total
        Events in the set, and all events, 0 <= count <= total; broadcast with the others.
    alternative, bound
        Rates strictly between 0 and 1.
    correlation
        Within the window, from 0 (binomial) to below 1.

    Returns
    -------
    ndarray
        Nats; 0 for windows without events.

    References
    ----------
    .. [1] J. G. Skellam, Journal of the Royal Statistical Society B 10 (1948), 257-261.

    Examples
    --------
    >>> round(float(log_likelihood_ratio(30, 1000, 0.04, 0.02, 0.0)), 3)
    0.794
    >>> round(float(log_likelihood_ratio(30, 1000, 0.04, 0.02, 0.002)), 3)
    0.403
    """
    x = np.asarray(count, dtype=np.float64)
    rest = np.asarray(total, dtype=np.float64) - x
    q = np.asarray(alternative, dtype=np.float64)
    h = np.asarray(bound, dtype=np.float64)
    s = _concentration(correlation)
    binomial = x * np.log(q / h) + rest * (np.log1p(-q) - np.log1p(-h))
    hits = _excess(q * s, x) - _excess(h * s, x)
    misses = _excess((1 - q) * s, rest) - _excess((1 - h) * s, rest)
    ratio: Array = binomial + hits + misses
    return ratio


def log_probability_of_none(
    total: npt.ArrayLike, rate: npt.ArrayLike, correlation: npt.ArrayLike
) -> Array:
    """Return the log probability that none of `total` events is in the set, in nats.

    ``n ln(1 - p)`` at correlation 0; closer to 0 the more the events resemble each other.

    Examples
    --------
    >>> round(float(log_probability_of_none(100, 0.05, 0.0)), 3)
    -5.129
    """
    n = np.asarray(total, dtype=np.float64)
    p = np.asarray(rate, dtype=np.float64)
    s = _concentration(correlation)
    probability: Array = n * np.log1p(-p) + _excess((1 - p) * s, n) - _excess(s, n)
    return probability


def effective_share(total: npt.ArrayLike, correlation: npt.ArrayLike) -> Array:
    """Return f = 1 / (1 + (n - 1) rho): the part of `total` events that counts as independent.

    1 for windows of no or one event.

    References
    ----------
    .. [1] L. Kish, Survey Sampling, Wiley, 1965, ch. 5 (the design effect).

    Examples
    --------
    >>> float(effective_share(1001, 0.001))
    0.5
    """
    further = np.maximum(np.asarray(total, dtype=np.float64) - 1, 0.0)
    share: Array = 1 / (1 + further * np.asarray(correlation, dtype=np.float64))
    return share


def _concentration(correlation: npt.ArrayLike) -> Array:
    rho = np.asarray(correlation, dtype=np.float64)
    if not ((rho >= 0) & (rho < 1)).all():
        message = f"correlation must be at least 0 and below 1, got {correlation!r}"
        raise ValueError(message)
    concentration: Array = 1 / np.maximum(rho, _LEAST_CORRELATION) - 1
    return concentration


def _excess(start: Array, steps: Array) -> Array:
    """Return ln(start (start + 1) ... (start + steps - 1)) - steps ln(start).

    The difference of two log-gammas loses all digits at large `start`; Stirling's series
    with the leading term taken out loses none, and vanishes as `start` grows.
    """
    large = start >= _STIRLING_FROM
    if large.all():
        return _stirling_excess(start, steps)
    small = np.where(large, 1.0, start)
    exact = special.gammaln(small + steps) - special.gammaln(small) - steps * np.log(small)
    series = _stirling_excess(np.maximum(start, _STIRLING_FROM), steps)
    return np.where(large, series, exact)


def _stirling_excess(start: Array, steps: Array) -> Array:
    end = start + steps
    leading = (end - 0.5) * np.log1p(steps / start) - steps
    excess: Array = leading + _stirling_tail(end) - _stirling_tail(start)
    return excess


def _stirling_tail(argument: Array) -> Array:
    inverse = 1 / argument
    square = inverse * inverse
    tail: Array = inverse * (1 / 12 - square * (1 / 360 - square / 1260))
    return tail
