"""What holds on SQLite and on PostgreSQL."""

import threading
from collections.abc import Iterator

import pytest

from monitor.rollbacks.agreeing import approve
from monitor.rollbacks.errors import RefusedError, RollbackError
from monitor.rollbacks.executing import execute
from monitor.rollbacks.execution import EndState, Execution
from monitor.rollbacks.ledger import Armed, Lock, Switch
from monitor.rollbacks.means import Means
from monitor.rollbacks.preparing import prepare
from monitor.storage import Store
from tests.monitor.rollbacks.planes import Plane, TickingClock, means_for, plan_for


@pytest.fixture
def store(any_database_url: str) -> Iterator[Store]:
    with Store.open(any_database_url) as opened:
        yield opened


@pytest.fixture
def means(store: Store, clock: TickingClock) -> Means:
    return means_for(store.rollbacks(), clock)


def stored(means: Means, plane: Plane, reason: str = "gap") -> Execution:
    return prepare(means, plan_for(plane), requested_by="ana", reason=reason)


def test_an_execution_comes_back_as_it_was_kept(means: Means, plane: Plane) -> None:
    execution = stored(means, plane)

    assert means.ledger.load(execution.id[:10]) == execution
    assert means.ledger.executions(target="scorer") == (execution,)
    assert means.ledger.executions(target="other") == ()


@pytest.mark.parametrize("prefix", ["", "zz"])
def test_an_execution_that_is_not_there_is_one_sentence(means: Means, prefix: str) -> None:
    with pytest.raises(RollbackError, match="no rollback has an id"):
        means.ledger.load(prefix)


def test_a_rollback_is_carried_out_from_dry_run_to_verified(means: Means, plane: Plane) -> None:
    execution = stored(means, plane)
    plan = plan_for(plane)
    approve(means, plan, execution.id, approver="ben", diff_hash=execution.dry_run.hash)

    assert execute(means, plan, execution.id).end is EndState.VERIFIED


def test_of_two_who_change_an_execution_at_once_one_is_told(means: Means, plane: Plane) -> None:
    execution = stored(means, plane)
    plan = plan_for(plane)
    approve(means, plan, execution.id, approver="ben", diff_hash=execution.dry_run.hash)
    later = means.ledger.load(execution.id)
    changed = Execution(**{**_fields(later), "explanation": "another word"})

    with pytest.raises(RefusedError, match="changed by somebody else"):
        means.ledger.save(changed)


def _fields(execution: Execution) -> dict[str, object]:
    return {name: getattr(execution, name) for name in execution.__dataclass_fields__}


def test_of_many_who_want_a_target_one_gets_it(means: Means, plane: Plane) -> None:
    wanted = [stored(means, plane, f"reason {number}") for number in range(4)]
    got: list[str] = []

    def take(execution: Execution) -> None:
        lock = Lock(target="scorer", execution_id=execution.id, owner="x", lease_until_us=9)
        got.append(means.ledger.take_lock(lock, now_us=0).execution_id)

    threads = [threading.Thread(target=take, args=[each]) for each in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(got) == 4
    assert len(set(got)) == 1


def test_a_lease_is_taken_over_only_by_the_same_execution_and_only_when_it_is_over(
    means: Means, plane: Plane
) -> None:
    execution, other = stored(means, plane), stored(means, plane, "another")

    def take(execution_id: str, owner: str, now_us: int) -> str:
        lock = Lock(
            target="scorer", execution_id=execution_id, owner=owner, lease_until_us=now_us + 10
        )
        return means.ledger.take_lock(lock, now_us=now_us).owner

    assert take(execution.id, "first", 0) == "first"
    assert take(execution.id, "second", 5) == "first"
    assert take(other.id, "third", 50) == "first"
    assert take(execution.id, "second", 50) == "second"
    lost = Lock(target="scorer", execution_id=execution.id, owner="first", lease_until_us=99)
    assert not means.ledger.renew_lock(lost)


def test_the_last_word_on_the_switch_counts(means: Means) -> None:
    assert means.ledger.switch() is None

    for stopped in (True, False, True):
        means.ledger.turn_switch(Switch(stopped=stopped, actor="dee", reason="r", at_us=1))

    last = means.ledger.switch()
    assert last is not None
    assert last.stopped


def test_consent_in_advance_is_used_once(means: Means) -> None:
    armed = Armed(
        id="a" * 64,
        plan="p",
        target="t",
        rule="psi",
        diff_hash="d" * 64,
        approvers=("ben",),
        reason="",
        expires_us=1,
    )
    means.ledger.arm(armed)

    assert means.ledger.armed("p", "psi") == (armed,)
    assert means.ledger.use_armed(armed.id, "e" * 64)
    assert not means.ledger.use_armed(armed.id, "f" * 64)
    assert means.ledger.armed("p", "psi") == ()


def test_what_is_undone_with_its_transaction_gives_no_target_free(
    means: Means, plane: Plane
) -> None:
    execution = stored(means, plane)
    lock = Lock(target="scorer", execution_id=execution.id, owner="x", lease_until_us=9)
    means.ledger.take_lock(lock, now_us=0)

    def release_and_fail() -> None:
        with means.ledger.begin():
            means.ledger.release_lock("scorer", execution.id)
            message = "the disk is full"
            raise OSError(message)

    with pytest.raises(OSError, match="the disk is full"):
        release_and_fail()

    assert means.ledger.lock("scorer") == lock
