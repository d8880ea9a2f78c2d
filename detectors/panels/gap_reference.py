"""What the baseline says of a gap: which groups it knows, and how much windows vary."""

import numpy as np
import numpy.typing as npt

from detectors.evidence.calibration import gap_correlation
from detectors.evidence.group_gaps import GapTolerance
from detectors.evidence.questions import GapQuestion
from detectors.panels.model import History

__all__ = ["only_pair", "worst_correlation"]


def only_pair(question: GapQuestion) -> tuple[int, int] | None:
    """Return the two groups that the baseline knows, if it knows just two and one stratum."""
    if question.reference_totals.shape[0] != 1:
        return None
    if question.tolerated.kind is GapTolerance.EQUALITY:
        return None
    known = np.flatnonzero(question.reference_totals[0] > 0)
    return (int(known[0]), int(known[1])) if len(known) == 2 else None


def worst_correlation(history: History) -> float:
    """Return the correlation of the group whose gap to the rest varies most."""
    asked = [
        question
        for question in history.questions
        if isinstance(question, GapQuestion) and question.totals.sum() > 0
    ]
    if len(asked) < 2:
        return 0.0
    hits = np.stack([question.hits for question in asked]).reshape(len(asked), -1)
    totals = np.stack([question.totals for question in asked]).reshape(len(asked), -1)
    all_hits, all_totals = hits.sum(axis=1), totals.sum(axis=1)
    worst = 0.0
    for group in range(hits.shape[1]):
        x1, n1 = hits[:, group], totals[:, group]
        x2, n2 = all_hits - x1, all_totals - n1
        if n1.sum() == 0 or n2.sum() == 0:
            continue
        rates = (_rate(x1, n1), _rate(x2, n2))
        worst = max(worst, float(gap_correlation((x1, x2), (n1, n2), rates)))
    return worst


def _rate(hits: npt.NDArray[np.int64], totals: npt.NDArray[np.int64]) -> float:
    return float((hits.sum() + 0.5) / (totals.sum() + 1))
