"""What a worker does beside reading: duties, each in a background thread of its own."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from monitor.clock import Clock
from monitor.config.model import Configuration
from monitor.engine.daemon.beside import beside
from monitor.engine.daemon.freezing import Freezing
from monitor.engine.daemon.standby import Standby
from monitor.engine.daemon.timekeeping import Timekeeping
from monitor.storage.store import Store
from monitor.telemetry.logs import get_logger
from monitor.telemetry.metrics import Metrics

__all__ = ["DUTIES", "Attendant", "Duty", "attending", "duties_of"]

DUTIES: Final = ("timers", "evidence", "rollbacks")
"""The names of all duties, for the metrics."""

_LOG = get_logger(__name__)
_TIMERS_SECONDS: Final = 2.0
_EVIDENCE_SECONDS: Final = 10.0
_ROLLBACKS_SECONDS: Final = 5.0
# A duty may wait for the lock of the database, but no longer than it waits itself.
_JOIN_SECONDS: Final = 40.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """Something to be done again and again.

    Parameters
    ----------
    name
        Tells it apart in logs and metrics, in snake case.
    every_seconds
        The time from the end of one call to the beginning of the next; positive.
    do
        Does it. It is given an event that is set when the worker stops: what takes longer
        than a second looks at it in between. Every worker of a monitor calls it, so that
        leases in the database must keep two from doing the same.
    """

    name: str
    every_seconds: float
    do: Callable[[threading.Event], object]


def duties_of(
    store: Store, configuration: Configuration, clock: Clock, metrics: Metrics
) -> tuple[Duty, ...]:
    """Return the duties of a monitor."""
    timekeeping = Timekeeping(store=store, configuration=configuration, clock=clock)
    timers = Duty(name="timers", every_seconds=_TIMERS_SECONDS, do=timekeeping)
    standby = Standby.of(configuration, store, clock, metrics)
    freezing = Freezing(store=store, configuration=configuration, clock=clock)
    evidence = Duty(name="evidence", every_seconds=_EVIDENCE_SECONDS, do=freezing)
    return (timers, evidence, Duty(name="rollbacks", every_seconds=_ROLLBACKS_SECONDS, do=standby))


@contextlib.contextmanager
def attending(duties: Sequence[Duty], metrics: Metrics, clock: Clock) -> Iterator[None]:
    """Attend to duties while the block runs; what is being done at its end is finished first.

    Each has a thread: reading logs again for evidence must not hold a page up.
    """
    stopping = threading.Event()
    loops = {
        f"duty {duty.name}": Attendant(
            duties=(duty,), metrics=metrics, clock=clock, stopping=stopping
        ).run
        for duty in duties
    }
    with beside(loops, stopping, join_seconds=_JOIN_SECONDS):
        yield


@dataclass(slots=True, kw_only=True)
class Attendant:
    """Does what is due until it is told to stop.

    An error of a duty is logged when it begins and counted each time; the others go on, and
    it is tried again when it is due.

    Parameters
    ----------
    duties
        What is to be done.
    metrics
        Where failures are counted.
    clock
        The wall clock, for the metrics.
    monotonic
        Seconds that never go back.
    stopping
        Ends it.
    """

    duties: Sequence[Duty]
    metrics: Metrics
    clock: Clock
    monotonic: Callable[[], float] = time.monotonic
    stopping: threading.Event = field(default_factory=threading.Event)
    _due: dict[str, float] = field(default_factory=dict)
    _failing: set[str] = field(default_factory=set)

    def run(self) -> None:
        """Attend until `stopping` is set."""
        while self.duties and not self.stopping.wait(self._seconds_left()):
            self.attend()

    def attend(self) -> None:
        """Do once what is due now."""
        for duty in self.duties:
            if self.stopping.is_set():
                return
            if self._due.get(duty.name, 0.0) <= self.monotonic():
                self._do(duty)
                self._due[duty.name] = self.monotonic() + duty.every_seconds

    def _seconds_left(self) -> float:
        first = min(self._due.get(duty.name, 0.0) for duty in self.duties)
        return max(0.0, first - self.monotonic())

    def _do(self, duty: Duty) -> None:
        try:
            duty.do(self.stopping)
        except Exception as error:  # whatever it is, the monitor and the other duties go on
            self.metrics.duty_failed(duty.name)
            if duty.name not in self._failing:
                self._failing.add(duty.name)
                _LOG.error("a duty failed; it is tried again", duty=duty.name, error=error)
            return
        self.metrics.attended(at_us=self.clock.now_us())
        if duty.name in self._failing:
            self._failing.discard(duty.name)
            _LOG.info("a duty is done again", duty=duty.name)
