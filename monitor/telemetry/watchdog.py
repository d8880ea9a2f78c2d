"""Ends a process whose main loop is stuck, after writing where every thread stands."""

import faulthandler
import os
import sys
import threading
from types import TracebackType
from typing import Final, Self

from monitor.clock import Clock, SteadyClock
from monitor.telemetry.health import Health

__all__ = ["STUCK_STATUS", "Watchdog"]

STUCK_STATUS: Final = 70
"""The exit status of a process that was ended (EX_SOFTWARE of sysexits.h)."""

_LOOKS_PER_LIMIT = 5


class Watchdog:
    """A thread that ends the process with status 70 when the main loop does not move.

    Nothing is lost: what is not committed is read again by whoever starts next. It cannot act
    while C code holds the interpreter's lock; the liveness probe from outside is for that.

    Parameters
    ----------
    health
        Whose `beat` is watched.
    seconds
        How long the main loop may stand still.
    """

    def __init__(self, health: Health, *, seconds: float = 300.0) -> None:
        if seconds <= 0:
            message = f"the limit of the watchdog must be positive, got {seconds!r}"
            raise ValueError(message)
        self._health: Final = health
        self._seconds: Final = seconds
        self._clock: Final[Clock] = SteadyClock()
        self._stop: Final = threading.Event()
        self._thread: Final = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        pause = self._seconds / _LOOKS_PER_LIMIT
        looked_us = self._clock.now_us()
        excused_until_us = looked_us
        while not self._stop.wait(pause):
            now_us = self._clock.now_us()
            if now_us - looked_us > 2_000_000 * pause:
                # This thread slept too long too: the machine stood still, not the main loop.
                excused_until_us = now_us + int(1_000_000 * self._seconds)
            looked_us = now_us
            if self._health.seconds_since_beat() > self._seconds and now_us >= excused_until_us:
                self._end()

    def _end(self) -> None:
        silent = self._health.seconds_since_beat()
        sys.stderr.write(
            f"the main loop has not moved for {silent:.0f} seconds; the process ends itself "
            f"with status {STUCK_STATUS}; this is where its threads stand\n"
        )
        sys.stderr.flush()
        faulthandler.dump_traceback(file=sys.stderr, all_threads=True)
        os._exit(STUCK_STATUS)
