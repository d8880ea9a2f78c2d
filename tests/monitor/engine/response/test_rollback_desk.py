import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.engine.response.rolling.desk import RollbackDesk
from monitor.incidents.acts.base import Occasion
from monitor.incidents.acts.moving import Move
from monitor.incidents.acts.organizing import Assign
from monitor.incidents.grouping import Changes
from monitor.incidents.roles import Person, RefusedActError, Role
from monitor.incidents.states import IncidentState
from monitor.incidents.suggestion import Tier
from monitor.incidents.timeline import MONITOR as BY_MONITOR
from monitor.incidents.timeline import EntryKind, broken_links
from monitor.rollbacks.errors import Refusal, RefusedError
from monitor.rollbacks.execution import EndState, Execution, Stage, StepKind
from monitor.rollbacks.plans import Evidence
from monitor.storage.store import Store
from tests.monitor.engine.response.rollback_case import (
    ADA,
    BEN,
    DAN,
    EVE,
    MONITOR,
    Case,
    case_in,
)
from tests.monitor.rollbacks.planes import Plane, TickingClock, plan_for

OLGA = Person(name="olga", role=Role.OWNER)
RULE = "selection_rate_gap(approved, sex)"


@pytest.fixture
def clock() -> TickingClock:
    return TickingClock()


@pytest.fixture
def plane(tmp_path: Path) -> Plane:
    return Plane(tmp_path / "plane")


@pytest.fixture
def case(tmp_path: Path, plane: Plane, clock: TickingClock) -> Iterator[Case]:
    with case_in(tmp_path, plan_for(plane), clock) as made:
        yield made


def asked(case: Case, by: Person = EVE, incident: str | None = None) -> Execution:
    return case.desk.prepare("scorer back", by, "the gap doubled", incident=incident or case.id)


def agreed(case: Case, *, by: Person = EVE, approver: Person = ADA) -> Execution:
    execution = asked(case, by)
    return case.desk.approve(execution.id, approver, execution.dry_run.hash)


def test_a_verified_rollback_contains_its_incident_and_is_told_in_its_timeline(
    case: Case, plane: Plane
) -> None:
    ended = case.desk.run(agreed(case).id, ADA)

    assert (ended.end, plane.read("serving")) == (EndState.VERIFIED, "v7")
    assert case.incident.state is IncidentState.CONTAINED
    assert case.kinds == [
        EntryKind.OPENED_BY_PERSON,
        EntryKind.EVIDENCE_FROZEN,
        EntryKind.ROLLBACK_PLANNED,
        EntryKind.ROLLBACK_APPROVED,
        EntryKind.ROLLBACK_STEP,
        EntryKind.ROLLBACK_STEP,
        EntryKind.ROLLBACK_APPLIED,
        EntryKind.ROLLBACK_OBSERVED,
        EntryKind.ROLLBACK_VERIFIED,
        EntryKind.ROLLBACK_STEP,
        EntryKind.CONTAINED,
    ]
    assert broken_links(case.timeline) == ()


def test_the_timeline_says_who_acted_in_which_role(case: Case) -> None:
    case.desk.run(agreed(case).id, ADA)

    by = {each.entry.kind: (each.entry.actor, each.entry.role) for each in case.timeline}
    assert by[EntryKind.ROLLBACK_PLANNED] == ("eve", "on_call")
    assert by[EntryKind.ROLLBACK_APPROVED] == ("ada", "commander")
    assert by[EntryKind.CONTAINED] == (BY_MONITOR, None)


def test_every_step_of_the_execution_is_an_entry_of_the_timeline(case: Case) -> None:
    ended = case.desk.run(agreed(case).id, ADA)

    steps = [step.kind.value for step in case.desk.steps(ended.id)]
    told = [each.entry.body.get("step") for each in case.timeline]
    assert [each for each in told if each] == steps


def test_what_was_in_force_is_kept_in_the_vault_and_erased_with_it(case: Case) -> None:
    asked(case)

    frozen = next(e.entry for e in case.timeline if e.entry.kind is EntryKind.EVIDENCE_FROZEN)
    kept = frozen.body["kept"]
    content = json.loads(case.acting.unseal(case.id, kept["evidence"][0]["vault"]))
    assert (kept["plane"]["value"], kept["plane"]["detail"]) == ("v8", {})
    assert (content["plane"]["value"], content["served"], content["plan"]) == (
        "v8",
        "v8",
        "scorer back",
    )


def test_a_plane_that_moved_while_serving_did_not_leaves_the_incident_open(
    case: Case, plane: Plane
) -> None:
    plane.write("follows", "no")

    ended = case.desk.run(agreed(case).id, ADA)

    assert ended.end is EndState.APPLIED_NOT_SERVING
    assert case.incident.state is IncidentState.OPEN
    assert EntryKind.ROLLBACK_VERIFIED not in case.kinds
    assert EntryKind.ROLLBACK_FAILED in case.kinds


def test_only_who_may_decide_runs_a_rollback(case: Case, plane: Plane) -> None:
    execution = agreed(case, by=EVE, approver=BEN)

    with pytest.raises(RefusedActError, match="roll back is decided by commander"):
        case.desk.run(execution.id, EVE)

    assert plane.n_applied == 0


def test_the_person_on_call_may_run_what_the_commander_agreed_to(case: Case) -> None:
    ended = case.desk.run(agreed(case, by=BEN, approver=ADA).id, EVE)

    assert ended.end is EndState.VERIFIED


def test_another_commander_than_the_named_one_decides_nothing(case: Case) -> None:
    occasion = Occasion(by=EVE, reason="on duty", now_us=0)
    case.acting.act(case.id, Assign(role=Role.COMMANDER, name="ada"), occasion)
    execution = asked(case)

    with pytest.raises(RefusedActError, match="the commander of this incident is 'ada'"):
        case.desk.approve(
            execution.id, Person(name="ben", role=Role.COMMANDER), execution.dry_run.hash
        )


def test_a_grave_incident_takes_a_second_person_in_another_role(case: Case) -> None:
    case.id = case.opened(Tier.SEV1)
    both_commanders = asked(case, ADA)
    other = Person(name="ben", role=Role.COMMANDER)
    case.desk.approve(both_commanders.id, other, both_commanders.dry_run.hash)

    with pytest.raises(RefusedActError, match="second person in another role"):
        case.desk.run(both_commanders.id, ADA)

    case.desk.approve(both_commanders.id, EVE, both_commanders.dry_run.hash)
    assert case.desk.run(both_commanders.id, ADA).end is EndState.VERIFIED


def test_words_of_those_without_a_say_do_not_count(case: Case) -> None:
    execution = asked(case)

    with pytest.raises(RefusedActError, match="agreed to by commander"):
        case.desk.approve(execution.id, DAN, execution.dry_run.hash)
    with pytest.raises(RefusedActError, match="is not listed"):
        case.desk.prepare(
            "scorer back", Person(name="zoe", role=Role.ON_CALL), "gap", incident=case.id
        )


def test_an_approval_of_an_old_dry_run_is_refused_and_told(case: Case, plane: Plane) -> None:
    old = asked(case)
    plane.write("plane", "v9")
    new = asked(case)

    with pytest.raises(RefusedError) as caught:
        case.desk.approve(new.id, ADA, old.dry_run.hash)

    assert caught.value.refusal is Refusal.APPROVAL_STALE
    assert case.kinds[-1] is EntryKind.ROLLBACK_REFUSED


def test_a_beginning_of_the_hash_will_do_but_not_a_short_one(case: Case) -> None:
    execution = asked(case)

    with pytest.raises(RefusedError, match="read it and approve that"):
        case.desk.approve(execution.id, ADA, execution.dry_run.hash[:6])
    assert case.desk.approve(execution.id, ADA, execution.dry_run.hash[:12]).approvals


def test_a_target_without_evidence_takes_one_more_person(
    tmp_path: Path, plane: Plane, clock: TickingClock
) -> None:
    with case_in(tmp_path, plan_for(plane, evidence=Evidence.NONE), clock) as case:
        execution = agreed(case, by=EVE, approver=ADA)
        with pytest.raises(RefusedError) as caught:
            case.desk.run(execution.id, ADA)
        case.desk.approve(execution.id, BEN, execution.dry_run.hash)
        ended = case.desk.run(execution.id, ADA)

    assert caught.value.refusal is Refusal.APPROVAL_MISSING
    assert ended.end is EndState.VERIFIED


def test_one_person_may_go_ahead_alone_and_somebody_else_reviews_it(case: Case) -> None:
    execution = asked(case)

    case.desk.break_glass(execution.id, EVE, execution.dry_run.hash, "children see this now")
    ended = case.desk.run(execution.id, EVE)

    assert ended.end is EndState.VERIFIED
    assert ended.review_due_us is not None
    with pytest.raises(RefusedActError, match="by somebody else"):
        case.desk.review(ended.id, EVE, "fine")
    assert case.desk.review(ended.id, BEN, "right at that hour").reviewed_by == "ben"


def test_what_one_person_did_alone_is_not_run_by_another(case: Case) -> None:
    execution = asked(case, ADA)
    case.desk.break_glass(execution.id, EVE, execution.dry_run.hash, "children see this now")

    with pytest.raises(RefusedActError, match="is decided by commander"):
        case.desk.run(asked(case, EVE).id, EVE)


def test_a_candidate_stays_one(case: Case) -> None:
    store = case.store.incidents(MONITOR)
    candidate = replace(case.incident, state=IncidentState.CANDIDATE, version=2)
    store.apply(Changes(incidents=(candidate,), entries={}), recorded_us=case.clock.us)

    ended = case.desk.run(agreed(case).id, ADA)

    assert ended.contains
    assert case.incident.state is IncidentState.CANDIDATE


def test_to_take_a_rollback_back_contains_nothing(case: Case, plane: Plane) -> None:
    done = case.desk.run(agreed(case).id, ADA)
    undo = case.desk.undo(done.id, ADA, "it was not the model")
    for approver in (BEN, EVE):
        case.desk.approve(undo.id, approver, undo.dry_run.hash)

    ended = case.desk.run(undo.id, ADA)

    assert (ended.end, ended.contains, plane.read("serving")) == (EndState.VERIFIED, False, "v8")
    assert case.kinds.count(EntryKind.CONTAINED) == 1


def test_while_rollbacks_are_stopped_none_runs(case: Case, plane: Plane) -> None:
    case.desk.stop(DAN, "the registry is being moved")
    execution = agreed(case)

    with pytest.raises(RefusedError, match="the registry is being moved"):
        case.desk.run(execution.id, ADA)
    with pytest.raises(RefusedActError, match="let begin again by"):
        case.desk.go_on(DAN, "moved")

    assert plane.n_applied == 0
    case.desk.go_on(ADA, "moved")
    assert case.desk.run(execution.id, ADA).end is EndState.VERIFIED


def test_an_armed_plan_runs_once_when_its_rule_breaches(case: Case, plane: Plane) -> None:
    in_advance = case.desk.prepare("scorer back", OLGA, "if the gap opens again")
    case.desk.approve(in_advance.id, BEN, in_advance.dry_run.hash)
    armed = case.desk.arm(in_advance.id, OLGA, rule=RULE, hours=48)

    ended = case.desk.pull("scorer back", rule=RULE, incident=case.id)

    assert (ended.end, ended.requested_by) == (EndState.VERIFIED, BY_MONITOR)
    assert [each.role for each in ended.approvals] == ["ml_lead"]
    assert case.incident.state is IncidentState.CONTAINED
    assert armed.id not in {each.id for each in case.desk.consents()}
    with pytest.raises(RefusedError) as caught:
        case.desk.pull("scorer back", rule=RULE, incident=case.id)
    assert caught.value.refusal is Refusal.NOT_ARMED


def test_an_armed_plan_that_no_longer_fits_is_given_up_and_told(case: Case, plane: Plane) -> None:
    in_advance = case.desk.prepare("scorer back", OLGA, "if the gap opens again")
    case.desk.approve(in_advance.id, BEN, in_advance.dry_run.hash)
    case.desk.arm(in_advance.id, OLGA, rule=RULE)
    plane.write("plane", "v9")

    with pytest.raises(RefusedError, match="not for what it would change now"):
        case.desk.pull("scorer back", rule=RULE, incident=case.id)

    assert case.kinds[-1] is EntryKind.ROLLBACK_ABORTED
    assert [each.stage for each in case.desk.executions(case.id)] == [Stage.ENDED]


def test_to_arm_takes_an_owner_and_another_person(case: Case) -> None:
    in_advance = case.desk.prepare("scorer back", EVE, "if the gap opens again")
    case.desk.approve(in_advance.id, BEN, in_advance.dry_run.hash)

    with pytest.raises(RefusedActError, match="a plan is armed by commander, owner"):
        case.desk.arm(in_advance.id, EVE, rule=RULE)


def test_a_plan_is_disarmed_before_it_was_used(case: Case) -> None:
    execution = agreed(case)
    armed = case.desk.arm(execution.id, ADA, rule=RULE)

    case.desk.disarm(armed.id[:8], EVE, "the rule is noisy")

    assert case.desk.consents() == ()
    assert case.kinds[-2:] == [EntryKind.ROLLBACK_ARMED, EntryKind.ROLLBACK_DISARMED]


def test_nothing_runs_without_an_incident_or_in_one_that_is_over(case: Case) -> None:
    alone = case.desk.prepare("scorer back", EVE, "just so")
    case.desk.approve(alone.id, ADA, alone.dry_run.hash)
    with pytest.raises(RefusedError, match="without an incident"):
        case.desk.run(alone.id, ADA)

    because = Occasion(by=ADA, reason="a test", now_us=0)
    case.acting.act(case.id, Move(to=IncidentState.DISMISSED), because)
    with pytest.raises(RefusedActError, match="'dismissed'"):
        asked(case)


def test_what_is_told_is_written_in_the_transaction_of_the_step(
    tmp_path: Path, plane: Plane, clock: TickingClock
) -> None:
    def away(changes: Changes, _now_us: int) -> None:
        kinds = {entry.kind for entries in changes.entries.values() for entry in entries}
        if EntryKind.ROLLBACK_APPROVED in kinds:
            message = "the outbox is full"
            raise OSError(message)

    with case_in(tmp_path, plan_for(plane), clock, away) as case:
        execution = asked(case)
        with pytest.raises(OSError, match="the outbox is full"):
            case.desk.approve(execution.id, ADA, execution.dry_run.hash)

        assert case.desk.load(execution.id).approvals == ()
        assert EntryKind.ROLLBACK_APPROVED not in case.kinds
        assert StepKind.APPROVED not in {step.kind for step in case.desk.steps(execution.id)}


def test_two_desks_on_every_database_run_a_rollback_once(
    any_database_url: str, plane: Plane, clock: TickingClock
) -> None:
    plan = plan_for(plane)
    with Store.open(any_database_url) as store, Store.open(any_database_url) as other:
        case = Case(store, plan, clock)
        execution = agreed(case)
        desks = [
            replace(case.desk, store=each, owner=f"desk {number}")
            for number, each in enumerate((store, other))
        ]
        ends: list[str] = []

        def run(desk: RollbackDesk) -> None:
            try:
                ends.append(str(desk.run(execution.id, ADA).end))
            except RefusedError as error:
                ends.append(str(error.refusal))

        threads = [threading.Thread(target=run, args=(desk,)) for desk in desks]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)

        assert ends.count("verified") == 1
        assert set(ends) - {"verified"} <= {"locked", "wrong_stage"}
        assert (plane.n_applied, case.incident.state) == (1, IncidentState.CONTAINED)
        assert broken_links(case.timeline) == ()
