"""Freezes the outputs that open incidents began with, beside reading."""

import threading
from dataclasses import dataclass

from monitor.clock import Clock
from monitor.config.model import Configuration
from monitor.engine.evidence import freeze_outputs
from monitor.engine.incident_desk import monitor_name
from monitor.storage.store import Store

__all__ = ["Freezing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Freezing:
    """Gives every open incident an annex to its evidence, if the configuration asks for one."""

    store: Store
    configuration: Configuration
    clock: Clock

    def __call__(self, stopping: threading.Event) -> int:
        """Return how many annexes were written; the rest is left for later when it stops."""
        if not self.configuration.evidence.wanted:
            return 0
        monitor = monitor_name(self.configuration)
        return freeze_outputs(
            self.store.incidents(monitor).active(),
            configuration=self.configuration,
            store=self.store,
            monitor=monitor,
            clock=self.clock,
            stopped=stopping.is_set,
        )
