"""The daemon as a process of its own: signals, the watchdog, and the status that it ends with."""

import contextlib
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from baselines.baseline import Baseline
from baselines.store import BaselineStore
from monitor.storage.store import Store
from tests.monitor.engine.daemon.toy import (
    CLOCK,
    baseline,
    configure,
    counted_rows,
    events,
    lines,
)

ROOT = Path(__file__).parents[4]


@dataclass(slots=True)
class Daemon:
    """A daemon that runs, and what it has logged."""

    child: "subprocess.Popen[str]"
    logged: Path

    def said(self, sentence: str) -> list[dict[str, Any]]:
        found = [line for line in self.logged.read_text().splitlines() if line.startswith("{")]
        return [each for each in map(json.loads, found) if each["message"] == sentence]

    def told_to(self, number: int) -> None:
        self.child.send_signal(number)

    def ended(self) -> tuple[int, str]:
        """Return its status and what it wrote to standard output."""
        output, _ = self.child.communicate(timeout=60)
        return self.child.returncode, output


@contextlib.contextmanager
def daemon(folder: Path, *command: str) -> Iterator[Daemon]:
    logged = folder / "stderr"
    arguments = command or ("-m", "monitor", "run", str(folder / "monitor.yaml"), "--json")
    with logged.open("w") as errors, subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.PIPE, stderr=errors, text=True, cwd=ROOT,

    ) as child:  # fmt: skip
        try:
            yield Daemon(child=child, logged=logged)
        finally:
            if child.poll() is None:
                child.kill()


def until(condition: Callable[[], object], *, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        pause.wait(0.05)


def n_rows(folder: Path) -> int:
    return counted_rows(folder / "state.db")


def append(folder: Path, first_hour: int, n_hours: int, **others: int) -> int:
    """Write traffic of some hours and return how many outputs it has."""
    traffic = events(first_hour, n_hours, seed=3 + first_hour, **others)
    with (folder / "logs" / "a.jsonl").open("a") as file:
        file.write(lines(traffic))
    return len(traffic)


@pytest.mark.parametrize(("drift_from", "status"), [(1_000, 0), (6, 3)])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_has_it_write_what_was_read_and_end_with_the_status_of_its_incidents(
    tmp_path: Path, number: int, drift_from: int, status: int
) -> None:
    # No checkpoint is due for a minute: what is written is written because of the signal.
    configure(tmp_path, lateness=0)
    settings = (tmp_path / "monitor.yaml").read_text()
    slow = settings.replace("checkpoint_seconds: 0.05", "checkpoint_seconds: 60")
    (tmp_path / "monitor.yaml").write_text(slow)
    expected = append(tmp_path, 0, 20, drift_from=drift_from)
    with daemon(tmp_path) as running:
        until(lambda: running.said("a worker begins"))
        threading.Event().wait(1.5)
        before = n_rows(tmp_path)
        running.told_to(number)
        found, output = running.ended()

    record = json.loads(output)
    assert (before, n_rows(tmp_path)) == (0, expected)
    assert (record["ending"], record["n_rows"], record["unaccounted"]) == ("stopped", expected, 0)
    assert found == status
    assert bool(record["active_incidents"]) == (status == 3)


def promote(folder: Path, chosen: Baseline) -> str:
    store = BaselineStore(folder / "baselines")
    saved = store.save(chosen)
    store.promote(saved, who="Ada", why="a test", at=CLOCK.us)
    return saved


def in_force(folder: Path) -> str:
    with Store.open(f"sqlite:///{folder}/state.db") as store:
        known = store.streams("toy/test").known()
    return "" if known is None else known.baseline_id


def test_sighup_brings_in_a_promoted_baseline_whole_or_not_at_all(tmp_path: Path) -> None:
    path = configure(tmp_path, lateness=0)
    good = path.read_text()
    expected = append(tmp_path, 0, 6)
    other = replace(baseline(), history=baseline().history[12:])
    refused = "the new configuration is refused, the old one stays"
    with daemon(tmp_path) as running:
        until(lambda: n_rows(tmp_path) == expected)
        # The baseline is another one and the configuration cannot be read: neither is taken.
        promoted = promote(tmp_path, other)
        path.write_text(good.replace("missing_rate", "mising_rate"))
        running.told_to(signal.SIGHUP)
        until(lambda: running.said(refused))
        expected += append(tmp_path, 6, 3)
        until(lambda: n_rows(tmp_path) == expected)
        kept = in_force(tmp_path)
        path.write_text(good)
        running.told_to(signal.SIGHUP)
        until(lambda: len(running.said("a worker begins")) == 2)
        taken = in_force(tmp_path)
        expected += append(tmp_path, 10, 3)
        until(lambda: n_rows(tmp_path) == expected)
        running.told_to(signal.SIGTERM)
        status, _ = running.ended()

    assert "did you mean 'missing_rate'" in running.said(refused)[0]["detail"]
    assert kept == baseline().id
    assert taken == promoted == other.id
    assert len(running.said("the new configuration is taken over")) == 1
    assert status in (0, 3)


STUCK = """
import sys, threading, time
from monitor.cli import command_parser
from monitor.clock import SystemClock
from monitor.commands.run import run_with_clock
from monitor.engine.daemon import process
from monitor.telemetry.watchdog import Watchdog

class Stuck(SystemClock):
    '''A clock that never answers the main loop again, once the file is there.'''
    def now_us(self):
        from pathlib import Path
        if threading.current_thread() is threading.main_thread() and Path(sys.argv[2]).exists():
            while True:
                time.sleep(0.1)
        return super().now_us()

# The configuration allows a minute at least; nobody waits for that here.
process.Watchdog = lambda health, seconds: Watchdog(health, seconds=10.0)
sys.exit(run_with_clock(command_parser().parse_args(["run", sys.argv[1]]), Stuck()))
"""


def test_the_watchdog_ends_a_daemon_that_is_stuck_and_the_next_one_goes_on(tmp_path: Path) -> None:
    path = configure(tmp_path, lateness=0)
    expected = append(tmp_path, 0, 6)
    with daemon(tmp_path, "-c", STUCK, str(path), str(tmp_path / "stuck")) as running:
        until(lambda: n_rows(tmp_path) == expected)
        (tmp_path / "stuck").touch()
        expected += append(tmp_path, 6, 3)
        status, _ = running.ended()
        told = running.logged.read_text()
    with daemon(
        tmp_path, "-m", "monitor", "run", str(path), "--until-caught-up", "--json"
    ) as running:
        _, output = running.ended()

    assert status == 70
    assert "the main loop has not moved for" in told
    assert "in now_us" in told
    assert (json.loads(output)["n_rows"], json.loads(output)["unaccounted"]) == (expected, 0)
