"""Both brokers come back with what they had, whether they were stopped or killed."""

from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from kafka import KafkaConsumer, KafkaProducer
from kafka.structs import OffsetAndMetadata, TopicPartition

from tests.brokers.kafka_node.node import KafkaNode
from tests.brokers.polling import poll_until
from tests.brokers.small.broker import SmallBroker
from tests.brokers.topics import create_topic, produce

Broker = KafkaNode | SmallBroker


@pytest.fixture(scope="module", params=["small", "real"])
def own_broker(
    request: pytest.FixtureRequest,
    kafka_is_real: bool,
    new_kafka: Callable[[], Broker],
) -> Iterator[Broker]:
    """Return a broker that these tests may take down: a small one, then a real one."""
    if request.param == "real" and not kafka_is_real:
        pytest.skip("needs a real Kafka node")
    with SmallBroker() if request.param == "small" else new_kafka() as broker:
        yield broker


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_log_and_committed_offsets_survive(own_broker: Broker, how: str) -> None:
    topic = create_topic(own_broker.bootstrap)
    values = [b"%d" % number for number in range(100)]
    produce(own_broker.bootstrap, topic, values)
    settings = {"bootstrap_servers": own_broker.bootstrap, "group_id": topic}
    with closing(KafkaConsumer(topic, enable_auto_commit=False, **settings)) as consumer:
        poll_until([consumer], lambda _: len(consumer.assignment()) == 1)
        consumer.commit({TopicPartition(topic, 0): OffsetAndMetadata(40, "", -1)})

    getattr(own_broker, how)()
    own_broker.start()

    with closing(KafkaConsumer(topic, enable_auto_commit=False, **settings)) as consumer:
        seen = poll_until([consumer], lambda seen: seen.total() >= 60)
    assert sorted(seen, key=int) == values[40:]


def test_clients_go_on_after_an_outage_and_nothing_is_written_twice(own_broker: Broker) -> None:
    topic = create_topic(own_broker.bootstrap)
    options = {"bootstrap_servers": own_broker.bootstrap}
    with (
        closing(KafkaProducer(**options, reconnect_backoff_max_ms=200)) as producer,
        closing(
            KafkaConsumer(
                topic, auto_offset_reset="earliest", **options, reconnect_backoff_max_ms=200
            )
        ) as consumer,
    ):
        producer.send(topic, b"before").get(timeout=10)
        poll_until([consumer], lambda seen: seen.total() == 1)

        own_broker.kill()
        meanwhile = producer.send(topic, b"meanwhile")
        own_broker.start()
        meanwhile.get(timeout=20)
        seen = poll_until([consumer], lambda seen: seen.total() >= 1)
        end = consumer.end_offsets([TopicPartition(topic, 0)])[TopicPartition(topic, 0)]

    assert (dict(seen), end) == ({b"meanwhile": 1}, 2)
