"""Topics for tests: made, filled quickly, and cut, on any broker."""

import itertools
from collections.abc import Callable, Iterable

from kafka import KafkaAdminClient, KafkaProducer
from kafka.structs import TopicPartition

__all__ = ["create_topic", "delete_records_before", "produce"]

TIMEOUT_SECONDS = 30
BATCH_BYTES = 256 * 1024

_numbers = itertools.count(1)


def create_topic(bootstrap: str, name: str | None = None, *, partitions: int = 1) -> str:
    """Create a topic and return its name: by default one that this process has not used yet."""
    name = name or f"outputs-{next(_numbers)}"
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        options = {name: {"num_partitions": partitions, "replication_factor": 1}}
        admin.create_topics(options, wait_for_metadata=True)
    finally:
        admin.close()
    return name


def produce(
    bootstrap: str,
    topic: str,
    values: Iterable[bytes],
    *,
    partitions: int = 1,
    compression: str | None = None,
    timestamp_ms: Callable[[int], int] | None = None,
) -> int:
    """Write every value once, dealt to the partitions in turn, and return how many there were.

    Value number i goes to partition i modulo `partitions`, at the time `timestamp_ms(i)`
    (default: now); a partition keeps their order. Returns when the broker has them all.
    """
    producer = KafkaProducer(
        bootstrap_servers=bootstrap,
        compression_type=compression,
        batch_size=BATCH_BYTES,
        linger_ms=5,
        allow_auto_create_topics=False,
    )
    sent = []
    try:
        for number, value in enumerate(values):
            time_ms = None if timestamp_ms is None else timestamp_ms(number)
            partition = number % partitions
            sent.append(producer.send(topic, value, partition=partition, timestamp_ms=time_ms))
        producer.flush(timeout=TIMEOUT_SECONDS)
        for future in sent:
            future.get(timeout=TIMEOUT_SECONDS)
    finally:
        producer.close(timeout=TIMEOUT_SECONDS)
    return len(sent)


def delete_records_before(bootstrap: str, topic: str, partition: int, offset: int) -> None:
    """Let the broker forget the records before `offset`, as retention does."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        admin.delete_records({TopicPartition(topic, partition): offset})
    finally:
        admin.close()
