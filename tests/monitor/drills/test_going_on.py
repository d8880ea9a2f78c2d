"""Outputs follow what is served, and the times are those of the timeline."""

import json
import os
from pathlib import Path

import pytest

from monitor.clock import FixedClock
from monitor.drills.cast import MADE_UP, NEEDED, CastError, cast_of, entitled
from monitor.drills.measuring import Milestone, Standing, milestones
from monitor.drills.planting import Drill
from monitor.drills.playing import BEGIN_US
from monitor.engine.incident_desk import monitor_name
from monitor.engine.response.acting import ActingDesk
from monitor.incidents.acts.base import Occasion
from monitor.incidents.acts.moving import Move
from monitor.incidents.model import Incident
from monitor.incidents.rights import Decision
from monitor.incidents.roles import People, Person, Role
from monitor.incidents.states import IncidentState
from monitor.incidents.suggestion import Tier
from monitor.storage.store import Store

MINUTE = 60_000_000


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(BEGIN_US)


@pytest.fixture
def drill(tmp_path: Path, clock: FixedClock) -> Drill:
    return Drill.begun("dead-filter", tmp_path / "drill", clock=clock)


def found(drill: Drill) -> Incident:
    with Store.open(drill.configuration.storage.url, must_exist=True) as store:
        return drill.incident(store)


def switch_by_hand(drill: Drill, at_us: int) -> None:
    flags = drill.place.flags
    document = json.loads(flags.read_text())
    document["flags"]["gateway-release"]["defaultVariant"] = "gateway-14"
    flags.write_text(json.dumps(document))
    os.utime(flags, ns=(at_us * 1_000, at_us * 1_000))


def test_the_breach_goes_on_until_somebody_switches_back(drill: Drill, clock: FixedClock) -> None:
    clock.us += 10 * MINUTE

    assert drill.go_on() == 10
    during = found(drill)
    switch_by_hand(drill, clock.us)
    clock.us += 15 * MINUTE
    assert drill.go_on() == 15
    after = found(drill)

    assert during.resolution_proposed is None
    assert during.last_window.end_us == BEGIN_US + 10 * MINUTE
    assert after.resolution_proposed is not None
    assert after.last_window.end_us <= BEGIN_US + 12 * MINUTE


def test_going_on_twice_within_a_minute_adds_nothing(drill: Drill, clock: FixedClock) -> None:
    clock.us += MINUTE

    assert [drill.go_on(), drill.go_on()] == [1, 0]
    assert found(drill).number == 1


def test_who_acknowledges_late_is_told_so(drill: Drill, clock: FixedClock) -> None:
    incident = found(drill)
    clock.us += 20 * MINUTE
    monitor = monitor_name(drill.configuration)
    with Store.open(drill.configuration.storage.url, must_exist=True) as store:
        desk = ActingDesk(store=store, monitor=monitor, clock=clock)
        by = Person(name="Robin", role=Role.ON_CALL)
        act = Move(to=IncidentState.ACKNOWLEDGED)
        desk.act(incident.id, act, Occasion(by=by, reason="here I am", now_us=clock.us))
        timeline = store.incidents(monitor).timeline(incident.id)

    reached = {each.milestone: each for each in milestones(incident, timeline)}

    late = reached[Milestone.ACKNOWLEDGED]
    assert (late.standing, late.took_us, late.target_us) == (
        Standing.LATE,
        20 * MINUTE,
        5 * MINUTE,
    )
    assert reached[Milestone.CONTAINED].standing is Standing.NOT_YET
    assert reached[Milestone.DETECTED].took_us == 6 * MINUTE


def test_the_cast_is_that_of_the_configuration_or_made_up() -> None:
    names = {f"person {role.value}": (role, Role.ON_CALL) for role in NEEDED}

    cast = cast_of(People(members=names))

    assert cast_of(People()) == MADE_UP
    assert {cast[role] for role in NEEDED} <= set(names)
    assert len({cast[role] for role in NEEDED}) >= len(NEEDED) - 1
    assert all(name.endswith("(made up)") for name in MADE_UP.values())


def test_people_who_cannot_play_a_script_are_told_which_roles_lack() -> None:
    listed = People(members={"Nora": (Role.ON_CALL, Role.LEGAL), "Omar": (Role.COMMANDER,)})

    with pytest.raises(CastError, match="must name somebody as ml_lead, product"):
        cast_of(listed)


@pytest.mark.parametrize("decision", Decision)
def test_who_decides_and_who_stands_by_it_are_two_persons(decision: Decision) -> None:
    by, second = entitled(decision, MADE_UP, Tier.SEV1)

    assert second is None or (second.name, second.role) != (by.name, by.role)


def test_a_cast_in_which_nobody_may_is_refused() -> None:
    with pytest.raises(CastError, match="able to act as legal"):
        entitled(Decision.LEGAL_CLOCK, {Role.ON_CALL: "Nora"}, Tier.SEV1)
