"""Testing by betting on pairs whether two groups' means are equal, or within a tolerance.

A bettor starts with 1 and stakes a share of the wealth on each payoff, which is fair or worse
under the null hypothesis. The wealth is then a non-negative supermartingale: it reaches
1 / alpha with probability at most alpha, at whatever moment one looks. The stakes follow the
online Newton step and use earlier payoffs only, so means may drift together. For counts of
rates in windows `group_gaps` finds more; this is for scores, errors and weighted samples in
[0, 1].
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from detectors.evidence.array_state import ArrayState
from detectors.evidence.beta_binomial import Array

__all__ = [
    "NewtonBets",
    "log_discordant_evidence",
    "merged_sides",
    "simple_payoff",
    "tolerance_payoffs",
    "tolerance_stake",
    "weighted_payoff",
]

_STEP = 2 / (2 - np.log(3))
_MOST_STAKE = 0.5


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class NewtonBets(ArrayState):
    """A bettor on each of S series (or of S x 2 sides).

    Parameters
    ----------
    stake
        Of the next bet: the share of the wealth, signed.
    curvature
        1 plus the sum of squared gradients.
    log_wealth
        Log of the wealth: the log e-process, in nats.
    """

    stake: Array
    curvature: Array
    log_wealth: Array

    @classmethod
    def start(cls, *shape: int) -> "NewtonBets":
        """Return the state before the first payoff: wealth 1, no stake."""
        return cls(stake=np.zeros(shape), curvature=np.ones(shape), log_wealth=np.zeros(shape))

    def after(
        self, payoff: npt.ArrayLike, *, least: float = -_MOST_STAKE, most: float = _MOST_STAKE
    ) -> "NewtonBets":
        """Return the state after one more payoff.

        ``K <- K (1 + s g)``; ``z = g / (1 + s g)``, ``a <- a + z^2``, ``s <- s + 2 / (2 - ln 3)
        z / a``, kept between `least` and `most`.

        Parameters
        ----------
        payoff
            g in [-1, 1] (or above ``-1 / most`` for one-sided stakes), with mean 0 under the
            null given the past, or at most 0 if stakes are never negative.
        least, most
            Limits of the stake.

        References
        ----------
        .. [1] A. Cutkosky and F. Orabona, Conference on Learning Theory (2018).
        .. [2] B. Chugg, S. Cortes-Gomez, B. Wilder and A. Ramdas, Auditing Fairness by
           Betting, NeurIPS (2023), arXiv:2305.17570.
        """
        g = np.asarray(payoff, dtype=np.float64)
        factor = 1 + self.stake * g
        gradient = g / factor
        curvature = self.curvature + gradient**2
        return NewtonBets(
            stake=np.clip(self.stake + _STEP * gradient / curvature, least, most),
            curvature=curvature,
            log_wealth=self.log_wealth + np.log(factor),
        )


def simple_payoff(first: npt.ArrayLike, second: npt.ArrayLike) -> Array:
    """Return y1 - y2 of pairs of outcomes in [0, 1]: fair if the means are equal."""
    return np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64)


def tolerance_payoffs(first: npt.ArrayLike, second: npt.ArrayLike, tolerance: float) -> Array:
    """Return y1 - y2 - tau and y2 - y1 - tau, of shape (..., 2).

    Neither is favourable if the means differ by at most tau. To be bet on with stakes
    between 0 and `tolerance_stake`, and merged by `merged_sides`.
    """
    difference = simple_payoff(first, second)
    return np.stack([difference - tolerance, -difference - tolerance], axis=-1)


def tolerance_stake(tolerance: float) -> float:
    """Return the largest stake on `tolerance_payoffs`: half of what could lose all.

    Examples
    --------
    >>> tolerance_stake(0.25)
    0.4
    """
    return 1 / (2 * (1 + tolerance))


def merged_sides(bets: NewtonBets) -> Array:
    """Return the log e-process against both sides' null: the log of the mean wealth."""
    merged: Array = np.logaddexp.reduce(bets.log_wealth, axis=-1) - np.log(
        bets.log_wealth.shape[-1]
    )
    return merged


def weighted_payoff(
    first: tuple[npt.ArrayLike, npt.ArrayLike],
    second: tuple[npt.ArrayLike, npt.ArrayLike],
    most_weight: npt.ArrayLike,
    tolerance: float = 0.0,
) -> Array:
    """Return a payoff on outcomes that were sampled with known, changing probabilities.

    ``(w1 y1 - w2 y2 - tau) / W``: its mean is the difference of the target means less tau,
    over W. Stakes as for `simple_payoff`, or never negative with a tolerance.

    Parameters
    ----------
    first, second
        Outcomes in [0, 1] and their weights: target density over sampling density, known
        before the outcome (1 / probability of being sampled, for random review).
    most_weight
        W, at least 1, that no weight of this step can exceed; fixed before the step.
    tolerance
        tau >= 0.

    Raises
    ------
    ValueError
        If a weight exceeds `most_weight`.

    Examples
    --------
    >>> float(weighted_payoff((1.0, 4.0), (1.0, 2.0), 4.0))
    0.5
    """
    (y1, w1), (y2, w2) = (
        tuple(np.asarray(one, dtype=np.float64) for one in side) for side in (first, second)
    )
    most = np.asarray(most_weight, dtype=np.float64)
    if (np.maximum(w1, w2) > most).any():
        message = f"no weight may exceed {most_weight!r}, got {np.maximum(w1, w2).max()!r}"
        raise ValueError(message)
    payoff: Array = (w1 * y1 - w2 * y2 - tolerance) / most
    return payoff


def log_discordant_evidence(first: npt.ArrayLike, second: npt.ArrayLike) -> Array:
    """Return the log e-process against "changes of counterfactual pairs go either way alike".

    Of the pairs whose two outcomes differ, b went one way and c the other. Under the null
    each way is equally likely; ``2^(b + c) B(b + 1/2, c + 1/2) / B(1/2, 1/2)`` is the mixture
    likelihood ratio, a martingale as pairs arrive (McNemar's test, at any time).

    Parameters
    ----------
    first, second
        b and c, cumulative counts.

    References
    ----------
    .. [1] H. Robbins, Annals of Mathematical Statistics 41 (1970), 1397-1409 (mixtures).

    Examples
    --------
    >>> round(float(np.exp(log_discordant_evidence(12, 1))), 1)
    50.8
    """
    b, c = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    mixed = special.betaln(b + 0.5, c + 0.5) - special.betaln(0.5, 0.5)
    evidence: Array = (b + c) * np.log(2.0) + mixed
    return evidence
