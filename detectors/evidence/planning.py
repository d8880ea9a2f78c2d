"""How many windows it takes to notice a change of a given size: estimates, not guarantees.

The mean evidence of a window is its effective events times the divergence between the true
rates and the closest tolerated ones; an alarm takes about the threshold divided by that.
Against simulations of iid streams the estimates are within a factor of two.
"""

import numpy as np
import numpy.typing as npt
from scipy import special

from detectors.evidence.beta_binomial import Array
from detectors.evidence.two_group_gaps import GapLimit, project

__all__ = ["windows_for_distribution", "windows_for_gap", "windows_for_rate"]

_EXPERTS = 6
_LEAST_WINDOWS = 2.0
_HEAD_START = 4.0


def windows_for_distribution(
    moved: npt.ArrayLike,
    tolerance: npt.ArrayLike,
    effective_events: npt.ArrayLike,
    log_threshold: npt.ArrayLike,
) -> Array:
    """Return the windows it takes to notice that a share of the events has moved.

    ``1 + 2 (ln c - 4) / (2 n (D - delta)^2)``, at least 2; infinite within the tolerance. One
    window is learned from; the factor of 2 is what learning the set costs after that.

    Parameters
    ----------
    moved
        D, the total variation after the change.
    tolerance
        delta.
    effective_events
        n f, a window's events that count as independent.
    log_threshold
        ln c.

    Examples
    --------
    >>> windows_for_distribution([0.05, 0.08, 0.1, 0.2], 0.05, 1000, 14.36).round(1)
    array([ inf, 12.5, 5.1, 2. ])
    """
    beyond = np.asarray(moved, dtype=np.float64) - np.asarray(tolerance, dtype=np.float64)
    growth = 2 * np.asarray(effective_events, dtype=np.float64) * np.maximum(beyond, 0.0) ** 2
    needed = 2 * (np.asarray(log_threshold, dtype=np.float64) - _HEAD_START)
    return _windows(needed, growth, learning=1.0)


def windows_for_rate(
    rate: npt.ArrayLike,
    bound: npt.ArrayLike,
    effective_events: npt.ArrayLike,
    log_threshold: npt.ArrayLike,
) -> Array:
    """Return the windows it takes to notice that a rate has left its tolerance.

    ``(ln c + ln H) / (n kl(rate || bound))``, at least 2, for H = 6 experts.

    Parameters
    ----------
    rate
        After the change, beyond the bound (on either side).
    bound
        Of `rate_bounds`, strictly between 0 and 1.
    effective_events, log_threshold
        As in `windows_for_distribution`.

    Examples
    --------
    >>> windows_for_rate([0.03, 0.04, 0.08], 0.025, 1000, 14.36).round(1)
    array([33.5,  4.1,  2. ])
    """
    growth = np.asarray(effective_events, dtype=np.float64) * _divergence(rate, bound)
    needed = np.asarray(log_threshold, dtype=np.float64) + np.log(_EXPERTS)
    return _windows(needed, growth, learning=0.0)


def windows_for_gap(
    rates: tuple[npt.ArrayLike, npt.ArrayLike],
    effective_events: tuple[npt.ArrayLike, npt.ArrayLike],
    limit: GapLimit,
    log_threshold: npt.ArrayLike,
) -> Array:
    """Return the windows it takes to notice a gap beyond the limit.

    ``(ln c + ln H) / sum n_g KL(rate_g || p°_g)``, at least 2, p° the closest tolerated rates
    and H = 6 experts.

    Parameters
    ----------
    rates
        Of the two groups after the change, strictly between 0 and 1.
    effective_events
        Of each group in a window.
    limit
        What is tolerated.
    log_threshold
        ln c.
    """
    q1, q2 = (np.asarray(rate, dtype=np.float64) for rate in rates)
    n1, n2 = (np.asarray(size, dtype=np.float64) for size in effective_events)
    p1, p2 = project(q1, q2, n1, n2, limit)
    growth = n1 * _divergence(q1, p1) + n2 * _divergence(q2, p2)
    needed = np.asarray(log_threshold, dtype=np.float64) + np.log(_EXPERTS)
    return _windows(needed, growth, learning=0.0)


def _divergence(first: npt.ArrayLike, second: npt.ArrayLike) -> Array:
    p, q = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    divergence: Array = special.rel_entr(p, q) + special.rel_entr(1 - p, 1 - q)
    return np.maximum(divergence, 0.0)


def _windows(needed: Array, growth: Array, *, learning: float) -> Array:
    moves = growth > 0
    windows = learning + np.maximum(needed, 0.0) / np.where(moves, growth, 1.0)
    return np.where(moves, np.maximum(windows, _LEAST_WINDOWS), np.inf)
