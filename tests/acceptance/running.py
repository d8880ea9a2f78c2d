"""The daemon in a thread, by a clock that a test moves."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

from monitor.clock import Clock
from monitor.engine.daemon.process import Process
from tests.acceptance.case import Case

__all__ = ["daemon", "until"]


def until(condition: Callable[[], object], *, seconds: float = 60) -> None:
    """Wait for what another thread does."""
    end, pause = time.monotonic() + seconds, threading.Event()
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        pause.wait(0.1)


@contextlib.contextmanager
def daemon(case: Case, clock: Clock) -> Iterator[None]:
    """Let the daemon of a case run."""
    process = Process(path=str(case.path), clock=clock, worker="one")
    thread = threading.Thread(target=process.run)
    thread.start()
    try:
        yield
    finally:
        process.stop()
        thread.join(60)
    assert not thread.is_alive()
