"""What happens to workers, by kind: chosen by a seed, applied between and inside their turns."""

import random
import sqlite3
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from sqlalchemy.exc import OperationalError

from monitor.storage.store import Store
from tests.replay.chaos.crew import Killed

__all__ = ["Fate", "Fault"]

MOST_PAGES = 2**30


class Fault(StrEnum):
    """A kind of fault."""

    KILLED_AT_STEP = "killed at a named step"
    KILLED_ANYWHERE = "killed between two polls"
    ZOMBIE = "stopped until its session had ended, then woken"
    LEFT = "left on its wish"
    JOINED = "another one joined"
    KICKED = "partitions dealt anew"
    STEP_FAILED = "the database failed at a named step"
    COMMIT_UNCERTAIN = "a commit went through and was answered by an error"
    DATABASE_AWAY = "the database failed for a while"
    DISK_FULL = "the database was not allowed to grow for a while"


@dataclass
class Fate:
    """What will happen to one worker inside its steps.

    Parameters
    ----------
    chance
        Decides.
    told
        Counts what happened.
    deadly, failing, countdown
        A step that kills or fails, and when.
    away, full
        How often the database will still fail, or not be allowed to grow.
    store
        Of the worker.
    """

    chance: random.Random
    told: Counter[str] = field(default_factory=Counter)
    deadly: str | None = None
    failing: str | None = None
    countdown: int = 0
    away: int = 0
    full: int = 0
    has_begun: bool = False
    store: Store | None = None
    _is_limited: bool = False

    def doom(self, step: str, countdown: int) -> None:
        """Let the worker die at a step, after it has come by so many times."""
        self.deadly, self.countdown = step, countdown

    def fail(self, step: str, countdown: int) -> None:
        """Let the database fail once at a step, after it has come by so many times."""
        self.failing, self.countdown = step, countdown

    def __call__(self, step: str) -> None:
        """Be told a step."""
        if not self.has_begun and step != self.deadly:
            # A start without a database fails, and is tried again by whoever started it.
            return
        if self.away and step in ("before lock", "before claim", "before release"):
            self.away -= 1
            raise _failed(sqlite3.OperationalError("database is locked"))
        if step == "after lock":
            self._limit()
        if step not in (self.deadly, self.failing):
            return
        self.countdown -= 1
        if self.countdown > 0:
            return
        if step == self.deadly:
            self.told[Fault.KILLED_AT_STEP] += 1
            self.told[f"  {step}"] += 1
            self.deadly = None
            raise Killed
        uncertain = step == "after commit"
        self.told[Fault.COMMIT_UNCERTAIN if uncertain else Fault.STEP_FAILED] += 1
        self.failing = None
        raise _failed(sqlite3.OperationalError("disk I/O error"))

    def _limit(self) -> None:
        """Let the database not grow, so many times; SQLite itself refuses what needs space."""
        if self.store is None or not (self.full or self._is_limited):
            return
        with self.store.writing() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            most = pages if self.full else MOST_PAGES
            connection.exec_driver_sql(f"PRAGMA max_page_count = {most}")
        self._is_limited = self.full > 0
        self.full = max(0, self.full - 1)


def _failed(error: sqlite3.OperationalError) -> OperationalError:
    return OperationalError("a statement", {}, error)
