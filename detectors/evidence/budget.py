"""One budget of false alarms for the whole monitor: thresholds, lists, and what to say.

The user tolerates b false incidents per period over all series. Series s with T_s windows per
period and weight w_s (the weights sum to 1) gets the threshold ``c_s = T_s / (b w_s)``. Its
expected false alarms per period are at most ``T_s / c_s = b w_s``, and all series' together at
most b: expectations add whatever the dependence.
"""

import numpy as np
import numpy.typing as npt

from detectors.evidence.beta_binomial import Array

__all__ = [
    "e_benjamini_hochberg",
    "listed_series",
    "log_thresholds",
    "periods_between",
    "strength_words",
]

_UNITS = (
    ("year", 365.25 * 86_400),
    ("month", 30.4375 * 86_400),
    ("day", 86_400.0),
    ("hour", 3600.0),
    ("minute", 60.0),
)
_MOST_YEARS = 1000


def log_thresholds(
    windows_per_period: npt.ArrayLike,
    budget: float,
    weights: npt.ArrayLike | None = None,
) -> Array:
    """Return ln c of every series, c = T / (b w), at least 0.

    Call it again when series appear or go and pass the result to `gather`, which keeps R as a
    share of its threshold: ``R_t / c_t + alarms - sum of 1 / c`` then has non-increasing mean
    for any thresholds fixed before each window, so the budget that was in force in each
    window bounds the alarms of that window.

    Parameters
    ----------
    windows_per_period
        T_s, of shape (S,): how many windows of the series close in one period of the budget.
    budget
        b, expected false incidents per period over all series, above 0.
    weights
        Shares of the budget, positive, of shape (S,); None: equal. They are scaled to sum
        to 1. A larger weight means a lower threshold.

    Raises
    ------
    ValueError
        If there is no series, or the budget, a weight or a number of windows is not positive.

    Examples
    --------
    >>> np.exp(log_thresholds([8640] * 200, 1.0)).round(0)[:2]
    array([1728000., 1728000.])
    """
    windows = np.asarray(windows_per_period, dtype=np.float64)
    share = np.ones(windows.shape) if weights is None else np.asarray(weights, dtype=np.float64)
    if windows.size == 0 or not ((windows > 0).all() and (share > 0).all() and budget > 0):
        message = (
            "a budget needs at least one series, and windows, weights and budget above 0, "
            f"got {windows.size} series and a budget of {budget!r}"
        )
        raise ValueError(message)
    logs = np.log(windows) - np.log(budget) - np.log(share / share.sum())
    thresholds: Array = np.maximum(logs, 0.0)
    return thresholds


def listed_series(log_r: npt.ArrayLike, log_threshold: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Return which series to list together as changed (e-Benjamini-Hochberg on R).

    The k series with the largest R / c are listed for the largest k such that each of them
    has R >= c / k: many series that lean the same way at once are found earlier. Controls the
    expected share of false members per expected time to listing ("error over patience"),
    under any dependence; ordinary false discovery rates cannot be controlled by detectors
    that alarm in finite time.

    Parameters
    ----------
    log_r, log_threshold
        ln R now (not its maximum so far, for which this is invalid) and ln c, of shape (S,).

    References
    ----------
    .. [1] S. Dandapanthula and A. Ramdas, arXiv:2501.04130 (2025).

    Examples
    --------
    >>> listed_series(np.log([600.0, 510.0, 10.0]), np.log([1000.0] * 3))
    array([ True,  True, False])
    """
    fraction = np.asarray(log_r, dtype=np.float64) - np.asarray(log_threshold, dtype=np.float64)
    return _top(fraction)


def e_benjamini_hochberg(log_e: npt.ArrayLike, rate: float) -> npt.NDArray[np.bool_]:
    """Return which of m hypotheses to reject: false discovery rate at most `rate`.

    Rejects the k with the largest e-values for the largest k such that each has
    ``e >= m / (rate k)``. Holds under any dependence.

    Parameters
    ----------
    log_e
        Log e-values of shape (m,), each of a fixed sample or at one stopping time.
    rate
        Tolerated expected share of false ones among the rejected, between 0 and 1.

    References
    ----------
    .. [1] R. Wang and A. Ramdas, Journal of the Royal Statistical Society B 84 (2022), 822-852.

    Examples
    --------
    >>> e_benjamini_hochberg(np.log([100.0, 31.0, 1.0]), 0.05)
    array([ True,  True, False])
    """
    if not 0 < rate < 1:
        message = f"rate must be between 0 and 1, got {rate!r}"
        raise ValueError(message)
    logs = np.asarray(log_e, dtype=np.float64)
    return _top(logs - np.log(max(logs.size, 1) / rate))


def periods_between(log_r: npt.ArrayLike, log_threshold: npt.ArrayLike, budget: float) -> Array:
    """Return N: from chance alone, alarms this strong come once in N periods at most, in mean.

    ``N = (R / c) / b`` for R at the alarm. Valid because R + (sum of R at alarms) - windows
    has non-increasing mean: in T windows a series has at most T / r expected false alarms
    with R >= r. Over all series, the expected number with R >= g c_s is at most
    ``sum T_s / (g c_s) = b / g`` per period. It is a frequency of the whole monitor, not the
    probability that this alarm is false.

    Parameters
    ----------
    log_r, log_threshold
        ln R of the alarm, before the reset, and its ln c.
    budget
        b, false incidents per period.

    Examples
    --------
    >>> float(periods_between(np.log(5000.0), np.log(1000.0), 0.5))
    10.0
    """
    strength = np.asarray(log_r, dtype=np.float64) - np.asarray(log_threshold, dtype=np.float64)
    periods: Array = np.exp(np.minimum(strength, 600.0)) / budget
    return periods


def strength_words(periods: float, period_seconds: float) -> str:
    """Return in words how rarely chance alone would raise an alarm this strong.

    Parameters
    ----------
    periods
        From `periods_between`.
    period_seconds
        Length of the budget's period.

    Examples
    --------
    >>> strength_words(12.4, 30.4375 * 86_400)
    'from chance alone, alarms this strong come less than once in a year over all series'
    >>> strength_words(5.0, 365.25 * 86_400)
    'from chance alone, alarms this strong come less than once in 5 years over all series'
    """
    span = _span(periods * period_seconds)
    return f"from chance alone, alarms this strong come less than once in {span} over all series"


def _span(seconds: float) -> str:
    for name, length in _UNITS:
        number = int(seconds / length)
        if name == "year" and number >= _MOST_YEARS:
            return f"{_MOST_YEARS} years"
        if number > 1:
            return f"{number} {name}s"
        if number == 1:
            return f"an {name}" if name == "hour" else f"a {name}"
    return f"{int(seconds)} seconds"


def _top(fraction: Array) -> npt.NDArray[np.bool_]:
    ordered = np.sort(fraction)[::-1]
    ranks = np.arange(1, ordered.size + 1)
    enough = np.flatnonzero(ordered + np.log(ranks) >= -_ROUNDING)
    if enough.size == 0:
        return np.zeros(fraction.shape, dtype=np.bool_)
    return np.asarray(fraction >= ordered[enough[-1]])


_ROUNDING = 1e-9
