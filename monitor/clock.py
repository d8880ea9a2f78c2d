"""The only place that reads the clock."""

import time
from dataclasses import dataclass
from typing import Protocol

__all__ = ["Clock", "FixedClock", "SteadyClock", "SystemClock"]


class Clock(Protocol):
    """Tells the time."""

    def now_us(self) -> int:
        """Return microseconds since 1970-01-01T00:00Z."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now_us(self) -> int:
        """Return microseconds since 1970-01-01T00:00Z."""
        return time.time_ns() // 1_000


class SteadyClock:
    """A clock for durations: it starts anywhere, and nobody can set it."""

    def now_us(self) -> int:
        """Return microseconds since some fixed moment."""
        return time.monotonic_ns() // 1_000


@dataclass(slots=True)
class FixedClock:
    """A clock that stands where it is put, for tests and replays."""

    us: int

    def now_us(self) -> int:
        """Return the time it was set to."""
        return self.us
