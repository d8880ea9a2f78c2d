"""Rollbacks and the daemon as processes: what is cut off, and a deployer that hangs."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from monitor.cli import run_command_line
from monitor.storage.store import Store
from tests.monitor.engine.daemon.toy import configure, events, lines
from tests.monitor.rollbacks.carrying_out import script

PLAN = """
rollbacks:
  - name: scorer back
    kind: model
    target: scorer
    owner: scoring team
    releases:
      - {{reference: v7, evidence: passing, evidence_source: evaluation 41}}
      - {{reference: v8}}
    verification: {{reads: 2, interval_seconds: 0.2, max_minutes: 5}}
    adapter:
      type: command
      program: {program}
      observe_arguments: [show]
      apply_arguments: [set, "{{to}}"]
      timeout_seconds: {timeout}
    probe: {{type: command, program: {program}, arguments: [serving], timeout_seconds: 1}}
"""
SWITCH = """#!/bin/sh
cd {folder}
case "$1" in
  show) exec /bin/cat plane ;;
  serving) exec /bin/cat serving ;;
  set) echo "$2" >> applied; printf %s "$2" > plane ;;
esac
"""
HANGS = """#!/bin/sh
echo $$ >> {folder}/started
exec /bin/sleep 300
"""
WHY = ("--reason", "the gap doubled since the release")


def monitored(folder: Path, program: str, *, timeout: float) -> Path:
    for name in ("plane", "serving"):
        (folder / name).write_text("v8")
    made = script(folder / "switch", program.format(folder=folder))
    path = configure(folder, more=PLAN.format(program=made, timeout=timeout))
    (folder / "logs" / "a.jsonl").write_text(lines(events(0, 6, seed=2)))
    Store.open(f"sqlite:///{folder / 'state.db'}").close()
    return path


def started(*words: str, stderr: int | None = None) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "monitor", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL if stderr is None else stderr,
        text=True,
    )


def until(condition: Callable[[], object], *, seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            pytest.fail("it did not happen in time")
        time.sleep(0.2)


def ends(folder: Path) -> list[str | None]:
    database = f"file:{folder / 'state.db'}?mode=ro"
    with closing(sqlite3.connect(database, uri=True)) as connection:
        rows = connection.execute("SELECT body FROM rollback_execution").fetchall()
    return [json.loads(body)["end"] for (body,) in rows]


@pytest.mark.slow
def test_a_rollback_that_was_cut_off_is_seen_to_its_end_by_the_daemon(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(monitored(tmp_path, SWITCH, timeout=0.5))

    def ran(noun: str, verb: str, *words: str) -> dict[str, object]:
        assert run_command_line([noun, verb, path, *words, "--json"]) == 0
        answer: dict[str, object] = json.loads(capsys.readouterr().out)
        return answer

    ada, eve = ("--by", "ada", "--role", "commander"), ("--by", "eve", "--role", "on_call")
    ran("incident", "open", *eve, *WHY, "--title", "the gap doubled", "--what", "selection")
    made = ran("rollback", "prepare", "scorer back", "--incident", "1", *eve, *WHY)
    shown = made["dry_run"]
    assert isinstance(shown, dict)
    ran("rollback", "approve", str(made["id"]), "--hash", shown["hash"], *ada)
    with started("rollback", "run", path, str(made["id"]), *ada, stderr=subprocess.PIPE) as run:
        assert run.stderr is not None
        for line in run.stderr:
            if "seen: plane 'v7', serving 'v8'" in line:
                break
        os.kill(run.pid, signal.SIGKILL)

    with started("run", path) as daemon:
        (tmp_path / "serving").write_text("v7")
        until(lambda: ends(tmp_path) == ["verified"])
        daemon.send_signal(signal.SIGTERM)
        status = daemon.wait(60)

    assert status in (0, 3)
    assert (tmp_path / "applied").read_text() == "v7\n"
    assert ran("incident", "show", "1")["state"] == "contained"


def test_a_deployer_that_hangs_keeps_the_daemon_from_nothing_and_ends_with_it(
    tmp_path: Path,
) -> None:
    path = monitored(tmp_path, HANGS, timeout=300)

    with started("run", str(path)) as daemon:
        until((tmp_path / "started").exists)
        with closing(sqlite3.connect(tmp_path / "state.db")) as connection:
            count = "SELECT count(*) FROM window_summary"
            until(lambda: connection.execute(count).fetchone()[0] > 0)
        began = time.monotonic()
        daemon.send_signal(signal.SIGTERM)
        status = daemon.wait(60)
        seconds = time.monotonic() - began

    assert status in (0, 3)
    assert seconds < 30
    until(lambda: not any(map(alive, (tmp_path / "started").read_text().split())), seconds=5)


def alive(pid: str) -> bool:
    """Return whether a process has a command line: one that has ended, buried or not, has none."""
    line = Path(f"/proc/{pid}/cmdline")
    return line.exists() and line.read_bytes() != b""
