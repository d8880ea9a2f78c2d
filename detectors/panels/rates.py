"""The evidence of rates that have left their tolerance, upwards or downwards."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from detectors.evidence.array_state import ArrayState
from detectors.evidence.beta_binomial import Array, effective_share
from detectors.evidence.calibration import set_correlation
from detectors.evidence.closing import log_evidence_of_return
from detectors.evidence.correlation_bound import set_correlation_bound
from detectors.evidence.magnitude import share_effect
from detectors.evidence.onset import Effect
from detectors.evidence.questions import Question, RateQuestion, SilenceQuestion, Watched
from detectors.evidence.rates import (
    ODDS_FACTORS,
    RateBounds,
    log_evidence_above,
    log_evidence_below,
    rate_bounds,
)
from detectors.evidence.seasonal import N_CELLS, cell_of, seasonal_shares
from detectors.evidence.silence import log_evidence_of_silence
from detectors.panels.model import History, Scores

__all__ = ["NoMemory", "RateModel", "RateSides"]

_PRIOR_EVENTS = 2000.0
_NO_TOLERANCE = 1e-9
_CALM_SHARE = 0.5


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class NoMemory(ArrayState):
    """Nothing is learned: the alternatives of rates are fixed. Of shape (S, 0)."""

    nothing: Array


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RateSides(ArrayState):
    """Which way a firing rate went: +1 up, -1 down, 0 not firing yet; int64 of shape (S,)."""

    way: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RateModel:
    """Rates of S series; a source that may fall silent is a rate that may only fall.

    Parameters
    ----------
    baseline, low, high
        Baseline rate and tolerated range by cell of the week, of shape (N_CELLS, S). `low` is
        0 and `high` is 1 where that side is not watched.
    silent
        The lower bound of the baseline's rate for series that may fall silent, else 0, of
        shape (S,): no event at all is scored by its exact waiting time.
    correlation
        Of two outputs of one window, of shape (S,).
    repeats
        How often one output may be counted, of shape (S,); log e-values are divided by it.
    utc_offset_seconds
        Of the hours of the day.
    """

    baseline: Array
    low: Array
    high: Array
    silent: Array
    correlation: Array
    repeats: Array
    utc_offset_seconds: int = 0

    @classmethod
    def calibrated(
        cls,
        references: Sequence[RateQuestion | SilenceQuestion],
        histories: Sequence[History],
        *,
        utc_offset_seconds: int = 0,
    ) -> Self:
        """Return the model of series with these baselines and histories."""
        fitted = [
            _fit(
                _as_rate(question),
                isinstance(question, SilenceQuestion),
                history,
                utc_offset_seconds,
            )
            for question, history in zip(references, histories, strict=True)
        ]
        return cls(
            baseline=np.stack([one.baseline for one in fitted], axis=1),
            low=np.stack([one.low for one in fitted], axis=1),
            high=np.stack([one.high for one in fitted], axis=1),
            silent=np.array([one.silent for one in fitted]),
            correlation=np.array([one.correlation for one in fitted]),
            repeats=np.array([float(question.repeats) for question in references]),
            utc_offset_seconds=utc_offset_seconds,
        )

    @property
    def n_series(self) -> int:
        """Return S."""
        return len(self.correlation)

    @property
    def n_experts(self) -> int:
        """Return H: alternatives above, below, and silence."""
        return 2 * len(ODDS_FACTORS) + 1

    @property
    def learning(self) -> int:
        """Return 0: alternatives are fixed."""
        return 0

    def widened(self, factor: Array) -> Self:
        """Return the model with its tolerances multiplied by `factor`, of shape (S,)."""
        above = self.baseline + (self.high - self.baseline) * factor
        below = self.baseline - (self.baseline - self.low) * factor
        return replace(
            self,
            high=np.where(self.high < 1, np.minimum(above, 1.0), 1.0),
            low=np.where(self.low > 0, np.maximum(below, 0.0), 0.0),
            silent=self.silent / factor,
        )

    def take(self, series: Sequence[int]) -> Self:
        """Return the model of some of the series."""
        at = np.asarray(series, dtype=np.intp)
        return replace(
            self,
            baseline=self.baseline[:, at],
            low=self.low[:, at],
            high=self.high[:, at],
            silent=self.silent[at],
            correlation=self.correlation[at],
            repeats=self.repeats[at],
        )

    def begin(self) -> NoMemory:
        """Return what is known before the first window: nothing."""
        return NoMemory(nothing=np.zeros((self.n_series, 0)))

    def score(
        self, memory: NoMemory, questions: Sequence[Question | None], start_us: int
    ) -> Scores:
        """Return what a window says: experts above, then below, then silence."""
        hits, total = self._counts(questions)
        cell = self._cell(start_us)
        quiet = np.where(
            self.silent > 0,
            log_evidence_of_silence(hits, total, self.silent, self.correlation),
            0.0,
        )
        log_e = np.concatenate(
            [
                log_evidence_above(hits, total, self.high[cell], self.correlation),
                log_evidence_below(hits, total, self.low[cell], self.correlation),
                quiet[:, None],
            ],
            axis=-1,
        )
        effect = self._effect(hits, total, cell)
        way = np.concatenate([np.ones(len(ODDS_FACTORS)), -np.ones(len(ODDS_FACTORS) + 1)])
        return Scores(
            log_e=log_e / self.repeats[:, None],
            effect=Effect(
                value=effect.value[:, None] * way,
                weight=effect.weight[:, None] * np.ones_like(way),
                variance=effect.variance[:, None] * np.ones_like(way),
            ),
            seen=total > 0,
        )

    def learn(
        self, memory: NoMemory, questions: Sequence[Question | None], start_us: int
    ) -> NoMemory:
        """Return the memory as it was."""
        return memory

    def sides(
        self, before: NoMemory, after: NoMemory, expert: npt.NDArray[np.intp], start_us: int
    ) -> RateSides:
        """Return which way each series' best expert bet."""
        return RateSides(way=np.where(expert < len(ODDS_FACTORS), 1, -1).astype(np.int64))

    def returning(
        self, sides: RateSides, questions: Sequence[Question | None], start_us: int
    ) -> tuple[Array, Effect]:
        """Return evidence that the rate is inside its bound again."""
        hits, total = self._counts(questions)
        cell = self._cell(start_us)
        up = sides.way > 0
        usual = self.baseline[cell]
        bound = np.where(up, self.high[cell], self.low[cell])
        apart = np.abs(bound - usual) > _NO_TOLERANCE
        log_e = log_evidence_of_return(hits, total, usual, bound, self.correlation)
        effect = self._effect(hits, total, cell)
        signed = Effect(
            value=effect.value * sides.way, weight=effect.weight, variance=effect.variance
        )
        weighted = log_e / self.repeats[:, None]
        return np.where((apart & (total > 0))[:, None], weighted, 0.0), signed

    def direction(self, sides: RateSides) -> npt.NDArray[np.int64]:
        """Return which way each rate went."""
        return sides.way

    def scale(self, sides: RateSides) -> Array:
        """Return the tolerated distance on the side that a rate went to, mean over the week."""
        up = (self.high - self.baseline).mean(axis=0)
        down = (self.baseline - self.low).mean(axis=0)
        scale: Array = np.maximum(np.where(sides.way > 0, up, down), _NO_TOLERANCE)
        return scale

    def _effect(
        self, hits: npt.NDArray[np.int64], total: npt.NDArray[np.int64], cell: int
    ) -> Effect:
        share = effective_share(total, self.correlation)
        return share_effect(hits, total, self.baseline[cell], share)

    def _cell(self, start_us: int) -> int:
        return int(cell_of(start_us, self.utc_offset_seconds))

    def _counts(
        self, questions: Sequence[Question | None]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        pairs = [
            (question.hits, question.total)
            if isinstance(question, RateQuestion)
            else (question.triggers, question.checked)
            if isinstance(question, SilenceQuestion)
            else (0, 0)
            for question in questions
        ]
        counts = np.array(pairs, dtype=np.int64).reshape(-1, 2)
        return counts[:, 0], counts[:, 1]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _Fitted:
    baseline: Array
    low: Array
    high: Array
    silent: float
    correlation: float


def _as_rate(question: RateQuestion | SilenceQuestion) -> RateQuestion:
    if isinstance(question, RateQuestion):
        return question
    return RateQuestion(
        hits=question.triggers,
        total=question.checked,
        reference_hits=question.reference_triggers,
        reference_total=question.reference_checked,
        tolerance_ratio=1 / (1 - question.tolerance),
        watched=Watched.DOWN,
        repeats=question.repeats,
    )


def _fit(
    reference: RateQuestion, may_fall_silent: bool, history: History, utc_offset_seconds: int
) -> _Fitted:
    asked = [
        (start, rate.hits, rate.total)
        for start, question in zip(history.start_us, history.questions, strict=True)
        if isinstance(question, RateQuestion | SilenceQuestion)
        and (rate := _as_rate(question)).total > 0
    ]
    total = reference.reference_total / reference.repeats
    share = reference.reference_hits / reference.repeats / total if total else 0.5
    shares, events = np.full(N_CELLS, share), np.full(N_CELLS, total)
    correlation, bound, usual = 0.0, 0.0, max(total, 1.0)
    if asked:
        starts, hits, totals = (
            np.array(column, dtype=np.int64) for column in zip(*asked, strict=True)
        )
        cells = cell_of(starts, utc_offset_seconds)
        seasonal = seasonal_shares(np.stack([hits, totals - hits], axis=-1), cells)
        by_cell = np.bincount(cells, weights=totals, minlength=N_CELLS)
        shares = np.where(seasonal.own, seasonal.shares[:, 0], share)
        events = np.where(seasonal.own, np.minimum(by_cell + _PRIOR_EVENTS, total), total)
        inside = np.clip(shares[cells], 1e-9, 1 - 1e-9)
        usual = float(np.median(totals))
        correlation = float(set_correlation(hits, totals, inside))
        bound = set_correlation_bound(hits, totals, inside)
    bounds = _bounds(reference, shares, events, correlation, usual)
    if bound > correlation and not _is_calm(bounds, bound, usual):
        correlation = bound
        bounds = _bounds(reference, shares, events, correlation, usual)
    low = bounds.low if reference.watched != Watched.UP else np.zeros(N_CELLS)
    high = bounds.high if reference.watched != Watched.DOWN else np.ones(N_CELLS)
    silent = float(bounds.low.min()) if may_fall_silent else 0.0
    return _Fitted(
        baseline=bounds.baseline, low=low, high=high, silent=silent, correlation=correlation
    )


def _bounds(
    reference: RateQuestion, shares: Array, events: Array, correlation: float, usual: float
) -> RateBounds:
    return rate_bounds(
        shares * events,
        events,
        ratio=reference.tolerance_ratio,
        difference=reference.tolerance_difference,
        correlation=correlation,
        window_events=usual,
    )


def _is_calm(bounds: RateBounds, correlation: float, usual: float) -> bool:
    """Return whether chance moves a window little beside the tolerance, at the worst correlation.

    An estimate of the correlation that is too low makes evidence of windows beyond tolerance.
    Where one standard deviation stays within `_CALM_SHARE` of it there are too few of those to
    matter, and the estimate is enough.
    """
    share = bounds.baseline
    deviation = np.sqrt(share * (1 - share) * (1 + (usual - 1) * correlation) / usual)
    tolerance = np.minimum(bounds.high - share, share - bounds.low)
    return bool((deviation <= _CALM_SHARE * tolerance).all())
