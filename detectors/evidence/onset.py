"""When a change began.

Each expert keeps the cumulative sum of its log e-values above its lowest point so far (Page's
CUSUM). The window after that lowest point is the most likely onset; every window where the
sum stood within `PLAUSIBLE_NATS` of it is a plausible one. The sums that give its magnitude
are gathered from the onset on.

The CUSUM only knows what was bet at the time. Where earlier windows are still at hand,
`detectors.evidence.dating` looks at them again with the set that raised the alarm, and is closer.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detectors.evidence.array_state import ArrayState
from detectors.evidence.beta_binomial import Array

__all__ = [
    "PLAUSIBLE_NATS",
    "Effect",
    "Onset",
    "OnsetState",
    "onset_of",
    "track",
]

PLAUSIBLE_NATS = 2.0
"""A drop in log likelihood that is still plausible: 1.92 would be a 95 % likelihood interval."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Effect:
    """By how much one window departs from the baseline, in the series' unit.

    Parameters
    ----------
    value
        Departure, of shape (S, H) or (S,); 0 where `weight` is 0.
    weight
        How many outputs it rests on.
    variance
        Of the value.
    """

    value: Array
    weight: Array
    variance: Array


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class OnsetState(ArrayState):
    """Where each expert's CUSUM stands, all of shape (S, H).

    Parameters
    ----------
    cusum
        Log evidence since the most likely onset, in nats, at least 0.
    age, earliest, latest
        Windows from the most likely, the earliest and the latest plausible onset until now,
        counting the last window: 0 if it would begin with the next window.
    depth
        How far the sum has fallen below where it stood at the earliest plausible onset.
    excess, weight, variance
        Sums since the most likely onset: weight x departure, weight, weight^2 x variance.
    """

    cusum: Array
    age: npt.NDArray[np.int64]
    earliest: npt.NDArray[np.int64]
    latest: npt.NDArray[np.int64]
    depth: Array
    excess: Array
    weight: Array
    variance: Array

    @classmethod
    def start(cls, n_series: int, n_experts: int) -> "OnsetState":
        """Return the state before the first window."""
        nothing = np.zeros((n_series, n_experts))
        ages = np.zeros((n_series, n_experts), dtype=np.int64)
        return cls(
            cusum=nothing,
            age=ages,
            earliest=ages,
            latest=ages,
            depth=nothing,
            excess=nothing,
            weight=nothing,
            variance=nothing,
        )

    def restarted(self, series: npt.NDArray[np.bool_]) -> "OnsetState":
        """Return the state begun anew where `series`, of shape (S,), is true."""
        return self.replaced(series, OnsetState.start(*self.cusum.shape))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Onset:
    """How many windows ago a change began, 0 being the last one; int64 of shape (S,).

    The range is one of likelihood, not a confidence interval with a proven coverage.
    """

    windows_ago: npt.NDArray[np.int64]
    earliest: npt.NDArray[np.int64]
    latest: npt.NDArray[np.int64]


def track(state: OnsetState, log_e: Array, effect: Effect) -> OnsetState:
    """Return the CUSUMs after one more window.

    ``C <- max(0, C + l)``. A window in which an expert says nothing (l = 0 at C = 0) begins
    anew: silence does not make an old onset plausible.

    Parameters
    ----------
    state
        Before the window.
    log_e
        Log e-values as used, of shape (S, H).
    effect
        Of the window, of shape (S, H); weight 0 for experts that do not bet.
    """
    sum_ = state.cusum + log_e
    begins = sum_ <= 0
    depth = np.where(begins, state.depth - sum_, state.depth)
    lost = begins & ((depth > PLAUSIBLE_NATS) | (log_e == 0))
    cusum = np.where(begins, 0.0, sum_)
    kept = ~begins
    weight = np.broadcast_to(effect.weight, log_e.shape)
    return OnsetState(
        cusum=cusum,
        age=np.where(begins, 0, state.age + 1),
        earliest=np.where(lost, 0, state.earliest + 1),
        latest=np.where(cusum <= PLAUSIBLE_NATS, 0, state.latest + 1),
        depth=np.where(lost, 0.0, depth),
        excess=kept * (state.excess + weight * effect.value),
        weight=kept * (state.weight + weight),
        variance=kept * (state.variance + weight**2 * effect.variance),
    )


def onset_of(state: OnsetState, expert: npt.NDArray[np.intp], *, learning: int = 0) -> Onset:
    """Return the onset that the best expert sees, and the range that good experts agree on.

    Experts whose CUSUM is within `PLAUSIBLE_NATS` of the best one's widen the range.

    Parameters
    ----------
    state
        After the window that raised the alarm.
    expert
        The best expert, of shape (S,).
    learning
        Windows that an expert must see before it can bet on a change: the change may have
        begun that much earlier. 1 for learned witnesses, else 0.
    """
    best = expert[:, None]
    good = state.cusum >= np.take_along_axis(state.cusum, best, axis=1) - PLAUSIBLE_NATS
    age = np.take_along_axis(state.age, best, axis=1)[:, 0]
    earliest = np.where(good, np.maximum(state.earliest, state.age), 0).max(axis=1)
    never = np.iinfo(np.int64).max
    latest = np.where(good, np.minimum(state.latest, state.age), never).min(axis=1)
    return Onset(
        windows_ago=np.maximum(age - 1, 0),
        earliest=np.maximum(np.maximum(earliest, age) + learning - 1, 0),
        latest=np.maximum(np.minimum(latest, age) - 1, 0),
    )
