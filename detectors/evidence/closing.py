"""When an incident is over: evidence that the departure has come back within tolerance.

The roles are reversed. The null hypothesis is that the share is STILL at or beyond the bound
of the set that raised the alarm; alternatives lie between the bound and the baseline. So
silence never closes an incident: it takes outputs that look normal.
"""

import numpy as np
import numpy.typing as npt

from detectors.evidence.beta_binomial import Array, log_likelihood_ratio
from detectors.evidence.shiryaev_roberts import EvidenceRule, EvidenceState

__all__ = ["CLOSING_RULE", "CLOSING_THRESHOLD", "log_evidence_of_return", "start_closing"]

CLOSING_THRESHOLD = 1000.0
"""c: a departure that lasts is closed less than once in this many windows, in mean."""

CLOSING_RULE = EvidenceRule(min_windows=3, least_age=6)
"""No single window gives more than a third of the evidence; six windows at least."""

_REMAINING = (0.6, 0.3, 0.0)
_RATE_LIMITS = (1e-9, 1 - 1e-9)


def start_closing(n_series: int) -> EvidenceState:
    """Return the evidence of return when an incident opens: none, against threshold 1000."""
    log_threshold = np.full(n_series, np.log(CLOSING_THRESHOLD))
    return EvidenceState.start(log_threshold, len(_REMAINING))


def log_evidence_of_return(
    count: npt.ArrayLike,
    total: npt.ArrayLike,
    baseline: npt.ArrayLike,
    bound: npt.ArrayLike,
    correlation: npt.ArrayLike,
) -> Array:
    """Return the log e-values against "still at or beyond the bound", in nats.

    Beta-binomial likelihood ratios of the shares ``baseline + {0.6, 0.3, 0} (bound -
    baseline)`` to the bound. With the bound above the baseline the null is "at least the
    bound", with the bound below it "at most the bound".

    Parameters
    ----------
    count, total
        Events in the set A* of the incident, and all events, of shape (S,).
    baseline, bound
        Shares of A* in the baseline and at the tolerance, fixed when the incident opened (or
        known before the window), of shape (S,); they must differ.
    correlation
        Within the window.

    Returns
    -------
    ndarray
        Of shape (S, 3).

    Examples
    --------
    >>> log_evidence_of_return([100], [1000], [0.1], [0.15], 0.0).round(2)
    array([[ 6.62,  9.75, 10.9 ]])
    """
    p, h = (np.asarray(one, dtype=np.float64)[..., None] for one in (baseline, bound))
    rho = np.asarray(correlation, dtype=np.float64)[..., None]
    x, n = (np.asarray(one, dtype=np.float64)[..., None] for one in (count, total))
    alternative = np.clip(p + np.array(_REMAINING) * (h - p), *_RATE_LIMITS)
    return log_likelihood_ratio(x, n, alternative, np.clip(h, *_RATE_LIMITS), rho)
