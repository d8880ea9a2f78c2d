"""Move a series by one window on the evidence of all windows so far: a pure function."""

from dataclasses import replace

from baselines.summary import WindowKey
from detectors.base import Finding, Verdict
from monitor.decision.advance import Event, Transition, is_repeated, seen_again, without_evidence
from monitor.decision.evidence import Evidence, EvidenceEvent
from monitor.decision.state import ALARMED, DecisionRule, SeriesState, State
from monitor.incidents.exposure import exposed_rows

__all__ = ["advance_by_evidence"]


def advance_by_evidence(
    state: SeriesState,
    finding: Finding,
    evidence: Evidence | None,
    window_key: WindowKey,
    rule: DecisionRule,
) -> Transition:
    """Return the series after one more window.

    Evidence near an alarm makes a series pending, an alarm makes it fire. It recovers while
    evidence of a return gathers and is resolved when there is enough; windows without
    evidence do neither.

    Parameters
    ----------
    state
        Where the series stands.
    finding
        What the window alone shows: outputs concerned, and why nothing can be seen.
    evidence
        Where the evidence stands after the window; None in shadow.
    window_key
        The window.
    rule
        Only `cannot_see_windows` is used.
    """
    if is_repeated(state, window_key):
        return Transition(state)
    state = replace(state, last_seen=window_key)
    if evidence is None or not evidence.seen:
        blind = finding.verdict is Verdict.CANNOT_SEE
        verdict = Verdict.CANNOT_SEE if blind else Verdict.INSUFFICIENT_DATA
        return without_evidence(state, verdict, window_key, rule)
    sight = seen_again(state, rule)
    state = replace(state, n_unseen=0)
    if evidence.event is EvidenceEvent.ALARM:
        moved = _fired(state, finding, evidence, window_key)
    elif evidence.event is EvidenceEvent.RETURNED:
        cleared = replace(state, n_beyond=0, n_exposed=0, first_breach=None)
        moved = Transition(cleared.moved(State.RESOLVED, window_key), (Event.RECOVERED,))
    elif evidence.firing:
        moved = _firing(state, finding, evidence, window_key)
    else:
        moved = _quiet(state, evidence, window_key)
    return Transition(moved.state, (*sight, *moved.events))


def _fired(state: SeriesState, finding: Finding, evidence: Evidence, key: WindowKey) -> Transition:
    onset = evidence.onset
    if onset is None:
        message = f"an alarm must say when the change began, got none in the window {key!r}"
        raise ValueError(message)
    state = replace(
        state,
        # What was learned from counts too: it is another window that showed the same.
        n_beyond=max(onset.n_windows, evidence.least_windows),
        n_within=0,
        n_exposed=onset.n_exposed + exposed_rows(finding),
        first_breach=onset.window,
    )
    return Transition(state.moved(State.FIRING, key), (Event.FIRED,))


def _firing(
    state: SeriesState, finding: Finding, evidence: Evidence, key: WindowKey
) -> Transition:
    if evidence.recovering:
        return Transition(replace(state, n_within=state.n_within + 1).moved(State.RECOVERING, key))
    state = replace(
        state,
        n_beyond=state.n_beyond + 1,
        n_within=0,
        n_exposed=state.n_exposed + exposed_rows(finding),
    )
    return Transition(state.moved(State.FIRING, key), (Event.REPEATED,))


def _quiet(state: SeriesState, evidence: Evidence, key: WindowKey) -> Transition:
    was_pending = state.state is State.PENDING
    if state.state in ALARMED:
        message = f"a series cannot be {state.state} while its evidence is at rest"
        raise ValueError(message)
    if evidence.leaning:
        events = () if was_pending else (Event.PENDING,)
        return Transition(state.moved(State.PENDING, key), events)
    cleared = replace(state, n_beyond=0, n_within=state.n_within + 1)
    return Transition(cleared.moved(State.INACTIVE, key), (Event.CLEARED,) if was_pending else ())
