"""Questions to the cluster beside the stream: topic ids and offsets, each in bounded time."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from kafka import KafkaAdminClient
from kafka.errors import KafkaError
from kafka.protocol.consumer import IsolationLevel
from kafka.structs import TopicPartition

from monitor.sources.kafka import Kafka
from monitor.sources.kafka_stream.bounded import within
from monitor.sources.kafka_stream.client import Partition, UnreachableError
from monitor.sources.kafka_stream.construction import constructed
from monitor.sources.kafka_stream.refusals import refusal
from monitor.sources.kafka_stream.settings import connection_settings

__all__ = ["BEGINNING", "END", "Broker"]

BEGINNING, END = -2, -1
"""What the protocol calls the first offset and the one after the last."""

ANSWER_SECONDS = 7.0
NO_ID = "00000000-0000-0000-0000-000000000000"

T = TypeVar("T")


class Broker:
    """A connection for questions, made when it is needed and again after a failure."""

    def __init__(self, options: Kafka) -> None:
        self._options = options
        self._admin: KafkaAdminClient | None = None

    def identities(self, topics: Iterable[str]) -> dict[str, str]:
        """Return what tells each topic from one of the same name: cluster id and topic id.

        Topics that do not exist, and brokers older than 2.8, have none.

        Raises
        ------
        UnreachableError
            If no answer comes in time.
        SourceError
            If the broker refuses, and would again; so do the other questions.
        """
        wanted = sorted(set(topics))

        def ask(admin: KafkaAdminClient) -> dict[str, str]:
            cluster = admin.describe_cluster().get("cluster_id") or ""
            described = admin.describe_topics(wanted)
            found = {each["name"]: str(each.get("topic_id") or NO_ID) for each in described}
            return {name: f"{cluster}/{id_}" for name, id_ in found.items() if id_ != NO_ID}

        return self._ask(ask)

    def partitions(self, topics: Iterable[str]) -> frozenset[Partition]:
        """Return all partitions of topics, those that other members read too.

        Raises
        ------
        UnreachableError
            If no answer comes in time.
        """
        wanted = sorted(set(topics))

        def ask(admin: KafkaAdminClient) -> frozenset[Partition]:
            return frozenset(
                Partition(topic["name"], each["partition_index"])
                for topic in admin.describe_topics(wanted)
                for each in topic.get("partitions") or ()
            )

        return self._ask(ask)

    def offsets(self, partitions: Iterable[Partition], at: int) -> dict[Partition, int]:
        """Return the first offset at or after a time in milliseconds, `BEGINNING` or `END`.

        The end is that of what may be read: before transactions that are still open, if these
        are waited for. Partitions without a record at or after the time are left out.

        Raises
        ------
        UnreachableError
            If no answer comes in time.
        """
        wanted = {TopicPartition(*partition): at for partition in partitions}
        committed = self._options.isolation_level == "read_committed"
        level = IsolationLevel.READ_COMMITTED if committed else IsolationLevel.READ_UNCOMMITTED

        def ask(admin: KafkaAdminClient) -> dict[Partition, int]:
            found = admin.list_partition_offsets(
                wanted, isolation_level=level, timeout_ms=round(ANSWER_SECONDS * 1_000)
            )
            return {
                Partition(tp.topic, tp.partition): place.offset
                for tp, place in found.items()
                if place is not None and place.offset >= 0
            }

        return self._ask(ask)

    def close(self) -> None:
        """Close the connection."""
        admin, self._admin = self._admin, None
        if admin is not None:
            try:
                within(1.0, admin.close)
            except (KafkaError, OSError):
                return

    def _ask(self, question: Callable[[KafkaAdminClient], T]) -> T:
        def ask() -> T:
            if self._admin is None:
                self._admin = constructed(KafkaAdminClient, connection_settings(self._options))
            return question(self._admin)

        try:
            return within(ANSWER_SECONDS, ask)
        except (KafkaError, OSError) as error:
            self.close()
            refused = refusal(self._options, error)
            if refused is not None:
                raise refused from error
            message = f"no answer from {', '.join(self._options.bootstrap_servers)}: {error!r}"
            raise UnreachableError(message) from error
