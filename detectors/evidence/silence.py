"""Silence: how long a rate may show nothing before nothing is evidence.

Under "the rate is still at least p_L" a stretch of n outputs shows no event with probability
at most (1 - p_L)^n. So zero events in n outputs carry the e-value 1 / (1 - p_L)^n, and a
single event the e-value 0: no other e-value against that null grows faster in silence.
"""

import numpy as np
import numpy.typing as npt

from detectors.evidence.beta_binomial import Array, log_probability_of_none

__all__ = ["log_evidence_of_silence", "outputs_needed", "probability_of_silence"]


def log_evidence_of_silence(
    count: npt.ArrayLike,
    total: npt.ArrayLike,
    least_rate: npt.ArrayLike,
    correlation: npt.ArrayLike = 0.0,
) -> Array:
    """Return the log e-values against "the rate is at least `least_rate`", in nats.

    Minus the log probability of no event at `least_rate`; minus infinity (the e-value 0) if
    there was an event. The e-value is valid for every rate from `least_rate` up and every
    correlation up to `correlation`: both make silence less likely.

    Parameters
    ----------
    count, total
        Events and outputs of the window, of shape (S,).
    least_rate
        p_L, a lower bound of the baseline's rate (`rate_bounds(...).low`), below 1; where it
        is 0 silence says nothing and the result is 0, event or not.
    correlation
        Of two outputs of one window.

    Examples
    --------
    >>> log_evidence_of_silence([0, 1, 0], [2303, 2303, 0], 0.004).round(2)
    array([9.23, -inf, 0. ])
    """
    p = np.asarray(least_rate, dtype=np.float64)
    silent = 0.0 - log_probability_of_none(total, p, correlation)
    heard = (np.asarray(count) > 0) & (p > 0)
    return np.where(heard, -np.inf, silent)


def probability_of_silence(
    total: npt.ArrayLike, least_rate: npt.ArrayLike, correlation: npt.ArrayLike = 0.0
) -> Array:
    """Return the probability of no event in one window of `total` outputs, at most.

    This is an exact p-value of the silent window against "the rate is at least `least_rate`".

    Examples
    --------
    >>> round(float(probability_of_silence(1000, 0.004)), 4)
    0.0182
    """
    return np.exp(log_probability_of_none(total, least_rate, correlation))


def outputs_needed(
    least_rate: npt.ArrayLike, chance: float, *, bound: bool = False
) -> npt.NDArray[np.int64]:
    """Return how many independent outputs without an event it takes to notice a dead source.

    The smallest n with ``(1 - p_L)^n <= chance``; with `bound`, the rule of thumb
    ``ln(1 / chance) / p_L``, which is never smaller.

    Parameters
    ----------
    least_rate
        p_L strictly between 0 and 1, of any shape.
    chance
        Of calling a living source dead, between 0 and 1.
    bound
        Whether to return the rule of thumb.

    Raises
    ------
    ValueError
        If a rate or the chance is not strictly between 0 and 1.

    References
    ----------
    .. [1] J. A. Hanley and A. Lippman-Hand, JAMA 249 (1983), 1743-1745 (the rule of three).

    Examples
    --------
    >>> outputs_needed([0.05, 0.01, 0.001], 1e-4), outputs_needed(0.05, 1e-4, bound=True)
    (array([ 180,  917, 9206]), array(185))
    """
    p = np.asarray(least_rate, dtype=np.float64)
    if not (((p > 0) & (p < 1)).all() and 0 < chance < 1):
        message = (
            f"rates and chance must be strictly between 0 and 1, got {least_rate!r} and {chance!r}"
        )
        raise ValueError(message)
    rate = p if bound else -np.log1p(-p)
    return np.asarray(np.ceil(-np.log(chance) / rate), dtype=np.int64)
