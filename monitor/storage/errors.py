"""What can go wrong with a database, in words."""

from monitor.errors import OutputwatchError

__all__ = ["ConcurrentWriteError", "StaleIncidentError", "StorageError"]


class StorageError(OutputwatchError):
    """The database cannot be opened, or does not hold what was asked for."""


class ConcurrentWriteError(StorageError):
    """Another program wrote to the database what this one was about to write."""

    def __init__(self) -> None:
        super().__init__(
            "another audit or monitor is writing to the same database; what it wrote is kept and "
            "this run stopped: run it again when the other has ended"
        )


class StaleIncidentError(ConcurrentWriteError):
    """An incident was changed after it was read, and nothing was written yet: read it again."""
