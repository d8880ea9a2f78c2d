"""What a worker tells of itself while it runs."""

from collections.abc import Mapping
from typing import Protocol

from monitor.engine.daemon.checkpoint import Checkpoint
from monitor.sources.live import Backlog, Notice, Outage

__all__ = ["Observer", "SilentObserver"]


class Observer(Protocol):
    """Is told what happens; it never raises."""

    def beat(self) -> None:
        """The loop has moved."""
        ...

    def polled(self, n_records: int) -> None:
        """So many records have arrived."""
        ...

    def answered(self, outage: Outage | None) -> None:
        """Whether somebody answers where records come from; None: yes, or the source is here."""
        ...

    def waiting(self, n_records: int, *, paused: bool) -> None:
        """So many records are read and not written; nothing more is read while paused."""
        ...

    def noticed(self, notice: Notice) -> None:
        """Something is wrong with the stream."""
        ...

    def checkpointed(
        self, checkpoint: Checkpoint, *, seconds: float, lag: Mapping[str, int]
    ) -> None:
        """A checkpoint was written."""
        ...

    def joining(self, backlog: Backlog) -> None:
        """So much waits for its other half, after a checkpoint."""
        ...

    def database_away(self, error: Exception, *, seconds: float) -> None:
        """The database could not be written, for so long by now."""
        ...


class SilentObserver:
    """Tells nobody."""

    def beat(self) -> None:
        """The loop has moved."""

    def polled(self, n_records: int) -> None:
        """So many records have arrived."""

    def answered(self, outage: Outage | None) -> None:
        """Whether somebody answers where records come from."""

    def waiting(self, n_records: int, *, paused: bool) -> None:
        """So many records are read and not written."""

    def noticed(self, notice: Notice) -> None:
        """Something is wrong with the stream."""

    def checkpointed(
        self, checkpoint: Checkpoint, *, seconds: float, lag: Mapping[str, int]
    ) -> None:
        """A checkpoint was written."""

    def joining(self, backlog: Backlog) -> None:
        """So much waits for its other half."""

    def database_away(self, error: Exception, *, seconds: float) -> None:
        """The database could not be written."""
