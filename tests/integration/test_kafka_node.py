"""The Kafka source on a real node: what our own broker cannot judge."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from kafka import KafkaProducer

from monitor.sources.kafka import Kafka
from monitor.sources.live import LiveStream
from tests.brokers.kafka_node.node import KafkaNode
from tests.brokers.topics import create_topic, produce
from tests.integration.kafka_ledger import Ledger, Worker, drain

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def opened(node: Any, topic: str, ledger: Ledger, **options: Any) -> tuple[LiveStream, Worker]:
    worker = Worker(ledger)
    source = Kafka(
        bootstrap_servers=(node.bootstrap,),
        topics=(topic,),
        group=topic,
        fetch_min_bytes=1,
        **options,
    )
    return source.open(worker, worker="worker"), worker


def wait_until_caught_up(stream: LiveStream, worker: Worker, seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while not stream.caught_up() and time.monotonic() < deadline:
        worker.read(stream.poll(0.2, 100))
        worker.commit()
    return bool(stream.caught_up())


@pytest.mark.parametrize("client", ["kafka-python", "confluent-kafka"])
def test_records_of_aborted_and_open_transactions_are_left_out(
    real_kafka: KafkaNode, client: str
) -> None:
    topic = create_topic(real_kafka.bootstrap)
    ledger = Ledger()
    producer = KafkaProducer(
        bootstrap_servers=real_kafka.bootstrap, transactional_id=f"writer-{topic}"
    )
    producer.init_transactions()
    for number, finish in enumerate(("commit", "abort", "commit", "leave open")):
        producer.begin_transaction()
        for each in range(5):
            producer.send(topic, b"%d-%d" % (number, each), partition=0)
        producer.flush()
        if finish == "commit":
            producer.commit_transaction()
        elif finish == "abort":
            producer.abort_transaction()
    stream, worker = opened(real_kafka, topic, ledger, client=client)

    drain(stream, worker, 10)
    caught_up = wait_until_caught_up(stream, worker)
    stream.close()
    producer.abort_transaction()
    producer.close(timeout=5)

    assert ledger.payloads() == [b"%d-%d" % (n, each) for n in (0, 2) for each in range(5)]
    assert caught_up


@pytest.mark.parametrize("client", ["kafka-python", "confluent-kafka"])
def test_a_partition_never_seen_starts_at_the_given_time(
    real_kafka: KafkaNode, client: str
) -> None:
    topic = create_topic(real_kafka.bootstrap)
    values = [b"%d" % number for number in range(100)]
    may = 1_777_593_600_000  # 2026-05-01T00:00:00Z
    produce(real_kafka.bootstrap, topic, values, timestamp_ms=lambda number: may + 1_000 * number)
    ledger = Ledger()

    stream, worker = opened(
        real_kafka, topic, ledger, client=client, start="2026-05-01T02:00:40+02:00"
    )
    drain(stream, worker, 60)
    stream.close()

    assert ledger.payloads() == values[40:]


@pytest.mark.parametrize("client", ["kafka-python", "confluent-kafka"])
def test_reading_goes_on_after_the_broker_was_killed(
    kafka_is_real: bool, new_kafka: Callable[[], Any], client: str
) -> None:
    if not kafka_is_real:
        pytest.skip("needs a real Kafka node")
    ledger = Ledger()
    values = [b"%d" % number for number in range(2_000)]
    with new_kafka() as node:
        topic = create_topic(node.bootstrap, partitions=2)
        produce(node.bootstrap, topic, values[:1_000], partitions=2)
        stream, worker = opened(node, topic, ledger, client=client)
        drain(stream, worker, 500)

        node.kill()
        worker.read(stream.poll(0.5, 100))
        node.start()
        produce(node.bootstrap, topic, values[1_000:], partitions=2)
        drain(stream, worker, 2_000, seconds=40)
        stream.close()

    assert sorted(ledger.payloads()) == sorted(values)
