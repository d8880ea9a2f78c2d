"""The test of one batch's rate against its tolerance, calibrated for usual sizes.

It asks what `detectors.evidence.fixed_sample.rate_p_value_above` asks, without the part that the
baseline's bounds cost there: the baseline's rate is fitted together with the batch's.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from detectors.evidence.questions import RateQuestion, Watched

__all__ = ["rate_p_value"]

_HALVINGS = 60


@dataclass(frozen=True, slots=True)
class _Edge:
    """The edge of a tolerance: the batch's rate is `ratio` times the baseline's plus a bit."""

    ratio: float
    difference: float

    def opposite(self) -> "_Edge":
        """Return the other edge of the same tolerance."""
        return _Edge(1 / self.ratio, -self.difference)


def rate_p_value(question: RateQuestion) -> float:
    """Return the p-value of "the rate is within tolerance of the baseline's".

    The score test at the edge of the tolerance: rates are fitted there, and the distance of the
    observed ones from it is divided by its standard deviation at these rates; or the signed root
    of the likelihood ratio, if that is smaller. Where both ways are watched, the chance to be as
    far from the other edge is added: without tolerance this is the two-sided test. With two
    tolerances a rate must be beyond both, so the larger p-value holds.

    Parameters
    ----------
    question
        What is watched, with totals of at least 1.

    References
    ----------
    .. [1] O. S. Miettinen and M. Nurminen, Statistics in Medicine 4 (1985), 213-226.
    .. [2] R. L. Berger, Technometrics 24 (1982), 295-300 (beyond both tolerances).

    Examples
    --------
    >>> question = RateQuestion(
    ...     hits=60, total=1000, reference_hits=200, reference_total=10_000, tolerance_ratio=2.0
    ... )
    >>> round(rate_p_value(question), 4)
    0.0033
    """
    rose = question.hits * question.reference_total >= question.reference_hits * question.total
    if question.watched is not Watched.BOTH and rose != (question.watched is Watched.UP):
        return 1.0
    edges = []
    if question.tolerance_difference is not None:
        edges.append(_Edge(1.0, question.tolerance_difference))
    if question.tolerance_ratio is not None:
        edges.append(_Edge(question.tolerance_ratio, 0.0))
    return max(_edge_p_value(question, edge if rose else edge.opposite()) for edge in edges)


def _edge_p_value(question: RateQuestion, edge: _Edge) -> float:
    sign = 1.0 if edge.difference > 0 or edge.ratio > 1 else -1.0
    distance = sign * _deviations(question, edge)
    if distance <= 0:
        return 1.0
    p_value = float(special.ndtr(-distance))
    if question.watched is Watched.BOTH:
        p_value += float(special.ndtr(-sign * _deviations(question, edge.opposite())))
    return min(p_value, 1.0)


def _deviations(question: RateQuestion, edge: _Edge) -> float:
    """Return by how many standard deviations the batch's rate is above the edge."""
    rate, normal = _fitted(question, edge)
    n, m = question.total, question.reference_total
    above = question.hits / n - edge.ratio * question.reference_hits / m - edge.difference
    variance = rate * (1 - rate) / n + edge.ratio**2 * normal * (1 - normal) / m
    score = abs(above) / variance**0.5 if variance > 0 else np.inf
    divergence = _divergence(question.hits, n, rate)
    divergence += _divergence(question.reference_hits, m, normal)
    root = max(2 * divergence, 0.0) ** 0.5
    return float(np.copysign(min(score, root), above))


def _fitted(question: RateQuestion, edge: _Edge) -> tuple[float, float]:
    """Return the rates of batch and baseline on the edge that are likeliest."""
    low = max(0.0, -edge.difference / edge.ratio)
    high = min(1.0, (1 - edge.difference) / edge.ratio)
    for _ in range(_HALVINGS):
        normal = (low + high) / 2
        rate = edge.ratio * normal + edge.difference
        slope = _slope(question.reference_hits, question.reference_total, normal)
        slope += edge.ratio * _slope(question.hits, question.total, rate)
        low, high = (normal, high) if slope > 0 else (low, normal)
    normal = (low + high) / 2
    return min(max(edge.ratio * normal + edge.difference, 0.0), 1.0), normal


def _slope(hits: int, total: int, rate: float) -> float:
    inside = min(max(rate, 1e-300), 1 - 1e-16)
    return hits / inside - (total - hits) / (1 - inside)


def _divergence(hits: int, total: int, rate: float) -> float:
    expected = special.rel_entr(hits, total * rate)
    return float(expected + special.rel_entr(total - hits, total * (1 - rate)))
