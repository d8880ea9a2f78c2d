"""What is kept: the ledger of an audit, windows, findings, states and incidents."""

from monitor.storage.errors import StorageError
from monitor.storage.store import Store

__all__ = ["StorageError", "Store"]
