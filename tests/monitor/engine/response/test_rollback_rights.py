"""Rights in rollbacks: what is refused is told, names cannot be bent, the dead hold nothing."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor.engine.response.rolling.desk import RollbackDesk
from monitor.engine.response.rolling.duties import left_behind
from monitor.engine.response.rolling.rights import check_decided
from monitor.incidents.acts.base import Occasion
from monitor.incidents.acts.organizing import Assign
from monitor.incidents.business_hours import BusinessHours, Weekday
from monitor.incidents.roles import People, Person, RefusedActError, Role
from monitor.incidents.suggestion import Tier
from monitor.incidents.timeline import EntryKind
from monitor.incidents.timers import TimerKind
from monitor.rollbacks.errors import Refusal, RefusedError
from monitor.rollbacks.execution import EndState, Execution, Outcome, Stage, advanced
from monitor.rollbacks.ledger import Lock
from tests.monitor.engine.response.rollback_case import (
    ADA,
    BEN,
    DAN,
    EVE,
    MONITOR,
    Case,
    case_in,
)
from tests.monitor.rollbacks.planes import SECOND_US, Plane, TickingClock, plan_for

HOUR_US = 3_600 * SECOND_US


@pytest.fixture
def clock() -> TickingClock:
    return TickingClock()


@pytest.fixture
def case(tmp_path: Path, clock: TickingClock) -> Iterator[Case]:
    with case_in(tmp_path, plan_for(Plane(tmp_path / "plane")), clock) as made:
        yield made


def asked(case: Case, by: Person = EVE, incident: str | None = None) -> Execution:
    case.clock.us += SECOND_US
    return case.desk.prepare("scorer back", by, "the gap doubled", incident=incident or case.id)


def refusals(case: Case) -> list[tuple[str, str | None]]:
    return [
        (each.entry.actor, each.entry.body.get("refusal"))
        for each in case.timeline
        if each.entry.kind is EntryKind.ROLLBACK_REFUSED
    ]


def everybody(case: Case) -> RollbackDesk:
    """Return a desk at which names are not listed."""
    case.desk.people = People()
    return case.desk


def sent(case: Case, owner: str) -> Execution:
    """Return an execution that was sent by a process, whose lease is not over."""
    execution = asked(case)
    ledger, now_us = case.store.rollbacks(), case.clock.us
    lock = Lock(
        target=execution.target,
        execution_id=execution.id,
        owner=owner,
        lease_until_us=now_us + HOUR_US,
    )
    ledger.take_lock(lock, now_us=now_us)
    applying = advanced(
        execution,
        Stage.APPLYING,
        outcome=Outcome.UNKNOWN,
        applying_us=now_us,
        deadline_us=now_us + 60 * SECOND_US,
    )
    ledger.save(applying)
    return applying


@pytest.fixture(scope="module")
def gone() -> str:
    """Return the owner of a lock whose process has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return f"{socket.gethostname()}:{process.pid}:ab12"


def test_a_rollback_is_given_up_by_who_asked_for_it_or_may_agree(case: Case) -> None:
    own, of_others, foreign = asked(case, DAN), asked(case, EVE), asked(case, EVE)

    with pytest.raises(RefusedActError, match=r"given up by 'eve', who asked for it, or by"):
        case.desk.abandon(foreign.id, DAN, "in the way")

    assert case.desk.abandon(own.id, DAN, "not needed").stage is Stage.ENDED
    assert case.desk.abandon(of_others.id, BEN, "not needed").stage is Stage.ENDED
    assert case.desk.load(foreign.id).stage is Stage.PREPARED
    assert refusals(case) == [("dan", "decision_right")]


def test_what_has_no_plan_any_more_can_be_given_up(case: Case) -> None:
    execution = asked(case)
    case.desk.plans = ()

    assert case.desk.abandon(execution.id, BEN, "the plan is gone").stage is Stage.ENDED


@pytest.mark.parametrize(
    "refused",
    [
        lambda desk, made: desk.run(made.id, EVE),
        lambda desk, made: desk.approve(made.id, DAN, made.dry_run.hash),
        lambda desk, made: desk.break_glass(made.id, DAN, made.dry_run.hash, "at once, please"),
        lambda desk, made: desk.arm(made.id, EVE, rule="r"),
        lambda desk, made: desk.undo(made.id, replace(EVE, name="zoe"), "back"),
        lambda desk, made: desk.review(made.id, DAN, "fine"),
        lambda desk, made: desk.prepare(
            "scorer back", replace(EVE, name="zoe"), "why not", incident=made.incident_id
        ),
    ],
)
def test_what_a_decision_right_refuses_is_an_entry_of_the_timeline(
    case: Case, refused: Callable[[RollbackDesk, Execution], object]
) -> None:
    made = asked(case)

    with pytest.raises(RefusedActError) as caught:
        refused(case.desk, made)

    entry = case.timeline[-1].entry
    assert entry.kind is EntryKind.ROLLBACK_REFUSED
    assert entry.body["explanation"] == str(caught.value)
    assert (entry.body["refusal"], entry.body["plan"]) == ("decision_right", "scorer back")


@pytest.mark.parametrize("name", ["EVE", " eve "])
def test_another_way_to_write_a_name_is_no_second_person(case: Case, name: str) -> None:
    grave = case.opened(Tier.SEV2)
    desk = everybody(case)
    execution = asked(case, Person(name=name, role=Role.ML_LEAD), grave)
    desk.approve(execution.id, ADA, execution.dry_run.hash)

    with pytest.raises(RefusedActError, match="takes a second person in another role"):
        check_decided(
            desk.plans[0],
            replace(desk.load(execution.id), approvals=()),
            Person(name="eve", role=Role.COMMANDER),
            desk.people,
            desk.incident(grave),
            case.clock.us,
        )


def test_an_approval_that_is_too_old_is_no_second_person(case: Case) -> None:
    grave = case.opened(Tier.SEV2)
    execution = asked(case, EVE, grave)
    case.desk.approve(execution.id, BEN, execution.dry_run.hash)
    made = replace(case.desk.load(execution.id), requested_by="ada", requested_role="commander")
    incident, plan = case.desk.incident(grave), case.desk.plans[0]
    later = case.clock.us + made.approval_us + SECOND_US

    check_decided(plan, made, ADA, case.desk.people, incident, case.clock.us)

    with pytest.raises(RefusedActError, match="takes a second person"):
        check_decided(plan, made, ADA, case.desk.people, incident, later)


def test_another_commander_than_the_named_one_arms_nothing(case: Case) -> None:
    on = Occasion(by=EVE, now_us=case.clock.us)
    case.acting.act(case.id, Assign(role=Role.COMMANDER, name="ada"), on)
    execution = asked(case)

    with pytest.raises(RefusedActError, match="the commander of this incident is 'ada'"):
        case.desk.arm(execution.id, Person(name="ben", role=Role.COMMANDER), rule="r")


def test_what_still_runs_is_not_reviewed(case: Case) -> None:
    execution = sent(case, f"{socket.gethostname()}:{os.getpid()}:ab12")

    with pytest.raises(RefusedActError, match="reviewed when it has ended"):
        case.desk.review(execution.id, BEN, "fine")


def test_a_process_of_this_host_that_is_gone_holds_no_target(case: Case, gone: str) -> None:
    execution = sent(case, gone)

    assert left_behind(case.desk) == (execution.id,)
    assert case.desk.resume(execution.id).stage is Stage.ENDED


def test_what_a_process_that_is_gone_left_behind_can_be_given_up(case: Case, gone: str) -> None:
    execution = sent(case, gone)

    assert case.desk.abandon(execution.id, BEN, "killed").end is EndState.FAILED


@pytest.mark.parametrize(
    "owner",
    [f"{socket.gethostname()}:{os.getpid()}:ab12", "far:17:ab12"],
    ids=["alive here", "on another host"],
)
def test_a_process_that_may_live_keeps_its_target(case: Case, owner: str) -> None:
    execution = sent(case, owner)

    with pytest.raises(RefusedError) as caught:
        case.desk.resume(execution.id)

    assert caught.value.refusal is Refusal.LOCKED
    assert left_behind(case.desk) == ()


def test_timers_after_a_step_keep_to_the_configured_hours(case: Case) -> None:
    case.desk.hours = BusinessHours(days=(Weekday.SUNDAY,))
    timers = case.store.incidents(MONITOR).timers()
    told, *others = timers.pending(case.id)
    timers.fired(told, at_us=case.clock.us, late=False)
    timers.cancel(others, at_us=case.clock.us)
    case.clock.us += SECOND_US

    asked(case)

    days = {
        each.kind: datetime.fromtimestamp(each.due_us / 1e6, UTC).weekday()
        for each in timers.pending(case.id)
    }
    assert days[TimerKind.DECIDE_SEVERITY] == 6
