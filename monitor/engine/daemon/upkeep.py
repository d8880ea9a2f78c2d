"""Once a day, between checkpoints: what is old is added up or dropped."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError

from monitor.clock import Clock
from monitor.config.retention import RetentionSettings
from monitor.engine.retention import Retention, Step
from monitor.storage.errors import StorageError
from monitor.storage.retention_jobs import claim_upkeep
from monitor.storage.store import Store
from monitor.telemetry.logs import get_logger

__all__ = ["Upkeep"]

_LOG = get_logger(__name__)
_DAY_US = 86_400_000_000
_HOUR_US = 3_600_000_000
_SECONDS_AT_ONCE = 0.05


@dataclass(slots=True, kw_only=True)
class Upkeep:
    """Applies the ``retention`` section a little at a time, so that reading goes on.

    Of several workers one does it, the first that asks. It never fails: what it could not do
    it tries again in an hour, or another worker does the next day.

    Parameters
    ----------
    store, settings, monitor, clock
        As of `monitor.engine.retention.Retention`.
    monotonic
        Seconds that never go back.
    """

    store: Store
    settings: RetentionSettings
    monitor: str
    clock: Clock
    monotonic: Callable[[], float]
    _retention: Retention | None = None
    _steps: Iterator[Step] | None = None
    _looks_at_us: int = 0
    _busy_seconds: float = 0.0

    def __call__(self) -> None:
        """Do what takes about a twentieth of a second, if there is anything to do."""
        if not self.settings.automatic:
            return
        try:
            self._work()
        except (StorageError, DBAPIError) as error:
            _LOG.warning("old records could not be tidied up; tried again later", error=error)
            self._steps = None
            self._looks_at_us = self.clock.now_us() + _HOUR_US

    def _work(self) -> None:
        if self._steps is None and not self._begins():
            return
        began = self.monotonic()
        ended = False
        while not ended and self.monotonic() - began < _SECONDS_AT_ONCE:
            ended = self._steps is None or next(self._steps, None) is None
        self._busy_seconds += self.monotonic() - began
        if ended:
            self._tell()
            self._steps = None

    def _begins(self) -> bool:
        now_us = self.clock.now_us()
        if now_us < self._looks_at_us:
            return False
        self._looks_at_us = now_us + _HOUR_US
        if not claim_upkeep(self.store, self.monitor, now_us=now_us, every_us=_DAY_US):
            return False
        self._retention = Retention(
            store=self.store, settings=self.settings, monitor=self.monitor, now_us=now_us
        )
        self._steps = self._retention.steps()
        self._busy_seconds = 0.0
        return True

    def _tell(self) -> None:
        if self._retention is None:
            return
        report = self._retention.report
        counts = {str(step): number for step, number in sorted(report.counts.items())}
        _LOG.info("old records are tidied up", seconds=round(self._busy_seconds, 3), **counts)
        for sentence in report.kept:
            _LOG.info("old windows are kept", detail=sentence)
