"""What the watchdog promises; each in a process of its own."""

import subprocess
import sys
import threading

import pytest

from monitor.telemetry.health import Health
from monitor.telemetry.watchdog import STUCK_STATUS, Watchdog

STUCK = """
import threading
from monitor.telemetry.health import Health
from monitor.telemetry.watchdog import Watchdog

def the_stuck_step():
    threading.Event().wait(20)

with Watchdog(Health(), seconds=0.3):
    the_stuck_step()
"""

MOVING = """
import threading
from monitor.telemetry.health import Health
from monitor.telemetry.watchdog import Watchdog

health = Health()
with Watchdog(health, seconds=0.5):
    for _ in range(12):
        health.beat()
        threading.Event().wait(0.1)
print("finished")
"""


def run(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False
    )


def test_a_stuck_process_ends_and_tells_where_it_stands() -> None:
    ended = run(STUCK)

    assert ended.returncode == STUCK_STATUS == 70
    assert "the main loop has not moved" in ended.stderr
    assert "the_stuck_step" in ended.stderr


def test_a_process_that_moves_is_left_alone() -> None:
    ended = run(MOVING)

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "finished\n", "")


def test_the_thread_ends_with_the_block() -> None:
    with Watchdog(Health(), seconds=60):
        during = {thread.name for thread in threading.enumerate()}

    assert "watchdog" in during
    assert "watchdog" not in {thread.name for thread in threading.enumerate()}


def test_a_limit_must_be_positive() -> None:
    with pytest.raises(ValueError, match="must be positive, got 0"):
        Watchdog(Health(), seconds=0)
