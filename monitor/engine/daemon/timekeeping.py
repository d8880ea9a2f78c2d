"""The duty that lets timers of incidents fire."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from monitor.clock import Clock
from monitor.config.model import Configuration
from monitor.engine.incident_desk import monitor_name
from monitor.engine.notifying import telling
from monitor.engine.response.due import fire_due_timers, match_promises, match_timers
from monitor.incidents.business_hours import BusinessHours
from monitor.storage.store import Store
from monitor.telemetry.logs import get_logger

__all__ = ["Timekeeping"]

_LOG = get_logger(__name__)
_ANEW_US: Final = 600_000_000


@dataclass(slots=True, kw_only=True)
class Timekeeping:
    """Brings the timers of a monitor in line with its incidents, and fires those that are due.

    Incidents that have not changed are passed over, but for once in ten minutes: then those that
    are closed are looked at too, for what they still promise.

    Parameters
    ----------
    store, configuration, clock
        Of the monitor.
    """

    store: Store
    configuration: Configuration
    clock: Clock
    _known: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    _anew_us: int = 0

    def __call__(self, stopping: threading.Event) -> None:
        """Do it once."""
        monitor = monitor_name(self.configuration)
        self._match(monitor, stopping)
        if stopping.is_set():
            return
        fired = fire_due_timers(
            self.store,
            monitor,
            now_us=self.clock.now_us(),
            tell=telling(self.store, self.configuration, monitor),
            hours=self._hours,
        )
        for request in fired:
            _LOG.warning(
                "a timer of an incident is due",
                timer=request.timer.kind,
                incident=request.incident_id[:12],
                tier=request.timer.tier,
                late=request.timer.late,
            )

    @property
    def _hours(self) -> BusinessHours:
        return self.configuration.incidents.business_hours

    def _match(self, monitor: str, stopping: threading.Event) -> None:
        now_us = self.clock.now_us()
        if now_us >= self._anew_us:
            self._known, self._anew_us = {}, now_us + _ANEW_US
            match_promises(
                self.store,
                monitor,
                now_us=now_us,
                hours=self._hours,
                stopped=stopping.is_set,
            )
        heads = self.store.incidents(monitor).heads()
        for incident_id, head in heads.items():
            if stopping.is_set():
                return
            if self._known.get(incident_id) != head:
                match_timers(self.store, monitor, incident_id, now_us=now_us, hours=self._hours)
        self._known = heads
