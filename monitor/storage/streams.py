"""Where a running monitor stands: its partitions, and the windows that are not decided yet."""

from monitor.storage.stream_letters import LetterRepository
from monitor.storage.stream_partitions import PartitionRepository
from monitor.storage.stream_rows import Letter, MonitorRow, Move, PartialRow, PartitionRow
from monitor.storage.stream_windows import OpenWindowRepository

__all__ = ["Letter", "MonitorRow", "Move", "PartialRow", "PartitionRow", "StreamRepository"]


class StreamRepository(PartitionRepository, OpenWindowRepository, LetterRepository):
    """The state of one running monitor in the database, all of it."""
