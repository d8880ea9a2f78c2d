"""The evidence of gaps between the rates of groups, whatever the rates do together."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from detectors.evidence.array_state import ArrayState
from detectors.evidence.beta_binomial import Array
from detectors.evidence.group_gaps import (
    GapTolerance,
    LearnedRates,
    ToleratedGap,
    guesses,
    learn_rates,
    log_group_evidence,
)
from detectors.evidence.onset import Effect
from detectors.evidence.questions import GapQuestion, Question
from detectors.evidence.two_group_gaps import (
    N_ALTERNATIVES,
    log_gap_evidence,
    two_sided_gap_evidence,
)
from detectors.panels.gap_limits import RATES, back_within, gap_limit
from detectors.panels.gap_reference import only_pair, worst_correlation
from detectors.panels.model import History, Scores

__all__ = ["GapModel", "GapSides"]

MEMORY_FACTORS = (0.0, 0.8, 0.95)
"""What is left of a window in each expert's guesses; the first knows the last window only."""

_WIDEST = 0.9


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class GapSides(ArrayState):
    """The two cells (stratum and group) furthest apart when a gap opened, int64 of shape (S,)."""

    low: npt.NDArray[np.int64]
    high: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class GapModel:
    """Gaps of S series over at most K groups in at most T strata, with one kind of tolerance.

    Parameters
    ----------
    tolerated
        What is accepted; one panel holds one kind and limit.
    prior_rate
        The baseline's pooled rate, of shape (S,).
    correlation
        Of two outputs of one window and group, of shape (S,).
    shape
        (n_strata, n_groups) of the largest series.
    pair
        Positions of the two groups if every baseline has just two, int64 of shape (S, 2). In
        windows with outputs of a group that the baseline lacks, all groups are scored, as
        they are where there are more than two.
    """

    tolerated: ToleratedGap
    prior_rate: Array
    correlation: Array
    shape: tuple[int, int]
    pair: npt.NDArray[np.int64] | None = None

    @classmethod
    def calibrated(cls, references: Sequence[GapQuestion], histories: Sequence[History]) -> Self:
        """Return the model of series with these baselines; all tolerate the same."""
        n_strata = max(question.totals.shape[0] for question in references)
        n_groups = max(question.totals.shape[1] for question in references)
        pooled = [
            (question.reference_hits.sum() + 0.5) / (question.reference_totals.sum() + 1)
            for question in references
        ]
        correlations = [worst_correlation(history) for history in histories]
        pairs = [only_pair(question) for question in references]
        found = [pair for pair in pairs if pair is not None]
        return cls(
            tolerated=references[0].tolerated,
            prior_rate=np.array(pooled),
            correlation=np.array(correlations),
            shape=(n_strata, n_groups),
            pair=np.array(found, dtype=np.int64) if len(found) == len(pairs) else None,
        )

    @property
    def n_series(self) -> int:
        """Return S."""
        return len(self.prior_rate)

    @property
    def n_experts(self) -> int:
        """Return H."""
        if self.pair is not None:
            return 2 * N_ALTERNATIVES
        return len(MEMORY_FACTORS)

    @property
    def learning(self) -> int:
        """Return how many windows an expert must see before it can bet."""
        return 0 if self.pair is not None else 1

    def take(self, series: Sequence[int]) -> Self:
        """Return the model of some of the series."""
        at = np.asarray(series, dtype=np.intp)
        return replace(
            self,
            prior_rate=self.prior_rate[at],
            correlation=self.correlation[at],
            pair=None if self.pair is None else self.pair[at],
        )

    def widened(self, factor: Array) -> Self:
        """Return the model with its tolerance multiplied by the largest `factor`."""
        widest = float(np.max(factor, initial=1.0))
        if self.tolerated.kind is GapTolerance.RATIO:
            limit = self.tolerated.limit**widest
        else:
            limit = min(self.tolerated.limit * widest, _WIDEST)
        return replace(self, tolerated=ToleratedGap(kind=self.tolerated.kind, limit=limit))

    def begin(self) -> LearnedRates:
        """Return what is known before the first window."""
        return LearnedRates.nothing(
            self.n_series, self.shape[0] * self.shape[1], n_experts=len(MEMORY_FACTORS)
        )

    def score(
        self, memory: LearnedRates, questions: Sequence[Question | None], start_us: int
    ) -> Scores:
        """Return what a window says against "the gaps are tolerated"."""
        hits, totals = self._counts(questions)
        if self.pair is None:
            log_e = self._group_evidence(memory, hits, totals)
        else:
            log_e = self._pair_evidence(memory, hits, totals)
            # Which groups came is a matter of sizes, not of outcomes: it may choose the bet.
            more = np.any(~self._in_pair & (totals[:, 0] > 0), axis=1)
            if more.any():
                of_all = np.tile(self._group_evidence(memory, hits, totals), (1, 2))
                log_e = np.where(more[:, None], of_all, log_e)
        seen = totals.sum(axis=(1, 2)) > 0
        nothing = np.zeros_like(log_e)
        return Scores(
            log_e=log_e,
            effect=Effect(value=nothing, weight=nothing, variance=nothing),
            seen=seen,
        )

    def learn(
        self, memory: LearnedRates, questions: Sequence[Question | None], start_us: int
    ) -> LearnedRates:
        """Return what is known after a window."""
        hits, totals = self._counts(questions)
        flat = (self.n_series, -1)
        return learn_rates(memory, hits.reshape(flat), totals.reshape(flat), MEMORY_FACTORS)

    def sides(
        self,
        before: LearnedRates,
        after: LearnedRates,
        expert: npt.NDArray[np.intp],
        start_us: int,
    ) -> GapSides:
        """Return the two groups of one stratum whose rates stand furthest apart.

        A group that the baselines of pairs lack is one of them only if it came in this window.
        """
        events, outputs = after.events[:, 1], after.outputs[:, 1]
        rate = (events + self.prior_rate[:, None]) / (outputs + 1)
        spread = rate * (1 - rate) / np.maximum(outputs, 1e-9)
        apart = rate[:, :, None] - rate[:, None, :]
        clear = apart / np.sqrt(spread[:, :, None] + spread[:, None, :])
        stratum = np.arange(self.shape[0] * self.shape[1]) // self.shape[1]
        scored = outputs > 0
        if self.pair is not None:
            came = (after.outputs != before.outputs) | (after.events != before.events)
            scored = scored & (self._in_pair | came.any(axis=1))
        known = scored[:, :, None] & scored[:, None, :]
        comparable = known & (stratum[:, None] == stratum[None, :])
        flat = np.where(comparable, clear, -np.inf).reshape(self.n_series, -1)
        high, low = np.divmod(flat.argmax(axis=1), rate.shape[1])
        return GapSides(low=low.astype(np.int64), high=high.astype(np.int64))

    def returning(
        self, sides: GapSides, questions: Sequence[Question | None], start_us: int
    ) -> tuple[Array, Effect]:
        """Return evidence that the two groups are within tolerance of each other again."""
        hits, totals = self._counts(questions)
        flat = (self.n_series, -1)
        x, n = hits.reshape(flat), totals.reshape(flat)
        x1, n1 = _at(x, sides.low), _at(n, sides.low)
        x2, n2 = _at(x, sides.high), _at(n, sides.high)
        weight = np.where((n1 > 0) & (n2 > 0), n1 + n2, 0).astype(np.float64)
        limit, low, high = back_within(self.tolerated, self.prior_rate, n1, n2)
        log_e = log_gap_evidence((x1, x2), (n1, n2), (low, high), limit, self.correlation)
        nothing = np.zeros(self.n_series)
        return log_e, Effect(value=nothing, weight=weight, variance=nothing)

    def direction(self, sides: GapSides) -> npt.NDArray[np.int64]:
        """Return 0: a gap has sides, not a direction."""
        return np.zeros(self.n_series, dtype=np.int64)

    def scale(self, sides: GapSides) -> Array:
        """Return 1: the size of a gap is measured by its detector."""
        return np.ones(self.n_series)

    @property
    def _in_pair(self) -> npt.NDArray[np.bool_]:
        """Return which groups are one of the pair, of shape (S, n_groups)."""
        pair = np.zeros((self.n_series, 0), dtype=np.int64) if self.pair is None else self.pair
        return np.asarray((np.arange(self.shape[1]) == pair[:, :, None]).any(axis=1))

    def _group_evidence(
        self, memory: LearnedRates, hits: npt.NDArray[np.int64], totals: npt.NDArray[np.int64]
    ) -> Array:
        guess = guesses(memory, self.prior_rate)
        strata = guess.reshape(*guess.shape[:2], *self.shape)
        return log_group_evidence(hits, totals, strata, self.tolerated, self.correlation)

    def _pair_evidence(
        self, memory: LearnedRates, hits: npt.NDArray[np.int64], totals: npt.NDArray[np.int64]
    ) -> Array:
        pair = self.pair
        if pair is None:
            message = "these series have more than two groups"
            raise ValueError(message)
        rows = np.arange(self.n_series)
        x1, x2 = (hits[rows, 0, pair[:, side]] for side in (0, 1))
        n1, n2 = (totals[rows, 0, pair[:, side]] for side in (0, 1))
        events, outputs = memory.events[:, -1].sum(axis=-1), memory.outputs[:, -1].sum(axis=-1)
        pooled = np.clip((events + self.prior_rate) / (outputs + 1), *RATES)
        return two_sided_gap_evidence(
            (x1, x2), (n1, n2), pooled, gap_limit(self.tolerated), correlation=self.correlation
        )

    def _counts(
        self, questions: Sequence[Question | None]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        hits = np.zeros((self.n_series, *self.shape), dtype=np.int64)
        totals = np.zeros_like(hits)
        for row, question in enumerate(questions):
            if isinstance(question, GapQuestion):
                strata, groups = question.totals.shape
                hits[row, :strata, :groups] = question.hits
                totals[row, :strata, :groups] = question.totals
        return hits, totals


def _at(values: npt.NDArray[np.int64], position: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return values[np.arange(len(values)), position]
