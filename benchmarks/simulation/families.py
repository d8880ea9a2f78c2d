"""The five kinds of series, how they are drawn, and what they ask."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy import special

from benchmarks.simulation.worlds import Array, Conditions
from detectors.evidence.group_gaps import GapTolerance, ToleratedGap
from detectors.evidence.questions import GapQuestion, MixQuestion, Question, RateQuestion

__all__ = [
    "CENTRES",
    "FAMILIES",
    "FINE_BINS",
    "Categories",
    "Counts",
    "Family",
    "Gap",
    "Numbers",
    "Rate",
    "coarse",
]

Counts = npt.NDArray[np.int64]

FINE_BINS = 48
_GROUPS = 16
_EDGES = special.ndtri(np.arange(FINE_BINS + 1) / FINE_BINS)

CENTRES: Array = FINE_BINS * -np.diff(
    np.exp(-(np.nan_to_num(_EDGES, posinf=40, neginf=-40) ** 2) / 2) / np.sqrt(2 * np.pi)
)
"""Mean value of a standard normal number in each fine bin."""

_BURST = 0.3


class Family(Protocol):
    """One kind of series. Arrays of counts have shape (T, S, ...)."""

    name: str
    changes: Mapping[str, float]
    min_windows: int

    def draw(self, given: Conditions, change: Array, rng: np.random.Generator) -> Counts:
        """Return the counts of windows; `change`, of shape (T,), is 0 for no change."""
        ...

    def asked(self, counts: Counts) -> Counts:
        """Return the counts as questions hold them, of shape (..., the family's own)."""
        ...

    def question(self, counts: Counts, reference: Counts) -> Question:
        """Return what one window asks; both counts as `asked` returns them."""
        ...


@dataclass(frozen=True, slots=True)
class Numbers:
    """A standard normal number; a change moves its mean by so many standard deviations."""

    name: str = "numeric mix"
    changes: Mapping[str, float] = field(
        default_factory=lambda: {"benign": 0.1, "small": 0.25, "medium": 0.5, "large": 1.0}
    )
    min_windows: int = 1
    tolerance: float = 0.05

    def draw(self, given: Conditions, change: Array, rng: np.random.Generator) -> Counts:
        """Return counts on 48 bins of equal probability."""
        mean = given.common + change[:, None]
        shares = np.diff(special.ndtr(_EDGES - mean[..., None]), axis=-1)
        return _multinomial(given, shares, rng)

    def asked(self, counts: Counts) -> Counts:
        """Return counts on 16 groups of bins."""
        return coarse(counts)

    def question(self, counts: Counts, reference: Counts) -> Question:
        """Return the question of a mix of ordered bins."""
        return MixQuestion(
            counts=counts, reference=reference, tolerance=self.tolerance, ordered=True
        )


@dataclass(frozen=True, slots=True)
class Categories:
    """Twelve levels with shares as 1/k; a change moves a share of outputs to two of them."""

    name: str = "categorical mix"
    changes: Mapping[str, float] = field(
        default_factory=lambda: {"benign": 0.04, "small": 0.1, "medium": 0.2, "large": 0.4}
    )
    min_windows: int = 1
    tolerance: float = 0.05

    def draw(self, given: Conditions, change: Array, rng: np.random.Generator) -> Counts:
        """Return counts of 12 levels."""
        usual = 1 / np.arange(1.0, 13)
        usual /= usual.sum()
        tilted = usual * np.exp(given.common[..., None] * np.resize([1.0, -1.0], 12))
        shares = tilted / tilted.sum(axis=-1, keepdims=True)
        gives, takes = np.zeros(12), np.zeros(12)
        gives[:2] = usual[:2] / usual[:2].sum()
        takes[[4, 7]] = 0.5
        shares = shares + change[:, None, None] * (takes - gives)
        return _multinomial(given, np.maximum(shares, 0), rng)

    def asked(self, counts: Counts) -> Counts:
        """Return the counts as they are."""
        return counts

    def question(self, counts: Counts, reference: Counts) -> Question:
        """Return the question on the levels."""
        return MixQuestion(
            counts=counts, reference=reference, tolerance=self.tolerance, ordered=False
        )


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate of 2 %; a change multiplies it by 1 + change."""

    name: str = "rate"
    changes: Mapping[str, float] = field(
        default_factory=lambda: {"benign": 0.15, "small": 0.5, "medium": 1.0, "large": 3.0}
    )
    min_windows: int = 2
    tolerance_ratio: float = 1.25

    def draw(self, given: Conditions, change: Array, rng: np.random.Generator) -> Counts:
        """Return events and outputs, of shape (T, S, 2)."""
        rate = 0.02 * np.exp(given.common) * (1 + change[:, None]) + 0.1 * given.burst
        total = np.broadcast_to(given.totals[:, None], rate.shape)
        return np.stack([_binomial(total, rate, given.correlation, rng), total], axis=-1)

    def asked(self, counts: Counts) -> Counts:
        """Return the counts as they are."""
        return counts

    def question(self, counts: Counts, reference: Counts) -> Question:
        """Return the question of a rate watched both ways."""
        return RateQuestion(
            hits=int(counts[0]),
            total=int(counts[1]),
            reference_hits=int(reference[0]),
            reference_total=int(reference[1]),
            tolerance_ratio=self.tolerance_ratio,
        )


@dataclass(frozen=True, slots=True)
class Gap:
    """Groups with one common rate; a change takes a group's rate away from it.

    Parameters
    ----------
    name
        What the family is called.
    shares
        Of the groups among the outputs.
    rate
        Of all groups while nothing changes.
    changed
        Which group changes.
    tolerated
        What is accepted.
    changes
        The gap, or 1 minus the ratio of rates.
    """

    name: str
    shares: tuple[float, ...]
    rate: float
    changed: int
    tolerated: ToleratedGap
    changes: Mapping[str, float]
    min_windows: int = 2

    def draw(self, given: Conditions, change: Array, rng: np.random.Generator) -> Counts:
        """Return positives and outputs of each group, of shape (T, S, 2, K)."""
        n_groups = len(self.shares)
        totals = rng.multinomial(given.totals[:, None], self.shares, size=given.common.shape)
        odds = special.logit(self.rate) + given.common[..., None] * np.ones(n_groups)
        odds[..., self.changed] += given.apart
        rates = special.expit(odds)
        loss = change if self.tolerated.kind is GapTolerance.DIFFERENCE else change * self.rate
        rates[..., self.changed] = np.maximum(rates[..., self.changed] - loss[:, None], 0.001)
        rates[..., self.changed] *= np.where(given.burst, 0.5, 1.0)
        return np.stack([_binomial(totals, rates, given.correlation, rng), totals], axis=-2)

    def asked(self, counts: Counts) -> Counts:
        """Return the counts as they are."""
        return counts

    def question(self, counts: Counts, reference: Counts) -> Question:
        """Return the question of a gap between all groups."""
        return GapQuestion(
            hits=counts[:1],
            totals=counts[1:],
            reference_hits=reference[:1],
            reference_totals=reference[1:],
            tolerated=self.tolerated,
            groups=tuple("abcdefgh"[: len(self.shares)]),
        )


FAMILIES: tuple[Family, ...] = (
    Numbers(),
    Categories(),
    Rate(),
    Gap(
        name="gap, 2 groups",
        shares=(0.3, 0.7),
        rate=0.4,
        changed=0,
        tolerated=ToleratedGap(kind=GapTolerance.DIFFERENCE, limit=0.05),
        changes={"benign": 0.04, "small": 0.08, "medium": 0.12, "large": 0.25},
    ),
    Gap(
        name="gap, 5 groups",
        shares=(0.5, 0.2, 0.15, 0.1, 0.05),
        rate=0.4,
        changed=1,
        tolerated=ToleratedGap(kind=GapTolerance.RATIO, limit=0.8),
        changes={"benign": 0.15, "small": 0.3, "medium": 0.4, "large": 0.6},
    ),
)


def coarse(counts: Counts, groups: int = _GROUPS) -> Counts:
    """Return counts on fewer bins, of shape (..., groups)."""
    merged: Counts = counts.reshape(*counts.shape[:-1], groups, -1).sum(axis=-1)
    return merged


def _multinomial(given: Conditions, shares: Array, rng: np.random.Generator) -> Counts:
    if given.burst.any():
        bin_ = rng.integers(0, shares.shape[-1], given.burst.shape)
        burst = _BURST * given.burst[..., None]
        shares = (1 - burst) * shares + burst * np.eye(shares.shape[-1])[bin_]
    if given.correlation > 0:
        draws = rng.standard_gamma(shares * (1 / given.correlation - 1))
        shares = draws / draws.sum(axis=-1, keepdims=True)
    # numpy wants the sum of all but the last share below 1 by more than rounding.
    shares = shares / (shares.sum(axis=-1, keepdims=True) * (1 + 1e-12))
    return rng.multinomial(given.totals[:, None], shares)


def _binomial(
    totals: Counts, rates: Array, correlation: float, rng: np.random.Generator
) -> Counts:
    p = np.clip(rates, 1e-9, 1 - 1e-9)
    if correlation > 0:
        concentration = 1 / correlation - 1
        p = rng.beta(p * concentration, (1 - p) * concentration)
    return rng.binomial(totals, p)
