"""Worker processes that are forked with everything imported: a second of CPU less for each.

They are processes of their own all the same, with a number that can be killed and frozen.
"""

import importlib
import multiprocessing
import os
import signal
import subprocess
from functools import cache
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext
from pathlib import Path

from tests.replay.chaos import worker_process

__all__ = ["Forked"]

ROOT = Path(__file__).resolve().parents[3]
PRELOADED = "tests.replay.chaos.preloaded"


class Forked:
    """A process of `worker_process.main`.

    Parameters
    ----------
    log
        The file that gets what it writes.
    configuration, worker, options
        See `worker_process`.
    """

    def __init__(self, log: Path, configuration: Path, worker: str, options: str) -> None:
        self.log = log
        self._process = _context().Process(
            target=_work, args=(str(log), str(configuration), worker, options), daemon=True
        )
        self._process.start()

    @property
    def pid(self) -> int:
        """The number of the process."""
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        """Return its status, negative for a signal; None while it runs."""
        return self._process.exitcode

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def wait(self, seconds: float) -> int:
        """Return its status once it has ended."""
        self._process.join(seconds)
        status = self.poll()
        if status is None:
            raise subprocess.TimeoutExpired(self._process.name, seconds)
        return status


def _work(log: str, configuration: str, worker: str, options: str) -> None:
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.close(file)
    raise SystemExit(worker_process.main(configuration, worker, options))


@cache
def _context() -> ForkServerContext:
    """Return what starts processes; the first call starts the one that they are forked from."""
    # There, nobody would notice that it cannot be imported.
    importlib.import_module(PRELOADED)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([PRELOADED])
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = str(ROOT)
    try:
        forkserver.ensure_running()
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before
    return context
