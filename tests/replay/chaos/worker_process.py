"""`outputwatch run` as it is, at a fixed time, in small steps, and with one step it dies at.

Called as ``python -m tests.replay.chaos.worker_process CONFIG WORKER OPTIONS``; the options are a
JSON object: ``dies_at`` (a step), ``countdown``, ``until_caught_up``.
"""

import argparse
import json
import os
import signal
import sys

import pytest

import monitor.engine.daemon.worker as worker_module
from monitor.commands.run import run_with_clock
from monitor.storage import connection
from tests.replay.chaos.scenario import CLOCK
from tests.replay.chaos.steps import steps_told, told_by

__all__ = ["main"]

RECORDS_AT_ONCE = 12
BUSY_MS = 3_000


class _Death:
    """Kills the process at a step, after it has come by so many times."""

    def __init__(self, step: str, countdown: int) -> None:
        self._step, self._countdown = step, countdown

    def __call__(self, step: str) -> None:
        """Be told a step."""
        if step != self._step:
            return
        self._countdown -= 1
        if self._countdown <= 0:
            os.kill(os.getpid(), signal.SIGKILL)


def main(configuration: str, worker: str, options: str) -> int:
    """Run until caught up or told to stop; return the status."""
    chosen = json.loads(options)
    arguments = argparse.Namespace(
        configuration=configuration,
        until_caught_up=chosen["until_caught_up"],
        worker=worker,
        log_level="info",
        log_format="json",
        json=True,
    )
    with pytest.MonkeyPatch.context() as patch:
        steps_told(patch)
        patch.setattr(worker_module, "MAX_RECORDS_AT_ONCE", RECORDS_AT_ONCE)
        patch.setattr(connection, "_BUSY_TIMEOUT_MS", BUSY_MS)
        with told_by(
            _Death(chosen.get("dies_at", ""), chosen.get("countdown", 1)), all_threads=True
        ):
            return run_with_clock(arguments, CLOCK)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
