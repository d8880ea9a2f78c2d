"""The threads of a worker that empty the outbox: one for each channel, so that none waits."""

import contextlib
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy.exc import DBAPIError

from monitor.clock import Clock
from monitor.config.model import Configuration
from monitor.engine.daemon.beside import beside
from monitor.engine.incident_desk import monitor_name
from monitor.engine.sending import Outcome, Sender
from monitor.errors import OutputwatchError
from monitor.notifiers.base import Notifier, Refreshing
from monitor.storage.outbox import OutboxState
from monitor.storage.store import Store
from monitor.telemetry.logs import get_logger
from monitor.telemetry.metrics import Metrics

__all__ = ["sending"]

_LOG = get_logger(__name__)
_LOOK_SECONDS = 1.0
_COUNT_SECONDS = 5.0
_LAST_SECONDS = 5.0
_JOIN_SECONDS = 70.0


@contextlib.contextmanager
def sending(
    store: Store, configuration: Configuration, clock: Clock, metrics: Metrics
) -> Iterator[None]:
    """Send what is in the outbox while the block runs, and for a few seconds what is left.

    What cannot be sent waits in the database for the next worker. It never fails.
    """
    settings = configuration.notifiers
    sender = Sender(
        store=store,
        monitor=monitor_name(configuration),
        settings=settings,
        clock=clock,
        jitter=random.random,
    )
    stopping = threading.Event()
    loops = {
        f"sender {each.channel}": _Loop(
            sender=sender, notifier=each, stopping=stopping, metrics=metrics
        ).run
        for each in settings.channels
    }
    with beside(loops, stopping, join_seconds=_JOIN_SECONDS):
        yield


@dataclass(slots=True, kw_only=True)
class _Loop:
    """Sends the notices of one channel until told to stop."""

    sender: Sender
    notifier: Notifier
    stopping: threading.Event
    metrics: Metrics
    _refreshed: float | None = field(default=None)
    _counted: float | None = field(default=None)

    def run(self) -> None:
        while not self.stopping.is_set():
            if self._step() is not Outcome.SENT:
                self.stopping.wait(_LOOK_SECONDS)
        until = time.monotonic() + _LAST_SECONDS
        while time.monotonic() < until and self._step() is Outcome.SENT:
            pass

    def _step(self) -> Outcome:
        try:
            outcome = self.sender.send_next(self.notifier)
            self._tell(outcome)
            self._refresh()
            self._count()
        except (OutputwatchError, DBAPIError) as error:
            _LOG.warn_rarely(
                "notices could not be sent; tried again",
                channel=self.notifier.channel,
                error=type(error).__name__,
            )
            return Outcome.FAILED
        return outcome

    def _tell(self, outcome: Outcome) -> None:
        channel = self.notifier.channel
        if outcome is Outcome.SENT:
            _LOG.info("a notice was delivered", channel=channel)
        elif outcome is Outcome.FAILED:
            _LOG.warn_rarely("a notice could not be delivered yet; it waits", channel=channel)
        elif outcome is Outcome.DEAD:
            _LOG.error("a notice was given up; see 'outputwatch outbox list'", channel=channel)

    def _refresh(self) -> None:
        if not isinstance(self.notifier, Refreshing):
            return
        now = time.monotonic()
        if self._refreshed is None or now - self._refreshed >= self.notifier.repeat_seconds:
            self._refreshed = now
            self.sender.refresh(self.notifier)

    def _count(self) -> None:
        now = time.monotonic()
        if self._counted is None or now - self._counted >= _COUNT_SECONDS:
            self._counted = now
            counts = self.sender.outbox.counts()
            self.metrics.outbox(waiting=counts[OutboxState.WAITING], dead=counts[OutboxState.DEAD])
