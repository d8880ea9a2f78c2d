"""E-values for a distribution that has moved further than tolerated, by sets of bins.

The total variation between p and the baseline p0 is at most delta only if
``p(A) <= p0(A) + delta`` for EVERY set A of bins. So one set, chosen before the window is
seen, tests it: the witness. Experts choose witnesses among the bins that were over-represented
in earlier windows, so a change must repeat to count; each expert has its own memory.

`Learned` is all that earlier windows leave behind. `place_bets` reads it and the baseline,
never the window: choosing with the window's own counts would make the evidence invalid.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from detectors.evidence.array_state import ArrayState
from detectors.evidence.beta_binomial import Array, effective_share, log_likelihood_ratio

__all__ = [
    "MEMORY_WINDOWS",
    "Bets",
    "Learned",
    "clipped_likelihood_ratio",
    "learn",
    "log_evidence",
    "place_bets",
    "smoothed_shares",
]

MEMORY_WINDOWS = (0.0, 4.0, 16.0)
"""Memory of each expert in windows of usual size; 0 remembers the last window only."""

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Learned(ArrayState):
    """What earlier windows have shown, discounted, in effective events.

    Parameters
    ----------
    observed
        Events by bin, of shape (S, H, B).
    expected
        Events that the baseline would have shown in the same windows, of shape (S, H, B).
    """

    observed: Array
    expected: Array

    @classmethod
    def nothing(
        cls, n_series: int, n_bins: int, n_experts: int = len(MEMORY_WINDOWS)
    ) -> "Learned":
        """Return the state before the first window."""
        shape = (n_series, n_experts, n_bins)
        return cls(observed=np.zeros(shape), expected=np.zeros(shape))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Bets:
    """What the experts say before a window is seen.

    Parameters
    ----------
    witness
        Whether a bin is in the set A, bool of shape (S, H, B); empty where no bet is placed.
    share
        The share that the expert expects in A, of shape (S, H).
    baseline
        The baseline's share of A, of shape (S, H).
    bound
        The largest share of A within tolerance, of shape (S, H).
    """

    witness: npt.NDArray[np.bool_]
    share: Array
    baseline: Array
    bound: Array

    @property
    def placed(self) -> npt.NDArray[np.bool_]:
        """Return which experts bet, of shape (S, H)."""
        return np.asarray(self.witness.any(axis=-1))


def smoothed_shares(counts: Counts, bins: npt.NDArray[np.bool_] | None = None) -> Array:
    """Return (m + 1/2) / (M + B/2) along the last axis: no bin has share 0.

    Parameters
    ----------
    counts
        Of the baseline, of shape (..., B).
    bins
        Which bins exist, of the same shape; the others get share 0. None: all.

    References
    ----------
    .. [1] H. Jeffreys, Theory of Probability, 3rd ed., OUP, 1961, sec. 3.1.

    Examples
    --------
    >>> smoothed_shares(np.array([3, 0, 6]))
    array([0.333, 0.048, 0.619])
    """
    exists = np.ones(counts.shape, dtype=np.bool_) if bins is None else bins
    halves = 2 * counts.astype(np.int64) + exists
    shares: Array = np.where(exists, halves, 0) / np.where(exists, halves, 0).sum(
        -1, keepdims=True
    )
    return shares


def place_bets(learned: Learned, baseline: Array, tolerance: npt.ArrayLike) -> Bets:
    """Return the witness of every expert for the next window.

    An expert's guess is the baseline, tilted by what it has seen:
    ``q = p0 (T + k p0) / (E + k p0)``, normalised, k = B / 2. Among the sets of the bins with
    the largest q / p0 it takes the one that maximises kl(q(A) || p0(A) + delta), the growth
    rate of the evidence if q is right; it does not bet if q(A) exceeds the bound for none.

    Parameters
    ----------
    learned
        From windows before the next one.
    baseline
        Shares p0 in the next window, of shape (S, B): of its hour of day, for example. Bins
        that a series does not have are 0.
    tolerance
        delta of each series, of shape (S,) or a scalar, above 0.
    """
    p0 = baseline[:, None, :]
    prior = p0 * ((baseline > 0).sum(axis=-1) / 2)[:, None, None]
    some = np.maximum(learned.expected + prior, np.finfo(np.float64).tiny)
    tilt = np.where(p0 > 0, (learned.observed + prior) / some, 0.0)
    base = np.broadcast_to(p0, tilt.shape)
    # Ties are broken by the share, so that the order of the bins changes no bit of any sum.
    order = np.lexsort((base, -tilt), axis=-1)
    sorted_base = np.take_along_axis(base, order, axis=-1)
    share = np.cumsum(sorted_base * np.take_along_axis(tilt, order, axis=-1), axis=-1)
    share = share / share[..., -1:]
    below = np.cumsum(sorted_base, axis=-1)
    bound = below + np.asarray(tolerance, dtype=np.float64).reshape(-1, 1, 1)
    growth = np.where((share > bound) & (bound < 1), _binary_divergence(share, bound), 0.0)
    best = growth.argmax(axis=-1)[..., None]
    bets = np.take_along_axis(growth, best, axis=-1) > 0
    witness = np.empty(order.shape, dtype=np.bool_)
    np.put_along_axis(witness, order, (np.arange(order.shape[-1]) <= best) & bets, axis=-1)
    taken = (np.take_along_axis(one, best, axis=-1)[..., 0] for one in (share, below, bound))
    expected, usual, limit = (np.where(bets[..., 0], one, 0.5) for one in taken)
    return Bets(witness=witness, share=np.minimum(expected, _MOST), baseline=usual, bound=limit)


_MOST = 1 - 1e-9


def log_evidence(bets: Bets, counts: Counts, correlation: npt.ArrayLike) -> Array:
    """Return the log e-values against "within the tolerance of the baseline", in nats.

    The beta-binomial likelihood ratio of the events in A, between the expert's share and the
    bound p0(A) + delta. Valid if the bets were placed before the window was seen, the
    window's distribution is within total variation delta of the baseline, and the window's
    correlation is at most `correlation`.

    Parameters
    ----------
    bets
        Placed before the window.
    counts
        The closed window's events by bin, of shape (S, B).
    correlation
        Within the window, of shape (S,) or a scalar.

    Returns
    -------
    ndarray
        Of shape (S, H); 0 for experts that do not bet.
    """
    inside = np.where(bets.witness, counts[:, None, :], 0).sum(axis=-1)
    total = counts.sum(axis=-1)[:, None]
    rho = np.asarray(correlation, dtype=np.float64).reshape(-1, 1)
    return log_likelihood_ratio(inside, total, bets.share, bets.bound, rho)


def learn(
    learned: Learned,
    counts: Counts,
    baseline: Array,
    correlation: npt.ArrayLike,
    window_events: npt.ArrayLike,
    memory_windows: tuple[float, ...] = MEMORY_WINDOWS,
) -> Learned:
    """Return what the experts know after a window: to be called once it has been scored.

    ``T <- T exp(-n f / memory) + counts f``, and E likewise with n f p0; f is the share of
    events that counts as independent. A window without events changes nothing.

    Parameters
    ----------
    learned, counts, baseline, correlation
        As in `place_bets` and `log_evidence`.
    window_events
        Usual effective events of a window, n f, of shape (S,) or a scalar: what one window of
        memory means.
    memory_windows
        Of each expert.
    """
    total = counts.sum(axis=-1)
    effective = total * effective_share(total, np.asarray(correlation).reshape(-1))
    memory = np.multiply.outer(
        np.broadcast_to(np.asarray(window_events, dtype=np.float64), total.shape), memory_windows
    )
    spans = np.where(memory > 0, effective[:, None] / np.where(memory > 0, memory, 1.0), np.inf)
    keep = np.where(total[:, None] > 0, np.exp(-spans), 1.0)[..., None]
    share = np.where(total > 0, effective / np.maximum(total, 1), 0.0)[:, None]
    return Learned(
        observed=learned.observed * keep + (counts * share)[:, None, :],
        expected=learned.expected * keep + (effective[:, None] * baseline)[:, None, :],
    )


def clipped_likelihood_ratio(alternative: Array, baseline: Array, tolerance: float) -> Array:
    """Return the most powerful e-value of one event against a ball of total variation.

    The likelihood ratio of `alternative` to `baseline`, clipped to a range such that its mean
    is at most 1 under every distribution within total variation `tolerance` of the baseline;
    1 everywhere if the alternative is itself in the ball.

    Parameters
    ----------
    alternative, baseline
        Shares of shape (B,), positive.
    tolerance
        Of total variation, between 0 and 1.

    References
    ----------
    .. [1] P. J. Huber, Annals of Mathematical Statistics 36 (1965), 1753-1758.
    .. [2] A. Saha and A. Ramdas, arXiv:2408.14015 (2024).

    Examples
    --------
    >>> clipped_likelihood_ratio(np.array([0.9, 0.1]), np.array([0.5, 0.5]), 0.1)
    array([1.5 , 0.25])
    """
    ratio = alternative / baseline
    order = np.argsort(-ratio, kind="stable")
    share, below = np.cumsum(alternative[order]), np.cumsum(baseline[order])
    high = max(1.0, float((share / (below + tolerance)).max()))
    rest, above = 1 - share[:-1], 1 - below[:-1]
    enough = above > tolerance
    low = min(1.0, float((rest[enough] / (above[enough] - tolerance)).min(initial=1.0)))
    return np.clip(ratio, low, high)


def _binary_divergence(first: Array, second: Array) -> Array:
    inside = np.minimum(second, 1.0)
    divergence: Array = special.rel_entr(first, inside) + special.rel_entr(
        np.maximum(1 - first, 0.0), np.maximum(1 - inside, 0.0)
    )
    return divergence
