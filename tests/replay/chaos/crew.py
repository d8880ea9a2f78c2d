"""Workers that take turns: threads of which one moves at a time, in an order that a seed gives."""

import threading
from collections.abc import Callable

from monitor.engine.daemon.worker import DatabaseAwayError

__all__ = ["Crew", "Killed", "Member"]

_ENDINGS = (DatabaseAwayError,)
"""What a worker may end with, so that its supervisor starts another one."""


class Killed(BaseException):
    """The worker is gone, as after kill -9: nothing of it runs any more."""


class Member:
    """A worker that moves when it is told to, until it ends.

    Parameters
    ----------
    name
        Of the worker.
    work
        What it does; it calls `rest` now and then.
    """

    def __init__(self, name: str, work: Callable[["Member"], None]) -> None:
        self.name = name
        self.is_doomed = False
        self.failure: BaseException | None = None
        self.was_killed = False
        self.ended = False
        self._work = work
        self._go = threading.Semaphore(0)
        self._rests = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def move(self) -> None:
        """Let it work until it rests or ends."""
        self._go.release()
        self._rests.acquire()

    def rest(self) -> None:
        """Wait for the next turn; called by the worker."""
        self._rests.release()
        self._go.acquire()
        if self.is_doomed:
            raise Killed

    def kill(self) -> None:
        """Let it never come to its next turn."""
        self.is_doomed = True
        while not self.ended:
            self.move()

    def _run(self) -> None:
        self._go.acquire()
        try:
            if not self.is_doomed:
                self._work(self)
        except Killed:
            self.was_killed = True
        except BaseException as error:
            self.failure = error
        finally:
            self.ended = True
            self._rests.release()


class Crew:
    """The members that have not ended, and seconds that pass as they move."""

    def __init__(self) -> None:
        self.members: list[Member] = []
        self.now = 0.0

    def monotonic(self) -> float:
        """Return the seconds that have passed."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let seconds pass."""
        self.now += seconds

    def add(self, member: Member) -> None:
        """Take a member in."""
        self.members.append(member)

    def move(self, member: Member) -> None:
        """Let one member work for a tenth of a second."""
        self.now += 0.1
        member.move()
        if member.ended:
            self.members.remove(member)
            if member.failure is not None and not isinstance(member.failure, _ENDINGS):
                raise member.failure
