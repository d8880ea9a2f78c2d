"""Both brokers keep records: every codec, every key, every time, in order."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from kafka import KafkaConsumer, KafkaProducer
from kafka.errors import OffsetOutOfRangeError
from kafka.structs import TopicPartition

from tests.brokers.kafka_node.node import KafkaNode
from tests.brokers.small.broker import SmallBroker
from tests.brokers.topics import create_topic, delete_records_before, produce

Broker = KafkaNode | SmallBroker
CODECS = [None, "gzip", "snappy", "lz4", "zstd"]


@contextmanager
def reading(broker: Broker, topic: str, **options: object) -> Iterator[KafkaConsumer]:
    consumer = KafkaConsumer(bootstrap_servers=broker.bootstrap, **options)
    consumer.assign([TopicPartition(topic, 0)])
    consumer.seek_to_beginning()
    try:
        yield consumer
    finally:
        consumer.close()


def poll(consumer: KafkaConsumer, count: int) -> list:
    records: list = []
    for _ in range(200):
        if len(records) >= count:
            break
        for found in consumer.poll(timeout_ms=100).values():
            records.extend(found)
    return records


@pytest.mark.parametrize("codec", CODECS)
def test_records_come_back_in_order_under_every_codec(broker: Broker, codec: str | None) -> None:
    topic = create_topic(broker.bootstrap)
    values = [b"value %d" % number for number in range(1000)]

    produce(broker.bootstrap, topic, values, compression=codec)

    with reading(broker, topic) as consumer:
        records = poll(consumer, 1000)
    assert [record.value for record in records] == values
    assert [record.offset for record in records] == list(range(1000))


def test_keys_headers_and_times_are_kept(broker: Broker) -> None:
    topic = create_topic(broker.bootstrap)
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap)

    sent = producer.send(
        topic, None, key=b"key", headers=[("trace", b"1")], timestamp_ms=86_400_000
    )
    offset = sent.get(timeout=10).offset
    producer.close()

    with reading(broker, topic) as consumer:
        (record,) = poll(consumer, 1)
    assert (record.offset, record.key, record.value) == (offset, b"key", None)
    assert record.headers == [("trace", b"1")]
    assert record.timestamp == 86_400_000


def test_an_offset_is_found_by_its_time(broker: Broker) -> None:
    topic = create_topic(broker.bootstrap)
    values = [b"%d" % number for number in range(3000)]
    produce(broker.bootstrap, topic, values, timestamp_ms=lambda number: 1_000 + 10 * number)
    partition = TopicPartition(topic, 0)

    with reading(broker, topic) as consumer:
        between = consumer.offsets_for_times({partition: 1_000 + 10 * 1234 - 5})
        after = consumer.offsets_for_times({partition: 1_000 + 10 * 3000})

    assert (between[partition].offset, between[partition].timestamp) == (1234, 13_340)
    assert after[partition] is None


def test_the_ends_of_a_log_are_told(broker: Broker) -> None:
    topic = create_topic(broker.bootstrap)
    produce(broker.bootstrap, topic, [b"one", b"two", b"three"])
    delete_records_before(broker.bootstrap, topic, 0, 2)
    partition = TopicPartition(topic, 0)

    with reading(broker, topic) as consumer:
        beginning = consumer.beginning_offsets([partition])
        end = consumer.end_offsets([partition])

    assert (beginning[partition], end[partition]) == (2, 3)


def test_reading_what_retention_took_is_refused(broker: Broker) -> None:
    topic = create_topic(broker.bootstrap)
    produce(broker.bootstrap, topic, [b"one", b"two", b"three"])
    delete_records_before(broker.bootstrap, topic, 0, 2)

    with reading(broker, topic, auto_offset_reset="none") as consumer:
        consumer.seek(TopicPartition(topic, 0), 1)
        with pytest.raises(OffsetOutOfRangeError):
            poll(consumer, 1)


def test_a_consumer_that_waits_gets_a_record_at_once(broker: Broker) -> None:
    topic = create_topic(broker.bootstrap)
    with reading(broker, topic, fetch_max_wait_ms=20_000) as consumer:
        assert consumer.poll(timeout_ms=100) == {}

        produce(broker.bootstrap, topic, [b"late"])
        records = consumer.poll(timeout_ms=5_000)

    assert [r.value for found in records.values() for r in found] == [b"late"]
