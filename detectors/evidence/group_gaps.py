"""E-values for gaps among any number of groups: equal rates, difference, ratio.

For guesses th_k of the groups' rates, fixed before the window, and a convex set of tolerated
rates, let u be the tolerated rates closest in ``sum n_k KL(th_k || u_k)``. The likelihood
ratio of th to u has mean at most 1 under all tolerated rates: the log of its mean is concave
in the rates, 0 at u, and its gradient at u is minus that of the divergence, which points out
of the set. So one number covers all pairs of groups, with groups of any size, while the
common rate drifts; evidence of separate strata may be multiplied.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from detectors.evidence.array_state import ArrayState
from detectors.evidence.beta_binomial import Array, effective_share
from detectors.evidence.two_group_gaps import CORRELATION_FACTOR

__all__ = [
    "MEMORY_FACTORS",
    "GapTolerance",
    "LearnedRates",
    "ToleratedGap",
    "closest_tolerated",
    "guesses",
    "learn_rates",
    "log_group_evidence",
]

MEMORY_FACTORS = (0.8, 0.95)
"""What is left of a window in each expert's guesses after the next window."""

_GUESS_LIMITS = (1e-4, 1 - 1e-4)
_HALVINGS = 50


class GapTolerance(StrEnum):
    """What is tolerated of the rates of K groups."""

    EQUALITY = "equality"
    DIFFERENCE = "difference"
    RATIO = "ratio"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToleratedGap:
    """The convex set of tolerated rates.

    Parameters
    ----------
    kind
        Equal rates; highest minus lowest at most `limit`; lowest over highest at least
        `limit`.
    limit
        Strictly between 0 and 1; not read for equality.
    """

    kind: GapTolerance
    limit: float = 0.0

    def __post_init__(self) -> None:
        if self.kind is not GapTolerance.EQUALITY and not 0 < self.limit < 1:
            message = f"limit must be strictly between 0 and 1, got {self.limit!r}"
            raise ValueError(message)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class LearnedRates(ArrayState):
    """Discounted events and outputs of every group, of shape (S, H, K).

    With strata, here and below: of shape (S, H, n_strata, K).
    """

    events: Array
    outputs: Array

    @classmethod
    def nothing(
        cls, n_series: int, *groups: int, n_experts: int = len(MEMORY_FACTORS)
    ) -> "LearnedRates":
        """Return the state before the first window; `groups` is K, or n_strata and K."""
        shape = (n_series, n_experts, *groups)
        return cls(events=np.zeros(shape), outputs=np.zeros(shape))


def guesses(learned: LearnedRates, prior_rate: npt.ArrayLike = 0.5) -> Array:
    """Return every expert's guess of the groups' rates in the next window.

    ``(events + pooled) / (outputs + 1)``: one output's worth of the pooled rate of earlier
    windows, kept within 0.0001 and 0.9999.

    Parameters
    ----------
    learned
        From earlier windows only.
    prior_rate
        The pooled rate before anything was seen, of shape (S,) or a scalar: the baseline's.

    Returns
    -------
    ndarray
        Of shape (S, H, K).
    """
    outputs = learned.outputs.sum(axis=-1, keepdims=True)
    seen = learned.events.sum(axis=-1, keepdims=True) / np.where(outputs > 0, outputs, 1.0)
    prior = np.asarray(prior_rate, dtype=np.float64).reshape(-1, *[1] * (outputs.ndim - 1))
    pooled = np.where(outputs > 0, seen, prior)
    return np.clip((learned.events + pooled) / (learned.outputs + 1), *_GUESS_LIMITS)


def learn_rates(
    learned: LearnedRates,
    counts: npt.ArrayLike,
    totals: npt.ArrayLike,
    memory_factors: tuple[float, ...] = MEMORY_FACTORS,
) -> LearnedRates:
    """Return what the experts know after a window: to be called once it has been scored.

    A group without outputs in the window is not forgotten.

    Parameters
    ----------
    learned
        Before the window.
    counts, totals
        Events and outputs of the groups, of shape (S, K) or (S, n_strata, K).
    memory_factors
        Of each expert, between 0 and 1.
    """
    x = np.asarray(counts, dtype=np.float64)[:, None]
    n = np.asarray(totals, dtype=np.float64)[:, None]
    factors = np.asarray(memory_factors).reshape(-1, *[1] * (n.ndim - 2))
    keep = np.where(n > 0, factors, 1.0)
    return LearnedRates(events=learned.events * keep + x, outputs=learned.outputs * keep + n)


def closest_tolerated(rates: Array, weights: Array, tolerated: ToleratedGap) -> Array:
    """Return the tolerated rates with the least ``sum n_k KL(rates_k || u_k)``.

    Equality: the weighted mean. Difference: ``clip(rates, l, l + tau)``; ratio:
    ``clip(rates, r m, m)``; l and m by bisection of the derivative, which is monotone. Rates
    that are tolerated are returned as they are.

    Parameters
    ----------
    rates
        Strictly between 0 and 1, of shape (..., K).
    weights
        n_k >= 0, that broadcast with the rates; groups of weight 0 do not count.
    tolerated
        The convex set.

    Examples
    --------
    >>> four_fifths = ToleratedGap(kind=GapTolerance.RATIO, limit=0.8)
    >>> closest_tolerated(np.array([0.5, 0.2]), np.array([100.0, 100.0]), four_fifths).round(3)
    array([0.396, 0.317])
    """
    n = np.broadcast_to(weights, np.broadcast_shapes(rates.shape, weights.shape))
    if tolerated.kind is GapTolerance.EQUALITY:
        total = np.maximum(n.sum(axis=-1, keepdims=True), np.finfo(np.float64).tiny)
        return np.broadcast_to((n * rates).sum(axis=-1, keepdims=True) / total, n.shape)
    present = n > 0
    highest = np.where(present, rates, 0.0).max(axis=-1, keepdims=True)
    lowest = np.where(present, rates, 1.0).min(axis=-1, keepdims=True)
    if tolerated.kind is GapTolerance.DIFFERENCE:
        inside = highest - lowest <= tolerated.limit
        low, high = _difference_band(rates, n, lowest, highest, tolerated.limit)
    else:
        inside = lowest >= tolerated.limit * highest
        low, high = _ratio_band(rates, n, lowest, highest, tolerated.limit)
    return np.where(inside, rates, np.clip(rates, low, high))


def log_group_evidence(
    counts: npt.ArrayLike,
    totals: npt.ArrayLike,
    guess: Array,
    tolerated: ToleratedGap,
    correlation: npt.ArrayLike = 0.0,
) -> Array:
    """Return the log e-values against "the gaps are tolerated", in nats.

    ``sum_k f_k [x_k ln(th_k / u_k) + (n_k - x_k) ln((1 - th_k) / (1 - u_k))]``. Exact at
    correlation 0, if the guesses were fixed before the window and the groups' sizes do not
    depend on its outcomes. Above 0 it is tempered by the effective shares at
    `CORRELATION_FACTOR` times the correlation: an approximation, to be capped per window.

    Parameters
    ----------
    counts, totals
        Events and outputs of the groups, of shape (S, K) or (S, n_strata, K); evidence of
        strata (which must not share outputs) is multiplied.
    guess
        Of shape (S, H, K) or (S, H, n_strata, K).
    tolerated
        The null hypothesis.
    correlation
        Of two outputs of one window and group, of shape (S,) or a scalar.

    Returns
    -------
    ndarray
        Of shape (S, H).

    References
    ----------
    .. [1] R. J. Turner, A. Ly and P. Grünwald, Journal of Statistical Planning and Inference
       230 (2024), 106116.
    .. [2] R. J. Turner and P. Grünwald, arXiv:2302.11401 (2023) (strata).
    """
    x = np.asarray(counts, dtype=np.float64)[:, None]
    n = np.asarray(totals, dtype=np.float64)[:, None]
    rho = np.asarray(correlation, dtype=np.float64) * CORRELATION_FACTOR
    share = effective_share(n, rho.reshape(-1, *[1] * (n.ndim - 1)))
    u = closest_tolerated(guess, n * share, tolerated)
    terms = x * np.log(guess / u) + (n - x) * (np.log1p(-guess) - np.log1p(-u))
    weighted = np.where(n > 0, share * terms, 0.0)
    evidence: Array = weighted.sum(axis=tuple(range(2, weighted.ndim)))
    return evidence


def _difference_band(
    rates: Array, weights: Array, lowest: Array, highest: Array, width: float
) -> tuple[Array, Array]:
    low, high = lowest, np.maximum(highest - width, lowest)
    for _ in range(_HALVINGS):
        bottom = (low + high) / 2
        top = bottom + width
        pull = _pull(rates, weights, bottom, above=False) + _pull(rates, weights, top, above=True)
        low, high = np.where(pull > 0, low, bottom), np.where(pull > 0, bottom, high)
    bottom = (low + high) / 2
    return bottom, bottom + width


def _ratio_band(
    rates: Array, weights: Array, lowest: Array, highest: Array, ratio: float
) -> tuple[Array, Array]:
    low, high = lowest, highest
    for _ in range(_HALVINGS):
        top = (low + high) / 2
        bottom = ratio * top
        pull = _pull(rates, weights, top, above=True) + ratio * _pull(
            rates, weights, bottom, above=False
        )
        low, high = np.where(pull > 0, low, top), np.where(pull > 0, top, high)
    top = (low + high) / 2
    return ratio * top, top


def _pull(rates: Array, weights: Array, edge: Array, *, above: bool) -> Array:
    """Return the derivative, by the edge, of the divergence of the rates that are clipped."""
    outside = rates > edge if above else rates < edge
    variance = np.maximum(edge * (1 - edge), np.finfo(np.float64).tiny)
    pull: Array = (
        np.where(outside, weights * (edge - rates), 0.0).sum(axis=-1, keepdims=True) / variance
    )
    return pull
