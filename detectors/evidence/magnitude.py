"""How large a change has been since its onset, and a lower bound of that."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detectors.evidence.array_state import ArrayState
from detectors.evidence.beta_binomial import Array
from detectors.evidence.onset import Effect, OnsetState

__all__ = ["Magnitude", "MagnitudeState", "magnitude_of", "share_effect"]

_LOWER_QUANTILE = 2.33
_FORGETTING = 0.98


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Magnitude:
    """The mean departure and its lower confidence bound, in the series' unit, of shape (S,)."""

    value: Array
    low: Array


def share_effect(
    count: npt.ArrayLike, total: npt.ArrayLike, usual: npt.ArrayLike, share: npt.ArrayLike
) -> Effect:
    """Return by how much a share exceeds its usual value.

    Value x / n - p; variance ph (1 - ph) / (n f), ph = (x + 1/2) / (n + 1).

    Parameters
    ----------
    count, total
        Events in the set chosen beforehand, and all events.
    usual
        The baseline's share p.
    share
        f, the part of the events that counts as independent.
    """
    x, n = np.asarray(count, dtype=np.float64), np.asarray(total, dtype=np.float64)
    some = np.maximum(n, 1.0)
    smooth = (x + 0.5) / (n + 1)
    value = np.where(n > 0, x / some - np.asarray(usual, dtype=np.float64), 0.0)
    variance = smooth * (1 - smooth) / (some * np.asarray(share, dtype=np.float64))
    return Effect(value=value, weight=n + 0 * value, variance=variance)


def magnitude_of(
    state: OnsetState, expert: npt.NDArray[np.intp], *, z: float = _LOWER_QUANTILE
) -> Magnitude:
    """Return the mean departure since the onset, with a lower bound of 99 %.

    ``sum w d / sum w`` and ``- z sqrt(sum w^2 v) / sum w``. The set was chosen before each
    window, so its departure is not inflated by the choice; that the onset is chosen
    afterwards is not corrected for. Without outputs since the onset both are 0.

    Parameters
    ----------
    state
        After a window.
    expert
        Whose set is measured, of shape (S,).
    z
        Standard normal quantile of the bound.
    """
    return _magnitude(*_sums(state, expert), z)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class MagnitudeState(ArrayState):
    """The departure on a fixed set while an incident is open, of shape (S,) each."""

    excess: Array
    weight: Array
    variance: Array

    @classmethod
    def carried(cls, state: OnsetState, expert: npt.NDArray[np.intp]) -> "MagnitudeState":
        """Return the sums since the onset, to go on with."""
        excess, weight, variance = _sums(state, expert)
        return cls(excess=excess, weight=weight, variance=variance)

    def after(self, effect: Effect, keep: float = _FORGETTING) -> "MagnitudeState":
        """Return the sums after one more window; 2 % of the past are forgotten."""
        return MagnitudeState(
            excess=self.excess * keep + effect.weight * effect.value,
            weight=self.weight * keep + effect.weight,
            variance=self.variance * keep**2 + effect.weight**2 * effect.variance,
        )

    def magnitude(self, z: float = _LOWER_QUANTILE) -> Magnitude:
        """Return the mean departure and its lower bound; see `magnitude_of`."""
        return _magnitude(self.excess, self.weight, self.variance, z)


def _magnitude(excess: Array, weight: Array, variance: Array, z: float) -> Magnitude:
    some = np.where(weight > 0, weight, 1.0)
    value = np.where(weight > 0, excess / some, 0.0)
    low = np.where(weight > 0, value - z * np.sqrt(variance) / some, 0.0)
    return Magnitude(value=value, low=low)


def _sums(state: OnsetState, expert: npt.NDArray[np.intp]) -> tuple[Array, Array, Array]:
    at = expert[:, None]
    excess, weight, variance = (
        np.take_along_axis(sums, at, axis=1)[:, 0]
        for sums in (state.excess, state.weight, state.variance)
    )
    return excess, weight, variance
