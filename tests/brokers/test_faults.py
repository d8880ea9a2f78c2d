"""The small broker hurts its clients in the ways that a test asks for."""

import time
from contextlib import closing

import pytest
from kafka import KafkaConsumer
from kafka.errors import CorruptRecordError
from kafka.structs import TopicPartition

from tests.brokers.polling import poll_until
from tests.brokers.small.broker import SmallBroker
from tests.brokers.topics import create_topic, produce

BATCH = 100


@pytest.fixture
def three_batches(small_broker: SmallBroker) -> TopicPartition:
    """Return a partition with three batches of a hundred records each."""
    topic = create_topic(small_broker.bootstrap)
    for first in (0, BATCH, 2 * BATCH):
        values = [b"%d" % number for number in range(first, first + BATCH)]
        produce_as_one_batch(small_broker, topic, values)
    return TopicPartition(topic, 0)


def produce_as_one_batch(broker: SmallBroker, topic: str, values: list[bytes]) -> None:
    produced = broker.requests()["Produce"]
    produce(broker.bootstrap, topic, values, compression="gzip")
    assert broker.requests()["Produce"] == produced + 1


def assigned(broker: SmallBroker, partition: TopicPartition, offset: int) -> KafkaConsumer:
    consumer = KafkaConsumer(bootstrap_servers=broker.bootstrap, auto_offset_reset="none")
    consumer.assign([partition])
    consumer.seek(partition, offset)
    return consumer


def first_poll(consumer: KafkaConsumer) -> list[int]:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        for records in consumer.poll(timeout_ms=200).values():
            return [record.offset for record in records]
    message = "nothing came"
    raise AssertionError(message)


def test_a_broken_checksum_is_noticed_by_who_reads_the_batch(
    small_broker: SmallBroker, three_batches: TopicPartition
) -> None:
    bounds = small_broker.break_checksum(*three_batches, offset=150)

    with (
        closing(assigned(small_broker, three_batches, 120)) as consumer,
        pytest.raises(CorruptRecordError),
    ):
        first_poll(consumer)
    with closing(assigned(small_broker, three_batches, bounds[1] + 1)) as consumer:
        behind = first_poll(consumer)

    assert bounds == (100, 199)
    assert behind[0] == 200


def test_a_batch_that_cannot_be_decompressed_has_a_good_checksum_and_fails(
    small_broker: SmallBroker, three_batches: TopicPartition
) -> None:
    bounds = small_broker.break_compression(*three_batches, offset=100)

    with (
        closing(assigned(small_broker, three_batches, 100)) as consumer,
        pytest.raises(OSError, match="gzip"),
    ):
        first_poll(consumer)

    assert bounds == (100, 199)


def test_retention_moves_the_start_of_the_log(
    small_broker: SmallBroker, three_batches: TopicPartition
) -> None:
    small_broker.delete_records_before(*three_batches, offset=150)

    with closing(assigned(small_broker, three_batches, 150)) as consumer:
        beginning = consumer.beginning_offsets([three_batches])
        offsets = first_poll(consumer)

    assert beginning == {three_batches: 150}
    assert offsets[0] == 150


def test_kicked_members_come_back_in_a_new_generation(small_broker: SmallBroker) -> None:
    topic = create_topic(small_broker.bootstrap, partitions=2)
    options = {"group_id": "group", "heartbeat_interval_ms": 100}
    with closing(
        KafkaConsumer(topic, bootstrap_servers=small_broker.bootstrap, **options)
    ) as consumer:
        poll_until([consumer], lambda _: len(consumer.assignment()) == 2)
        before = small_broker.generation("group")

        kicked = small_broker.kick_members("group")
        poll_until([consumer], lambda _: bool(small_broker.members("group")))

        assert small_broker.members("group") != kicked
        poll_until([consumer], lambda _: small_broker.generation("group") > before)


def test_dropped_connections_are_made_anew(
    small_broker: SmallBroker, three_batches: TopicPartition
) -> None:
    with closing(assigned(small_broker, three_batches, 0)) as consumer:
        first_poll(consumer)
        made = small_broker.requests()["ApiVersions"]

        small_broker.drop_connections()
        produce(small_broker.bootstrap, three_batches.topic, [b"after"])
        seen = poll_until([consumer], lambda seen: b"after" in seen)

    assert seen[b"after"] == 1
    assert small_broker.requests()["ApiVersions"] > made + 2  # a producer alone makes two


def test_answers_are_held_back_as_long_as_asked(
    small_broker: SmallBroker, three_batches: TopicPartition
) -> None:
    with closing(assigned(small_broker, three_batches, 0)) as consumer:
        small_broker.delay(0.5, "ListOffsets")
        began = time.monotonic()
        consumer.end_offsets([three_batches])
        delayed = time.monotonic() - began
        small_broker.hurry()
        began = time.monotonic()
        consumer.end_offsets([three_batches])

    assert delayed >= 0.5
    assert time.monotonic() - began < 0.5
