"""A panel: the evidence of all series of one kind, window after window."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from detectors.evidence.array_state import ArrayState
from detectors.evidence.beta_binomial import Array
from detectors.evidence.closing import CLOSING_RULE, start_closing
from detectors.evidence.magnitude import Magnitude, MagnitudeState, magnitude_of
from detectors.evidence.onset import Onset, OnsetState, onset_of, track
from detectors.evidence.questions import Question
from detectors.evidence.shiryaev_roberts import EvidenceRule, EvidenceState, Gathered, gather
from detectors.panels.model import Model

__all__ = ["Panel", "PanelReading", "PanelState"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PanelState:
    """Everything that a panel carries from window to window.

    Parameters
    ----------
    evidence
        Shiryaev-Roberts evidence of a change; at rest while a series fires.
    onset
        When a change would have begun.
    memory
        What the model's experts have learned.
    firing
        Which series fire, bool of shape (S,).
    sides
        What firing series are held to: the set, the direction, the pair of groups.
    magnitude
        How large the departure of firing series is.
    closing
        Evidence that firing series are back within tolerance.
    """

    evidence: EvidenceState
    onset: OnsetState
    memory: ArrayState
    firing: npt.NDArray[np.bool_]
    sides: ArrayState
    magnitude: MagnitudeState
    closing: EvidenceState


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PanelReading:
    """Where every series stands after a window; arrays of shape (S,).

    Parameters
    ----------
    log_r, log_threshold
        Evidence of a change and what an alarm takes, in nats. While a series fires `log_r`
        is minus infinity.
    alarm
        Which series began to fire with this window.
    firing
        Which fire after it.
    returned
        Which stopped firing: there is evidence that they are back within tolerance.
    log_return, log_return_threshold
        Evidence of that, and what it takes.
    onset
        When the change of an alarm began, in windows ago; meaningful where `alarm`.
    departure
        The departure since the onset in multiples of the tolerance, with a lower bound of
        99 %; 0 for kinds that measure none.
    direction
        +1, -1, or 0 where there is no direction.
    seen
        Which series had outputs in the window.
    """

    log_r: Array
    log_threshold: Array
    alarm: npt.NDArray[np.bool_]
    firing: npt.NDArray[np.bool_]
    returned: npt.NDArray[np.bool_]
    log_return: Array
    log_return_threshold: Array
    onset: Onset
    departure: Magnitude
    direction: npt.NDArray[np.int64]
    seen: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """The series of one kind that are watched together.

    Parameters
    ----------
    model
        How a window is scored.
    rule
        How evidence is gathered.
    leak
        Windows that evidence is remembered for, of shape (S,).
    """

    model: Model[Any, Any]
    rule: EvidenceRule
    leak: Array

    def begin(self, log_threshold: Array) -> PanelState:
        """Return the state before the first window, for thresholds of shape (S,)."""
        model = self.model
        n_series = model.n_series
        nobody = np.zeros(n_series, dtype=np.intp)
        onset = OnsetState.start(n_series, model.n_experts)
        memory = model.begin()
        return PanelState(
            evidence=EvidenceState.start(log_threshold, model.n_experts),
            onset=onset,
            memory=memory,
            firing=np.zeros(n_series, dtype=np.bool_),
            sides=model.sides(memory, memory, nobody, 0),
            magnitude=MagnitudeState.carried(onset, nobody),
            closing=start_closing(n_series),
        )

    def advance(
        self,
        state: PanelState,
        questions: Sequence[Question | None],
        start_us: int,
        log_threshold: Array,
    ) -> tuple[PanelState, PanelReading]:
        """Return the state after one more window, and where every series stands.

        Parameters
        ----------
        state
            Before the window.
        questions
            One for each series; None where the window could not be asked.
        start_us
            Start of the window, microseconds.
        log_threshold
            ln c of each series from this window on.
        """
        model = self.model
        scores = model.score(state.memory, questions, start_us)
        gathered = gather(
            state.evidence,
            scores.log_e,
            self.rule,
            leak=self.leak,
            log_threshold=log_threshold,
            seen=scores.seen & ~state.firing,
        )
        onset = track(state.onset, gathered.capped, scores.effect)
        memory: Any = model.learn(state.memory, questions, start_us)
        opened = self._open(state, gathered, onset, memory, start_us)
        closed, returned, log_return = self._close(opened, state.firing, questions, start_us)
        reading = self._reading(closed, gathered, onset, returned, log_return, scores.seen)
        return (
            replace(
                closed,
                evidence=closed.evidence.restarted(returned),
                onset=onset.restarted(gathered.alarm | returned),
                memory=memory.replaced(returned, model.begin()),
            ),
            reading,
        )

    def _open(
        self,
        state: PanelState,
        gathered: Gathered,
        onset: OnsetState,
        memory: ArrayState,
        start_us: int,
    ) -> PanelState:
        """Hold newly firing series to what their best expert bet on."""
        alarm, expert = gathered.alarm, gathered.expert
        sides: Any = state.sides
        held = self.model.sides(state.memory, memory, expert, start_us)
        return replace(
            state,
            evidence=gathered.state,
            firing=state.firing | alarm,
            sides=sides.replaced(alarm, held),
            magnitude=state.magnitude.replaced(alarm, MagnitudeState.carried(onset, expert)),
            closing=state.closing.replaced(alarm, start_closing(self.model.n_series)),
        )

    def _close(
        self,
        state: PanelState,
        was_firing: npt.NDArray[np.bool_],
        questions: Sequence[Question | None],
        start_us: int,
    ) -> tuple[PanelState, npt.NDArray[np.bool_], Array]:
        """Gather evidence that series which were firing are back within tolerance."""
        if not was_firing.any():
            nobody = np.zeros_like(was_firing)
            return state, nobody, np.full(nobody.shape, -np.inf)
        log_e, effect = self.model.returning(state.sides, questions, start_us)
        seen = was_firing & (effect.weight > 0)
        closing = gather(state.closing, log_e, CLOSING_RULE, seen=seen)
        after = replace(
            state,
            firing=state.firing & ~closing.alarm,
            closing=closing.state,
            magnitude=state.magnitude.replaced(seen, state.magnitude.after(effect)),
        )
        return after, closing.alarm, closing.log_r

    def _reading(
        self,
        state: PanelState,
        gathered: Gathered,
        onset: OnsetState,
        returned: npt.NDArray[np.bool_],
        log_return: Array,
        seen: npt.NDArray[np.bool_],
    ) -> PanelReading:
        found = onset_of(onset, gathered.expert, learning=self.model.learning)
        size = state.magnitude.magnitude()
        fresh = magnitude_of(onset, gathered.expert)
        scale = self.model.scale(state.sides)
        return PanelReading(
            log_r=np.where(state.firing & ~gathered.alarm, -np.inf, gathered.log_r),
            log_threshold=gathered.state.log_threshold,
            alarm=gathered.alarm,
            firing=state.firing,
            returned=returned,
            log_return=np.where(state.firing | returned, log_return, -np.inf),
            log_return_threshold=state.closing.log_threshold,
            onset=found,
            departure=Magnitude(
                value=np.where(gathered.alarm, fresh.value, size.value) / scale,
                low=np.where(gathered.alarm, fresh.low, size.low) / scale,
            ),
            direction=self.model.direction(state.sides),
            seen=seen,
        )
