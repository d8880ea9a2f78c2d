"""`outputwatch run` as it is, at a fixed time, in small steps, and with one step it dies at.

The options are a JSON object: ``dies_at`` (a step), ``unaware_at`` (a checkpoint, by its number,
whose commit goes through and is answered by an error), ``largest_file`` (in bytes, that it may
write), ``join_seconds`` (see `monitor.sources.kafka_stream.kafka_python`), ``countdown``,
``until_caught_up``.
"""

import argparse
import json
import os
import resource
import signal
import sqlite3
import sys
import threading

import pytest
from sqlalchemy.exc import OperationalError

import monitor.engine.daemon.worker as worker_module
from monitor.commands.run import run_with_clock
from monitor.errors import OutputwatchError
from monitor.sources.kafka_stream import kafka_python
from monitor.storage import connection
from tests.replay.chaos.scenario import CLOCK
from tests.replay.chaos.steps import steps_told, told_by

__all__ = ["LOST_ANSWER", "main"]

LOST_ANSWER = "the answer of a commit was lost"
RECORDS_AT_ONCE = 12
BUSY_MS = 1_000


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


class _LostAnswer:
    """Lets the commit of one checkpoint go through and look as if it had failed."""

    def __init__(self, countdown: int) -> None:
        self._countdown = countdown
        self._has_counted = False
        self._thread = threading.current_thread()

    def __call__(self, step: str) -> None:
        """Be told a step."""
        if threading.current_thread() is not self._thread:
            return
        if step == "after ids":
            self._has_counted = True
        if step != "after commit" or not self._has_counted:
            return
        self._has_counted = False
        self._countdown -= 1
        if self._countdown == 0:
            sys.stderr.write(f"{LOST_ANSWER}\n")
            raise OperationalError(LOST_ANSWER, {}, sqlite3.OperationalError(LOST_ANSWER))


def main(configuration: str, worker: str, options: str) -> int:
    """Run until caught up or told to stop; return the status, as the command line does."""
    chosen = json.loads(options)
    arguments = argparse.Namespace(
        configuration=configuration,
        until_caught_up=chosen["until_caught_up"],
        worker=worker,
        log_level="info",
        log_format="json",
        json=True,
    )
    if "largest_file" in chosen:
        _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (chosen["largest_file"], most))
    death = _Death(chosen.get("dies_at", ""), chosen.get("countdown", 1))
    loss = _LostAnswer(chosen.get("unaware_at", 0))
    with pytest.MonkeyPatch.context() as patch:
        steps_told(patch)
        patch.setattr(worker_module, "MAX_RECORDS_AT_ONCE", RECORDS_AT_ONCE)
        patch.setattr(connection, "_BUSY_TIMEOUT_MS", BUSY_MS)
        if "join_seconds" in chosen:
            patch.setattr(kafka_python, "JOIN_SECONDS", chosen["join_seconds"])
        with told_by(loss), told_by(death, all_threads=True):
            try:
                return run_with_clock(arguments, CLOCK)
            except OutputwatchError as error:
                sys.stderr.write(f"{error}\n")
                return 1
