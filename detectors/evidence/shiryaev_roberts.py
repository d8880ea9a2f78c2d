"""The Shiryaev-Roberts recursion: evidence of a change at an unknown time, with a budget.

From the log e-values l of each window, per expert: ``R <- (1 + R) exp(l - 1 / L)``; the
series' evidence is the mean of its experts'. It calls an alarm when R >= c, and starts again
from 0.

What is guaranteed. If every e-value has mean at most 1 given the past, then the mean of R
after a window, before any reset, is at most 1 + R before it. At an alarm R >= c falls to 0.
So R + c (number of alarms) - (number of windows) has non-increasing mean, and in T windows
the expected number of alarms is at most T / c: for every T, for every rule of stopping, and
summed over series whatever their dependence. The leak exp(-1 / L), capping an e-value from
above, skipping a window, and waiting with an alarm all leave R smaller or equal.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detectors.evidence.array_state import ArrayState
from detectors.evidence.beta_binomial import Array

__all__ = ["EvidenceRule", "EvidenceState", "Gathered", "gather", "leak_windows", "window_cap"]

_LEAST_LEAK_WINDOWS = 50.0
_QUIET_SHARE = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRule:
    """How evidence is gathered and when it is enough.

    Parameters
    ----------
    min_windows
        No fewer than this many windows can raise an alarm from nothing: each window's
        evidence is capped at that share of the threshold, against single-window bursts.
    least_age
        Windows since the start before an alarm may be called at all.
    """

    min_windows: int = 2
    least_age: int = 1

    def __post_init__(self) -> None:
        if self.min_windows < 1 or self.least_age < 1:
            message = f"min_windows and least_age must be at least 1, got {self!r}"
            raise ValueError(message)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class EvidenceState(ArrayState):
    """The evidence of S series with H experts each.

    Parameters
    ----------
    log_r
        ln R of each expert, of shape (S, H); minus infinity for R = 0.
    log_threshold
        ln c that R is gathered against, of shape (S,).
    age
        Windows since the start or the last alarm, int64 of shape (S,).
    """

    log_r: Array
    log_threshold: Array
    age: npt.NDArray[np.int64]

    @classmethod
    def start(cls, log_threshold: npt.ArrayLike, n_experts: int) -> "EvidenceState":
        """Return the state before the first window, with thresholds of shape (S,)."""
        threshold = np.array(log_threshold, dtype=np.float64)
        return cls(
            log_r=np.full((len(threshold), n_experts), -np.inf),
            log_threshold=threshold,
            age=np.zeros(len(threshold), dtype=np.int64),
        )

    @property
    def merged(self) -> Array:
        """Return ln R of each series: the mean over its experts, of shape (S,)."""
        return _merged(self.log_r)

    def restarted(self, series: npt.NDArray[np.bool_]) -> "EvidenceState":
        """Return the state with R = 0 where `series`, of shape (S,), is true."""
        begun = EvidenceState.start(self.log_threshold, self.log_r.shape[1])
        return self.replaced(series, begun)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Gathered:
    """What one window did to the evidence.

    Parameters
    ----------
    state
        After the window; R is 0 again where there was an alarm.
    log_r
        ln R of each series before that reset, of shape (S,).
    alarm
        Which series called an alarm, of shape (S,).
    expert
        The expert with the most evidence, of shape (S,).
    capped
        The log e-values as they were used, of shape (S, H).
    """

    state: EvidenceState
    log_r: Array
    alarm: npt.NDArray[np.bool_]
    expert: npt.NDArray[np.intp]
    capped: Array


def leak_windows(windows_per_day: npt.ArrayLike, log_threshold: npt.ArrayLike) -> Array:
    """Return L, how many windows evidence is remembered for: a day, 50 at least.

    Without evidence either way R comes to rest at L. So L is at most a twentieth of the
    threshold: waiting alone must not look like evidence.

    Examples
    --------
    >>> leak_windows([288, 4, 288], np.log([1e6, 1e6, 1000.0]))
    array([288., 50., 50.])
    """
    wanted = np.maximum(np.asarray(windows_per_day, dtype=np.float64), _LEAST_LEAK_WINDOWS)
    log_most = np.asarray(log_threshold, dtype=np.float64) - np.log(_QUIET_SHARE)
    leak: Array = np.maximum(np.minimum(wanted, np.exp(np.minimum(log_most, 300.0))), 1.0)
    return leak


def window_cap(log_threshold: npt.ArrayLike, n_experts: int, leak: npt.ArrayLike, k: int) -> Array:
    """Return the most log evidence that one window may add: ``(ln c + ln H) / k + 1 / L``.

    ln H makes up for the mean over experts when only one of them has evidence: k windows at
    the cap are just enough.

    Examples
    --------
    >>> float(window_cap(np.log(1000.0), 3, np.inf, 2).round(3))
    4.003
    """
    threshold = np.asarray(log_threshold, dtype=np.float64)
    cap: Array = (threshold + np.log(n_experts)) / k + 1 / np.asarray(leak, dtype=np.float64)
    return cap


def gather(
    state: EvidenceState,
    log_e: Array,
    rule: EvidenceRule,
    *,
    leak: npt.ArrayLike = np.inf,
    log_threshold: npt.ArrayLike | None = None,
    seen: npt.ArrayLike = True,
) -> Gathered:
    """Return the evidence after one more window.

    Parameters
    ----------
    state
        Before the window.
    log_e
        Log e-values of shape (S, H), in nats; each valid given the past. Not NaN.
    rule
        Cap and ages.
    leak
        L, in windows, of shape (S,) or a scalar; infinite for none.
    log_threshold
        ln c from this window on, of shape (S,), fixed before the window; None: as it was.
        When it changes, R keeps its share of the threshold: ``sum over alarms - sum of 1 / c``
        then stays bounded in mean whatever the thresholds do.
    seen
        Which series had events, of shape (S,) or a scalar. The others' R only leaks.
    """
    threshold, earlier = state.log_threshold, state.log_r
    if log_threshold is not None:
        threshold = np.array(log_threshold, dtype=np.float64) + 0 * threshold
        earlier = earlier + (threshold - state.log_threshold)[:, None]
    leaked = 1 / np.asarray(leak, dtype=np.float64).reshape(-1, 1)
    n_experts = earlier.shape[1]
    cap = window_cap(threshold, n_experts, leak, rule.min_windows)[:, None]
    looked = np.broadcast_to(np.asarray(seen, dtype=np.bool_), threshold.shape)
    capped = np.where(looked[:, None], np.minimum(log_e, cap), 0.0)
    gathered = np.where(looked[:, None], np.logaddexp(0.0, earlier), earlier) + capped - leaked
    age = state.age + looked
    merged = _merged(gathered)
    # A tie with the threshold at the cap must not be lost to rounding.
    alarm = (merged >= threshold - _ROUNDING) & (age >= rule.least_age) & looked
    after = EvidenceState(
        log_r=np.where(alarm[:, None], -np.inf, gathered),
        log_threshold=threshold.copy(),
        age=np.where(alarm, 0, age),
    )
    return Gathered(
        state=after, log_r=merged, alarm=alarm, expert=gathered.argmax(axis=-1), capped=capped
    )


_ROUNDING = 1e-9


def _merged(log_r: Array) -> Array:
    merged: Array = np.logaddexp.reduce(log_r, axis=-1) - np.log(log_r.shape[-1])
    return merged
