"""What the baseline says of a gap: which groups it knows, how much windows vary, what stands."""

import numpy as np
import numpy.typing as npt
from scipy import special

from detectors.evidence.beta_binomial import effective_share
from detectors.evidence.calibration import gap_correlation
from detectors.evidence.correlation_bound import gap_correlation_bound
from detectors.evidence.group_gaps import GapTolerance, closest_tolerated
from detectors.evidence.questions import GapQuestion
from detectors.panels.model import History

__all__ = ["only_pair", "stands_beyond", "worst_correlation"]

_CONFIDENCE = 0.99


def only_pair(question: GapQuestion) -> tuple[int, int] | None:
    """Return the two groups that the baseline knows, if it knows just two and one stratum."""
    if question.reference_totals.shape[0] != 1:
        return None
    if question.tolerated.kind is GapTolerance.EQUALITY:
        return None
    known = np.flatnonzero(question.reference_totals[0] > 0)
    return (int(known[0]), int(known[1])) if len(known) == 2 else None


def worst_correlation(history: History) -> float:
    """Return the correlation of the group whose gap to the rest varies most.

    With few windows at least the upper bound of what all groups have in common.
    """
    hits, totals = _asked(history)
    if len(hits) < 2:
        return 0.0
    all_hits, all_totals = hits.sum(axis=1), totals.sum(axis=1)
    worst = gap_correlation_bound(hits, totals)
    for group in range(hits.shape[1]):
        x1, n1 = hits[:, group], totals[:, group]
        x2, n2 = all_hits - x1, all_totals - n1
        if n1.sum() == 0 or n2.sum() == 0:
            continue
        rates = (_rate(x1, n1), _rate(x2, n2))
        worst = max(worst, float(gap_correlation((x1, x2), (n1, n2), rates)))
    return worst


def stands_beyond(reference: GapQuestion, history: History, correlation: float) -> bool:
    """Return whether the baseline's own gap is beyond tolerance with 99 % confidence.

    ``2 sum m KL(rate || u)`` exceeds the 99 % quantile of chi-square: u are the tolerated
    rates closest to the baseline's, m the effective outputs of each group, the degrees of
    freedom one less than groups in each stratum. So no tolerated rates lie in the likelihood
    region of the baseline's rates.

    Parameters
    ----------
    reference
        With the baseline's counts, and what is tolerated.
    history
        Its windows: how many outputs of a group one window holds.
    correlation
        Of two outputs of one window and group.

    References
    ----------
    .. [1] S. S. Wilks, Annals of Mathematical Statistics 9 (1938), 60-62.
    """
    totals = reference.reference_totals
    of_window = totals / max(len(_asked(history)[1]), 1)
    weights = totals * effective_share(of_window, correlation)
    rates = (reference.reference_hits + 0.5) / (totals + 1)
    nearest = closest_tolerated(rates, weights, reference.tolerated)
    divergence = special.rel_entr(rates, nearest) + special.rel_entr(1 - rates, 1 - nearest)
    freedom = int(np.maximum((totals > 0).sum(axis=-1) - 1, 0).sum())
    if freedom == 0:
        return False
    statistic = 2 * float((weights * divergence).sum())
    return statistic > 2 * float(special.gammaincinv(freedom / 2, _CONFIDENCE))


def _asked(history: History) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return hits and totals of the windows with outputs, of shape (K, strata x groups)."""
    asked = [
        question
        for question in history.questions
        if isinstance(question, GapQuestion) and question.totals.sum() > 0
    ]
    if not asked:
        nothing = np.zeros((0, 0), dtype=np.int64)
        return nothing, nothing
    hits = np.stack([question.hits for question in asked]).reshape(len(asked), -1)
    totals = np.stack([question.totals for question in asked]).reshape(len(asked), -1)
    return hits, totals


def _rate(hits: npt.NDArray[np.int64], totals: npt.NDArray[np.int64]) -> float:
    return float((hits.sum() + 0.5) / (totals.sum() + 1))
