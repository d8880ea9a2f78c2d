import dataclasses

import pytest

from monitor.rollbacks.agreeing import approve, break_glass
from monitor.rollbacks.arming import arm, pull
from monitor.rollbacks.errors import Refusal, RefusedError
from monitor.rollbacks.executing import execute
from monitor.rollbacks.execution import EndState, Execution, StepKind
from monitor.rollbacks.means import Means
from monitor.rollbacks.plans import Evidence, RollbackPlan
from monitor.rollbacks.preparing import prepare
from tests.monitor.rollbacks.planes import SECOND_US, Plane, TickingClock, plan_for


def prepared(means: Means, plan: RollbackPlan) -> Execution:
    return prepare(means, plan, requested_by="ana", reason="selection gap doubled")


def refusal_of(caught: "pytest.ExceptionInfo[RefusedError]") -> Refusal:
    return caught.value.refusal


def test_nothing_is_switched_without_an_approval(
    means: Means, plan: RollbackPlan, plane: Plane
) -> None:
    execution = prepared(means, plan)

    with pytest.raises(RefusedError) as caught:
        execute(means, plan, execution.id)

    assert (refusal_of(caught), plane.n_applied) == (Refusal.APPROVAL_MISSING, 0)


@pytest.mark.parametrize("approver", ["ana", " Ana ", "ANA"])
def test_who_asked_does_not_approve(means: Means, plan: RollbackPlan, approver: str) -> None:
    execution = prepared(means, plan)

    with pytest.raises(RefusedError) as caught:
        approve(means, plan, execution.id, approver=approver, diff_hash=execution.dry_run.hash)

    assert refusal_of(caught) is Refusal.APPROVER_NOT_ALLOWED


def test_an_approval_of_an_older_dry_run_is_refused(
    means: Means, plan: RollbackPlan, plane: Plane
) -> None:
    older = prepared(means, plan)
    plane.write("plane", "v9")
    newer = prepared(means, plan)

    with pytest.raises(RefusedError, match="read it and approve that") as caught:
        approve(means, plan, newer.id, approver="ben", diff_hash=older.dry_run.hash)

    assert refusal_of(caught) is Refusal.APPROVAL_STALE


def test_an_approval_does_not_outlive_a_change_of_the_plan(
    means: Means, plan: RollbackPlan
) -> None:
    execution = prepared(means, plan)
    approve(means, plan, execution.id, approver="ben", diff_hash=execution.dry_run.hash)
    options = dataclasses.replace(plan.options, owner="somebody else")
    changed = dataclasses.replace(plan, options=options)

    with pytest.raises(RefusedError) as caught:
        execute(means, changed, execution.id)

    assert refusal_of(caught) is Refusal.PLAN_CHANGED


def test_an_approval_holds_for_half_an_hour(
    means: Means, plan: RollbackPlan, clock: TickingClock
) -> None:
    execution = prepared(means, plan)
    approve(means, plan, execution.id, approver="ben", diff_hash=execution.dry_run.hash)
    clock.us += 1_801 * SECOND_US

    with pytest.raises(RefusedError) as caught:
        execute(means, plan, execution.id)

    assert refusal_of(caught) is Refusal.APPROVAL_MISSING
    approve(means, plan, execution.id, approver="ben", diff_hash=execution.dry_run.hash)
    assert execute(means, plan, execution.id).end is EndState.VERIFIED


def test_a_target_without_passing_evidence_needs_a_second_person(
    means: Means, plane: Plane
) -> None:
    plan = plan_for(plane, evidence=Evidence.NONE)
    execution = prepared(means, plan)
    for approver in ("ben", "ben"):
        approve(means, plan, execution.id, approver=approver, diff_hash=execution.dry_run.hash)

    with pytest.raises(RefusedError, match="2 approvals") as caught:
        execute(means, plan, execution.id)

    assert refusal_of(caught) is Refusal.APPROVAL_MISSING
    approve(means, plan, execution.id, approver="cleo", diff_hash=execution.dry_run.hash)
    assert execute(means, plan, execution.id).end is EndState.VERIFIED


def test_one_person_may_go_ahead_alone_with_a_typed_reason_and_a_review(
    means: Means, plan: RollbackPlan
) -> None:
    execution = prepared(means, plan)
    shown = execution.dry_run.hash

    with pytest.raises(RefusedError) as caught:
        break_glass(means, plan, execution.id, person="ana", diff_hash=shown, reason="now!")
    alone = break_glass(
        means,
        plan,
        execution.id,
        person="ana",
        diff_hash=shown,
        reason="nobody else is awake and people are being refused",
    )

    assert refusal_of(caught) is Refusal.REASON_MISSING
    assert alone.review_due_us is not None
    assert execute(means, plan, execution.id).end is EndState.VERIFIED
    steps = [step.kind for step in means.ledger.steps(execution.id)]
    assert StepKind.BREAK_GLASS in steps


def test_for_a_high_risk_system_the_legal_question_must_be_answered(
    means: Means, plane: Plane
) -> None:
    plan = plan_for(plane, high_risk=True)
    execution = prepared(means, plan)
    shown = execution.dry_run

    with pytest.raises(RefusedError) as caught:
        approve(means, plan, execution.id, approver="ben", diff_hash=shown.hash)
    approve(
        means,
        plan,
        execution.id,
        approver="ben",
        diff_hash=shown.hash,
        legal_answer="no: re-routing keeps the system as it is",
    )

    assert refusal_of(caught) is Refusal.REASON_MISSING
    assert "Article 73(6)" in shown.text


def armed_for(means: Means, plan: RollbackPlan, rule: str) -> None:
    execution = prepared(means, plan)
    approve(means, plan, execution.id, approver="ben", diff_hash=execution.dry_run.hash)
    arm(means, plan, execution.id, rule=rule, hours=12)


def test_an_armed_plan_is_carried_out_once_for_its_rule(
    means: Means, plan: RollbackPlan, plane: Plane
) -> None:
    armed_for(means, plan, "selection gap")

    with pytest.raises(RefusedError) as other_rule:
        pull(means, plan, rule="psi", incident_id=None)
    ended = pull(means, plan, rule="selection gap", incident_id=None)
    plane.write("plane", "v8")
    with pytest.raises(RefusedError) as again:
        pull(means, plan, rule="selection gap", incident_id=None)

    assert (ended.end, ended.requested_by) == (EndState.VERIFIED, "monitor")
    assert [approval.approver for approval in ended.approvals] == ["ben"]
    assert refusal_of(other_rule) is refusal_of(again) is Refusal.NOT_ARMED
    assert plane.n_applied == 1


def test_an_armed_plan_does_not_run_when_the_world_has_moved(
    means: Means, plan: RollbackPlan, plane: Plane
) -> None:
    armed_for(means, plan, "selection gap")
    plane.write("plane", "v9")

    with pytest.raises(RefusedError) as caught:
        pull(means, plan, rule="selection gap", incident_id=None)

    assert (refusal_of(caught), plane.n_applied) == (Refusal.TARGET_MOVED, 0)


def test_consent_in_advance_runs_out(
    means: Means, plan: RollbackPlan, clock: TickingClock
) -> None:
    armed_for(means, plan, "selection gap")
    clock.us += 13 * 3_600 * SECOND_US

    with pytest.raises(RefusedError) as caught:
        pull(means, plan, rule="selection gap", incident_id=None)

    assert refusal_of(caught) is Refusal.NOT_ARMED


def test_a_plan_that_nobody_else_agreed_to_is_not_armed(means: Means, plan: RollbackPlan) -> None:
    execution = prepared(means, plan)
    break_glass(
        means,
        plan,
        execution.id,
        person="ana",
        diff_hash=execution.dry_run.hash,
        reason="nobody else is awake",
    )

    with pytest.raises(RefusedError):
        arm(means, plan, execution.id, rule="selection gap")
