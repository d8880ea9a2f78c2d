from typing import Any

import pytest

from monitor.incidents.acts.recording import Correct, OpenEvidence, WriteDown
from monitor.incidents.awareness import Awareness, AwarenessKind, awareness
from monitor.incidents.lifecycle import perform
from monitor.incidents.model import Incident
from monitor.incidents.roles import Person, Role
from monitor.incidents.timeline import Confidence, EntryKind, TimelineEntry

HOUR = 3_600_000_000
NOW = 1_000 * HOUR


@pytest.fixture
def incident(desk: Any, breach: Any) -> Incident:
    seen: Incident = desk.see(breach("psi(x)", 7), known_us=20 * HOUR)
    return seen


def times(desk: Any, incident: Incident) -> dict[AwarenessKind, Awareness]:
    return {each.kind: each for each in awareness(desk.timeline(incident))}


def test_a_candidate_knows_its_onset_and_its_first_signal(desk: Any, incident: Incident) -> None:
    known = times(desk, incident)

    assert set(known) == {AwarenessKind.ONSET_ESTIMATED, AwarenessKind.FIRST_SIGNAL}
    onset = known[AwarenessKind.ONSET_ESTIMATED]
    assert (onset.from_us, onset.to_us) == (7 * HOUR, 8 * HOUR)
    assert onset.confidence is Confidence.ESTIMATED
    assert known[AwarenessKind.FIRST_SIGNAL].from_us == 20 * HOUR


def test_seven_times_are_told_apart(desk: Any, incident: Incident, occasion: Any) -> None:
    delivered = TimelineEntry(
        kind=EntryKind.NOTIFIED, occurred_us=21 * HOUR, known_us=21 * HOUR, body={"channel": "c"}
    )
    desk.write(incident.id, [delivered], NOW)
    counsel = Person(name="bob", role=Role.LEGAL)
    for act, options in (
        (OpenEvidence(), {"known_us": 22 * HOUR}),
        (WriteDown(kind=EntryKind.BELIEF_STATED, text="b"), {"known_us": 23 * HOUR}),
        (WriteDown(kind=EntryKind.DETERMINED, text="d"), {"known_us": 29 * HOUR}),
        (WriteDown(kind=EntryKind.CAUSAL_LINK_STATED, text="c"), {"by": counsel}),
    ):
        on = occasion(**{"by": Person(name="ada", role=Role.COMMANDER), **options})
        desk.keep(perform(incident, act, on))

    known = times(desk, incident)

    assert list(known) == list(AwarenessKind)
    assert [known[kind].from_us // HOUR for kind in AwarenessKind] == [
        7,
        20,
        21,
        22,
        23,
        29,
        1_000,
    ]
    assert known[AwarenessKind.CAUSAL_LINK_STATED].by == "bob"


def test_a_correction_moves_the_time_and_both_entries_are_named(
    desk: Any, incident: Incident, occasion: Any
) -> None:
    act = WriteDown(kind=EntryKind.BELIEF_STATED, text="since nine")
    desk.keep(perform(incident, act, occasion(known_us=30 * HOUR)))
    correction = Correct(seq=3, text="since eight", corrected_known_us=29 * HOUR)

    desk.keep(perform(incident, correction, occasion(timeline=desk.timeline(incident))))

    belief = times(desk, incident)[AwarenessKind.BELIEF_STATED]
    assert (belief.from_us, belief.seq, belief.corrected_by) == (29 * HOUR, 3, 4)
    assert desk.timeline(incident)[2].entry.body["text"] == "since nine"


def test_what_was_withdrawn_starts_nothing(desk: Any, incident: Incident, occasion: Any) -> None:
    desk.keep(perform(incident, WriteDown(kind=EntryKind.BELIEF_STATED, text="b"), occasion()))
    correction = Correct(seq=3, text="that was another incident", withdrawn=True)

    desk.keep(perform(incident, correction, occasion(timeline=desk.timeline(incident))))

    assert AwarenessKind.BELIEF_STATED not in times(desk, incident)
