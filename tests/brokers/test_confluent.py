"""Both brokers speak to the other client as well."""

import itertools
import time

import pytest

from tests.brokers.kafka_node.node import KafkaNode
from tests.brokers.small.broker import SmallBroker
from tests.brokers.topics import create_topic, produce

Broker = KafkaNode | SmallBroker
STRATEGIES = ["range", "cooperative-sticky"]
_numbers = itertools.count(1)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_records_reach_two_members_of_a_group(broker: Broker, strategy: str) -> None:
    confluent_kafka = pytest.importorskip("confluent_kafka", reason="needs the extra 'confluent'")
    topic = create_topic(broker.bootstrap, partitions=4)
    produce(broker.bootstrap, topic, [b"%d" % i for i in range(400)], partitions=4)
    settings = {
        "bootstrap.servers": broker.bootstrap,
        "group.id": f"confluent-{next(_numbers)}",
        "partition.assignment.strategy": strategy,
        "auto.offset.reset": "earliest",
        "heartbeat.interval.ms": 200,
        "session.timeout.ms": 6_000,
        "log_level": 0,
    }
    members = [confluent_kafka.Consumer(settings) for _ in range(2)]
    for member in members:
        member.subscribe([topic])

    seen: set[bytes] = set()
    deadline = time.monotonic() + 20
    try:
        while len(seen) < 400 or not all(len(member.assignment()) == 2 for member in members):
            assert time.monotonic() < deadline, [member.assignment() for member in members]
            for member in members:
                seen.update(message.value() for message in member.consume(100, timeout=0.1))
    finally:
        for member in members:
            member.close()

    assert seen == {b"%d" % i for i in range(400)}
