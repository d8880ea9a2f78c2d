"""The evidence of distributions that have moved: witness sets learned from earlier windows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from detectors.evidence.array_state import ArrayState
from detectors.evidence.beta_binomial import Array, effective_share
from detectors.evidence.calibration import attainable_tolerance, distribution_correlation
from detectors.evidence.closing import log_evidence_of_return
from detectors.evidence.correlation_bound import distribution_correlation_bound
from detectors.evidence.magnitude import share_effect
from detectors.evidence.onset import Effect
from detectors.evidence.questions import MixQuestion, Question
from detectors.evidence.seasonal import N_CELLS, cell_of, seasonal_shares
from detectors.evidence.total_variation import (
    MEMORY_WINDOWS,
    Bets,
    Learned,
    learn,
    log_evidence,
    place_bets,
    smoothed_shares,
)
from detectors.panels.model import History, Scores

__all__ = ["MixModel", "MixSides"]

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class MixSides(ArrayState):
    """The bins whose share has grown, bool of shape (S, B)."""

    witness: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class MixModel:
    """Distributions of S series on at most B groups of bins.

    Parameters
    ----------
    shares
        Baseline shares by cell of the week, of shape (N_CELLS, S, B); 0 for bins that a
        series does not have.
    own_cells
        Which cells have shares of their own, bool of shape (N_CELLS, S).
    tolerance
        delta of each series, of shape (S,): never finer than the baseline's effective outputs
        allow.
    wanted
        The tolerance that the user asked for, of shape (S,).
    correlation
        Of two outputs of one window, of shape (S,).
    window_events
        Usual effective outputs of a window, of shape (S,).
    repeats
        How often one output may be counted, of shape (S,); log e-values are divided by it.
    utc_offset_seconds
        Of the hours of the day.
    """

    shares: Array
    own_cells: npt.NDArray[np.bool_]
    tolerance: Array
    wanted: Array
    correlation: Array
    window_events: Array
    repeats: Array
    utc_offset_seconds: int = 0

    @classmethod
    def calibrated(
        cls,
        references: Sequence[MixQuestion],
        histories: Sequence[History],
        *,
        utc_offset_seconds: int = 0,
    ) -> Self:
        """Return the model of series with these baselines.

        Parameters
        ----------
        references
            One question a series: its reference counts and tolerance.
        histories
            The baseline's own windows of each series.
        """
        n_bins = max(len(question.reference) for question in references)
        fitted = [
            _fit(question, history, n_bins, utc_offset_seconds)
            for question, history in zip(references, histories, strict=True)
        ]
        return cls(
            shares=np.stack([one.shares for one in fitted], axis=1),
            own_cells=np.stack([one.own for one in fitted], axis=1),
            tolerance=np.array([one.tolerance for one in fitted]),
            wanted=np.array([question.tolerance for question in references]),
            correlation=np.array([one.correlation for one in fitted]),
            window_events=np.array([one.window_events for one in fitted]),
            repeats=np.array([float(question.repeats) for question in references]),
            utc_offset_seconds=utc_offset_seconds,
        )

    @property
    def n_series(self) -> int:
        """Return S."""
        return int(self.tolerance.size)

    @property
    def n_experts(self) -> int:
        """Return H."""
        return len(MEMORY_WINDOWS)

    @property
    def learning(self) -> int:
        """Return 1: a change must repeat to count."""
        return 1

    def widened(self, factor: Array) -> Self:
        """Return the model with its tolerances multiplied by `factor`, of shape (S,)."""
        return replace(self, tolerance=np.minimum(self.tolerance * factor, 0.95))

    def take(self, series: Sequence[int]) -> Self:
        """Return the model of some of the series."""
        at = np.asarray(series, dtype=np.intp)
        return replace(
            self,
            shares=self.shares[:, at],
            own_cells=self.own_cells[:, at],
            tolerance=self.tolerance[at],
            wanted=self.wanted[at],
            correlation=self.correlation[at],
            window_events=self.window_events[at],
            repeats=self.repeats[at],
        )

    def begin(self) -> Learned:
        """Return what is known before the first window."""
        return Learned.nothing(self.n_series, self.shares.shape[2])

    def score(
        self, memory: Learned, questions: Sequence[Question | None], start_us: int
    ) -> Scores:
        """Return what a window says against "within tolerance"."""
        counts = self._counts(questions)
        bets = self._bets(memory, start_us)
        total = counts.sum(axis=-1)
        inside = np.where(bets.witness, counts[:, None, :], 0).sum(axis=-1)
        share = effective_share(total, self.correlation)[:, None]
        effect = share_effect(inside, total[:, None] * bets.placed, bets.baseline, share)
        log_e = log_evidence(bets, counts, self.correlation) / self.repeats[:, None]
        return Scores(log_e=log_e, effect=effect, seen=total > 0)

    def learn(
        self, memory: Learned, questions: Sequence[Question | None], start_us: int
    ) -> Learned:
        """Return what is known after a window."""
        counts = self._counts(questions)
        shares = self._shares(start_us)
        return learn(memory, counts, shares, self.correlation, self.window_events)

    def sides(
        self, before: Learned, after: Learned, expert: npt.NDArray[np.intp], start_us: int
    ) -> MixSides:
        """Return the bins that each series' best expert bet on."""
        witness = self._bets(before, start_us).witness
        chosen = np.take_along_axis(witness, expert[:, None, None], axis=1)[:, 0]
        return MixSides(witness=chosen)

    def returning(
        self, sides: MixSides, questions: Sequence[Question | None], start_us: int
    ) -> tuple[Array, Effect]:
        """Return evidence that the share of the witness is below its bound again."""
        counts = self._counts(questions)
        total = counts.sum(axis=-1)
        inside = np.where(sides.witness, counts, 0).sum(axis=-1)
        usual = np.where(sides.witness, self._shares(start_us), 0.0).sum(axis=-1)
        held = sides.witness.any(axis=-1)
        bound = np.minimum(usual + self.tolerance, 1 - 1e-6)
        log_e = log_evidence_of_return(inside, total, usual, bound, self.correlation)
        share = effective_share(total, self.correlation)
        effect = share_effect(inside, np.where(held, total, 0), usual, share)
        weighted = log_e / self.repeats[:, None]
        return np.where((held & (total > 0))[:, None], weighted, 0.0), effect

    def direction(self, sides: MixSides) -> npt.NDArray[np.int64]:
        """Return 0: a distribution has no direction."""
        return np.zeros(len(sides.witness), dtype=np.int64)

    def scale(self, sides: MixSides) -> Array:
        """Return the tolerance."""
        return self.tolerance

    def _bets(self, memory: Learned, start_us: int) -> Bets:
        return place_bets(memory, self._shares(start_us), self.tolerance)

    def _shares(self, start_us: int) -> Array:
        shares: Array = self.shares[int(cell_of(start_us, self.utc_offset_seconds))]
        return shares

    def _counts(self, questions: Sequence[Question | None]) -> Counts:
        counts = np.zeros(self.shares.shape[1:], dtype=np.int64)
        for row, question in enumerate(questions):
            if isinstance(question, MixQuestion):
                counts[row, : len(question.counts)] = question.counts
        return counts


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _Fitted:
    shares: Array
    own: npt.NDArray[np.bool_]
    tolerance: float
    correlation: float
    window_events: float


def _fit(
    reference: MixQuestion, history: History, n_bins: int, utc_offset_seconds: int
) -> _Fitted:
    own_bins = len(reference.reference)
    asked = [
        (start, question.counts)
        for start, question in zip(history.start_us, history.questions, strict=True)
        if isinstance(question, MixQuestion) and question.counts.sum() > 0
    ]
    overall = smoothed_shares(reference.reference)
    shares = np.zeros((N_CELLS, n_bins))
    shares[:, :own_bins] = overall
    own = np.zeros(N_CELLS, dtype=np.bool_)
    correlation = 0.0
    usual = float(max(reference.reference.sum(), 1))
    if asked:
        counts = np.stack([count for _, count in asked])
        cells = cell_of(np.array([start for start, _ in asked]), utc_offset_seconds)
        seasonal = seasonal_shares(counts, cells)
        shares[:, :own_bins] = np.where(seasonal.own[:, None], seasonal.shares, overall)
        own = seasonal.own
        expected = shares[cells, :own_bins]
        correlation = max(
            float(distribution_correlation(counts, expected, ordered=reference.ordered)),
            distribution_correlation_bound(counts, expected),
        )
        usual = float(np.median(counts.sum(axis=-1)))
    share = float(effective_share(usual, correlation))
    return _Fitted(
        shares=shares,
        own=own,
        tolerance=attainable_tolerance(
            reference.tolerance, own_bins, int(reference.reference.sum() * share)
        ),
        correlation=correlation,
        window_events=usual * share,
    )
