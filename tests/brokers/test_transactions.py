"""What only a real node can show: transactions, and readers that want what was committed."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.errors import KafkaError
from kafka.structs import OffsetAndMetadata, TopicPartition

from tests.brokers.kafka_node.node import KafkaNode
from tests.brokers.polling import poll_until
from tests.brokers.topics import create_topic, produce


@contextmanager
def transactional(node: KafkaNode, name: str) -> Iterator[KafkaProducer]:
    producer = KafkaProducer(bootstrap_servers=node.bootstrap, transactional_id=name)
    producer.init_transactions()
    try:
        yield producer
    finally:
        producer.close(timeout=5)


def write(producer: KafkaProducer, topic: str, values: list[bytes], *, commit: bool) -> None:
    producer.begin_transaction()
    for value in values:
        producer.send(topic, value)
    producer.flush(timeout=10)
    producer.commit_transaction() if commit else producer.abort_transaction()


def read(node: KafkaNode, topic: str, isolation: str, count: int) -> list[tuple[int, bytes]]:
    found: list[tuple[int, bytes]] = []
    partition = TopicPartition(topic, 0)
    with closing(
        KafkaConsumer(bootstrap_servers=node.bootstrap, isolation_level=isolation)
    ) as consumer:
        consumer.assign([partition])
        consumer.seek(partition, 0)
        for _ in range(50):
            for records in consumer.poll(timeout_ms=200).values():
                found.extend((record.offset, record.value) for record in records)
            if len(found) >= count and not consumer.poll(timeout_ms=100):
                break
    return found


def settled(
    consumer: KafkaConsumer, partition: TopicPartition, expected: int | None
) -> int | None:
    """Return the committed offset, which follows the end of its transaction a moment later."""
    deadline = time.monotonic() + 5
    committed: int | None = consumer.committed(partition)
    while committed != expected and time.monotonic() < deadline:
        committed = consumer.committed(partition)
    return committed


@pytest.fixture
def half_aborted(real_kafka: KafkaNode) -> str:
    """Return a topic with committed, aborted and committed records; markers take offsets too."""
    topic = create_topic(real_kafka.bootstrap)
    with transactional(real_kafka, f"writer-{topic}") as producer:
        write(producer, topic, [b"first", b"second"], commit=True)
        write(producer, topic, [b"never", b"nor this"], commit=False)
        write(producer, topic, [b"third"], commit=True)
    return topic


def test_who_reads_committed_records_sees_no_aborted_ones(
    real_kafka: KafkaNode, half_aborted: str
) -> None:
    seen = read(real_kafka, half_aborted, "read_committed", 3)

    assert seen == [(0, b"first"), (1, b"second"), (6, b"third")]


def test_who_reads_uncommitted_records_sees_all(real_kafka: KafkaNode, half_aborted: str) -> None:
    seen = read(real_kafka, half_aborted, "read_uncommitted", 5)

    assert [value for _, value in seen] == [b"first", b"second", b"never", b"nor this", b"third"]


def test_an_open_transaction_holds_back_what_comes_after_it(real_kafka: KafkaNode) -> None:
    topic = create_topic(real_kafka.bootstrap)
    with transactional(real_kafka, f"writer-{topic}") as producer:
        producer.begin_transaction()
        producer.send(topic, b"undecided").get(timeout=10)
        produce(real_kafka.bootstrap, topic, [b"outside"])

        with closing(
            KafkaConsumer(
                topic,
                bootstrap_servers=real_kafka.bootstrap,
                isolation_level="read_committed",
                auto_offset_reset="earliest",
            )
        ) as consumer:
            while not consumer.assignment():
                consumer.poll(timeout_ms=100)
            held_back = consumer.poll(timeout_ms=500)
            producer.commit_transaction()
            seen = poll_until([consumer], lambda seen: seen.total() == 2)

    assert held_back == {}
    assert set(seen) == {b"undecided", b"outside"}


@pytest.mark.parametrize("commit", [True, False])
def test_offsets_are_committed_with_the_transaction_or_not_at_all(
    real_kafka: KafkaNode, commit: bool
) -> None:
    source, target = (create_topic(real_kafka.bootstrap) for _ in range(2))
    partition = TopicPartition(source, 0)
    produce(real_kafka.bootstrap, source, [b"one", b"two"])
    with (
        transactional(real_kafka, f"copier-{source}") as producer,
        closing(
            KafkaConsumer(
                source,
                bootstrap_servers=real_kafka.bootstrap,
                group_id=source,
                auto_offset_reset="earliest",
                enable_auto_commit=False,
            )
        ) as consumer,
    ):
        poll_until([consumer], lambda seen: seen.total() == 2)

        producer.begin_transaction()
        producer.send(target, b"copied")
        offsets = {partition: OffsetAndMetadata(2, "", -1)}
        producer.send_offsets_to_transaction(offsets, consumer.group_metadata())
        producer.commit_transaction() if commit else producer.abort_transaction()
        committed = settled(consumer, partition, 2 if commit else None)

    assert committed == (2 if commit else None)
    copied = read(real_kafka, target, "read_committed", 1) if commit else []
    assert [value for _, value in copied] == ([b"copied"] if commit else [])


def test_a_second_producer_of_one_name_fences_the_first(real_kafka: KafkaNode) -> None:
    topic = create_topic(real_kafka.bootstrap)
    with (
        transactional(real_kafka, f"writer-{topic}") as first,
        transactional(real_kafka, f"writer-{topic}") as second,
    ):
        with pytest.raises(KafkaError):
            write(first, topic, [b"stale"], commit=True)

        write(second, topic, [b"fresh"], commit=True)

    assert [value for _, value in read(real_kafka, topic, "read_committed", 1)] == [b"fresh"]


def test_a_topic_made_anew_has_another_id(real_kafka: KafkaNode) -> None:
    topic = create_topic(real_kafka.bootstrap)
    with closing(KafkaAdminClient(bootstrap_servers=real_kafka.bootstrap)) as admin:
        (before,) = admin.describe_topics([topic])
        admin.delete_topics([topic])
        create_topic(real_kafka.bootstrap, topic)
        (after,) = admin.describe_topics([topic])

    assert before["topic_id"] != after["topic_id"]
