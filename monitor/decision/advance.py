"""Move a series by one window: a pure function."""

from dataclasses import dataclass, replace
from enum import StrEnum

from baselines.summary import WindowKey
from detectors.base import Finding, Verdict
from monitor.decision.state import ALARMED, DecisionRule, SeriesState, State
from monitor.incidents.exposure import exposed_rows

__all__ = [
    "Event",
    "Transition",
    "advance",
    "is_repeated",
    "seen_again",
    "without_evidence",
]

_EVIDENCE = frozenset({Verdict.BEYOND, Verdict.WITHIN})


class Event(StrEnum):
    """What happened to a series in one window, for those who act on it."""

    PENDING = "pending"
    CLEARED = "cleared"
    FIRED = "fired"
    REPEATED = "repeated"
    RECOVERED = "recovered"
    CANNOT_SEE = "cannot_see"
    SEEN_AGAIN = "seen_again"


@dataclass(frozen=True, slots=True)
class Transition:
    """The series after the window, and what happened in it."""

    state: SeriesState
    events: tuple[Event, ...] = ()


def advance(
    state: SeriesState, finding: Finding, window_key: WindowKey, rule: DecisionRule
) -> Transition:
    """Return the series after one more window.

    Windows come in order of time. One that is not later than the last one seen changes
    nothing, so a step may be done twice. Only windows with evidence, within or beyond the
    tolerance, move the counts towards an alarm or a recovery: `insufficient_data`,
    `cannot_see` and windows that never came neither resolve an alarm nor reset a suspicion.

    Parameters
    ----------
    state
        Where the series stands.
    finding
        What the window shows.
    window_key
        The window.
    rule
        How many windows it takes.
    """
    if is_repeated(state, window_key):
        return Transition(state)
    state = replace(state, last_seen=window_key)
    sight: tuple[Event, ...] = ()
    if finding.verdict in _EVIDENCE:
        sight = seen_again(state, rule)
        state = replace(state, n_unseen=0)
    if finding.verdict is Verdict.BEYOND:
        moved = _beyond(state, finding, window_key, rule)
    elif finding.verdict is Verdict.WITHIN:
        moved = _within(state, window_key, rule)
    else:
        moved = without_evidence(state, finding.verdict, window_key, rule)
    return Transition(moved.state, (*sight, *moved.events))


def _beyond(
    state: SeriesState, finding: Finding, key: WindowKey, rule: DecisionRule
) -> Transition:
    was_firing = state.state is State.FIRING
    fresh = state.n_beyond == 0 and not was_firing
    state = replace(
        state,
        n_beyond=state.n_beyond + 1,
        n_within=0,
        n_exposed=exposed_rows(finding) + (0 if fresh else state.n_exposed),
        first_breach=key if fresh else state.first_breach,
    )
    if was_firing:
        return Transition(state, (Event.REPEATED,))
    if state.n_beyond >= rule.for_windows:
        return Transition(state.moved(State.FIRING, key), (Event.FIRED,))
    events = (Event.PENDING,) if fresh else ()
    return Transition(state.moved(State.PENDING, key), events)


def _within(state: SeriesState, key: WindowKey, rule: DecisionRule) -> Transition:
    state = replace(state, n_within=state.n_within + 1)
    if state.state is State.FIRING:
        if state.n_within < rule.recover_windows:
            return Transition(state)
        return Transition(_without_breach(state).moved(State.RESOLVED, key), (Event.RECOVERED,))
    was_pending = state.state is State.PENDING
    events = (Event.CLEARED,) if was_pending else ()
    return Transition(_without_breach(state).moved(State.INACTIVE, key), events)


def is_repeated(state: SeriesState, key: WindowKey) -> bool:
    """Return whether a window is not later than the last one that was taken into account."""
    return state.last_seen is not None and _order(key) <= _order(state.last_seen)


def without_evidence(
    state: SeriesState, verdict: Verdict, key: WindowKey, rule: DecisionRule
) -> Transition:
    """Return the series after a window that says nothing: alarms and suspicions stay."""
    events: tuple[Event, ...] = ()
    if verdict is Verdict.CANNOT_SEE:
        state = replace(state, n_unseen=state.n_unseen + 1)
        if state.n_unseen == rule.cannot_see_windows:
            events = (Event.CANNOT_SEE,)
    if state.state in {State.PENDING, *ALARMED}:
        return Transition(state, events)
    blind = verdict is Verdict.CANNOT_SEE
    return Transition(
        state.moved(State.CANNOT_SEE if blind else State.INSUFFICIENT_DATA, key), events
    )


def seen_again(state: SeriesState, rule: DecisionRule) -> tuple[Event, ...]:
    """Return the event of a window with evidence after too many without."""
    return (Event.SEEN_AGAIN,) if state.n_unseen >= rule.cannot_see_windows else ()


def _without_breach(state: SeriesState) -> SeriesState:
    return replace(state, n_beyond=0, n_exposed=0, first_breach=None)


def _order(key: WindowKey) -> tuple[int, int, int]:
    return key.start_us, key.ordinal, key.end_us
