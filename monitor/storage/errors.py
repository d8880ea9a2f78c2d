"""What can go wrong with a database, in words."""

from monitor.errors import OutputwatchError

__all__ = ["StorageError"]


class StorageError(OutputwatchError):
    """The database cannot be opened, or does not hold what was asked for."""
