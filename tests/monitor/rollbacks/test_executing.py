import itertools
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.incidents.timeline import EntryKind
from monitor.rollbacks.adapter import Diff
from monitor.rollbacks.afterwards import note_metric
from monitor.rollbacks.agreeing import allow_all, approve, stop_all
from monitor.rollbacks.errors import (
    MovedError,
    NotAppliedError,
    Refusal,
    RefusedError,
)
from monitor.rollbacks.executing import abandon, execute, resume
from monitor.rollbacks.execution import EndState, Execution, Outcome, Stage, Step, StepKind
from monitor.rollbacks.means import Means
from monitor.rollbacks.plans import Evidence, RollbackPlan
from monitor.rollbacks.preparing import prepare, prepare_undo
from monitor.rollbacks.safeguards import MAX_PER_HOUR
from monitor.rollbacks.telling import timeline_entry
from tests.monitor.rollbacks.planes import (
    SECOND_US,
    START_US,
    FileAdapter,
    Plane,
    TickingClock,
    means_for,
    plan_for,
)

HOUR_US = 3_600 * SECOND_US


def agreed(means: Means, plan: RollbackPlan, *approvers: str) -> Execution:
    execution = prepare(means, plan, requested_by="ana", reason="selection gap doubled")
    for approver in approvers or ("ben",):
        approve(
            means,
            plan,
            execution.id,
            approver=approver,
            diff_hash=execution.dry_run.hash,
        )
    return execution


def kinds(means: Means, execution: Execution) -> list[StepKind]:
    return [step.kind for step in means.ledger.steps(execution.id)]


def test_a_plan_is_frozen_shown_agreed_to_applied_and_seen_served(
    means: Means, plan: RollbackPlan, plane: Plane
) -> None:
    ended = execute(means, plan, agreed(means, plan).id)

    assert (ended.end, ended.contains, plane.read("serving")) == (EndState.VERIFIED, True, "v7")
    assert plane.n_applied == 1
    assert kinds(means, ended) == [
        StepKind.FROZEN,
        StepKind.DRY_RUN,
        StepKind.APPROVED,
        StepKind.APPLYING,
        StepKind.APPLIED,
        StepKind.SEEN,
        StepKind.ENDED,
        StepKind.UNDO_PREPARED,
    ]


def test_what_was_in_force_and_served_is_kept_before_anything_is_changed(
    means: Means, plan: RollbackPlan
) -> None:
    execution = prepare(means, plan, requested_by="ana", reason="gap")

    kept = means.ledger.steps(execution.id)[0].body["kept"]
    assert (kept["plane"]["value"], kept["served"]) == ("v8", "v8")


def test_nothing_is_prepared_when_evidence_cannot_be_kept(
    means: Means, plan: RollbackPlan, clock: TickingClock
) -> None:
    def full(
        _plan: RollbackPlan, _incident: str | None, _kept: dict[str, object]
    ) -> dict[str, object]:
        message = "the disk is full"
        raise OSError(message)

    without_room = Means(
        ledger=means.ledger, clock=clock, owner="x", wait=clock.wait, freezers=(full,)
    )

    with pytest.raises(RefusedError, match="the disk is full") as caught:
        prepare(without_room, plan, requested_by="ana", reason="gap")

    assert caught.value.refusal is Refusal.EVIDENCE_NOT_FROZEN


def test_a_switch_that_the_serving_path_does_not_follow_is_never_called_verified(
    means: Means, plan: RollbackPlan, plane: Plane, clock: TickingClock
) -> None:
    plane.write("follows", "no")

    ended = execute(means, plan, agreed(means, plan).id)

    assert (ended.end, ended.contains) == (EndState.APPLIED_NOT_SERVING, False)
    assert "shows 'v8'" in ended.explanation
    assert clock.us - START_US >= 120 * SECOND_US


def test_a_match_within_the_lifetime_of_caches_is_not_enough(
    means: Means, plane: Plane, clock: TickingClock
) -> None:
    plan = plan_for(plane, cache_seconds=60)

    ended = execute(means, plan, agreed(means, plan).id)

    assert ended.end is EndState.VERIFIED
    assert clock.us - START_US >= 60 * SECOND_US


def test_reads_that_alternate_are_no_reads_in_a_row(
    means: Means, plan: RollbackPlan, plane: Plane, clock: TickingClock
) -> None:
    def flip(seconds: float) -> None:
        clock.wait(seconds)
        plane.write("serving", "v8" if plane.read("serving") == "v7" else "v7")

    flipping = Means(ledger=means.ledger, clock=clock, owner="first", wait=flip)

    ended = execute(flipping, plan, agreed(means, plan).id)

    assert ended.end is EndState.APPLIED_NOT_SERVING


def test_a_target_that_is_in_force_is_seen_served_without_a_switch(
    means: Means, plane: Plane
) -> None:
    plan = plan_for(plane, to="v8")
    execution = prepare(means, plan, requested_by="ana", reason="again")

    ended = execute(means, plan, execution.id)

    assert (ended.end, plane.n_applied) == (EndState.ALREADY_THERE, 0)


def test_a_target_that_moved_after_the_approval_is_refused(
    means: Means, plan: RollbackPlan, plane: Plane
) -> None:
    execution = agreed(means, plan)
    plane.write("plane", "v9")

    ended = execute(means, plan, execution.id)

    assert (ended.end, plane.n_applied) == (EndState.REFUSED, 0)
    assert "moved since the dry run" in ended.explanation


def test_a_target_that_moves_under_the_switch_is_refused(means: Means, plane: Plane) -> None:
    def moved(_plane: Plane) -> None:
        message = "somebody was quicker"
        raise MovedError(message)

    plan = plan_for(plane, fault=moved)

    ended = execute(means, plan, agreed(means, plan).id)

    assert (ended.end, ended.outcome) == (EndState.REFUSED, Outcome.NOT_SENT)


def test_a_switch_that_was_certainly_not_made_failed(means: Means, plane: Plane) -> None:
    def unsent(_plane: Plane) -> None:
        message = "connection refused"
        raise NotAppliedError(message)

    plan = plan_for(plane, fault=unsent)

    ended = execute(means, plan, agreed(means, plan).id)

    assert (ended.end, ended.explanation) == (EndState.FAILED, "connection refused")


def test_an_error_after_sending_is_observed_and_may_turn_out_well(
    means: Means, plane: Plane
) -> None:
    def lost_answer(plane: Plane) -> None:
        plane.switch("v7")
        message = "connection reset"
        raise ConnectionResetError(message)

    plan = plan_for(plane, fault=lost_answer)

    ended = execute(means, plan, agreed(means, plan).id)

    assert (ended.end, ended.outcome) == (EndState.VERIFIED, Outcome.UNKNOWN)
    assert StepKind.OUTCOME_UNKNOWN in kinds(means, ended)


def test_an_error_after_sending_that_changed_nothing_failed_and_is_not_sent_again(
    means: Means, plane: Plane
) -> None:
    calls = []

    def lost(_plane: Plane) -> None:
        calls.append(1)
        raise TimeoutError

    plan = plan_for(plane, fault=lost)

    ended = execute(means, plan, agreed(means, plan).id)

    assert (ended.end, len(calls)) == (EndState.FAILED, 1)
    assert "still at 'v8'" in ended.explanation


def test_a_plane_that_goes_away_after_sending_is_not_called_failed(
    means: Means, plane: Plane
) -> None:
    def gone(plane: Plane) -> None:
        plane.write("plane", "unreadable")
        raise TimeoutError

    plan = plan_for(plane, fault=gone)

    ended = execute(means, plan, agreed(means, plan).id)

    assert ended.end is EndState.APPLIED_NOT_SERVING
    assert "is not known" in ended.explanation


KILLED = """
import os, signal, sys
from pathlib import Path
from monitor.rollbacks.executing import execute
from monitor.storage import Store
from tests.monitor.rollbacks.planes import Plane, TickingClock, means_for, plan_for

def die(plane):
    if sys.argv[4] == "after":
        plane.switch("v7")
    os.kill(os.getpid(), signal.SIGKILL)

plane = Plane.__new__(Plane)
plane.folder = Path(sys.argv[2])
with Store.open(sys.argv[1]) as store:
    ledger = store.rollbacks()
    execute(means_for(ledger, TickingClock()), plan_for(plane, fault=die), sys.argv[3])
"""


def killed_during_apply(url: str, plane: Plane, execution: Execution, when: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, url, str(plane.folder), execution.id, when],
        cwd=Path(__file__).parents[3],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        check=False,
        timeout=60,
    )
    assert ended.returncode == -signal.SIGKILL


def unfaulty(plane: Plane) -> RollbackPlan:
    def never(_plane: Plane) -> None:
        message = "the switch must not be sent again"
        raise AssertionError(message)

    return plan_for(plane, fault=never)


def test_a_process_killed_after_the_switch_is_resumed_at_observe_and_never_switches_again(
    means: Means, plane: Plane, clock: TickingClock, database_url: str
) -> None:
    plan = plan_for(plane, fault=print)
    execution = agreed(means, plan)
    killed_during_apply(database_url, plane, execution, "after")
    clock.wait(60)

    ended = resume(means_for(means.ledger, clock, "second"), plan, execution.id)

    assert (ended.end, plane.n_applied) == (EndState.VERIFIED, 1)
    assert StepKind.RESUMED in kinds(means, ended)


def test_a_process_killed_before_the_switch_fails_and_leaves_the_target_free(
    means: Means, plane: Plane, clock: TickingClock, database_url: str
) -> None:
    plan = plan_for(plane, fault=print)
    execution = agreed(means, plan)
    killed_during_apply(database_url, plane, execution, "before")
    clock.wait(60)

    ended = resume(means_for(means.ledger, clock, "second"), plan, execution.id)

    assert (ended.end, plane.n_applied) == (EndState.FAILED, 0)
    assert means.ledger.lock("scorer") is None


def test_a_running_execution_is_not_taken_over_while_it_gives_signs_of_life(
    means: Means, plane: Plane, clock: TickingClock, database_url: str
) -> None:
    plan = plan_for(plane, fault=print)
    execution = agreed(means, plan)
    killed_during_apply(database_url, plane, execution, "after")

    with pytest.raises(RefusedError, match="another process") as caught:
        resume(means_for(means.ledger, clock, "second"), plan, execution.id)

    assert caught.value.refusal is Refusal.LOCKED


def test_another_execution_of_the_target_waits_until_the_first_is_seen_to_its_end(
    means: Means, plane: Plane, clock: TickingClock, database_url: str
) -> None:
    plan = plan_for(plane, fault=print)
    first = agreed(means, plan)
    clock.wait(1)
    second = agreed(means, plan, "cleo")
    killed_during_apply(database_url, plane, first, "before")
    clock.wait(600)

    with pytest.raises(RefusedError, match="held by the rollback") as caught:
        execute(means, plan, second.id)

    assert caught.value.refusal is Refusal.LOCKED
    given_up = abandon(means, first.id, actor="dee", reason="looked at the plane: still v8")
    assert (given_up.end, means.ledger.lock("scorer")) == (EndState.FAILED, None)


def test_an_ended_execution_is_not_carried_out_again(
    means: Means, plan: RollbackPlan, plane: Plane
) -> None:
    ended = execute(means, plan, agreed(means, plan).id)

    with pytest.raises(RefusedError) as caught:
        execute(means, plan, ended.id)
    with pytest.raises(RefusedError):
        resume(means, plan, ended.id)

    assert (caught.value.refusal, plane.n_applied) == (Refusal.WRONG_STAGE, 1)


def test_a_target_is_switched_three_times_an_hour_at_most(
    means: Means, plan: RollbackPlan, plane: Plane, clock: TickingClock
) -> None:
    for _ in range(MAX_PER_HOUR):
        plane.write("plane", "v8")
        execute(means, plan, agreed(means, plan).id)
    plane.write("plane", "v8")
    fourth = agreed(means, plan)

    with pytest.raises(RefusedError) as caught:
        execute(means, plan, fourth.id)

    assert caught.value.refusal is Refusal.TOO_OFTEN
    clock.us += HOUR_US
    later = agreed(means, plan)
    assert execute(means, plan, later.id).end is EndState.VERIFIED


def test_the_stop_switch_holds_every_rollback_until_it_is_turned_back(
    means: Means, plan: RollbackPlan, plane: Plane
) -> None:
    execution = agreed(means, plan)
    stop_all(means, actor="dee", reason="auditors are in the house")

    with pytest.raises(RefusedError, match="auditors") as caught:
        execute(means, plan, execution.id)

    assert (caught.value.refusal, plane.n_applied) == (Refusal.STOPPED, 0)
    allow_all(means, actor="dee", reason="they left")
    assert execute(means, plan, execution.id).end is EndState.VERIFIED


def test_the_stop_switch_holds_even_what_has_its_target_already(
    means: Means, plan: RollbackPlan, plane: Plane, monkeypatch: pytest.MonkeyPatch
) -> None:
    execution = agreed(means, plan)
    shown = FileAdapter.diff

    def stopped_meanwhile(adapter: FileAdapter, to: str) -> Diff:
        stop_all(means, actor="dee", reason="wait for counsel")
        return shown(adapter, to)

    monkeypatch.setattr(FileAdapter, "diff", stopped_meanwhile)

    with pytest.raises(RefusedError, match="wait for counsel"):
        execute(means, plan, execution.id)

    assert (plane.n_applied, means.ledger.lock("scorer")) == (0, None)
    assert means.ledger.load(execution.id).stage is Stage.PREPARED


def test_the_undo_is_prepared_but_needs_consent_of_its_own(
    means: Means, plan: RollbackPlan, plane: Plane
) -> None:
    ended = execute(means, plan, agreed(means, plan).id)
    undo = prepare_undo(means, plan, ended.id, requested_by="ana", reason="v7 is worse")

    with pytest.raises(RefusedError) as caught:
        execute(means, plan, undo.id)

    assert (caught.value.refusal, undo.needed_approvals) == (Refusal.APPROVAL_MISSING, 2)
    for approver in ("ben", "cleo"):
        approve(means, plan, undo.id, approver=approver, diff_hash=undo.dry_run.hash)
    assert execute(means, plan, undo.id).end is EndState.VERIFIED
    assert plane.read("serving") == "v8"


def test_a_metric_that_came_back_is_a_later_fact_of_a_whole_window(
    means: Means, plan: RollbackPlan
) -> None:
    ended = execute(means, plan, agreed(means, plan).id)
    assert ended.ended_us is not None
    early, late = ended.ended_us - 1, ended.ended_us + 1

    with pytest.raises(RefusedError, match="wait for the next whole window"):
        note_metric(
            means,
            ended.id,
            series="selection gap",
            window_start_us=early,
            window_end_us=late,
            within=True,
        )
    step = note_metric(
        means,
        ended.id,
        series="selection gap",
        window_start_us=late,
        window_end_us=late + HOUR_US,
        within=True,
    )

    assert step.kind is StepKind.METRIC_WITHIN
    assert means.ledger.load(ended.id).end is EndState.VERIFIED


def test_every_step_can_be_an_entry_of_a_timeline(means: Means, plan: RollbackPlan) -> None:
    ended = execute(means, plan, agreed(means, plan).id)

    entries = [timeline_entry(ended, step) for step in means.ledger.steps(ended.id)]

    assert len({entry.key for entry in entries}) == len(entries)
    assert {entry.actor for entry in entries} == {"ana", "ben", "monitor"}
    assert [entry.kind for entry in entries] == [
        EntryKind.EVIDENCE_FROZEN,
        EntryKind.ROLLBACK_PLANNED,
        EntryKind.ROLLBACK_APPROVED,
        EntryKind.ROLLBACK_STEP,
        EntryKind.ROLLBACK_APPLIED,
        EntryKind.ROLLBACK_OBSERVED,
        EntryKind.ROLLBACK_VERIFIED,
        EntryKind.ROLLBACK_STEP,
    ]


def test_no_step_lacks_a_place_in_the_timeline(means: Means, plan: RollbackPlan) -> None:
    execution = prepare(means, plan, requested_by="ana", reason="gap")

    for kind, end in itertools.product(StepKind, EndState):
        step = Step(kind=kind, at_us=1, actor="monitor", body={"end": end.value})
        assert timeline_entry(execution, step).body["rollback"] == execution.id


def test_what_a_safeguard_refused_is_written_down(means: Means, plan: RollbackPlan) -> None:
    execution = prepare(means, plan, requested_by="ana", reason="gap")

    with pytest.raises(RefusedError):
        execute(means, plan, execution.id)
    with pytest.raises(RefusedError):
        approve(means, plan, execution.id, approver="ana", diff_hash=execution.dry_run.hash)

    refused = means.ledger.steps(execution.id)[-2:]
    assert [(step.kind, step.actor, step.body["refusal"]) for step in refused] == [
        (StepKind.REFUSED, "monitor", "approval_missing"),
        (StepKind.REFUSED, "ana", "approver_not_allowed"),
    ]


def test_the_previous_release_is_the_last_before_the_one_in_force_that_passed(
    means: Means, plane: Plane
) -> None:
    shown = prepare(means, plan_for(plane), requested_by="ana", reason="gap").dry_run

    assert (shown.to, shown.has_evidence) == ("v7", True)
    assert "evaluation of 2026-11-01" in shown.text


def test_a_release_that_failed_is_passed_over(means: Means, plane: Plane) -> None:
    plan = plan_for(plane, evidence=Evidence.FAILING)

    shown = prepare(means, plan, requested_by="ana", reason="gap").dry_run

    assert (shown.to, shown.has_evidence) == ("v6", False)
    assert "no earlier release has passing evidence" in shown.text


def test_without_an_earlier_release_there_is_nothing_to_go_back_to(
    means: Means, plan: RollbackPlan, plane: Plane
) -> None:
    plane.write("plane", "v6")

    with pytest.raises(RefusedError) as caught:
        prepare(means, plan, requested_by="ana", reason="gap")

    assert caught.value.refusal is Refusal.NO_TARGET


def test_a_prepared_execution_stays_prepared_when_the_plane_cannot_be_read(
    means: Means, plan: RollbackPlan, plane: Plane
) -> None:
    execution = agreed(means, plan)
    plane.write("plane", "unreadable")

    with pytest.raises(Exception, match="the plane is away"):
        execute(means, plan, execution.id)

    assert means.ledger.load(execution.id).stage is Stage.PREPARED
    assert means.ledger.lock("scorer") is None
