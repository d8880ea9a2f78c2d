import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from monitor.cli import run_command_line
from monitor.storage import Store
from tests.monitor.rollbacks.carrying_out import script

CONFIGURATION = Path(__file__).parents[1] / "config/testdata/smallest.good.yaml"
ADA = ("--by", "ada", "--role", "commander")
BEN = ("--by", "ben", "--role", "ml_lead")
EVE = ("--by", "eve", "--role", "on_call")
WHY = ("--reason", "the gap doubled since the release")
SECTIONS = """
people:
  members:
    ada: [commander]
    ben: [ml_lead, owner]
    eve: [on_call]
storage:
  url: sqlite:///monitor.db
notifiers:
  channels:
    - {type: webhook, channel: all, url: "https://hooks.example.org/a", secret: a-long-secret}
    - type: webhook
      channel: grave
      url: https://hooks.example.org/b
      secret: a-long-secret
      min_tier: SEV1
rollbacks:
  - name: scorer back
    kind: model
    target: scorer
    owner: scoring team
    releases:
      - {reference: v7, EVIDENCE}
      - {reference: v8}
    verification: {reads: 2, interval_seconds: 0.1, max_minutes: 0.02}
    adapter:
      type: command
      program: PROGRAM
      observe_arguments: [show]
      apply_arguments: [set, "{to}"]
      timeout_seconds: 2
    probe: {type: command, program: PROGRAM, arguments: [serving], timeout_seconds: 2}
"""
PASSING = "evidence: passing, evidence_source: evaluation 41"
SWITCH = """#!/bin/sh
cd {folder}
case "$1" in
  show) exec /bin/cat plane ;;
  serving) exec /bin/cat serving ;;
  set) echo "$2" >> applied; printf %s "$2" > plane
       if [ -e follows ]; then printf %s "$2" > serving; fi ;;
esac
"""


class World:
    """A monitor with one incident, and a plane that a program switches."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys
        for name in ("plane", "serving"):
            self.write(name, "v8")
        self.write("follows", "")
        self.write("applied", "")
        self.program = script(folder / "switch", SWITCH.format(folder=folder))
        self.configure()
        Store.open(f"sqlite:///{folder / 'monitor.db'}").close()
        said = ("--title", "the gap doubled", "--what", "selection")
        assert self.ran("incident", "open", *EVE, *WHY, *said)[0] == 0

    def configure(self, **changes: str) -> None:
        text = SECTIONS
        for old, new in {"EVIDENCE": PASSING, "PROGRAM": self.program, **changes}.items():
            assert old in text
            text = text.replace(old, new)
        (self.folder / "monitor.yaml").write_text(CONFIGURATION.read_text() + text)

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    @property
    def n_applied(self) -> int:
        return len((self.folder / "applied").read_text().splitlines())

    def ran(self, noun: str, *words: str) -> tuple[int, str, str]:
        # The configuration stands behind the verb, where there is one.
        verb, rest = (words[:1], words[1:]) if noun != "check" else ((), words)
        status = run_command_line([noun, *verb, str(self.folder / "monitor.yaml"), *rest])
        captured = self.capsys.readouterr()
        return status, captured.out, captured.err

    def rollback(self, verb: str, *words: str, status: int = 0) -> Any:
        found, out, err = self.ran("rollback", verb, *words, "--json")
        assert found == status, err
        return json.loads(out) if out else err

    def prepared(self) -> tuple[str, str]:
        """Return the id and the hash of a rollback that eve asked for."""
        made = self.rollback("prepare", "scorer back", "--incident", "1", *EVE, *WHY)
        return made["id"][:12], made["dry_run"]["hash"]

    def agreed(self) -> str:
        rollback, hash_ = self.prepared()
        self.rollback("approve", rollback, "--hash", hash_[:12], *ADA)
        return rollback

    @property
    def state(self) -> str:
        (incident,) = json.loads(self.ran("incident", "list", "--json")[1])
        return str(incident["state"])

    def told(self) -> list[tuple[str, str]]:
        rows = json.loads(self.ran("outbox", "list", "--json")[1])
        return [(row["channel"], row["kind"]) for row in rows]


@pytest.fixture
def world(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> World:
    return World(tmp_path, capsys)


def test_a_rollback_goes_from_the_dry_run_to_served_and_contains_the_incident(
    world: World,
) -> None:
    status, shown, _ = world.ran("rollback", "prepare", "scorer", "--incident", "1", *EVE, *WHY)
    (rollback,) = world.rollback("list")["rollbacks"]
    world.rollback("approve", rollback["id"], "--hash", rollback["dry_run"]["hash"], *ADA)
    run_status, ended, talk = world.ran("rollback", "run", rollback["id"], *ADA)

    assert (status, run_status, world.n_applied) == (0, 0, 1)
    assert "'v8' -> 'v7'" in shown
    assert f"approve {world.folder}/monitor.yaml {rollback['id'][:12]} --hash" in shown
    assert ended.startswith(f"rollback {rollback['id'][:12]}: verified\n")
    assert "sent; the plane took it" in talk
    assert world.state == "contained"


def test_an_approval_made_against_an_old_dry_run_is_refused(world: World) -> None:
    _, old = world.prepared()
    world.write("plane", "v9")
    rollback, new = world.prepared()

    said = world.rollback("approve", rollback, "--hash", old, *ADA, status=1)

    assert old != new
    assert f"is for the dry run {old[:12]!r}, this one is {new[:12]!r}" in said
    assert world.rollback("show", rollback)["approvals"] == []
    assert world.rollback("show", rollback)["steps"][-1]["kind"] == "refused"


def test_what_was_agreed_to_is_refused_when_the_target_has_moved_since(world: World) -> None:
    rollback = world.agreed()
    world.write("plane", "v9")

    ended = world.rollback("run", rollback, *ADA, status=1)

    assert (ended["end"], world.n_applied) == ("refused", 0)


def test_a_plane_that_moved_while_serving_did_not_is_never_verified(world: World) -> None:
    (world.folder / "follows").unlink()

    ended = world.rollback("run", world.agreed(), *ADA, status=1)

    assert (ended["end"], ended["contains"]) == ("applied_not_serving", False)
    assert "shows 'v8'" in ended["explanation"]
    assert world.state == "open"
    assert ("all", "rollback_failed") in world.told()


def test_a_target_without_passing_evidence_takes_a_second_approver(world: World) -> None:
    world.configure(EVIDENCE="evidence: none")
    rollback = world.agreed()

    said = world.rollback("run", rollback, *ADA, status=1)
    dry_run = world.rollback("show", rollback)["dry_run"]
    world.rollback("approve", rollback, "--hash", dry_run["hash"], *BEN)
    ended = world.rollback("run", rollback, *ADA)

    assert "must have 2 approvals" in said
    assert "one more person must agree" in dry_run["text"]
    assert (ended["end"], world.n_applied) == ("verified", 1)


@pytest.mark.slow
def test_a_run_that_is_killed_after_the_switch_is_resumed_and_switches_once(
    world: World,
) -> None:
    """A process of the same host that is gone holds nothing: nobody waits for its lease."""
    (world.folder / "follows").unlink()
    world.configure(
        **{"max_minutes: 0.02": "max_minutes: 5", "timeout_seconds: 2": "timeout_seconds: 0.5"}
    )
    rollback = world.agreed()
    words = ["rollback", "run", "monitor.yaml", rollback, *ADA]
    with subprocess.Popen(
        [sys.executable, "-m", "monitor", *words],
        cwd=world.folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "seen: plane 'v7', serving 'v8'" in line:
                break
        os.kill(process.pid, signal.SIGKILL)
    world.write("serving", "v7")

    ended = world.rollback("resume", rollback)

    assert process.returncode == -signal.SIGKILL
    assert (ended["end"], ended["outcome"], world.n_applied) == ("verified", "applied", 1)
    kinds = [step["kind"] for step in world.rollback("show", rollback)["steps"]]
    assert kinds.count("applying") == 1
    assert kinds[-4:] == ["resumed", "seen", "ended", "undo_prepared"]
    assert world.state == "contained"


def test_who_goes_ahead_alone_is_told_on_every_channel(world: World) -> None:
    rollback, hash_ = world.prepared()
    alone = ("--break-glass", "--hash", hash_)

    too_short = world.rollback("run", rollback, *EVE, *alone, "--reason", "now", status=1)
    before = world.told()
    ended = world.rollback("run", rollback, *EVE, *alone, *WHY)

    assert "a reason of 10 characters" in too_short
    assert {channel for channel, _ in before} == {"all"}
    assert {("all", "break_glass"), ("grave", "break_glass")} <= {*world.told()}
    assert (ended["end"], ended["break_glass"]["by"]) == ("verified", "eve")
    assert ended["review_due"] is not None
    world.rollback("review", rollback, *EVE, *WHY, status=1)
    assert world.rollback("review", rollback, *BEN, *WHY)["reviewed_by"] == "ben"


def test_only_who_decides_runs_it(world: World) -> None:
    rollback, hash_ = world.prepared()
    world.rollback("approve", rollback, "--hash", hash_, *BEN)

    said = world.rollback("run", rollback, *EVE, status=1)

    assert "roll back is decided by commander" in said
    assert world.n_applied == 0


def test_what_was_switched_is_taken_back_with_consent_of_its_own(world: World) -> None:
    done = world.agreed()
    world.rollback("run", done, *ADA)

    undo = world.rollback("undo", done, *ADA, "--reason", "it was not the model")
    for who in (BEN, EVE):
        world.rollback("approve", undo["id"], "--hash", undo["dry_run"]["hash"], *who)
    ended = world.rollback("run", undo["id"], *ADA)

    assert undo["undo_of"] == ended["undo_of"]
    assert (ended["end"], (world.folder / "serving").read_text()) == ("verified", "v8")


def test_a_rollback_is_given_up_by_a_person(world: World) -> None:
    given_up = world.rollback("abandon", world.agreed(), *ADA, "--reason", "wrong plan")

    assert (given_up["end"], given_up["explanation"]) == ("failed", "given up by ada: wrong plan")


def test_while_rollbacks_are_stopped_none_begins(world: World) -> None:
    rollback = world.agreed()
    world.rollback("stop", *EVE, "--reason", "the registry is being moved")

    said = world.rollback("run", rollback, *ADA, status=1)

    assert "the registry is being moved" in said
    assert world.rollback("list")["stopped"]["actor"] == "eve"
    world.rollback("start", *ADA, "--reason", "moved")
    assert world.rollback("run", rollback, *ADA)["end"] == "verified"


def test_consent_in_advance_names_a_monitored_series_and_is_taken_back(world: World) -> None:
    rollback = world.agreed()
    known = world.rollback("arm", rollback, *ADA, "--rule", "nothing", status=1)
    series = known.rpartition("; ")[2].strip().partition(", ")[0]

    armed = world.rollback("arm", rollback, *ADA, "--rule", series, "--hours", "48")
    listed = world.rollback("list")["armed"]
    world.rollback("disarm", armed["id"][:12], *EVE, "--reason", "the rule is noisy")

    assert [each["rule"] for each in listed] == [series]
    assert world.rollback("list")["armed"] == []


def test_a_rehearsal_switches_nothing_and_says_whether_all_are_ready(world: World) -> None:
    (ready,) = world.rollback("rehearse")
    world.write("plane", "")
    (unready,) = world.rollback("rehearse", "scorer", status=1)

    assert (ready["ready"], unready["ready"], world.n_applied) == (True, False, 0)
    assert "must begin with a letter or digit" in unready["reasons"][0]


def test_the_rollbacks_of_an_incident_are_listed(world: World) -> None:
    rollback = world.agreed()

    status, out, _ = world.ran("rollback", "list", "--incident", "1")

    assert status == 0
    assert rollback in out
    assert "prepared, 1 of 1 approvals" in out


def test_a_check_of_the_configuration_calls_nothing_and_names_what_nobody_watches(
    world: World,
) -> None:
    watched = {"max_minutes: 0.02": "max_minutes: 0.02, series: [psi_of_nothing]"}
    world.configure(**watched, PROGRAM="/nowhere/switch")

    status, out, talk = world.ran("check")

    assert (status, "1 rollback plan\n" in out) == (0, True)
    assert "waits for 'psi_of_nothing' to come back" in talk


def test_what_was_in_force_is_read_out_of_the_vault(world: World) -> None:
    rollback, _ = world.prepared()

    (kept,) = world.rollback("show", rollback, "--evidence")["evidence"]
    status, out, _ = world.ran("rollback", "show", rollback, "--evidence")

    assert (kept["plane"]["value"], kept["served"]) == ("v8", "v8")
    assert (status, '"served": "v8"' in out) == (0, True)


def test_for_a_high_risk_system_whoever_agrees_answers_the_question_of_law(world: World) -> None:
    world.configure(**{"owner: scoring team": "owner: scoring team\n    high_risk: true"})
    rollback, hash_ = world.prepared()

    unanswered = world.rollback("approve", rollback, "--hash", hash_, *ADA, status=1)
    answer = "counsel: no serious incident, nobody is told"
    approved = world.rollback("approve", rollback, "--hash", hash_, *ADA, "--legal", answer)

    assert "legal_answer must say whether an authority is told" in unanswered
    assert "Article 73(6)" in approved["dry_run"]["text"]
    assert approved["approvals"][0]["legal_answer"] == answer
