"""What a kind of question must provide to be watched window after window."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from detectors.evidence.array_state import ArrayState
from detectors.evidence.beta_binomial import Array
from detectors.evidence.onset import Effect
from detectors.evidence.questions import Question

__all__ = ["History", "Model", "Scores", "closed_effect"]


M = TypeVar("M", bound=ArrayState)
D = TypeVar("D", bound=ArrayState)


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What the baseline's own windows showed of one series.

    Parameters
    ----------
    start_us
        Starts of the windows, in order of time, microseconds.
    questions
        The question of each window, None where it could not be asked; the same length.
    """

    start_us: tuple[int, ...]
    questions: tuple[Question | None, ...]

    @property
    def n_windows(self) -> int:
        """Return how many windows could be asked."""
        return sum(question is not None for question in self.questions)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scores:
    """What one window says about S series, by H experts each.

    Parameters
    ----------
    log_e
        Log e-values against "within tolerance", of shape (S, H), in nats.
    effect
        The departure that each expert measures, of shape (S, H).
    seen
        Which series had outputs, of shape (S,).
    """

    log_e: Array
    effect: Effect
    seen: npt.NDArray[np.bool_]


class Model(Protocol[M, D]):
    """The evidence of S series of one kind; frozen, with everything calibrated inside.

    M is what its experts remember, D what a firing series is held to.
    """

    @property
    def n_series(self) -> int:
        """Return S."""
        ...

    @property
    def n_experts(self) -> int:
        """Return H."""
        ...

    @property
    def learning(self) -> int:
        """Return how many windows an expert must see before it can bet on a change."""
        ...

    def begin(self) -> M:
        """Return what is known before the first window."""
        ...

    def score(self, memory: M, questions: Sequence[Question | None], start_us: int) -> Scores:
        """Return what a window says, using only what was known before it."""
        ...

    def learn(self, memory: M, questions: Sequence[Question | None], start_us: int) -> M:
        """Return what is known after a window, once it has been scored."""
        ...

    def sides(self, before: M, after: M, expert: npt.NDArray[np.intp], start_us: int) -> D:
        """Return what firing series are held to, from the best expert's memory.

        `before` and `after` the window that raised the alarm: only later windows are judged
        by it.
        """
        ...

    def returning(
        self, sides: D, questions: Sequence[Question | None], start_us: int
    ) -> tuple[Array, Effect]:
        """Return the log e-values against "still out of tolerance", (S, 3), and the effect, (S,).

        A series without outputs in the window gives 0.
        """
        ...

    def direction(self, sides: D) -> npt.NDArray[np.int64]:
        """Return +1, -1 or 0 (no direction) of each series, of shape (S,)."""
        ...

    def scale(self, sides: D) -> Array:
        """Return the effect at tolerance, of shape (S,): effects over it are departures."""
        ...


def closed_effect(n_series: int) -> Effect:
    """Return the effect of nothing, for kinds that measure none."""
    nothing = np.zeros(n_series)
    return Effect(value=nothing, weight=nothing, variance=nothing)
