import json
from pathlib import Path

import pytest

from monitor.clock import SystemClock
from monitor.rollbacks.adapters.webhook import Webhook
from monitor.rollbacks.agreeing import approve
from monitor.rollbacks.errors import MovedError, NotAppliedError, UnreadableError
from monitor.rollbacks.executing import execute, resume
from monitor.rollbacks.execution import EndState, Outcome, StepKind
from monitor.rollbacks.means import Means
from monitor.rollbacks.preparing import prepare
from monitor.rollbacks.probes.http import HttpProbe
from monitor.rollbacks.signing import sign, verify
from monitor.storage import Store
from tests.monitor.rollbacks.carrying_out import carried_out, plan_to
from tests.monitor.rollbacks.deployer import running_deployer


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text("a long shared secret\n")
    return path


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state.json"


def webhook(url: str, secret: Path) -> Webhook:
    return Webhook(url=url, target="scorer", secret_file=str(secret), timeout_seconds=5)


def read(state: Path) -> dict[str, object]:
    return json.loads(state.read_text())


@pytest.mark.parametrize(
    "options", [{"header": "X-Release"}, {"json_field": "release.name"}], ids=str
)
def test_a_deployer_is_asked_by_signed_call_and_seen_serving(
    tmp_path: Path, secret: Path, state: Path, options: dict[str, str]
) -> None:
    with running_deployer(state, secret) as url:
        plan = plan_to(webhook(url, secret), HttpProbe(url=url, **options), to="v7")
        ended = carried_out(plan, tmp_path)

    assert (ended.end, ended.outcome) == (EndState.VERIFIED, Outcome.APPLIED)
    assert read(state) == {"value": "v7", "keys": [ended.id], "applied": 1}


def test_a_deployer_that_needs_a_second_is_waited_for(
    tmp_path: Path, secret: Path, state: Path
) -> None:
    with running_deployer(state, secret, "slow") as url:
        plan = plan_to(webhook(url, secret), HttpProbe(url=url, header="X-Release"), to="v7")
        ended = carried_out(plan, tmp_path)

    assert (ended.end, read(state)["applied"]) == (EndState.VERIFIED, 1)


def test_a_deployer_that_crashes_after_applying_is_observed_when_it_is_back(
    tmp_path: Path, secret: Path, state: Path
) -> None:
    """The call is not sent again: what came of it is found by looking."""
    with Store.open(f"sqlite:///{tmp_path / 'ledger.db'}") as store:
        means = Means(ledger=store.rollbacks(), clock=SystemClock(), owner="first")
        with running_deployer(state, secret, "crash") as url:
            plan = plan_to(
                webhook(url, secret),
                HttpProbe(url=url, header="X-Release"),
                to="v7",
                max_minutes=0.05,
            )
            execution = prepare(means, plan, requested_by="ana", reason="gap")
            shown = execution.dry_run.hash
            approve(means, plan, execution.id, approver="ben", diff_hash=shown)
            with pytest.raises(_PowerCutError):
                execute(_until_the_first_look(means), plan, execution.id)
        assert read(state)["applied"] == 1

        port = int(url.rpartition(":")[2])
        with running_deployer(state, secret, port=port):
            ended = resume(means, plan, execution.id)
        steps = [step.kind for step in store.rollbacks().steps(execution.id)]

    assert (ended.end, ended.outcome) == (EndState.VERIFIED, Outcome.UNKNOWN)
    assert read(state)["applied"] == 1
    assert StepKind.OUTCOME_UNKNOWN in steps


class _PowerCutError(Exception):
    pass


def _until_the_first_look(means: Means) -> Means:
    def cut(_seconds: float) -> None:
        raise _PowerCutError

    return Means(ledger=means.ledger, clock=means.clock, owner=means.owner, wait=cut)


def test_a_deployer_that_breaks_has_an_unknown_outcome_and_is_seen_not_to_have_switched(
    tmp_path: Path, secret: Path, state: Path
) -> None:
    with running_deployer(state, secret, "broken") as url:
        plan = plan_to(
            webhook(url, secret),
            HttpProbe(url=url, header="X-Release"),
            to="v7",
            max_minutes=0.02,
        )
        ended = carried_out(plan, tmp_path)

    assert (ended.end, ended.outcome) == (EndState.FAILED, Outcome.UNKNOWN)


def test_a_deployer_that_will_not_is_believed(secret: Path, state: Path) -> None:
    with running_deployer(state, secret, "full") as url:
        adapter = webhook(url, secret)
        with pytest.raises(NotAppliedError, match="status 422"):
            adapter.apply(adapter.observe(), "v7", key="k")


def test_a_deployer_that_has_moved_on_refuses(secret: Path, state: Path) -> None:
    with running_deployer(state, secret) as url:
        adapter = webhook(url, secret)
        expect = adapter.observe()
        state.write_text(json.dumps({"value": "v9", "keys": [], "applied": 0}))

        with pytest.raises(MovedError, match="status 409"):
            adapter.apply(expect, "v7", key="k")


def test_the_same_key_twice_switches_once(secret: Path, state: Path) -> None:
    with running_deployer(state, secret) as url:
        adapter = webhook(url, secret)
        adapter.apply(adapter.observe(), "v7", key="k")
        adapter.apply(adapter.observe(), "v7", key="k")

    assert read(state)["applied"] == 1


def test_a_wrong_secret_is_refused_and_a_secret_that_is_echoed_is_not_shown(
    tmp_path: Path, secret: Path, state: Path
) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("another long secret")
    with running_deployer(state, secret) as url:
        # The deployer of this test prints its secret; ours happens to be part of it.
        with pytest.raises(UnreadableError, match="status 401"):
            webhook(url, wrong).observe()
        wrong.write_text("shared secret")
        with pytest.raises(UnreadableError, match="a long <secret>"):
            webhook(url, wrong).observe()


def test_a_deployer_that_is_not_there_was_sent_nothing(secret: Path, state: Path) -> None:
    with running_deployer(state, secret) as url:
        adapter = webhook(url, secret)
        expect = adapter.observe()

    with pytest.raises(NotAppliedError, match="nothing was sent"):
        adapter.apply(expect, "v7", key="k")


def test_a_secret_file_that_is_not_there_stops_before_anything_is_sent(
    secret: Path, state: Path
) -> None:
    with running_deployer(state, secret) as url:
        adapter = webhook(url, secret)
        expect = adapter.observe()
        secret.unlink()

        with pytest.raises(UnreadableError, match="must be a text file that can be read"):
            adapter.apply(expect, "v7", key="k")


def test_a_signature_holds_for_its_body_its_time_and_its_secret() -> None:
    signature = sign("key", timestamp=1_000, body=b"{}")

    assert verify("key", signature, timestamp=1_000, body=b"{}", now=1_100)
    assert not verify("key", signature, timestamp=1_000, body=b"{} ", now=1_100)
    assert not verify("key", signature, timestamp=1_001, body=b"{}", now=1_100)
    assert not verify("yek", signature, timestamp=1_000, body=b"{}", now=1_100)
    assert not verify("key", signature, timestamp=1_000, body=b"{}", now=1_301)
    assert not verify("key", "ü", timestamp=1_000, body=b"{}", now=1_000)
