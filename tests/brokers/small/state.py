"""What a small broker remembers: topics with their logs, groups, and its own address."""

import asyncio
import itertools
import uuid
from collections import Counter
from dataclasses import dataclass, field

from tests.brokers.ports import LOOPBACK
from tests.brokers.small.codes import Code, RefusedError
from tests.brokers.small.group import Group
from tests.brokers.small.log import PartitionLog

__all__ = ["NODE_ID", "State", "Topic"]

NODE_ID = 1


@dataclass(frozen=True)
class Topic:
    """A named list of partitions; a topic made anew under an old name has another id."""

    name: str
    partitions: tuple[PartitionLog, ...]
    id: uuid.UUID = field(default_factory=uuid.uuid4)

    @classmethod
    def empty(cls, name: str, partitions: int) -> "Topic":
        """Return a topic whose partitions have no records yet."""
        return cls(name, tuple(PartitionLog() for _ in range(partitions)))


@dataclass
class State:
    """Everything that outlives a connection."""

    port: int
    host: str = LOOPBACK
    cluster_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    topics: dict[str, Topic] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    producer_ids: itertools.count = field(default_factory=lambda: itertools.count(1000))
    requests: Counter[str] = field(default_factory=Counter)
    delays: dict[str, float] = field(default_factory=dict)
    appended: asyncio.Condition = field(default_factory=asyncio.Condition)

    def log(self, topic: str, partition: int) -> PartitionLog:
        """Return the log of a partition, or refuse."""
        known = self.topics.get(topic)
        if known is None or not 0 <= partition < len(known.partitions):
            raise RefusedError(Code.UNKNOWN_TOPIC_OR_PARTITION)
        return known.partitions[partition]

    def group(self, group_id: str) -> Group:
        """Return a group, which comes into being when it is first named."""
        return self.groups.setdefault(group_id, Group(group_id))
