"""Whether the monitor is alive, and whether it is ready; told to whoever restarts it."""

import threading
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from monitor.clock import Clock, SteadyClock

__all__ = ["Condition", "Health", "HealthReport"]


class Condition(StrEnum):
    """What must hold for the monitor to be ready."""

    SOURCE = "source"
    DATABASE = "database"
    SNAPSHOT = "snapshot"
    BACKLOG = "backlog"


_BEFORE_START: Final = {
    Condition.SOURCE: "the source is not open yet",
    Condition.DATABASE: "the database was not reached yet",
    Condition.SNAPSHOT: "the decision snapshot is not loaded yet",
}


@dataclass(frozen=True, slots=True)
class HealthReport:
    """An answer to a probe.

    Parameters
    ----------
    reasons
        Why not; empty: all is well.
    """

    reasons: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Return whether there is no reason against it."""
        return not self.reasons

    def record(self) -> dict[str, Any]:
        """Return the report, JSON-ready."""
        return {"status": "ok" if self.ok else "failing", "reasons": list(self.reasons)}


class Health:
    """Collects signs of life; may be used from several threads.

    Parameters
    ----------
    stalled_after_seconds
        The main loop counts as alive for so long after a `beat`.
    clock
        Only differences of it are used.
    """

    def __init__(self, *, stalled_after_seconds: float = 60.0, clock: Clock | None = None) -> None:
        self.stalled_after_seconds: Final = stalled_after_seconds
        self._clock: Final[Clock] = clock or SteadyClock()
        self._lock: Final = threading.Lock()
        self._beat_us = self._clock.now_us()
        self._reasons: dict[Condition, str] = dict(_BEFORE_START)

    def beat(self) -> None:
        """Note that the main loop has moved."""
        self._beat_us = self._clock.now_us()

    def holds(self, condition: Condition) -> None:
        """Note that a condition of readiness is met."""
        with self._lock:
            self._reasons.pop(condition, None)

    def fails(self, condition: Condition, reason: str) -> None:
        """Note that a condition is not met, and why; never with text of records."""
        with self._lock:
            self._reasons[condition] = reason

    def seconds_since_beat(self) -> float:
        """Return how long the main loop has not moved."""
        return (self._clock.now_us() - self._beat_us) / 1_000_000

    def liveness(self) -> HealthReport:
        """Return whether the main loop moves; if not, a restart is due."""
        silent = self.seconds_since_beat()
        if silent <= self.stalled_after_seconds:
            return HealthReport(())
        return HealthReport(
            (
                f"the main loop has not moved for {silent:.0f} seconds, "
                f"{self.stalled_after_seconds:.0f} are accepted",
            )
        )

    def readiness(self) -> HealthReport:
        """Return whether outputs are read and judged; it includes being alive."""
        with self._lock:
            reasons = tuple(
                f"{condition}: {self._reasons[condition]}"
                for condition in Condition
                if condition in self._reasons
            )
        return HealthReport(self.liveness().reasons + reasons)
