import itertools
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines.summary import WindowKey
from detectors.base import FailureMode, Finding, Verdict
from monitor.decision.advance import Event, advance
from monitor.decision.state import MOVES, DecisionRule, SeriesState, State

HOUR = 3_600_000_000
RULE = DecisionRule(for_windows=2, recover_windows=2, cannot_see_windows=3)
LETTERS = {
    "B": Verdict.BEYOND,
    "w": Verdict.WITHIN,
    "i": Verdict.INSUFFICIENT_DATA,
    "c": Verdict.CANNOT_SEE,
}


def key(hour: int) -> WindowKey:
    return WindowKey(hour * HOUR, (hour + 1) * HOUR)


def finding(verdict: Verdict) -> Finding:
    return Finding(
        detector="d",
        series="d(x)",
        failure_mode=FailureMode.BEHAVIOURAL,
        verdict=verdict,
        n_rows=100,
        n_affected=10,
    )


def play(verdicts: str, rule: DecisionRule = RULE) -> tuple[list[SeriesState], list[list[Event]]]:
    state, states, events = SeriesState(), [], []
    for hour, letter in enumerate(verdicts):
        transition = advance(state, finding(LETTERS[letter]), key(hour), rule)
        state = transition.state
        states.append(state)
        events.append(list(transition.events))
    return states, events


def test_a_series_fires_only_after_enough_windows_in_a_row() -> None:
    states, events = play("wBwBB")

    assert [state.state for state in states] == [
        State.INACTIVE,
        State.PENDING,
        State.INACTIVE,
        State.PENDING,
        State.FIRING,
    ]
    assert events == [[], [Event.PENDING], [Event.CLEARED], [Event.PENDING], [Event.FIRED]]


def test_one_window_is_enough_where_the_rule_says_so() -> None:
    states, events = play("B", DecisionRule(for_windows=1))

    assert states[-1].state is State.FIRING
    assert events == [[Event.FIRED]]


def test_the_onset_is_the_first_window_of_the_run() -> None:
    states, _ = play("wBBB")

    assert states[-1].first_breach == key(1)
    assert states[-1].since == key(2)
    assert states[-1].n_exposed == 30


@pytest.mark.parametrize("blind", ["i", "c", "ic", "cicic"])
def test_windows_without_evidence_do_not_reset_a_suspicion(blind: str) -> None:
    states, _ = play(f"B{blind}B")

    assert states[-2].state is State.PENDING
    assert states[-1].state is State.FIRING


@pytest.mark.parametrize("blind", ["iiiiiiiii", "ccccccccc", "icicicici"])
def test_nothing_resolves_by_not_being_seen(blind: str) -> None:
    states, events = play(f"BB{blind}")

    assert states[-1].state is State.FIRING
    assert not any(Event.RECOVERED in each for each in events)


def test_recovery_takes_fresh_evidence_in_a_row() -> None:
    states, events = play("BBwBwiw")

    assert states[4].state is State.FIRING
    assert states[-1].state is State.RESOLVED
    assert events[3] == [Event.REPEATED]
    assert events[-1] == [Event.RECOVERED]


def test_a_resolved_series_goes_quiet_and_can_fire_again() -> None:
    states, _ = play("BBwwwBB")

    assert [state.state for state in states[3:]] == [
        State.RESOLVED,
        State.INACTIVE,
        State.PENDING,
        State.FIRING,
    ]
    assert states[-1].first_breach == key(5)


def test_not_seeing_is_told_once_and_ends_with_evidence() -> None:
    _, events = play("wccciccw")

    assert events == [[], [], [], [Event.CANNOT_SEE], [], [], [], [Event.SEEN_AGAIN]]


def test_scarce_data_and_blindness_are_states_of_their_own() -> None:
    states, _ = play("iwc")

    assert [state.state for state in states] == [
        State.INSUFFICIENT_DATA,
        State.INACTIVE,
        State.CANNOT_SEE,
    ]


def test_a_window_that_was_seen_changes_nothing() -> None:
    states, _ = play("BB")

    again = advance(states[-1], finding(Verdict.BEYOND), key(1), RULE)
    earlier = advance(states[-1], finding(Verdict.WITHIN), key(0), RULE)

    assert again.state == earlier.state == states[-1]
    assert again.events == earlier.events == ()


def test_every_move_that_happens_is_in_the_table() -> None:
    for verdicts in itertools.product(LETTERS, repeat=6):
        states, _ = play("".join(verdicts))

        for before, after in itertools.pairwise(states):
            assert after.state in MOVES[before.state]


def test_a_move_that_is_not_in_the_table_is_refused() -> None:
    firing = SeriesState(state=State.FIRING, since=key(0))

    with pytest.raises(ValueError, match="a firing series cannot become inactive"):
        firing.moved(State.INACTIVE, key(1))


@settings(max_examples=60, deadline=None)
@given(st.text("Bwic", max_size=20))
def test_a_state_survives_json(verdicts: str) -> None:
    states, _ = play(verdicts)

    for state in [SeriesState(), *states]:
        assert SeriesState.from_json(json.loads(json.dumps(state.to_json()))) == state


def test_a_state_of_another_version_is_refused() -> None:
    with pytest.raises(ValueError, match="version 1, got 7"):
        SeriesState.from_json({"version": 7, "state": "inactive"})
