"""The Kafka source on a real node: what our own broker cannot judge."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaProducer
from kafka.errors import TopicAlreadyExistsError

from monitor.sources.live import NoticeKind
from tests.brokers.kafka_node.node import KafkaNode
from tests.brokers.topics import create_topic, delete_records_before, produce
from tests.integration.kafka_reader import CLIENTS, Reader, filled, quick_source, values

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.mark.parametrize("client", CLIENTS)
def test_records_of_aborted_and_open_transactions_are_left_out(
    real_kafka: KafkaNode, client: str
) -> None:
    topic = create_topic(real_kafka.bootstrap)
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
    reader = Reader(quick_source(real_kafka.bootstrap, topic, client=client))

    reader.drain(10)
    caught_up = reader.wait_until_caught_up()
    reader.close()
    producer.abort_transaction()
    producer.close(timeout=5)

    assert reader.ledger.payloads() == [b"%d-%d" % (n, each) for n in (0, 2) for each in range(5)]
    assert caught_up


@pytest.mark.parametrize("client", CLIENTS)
def test_a_partition_never_seen_starts_at_the_given_time(
    real_kafka: KafkaNode, client: str
) -> None:
    topic = create_topic(real_kafka.bootstrap)
    may = 1_777_593_600_000  # 2026-05-01T00:00:00Z
    produce(
        real_kafka.bootstrap,
        topic,
        values(0, 100),
        timestamp_ms=lambda number: may + 1_000 * number,
    )

    start = "2026-05-01T02:00:40+02:00"
    reader = Reader(quick_source(real_kafka.bootstrap, topic, client=client, start=start))
    reader.drain(60)
    reader.close()

    assert reader.ledger.payloads() == values(40, 100)


@pytest.mark.parametrize("client", CLIENTS)
def test_deleted_records_are_skipped_with_their_exact_offsets(
    real_kafka: KafkaNode, client: str
) -> None:
    topic = filled(real_kafka.bootstrap, 100)
    source = quick_source(real_kafka.bootstrap, topic, client=client, on_retention_gap="skip")
    first = Reader(source)
    first.drain(100)
    first.close()
    produce(real_kafka.bootstrap, topic, values(100, 300))
    delete_records_before(real_kafka.bootstrap, topic, 0, 200)

    second = Reader(source, first.ledger)
    notice = second.notice(NoticeKind.RETENTION_GAP)
    second.drain(200)
    second.close()

    assert (notice.first, notice.end) == (100, 200)
    assert second.ledger.payloads() == values(0, 100) + values(200, 300)


@pytest.fixture
def own_kafka(kafka_is_real: bool, new_kafka: Callable[[], Any]) -> Iterator[KafkaNode]:
    """Return a real node that the test may hurt, or skip."""
    if not kafka_is_real:
        pytest.skip("needs a real Kafka node")
    with new_kafka() as node:
        yield node


def test_reading_goes_on_after_the_broker_was_killed(own_kafka: KafkaNode) -> None:
    topic = filled(own_kafka.bootstrap, 1_000, partitions=2)
    readers = [
        Reader(quick_source(own_kafka.bootstrap, topic, client=client, group=client))
        for client in CLIENTS
    ]
    for reader in readers:
        reader.drain(500)

    own_kafka.kill()
    for reader in readers:
        reader.read_once()
    own_kafka.start()
    produce(own_kafka.bootstrap, topic, values(1_000, 2_000), partitions=2)
    for reader in readers:
        reader.drain(2_000, seconds=40)
        reader.close()

    for reader in readers:
        assert sorted(reader.ledger.payloads()) == sorted(values(0, 2_000))


@pytest.mark.parametrize("client", CLIENTS)
def test_a_topic_made_anew_is_read_from_its_beginning(real_kafka: KafkaNode, client: str) -> None:
    topic = filled(real_kafka.bootstrap, 300)
    source = quick_source(real_kafka.bootstrap, topic, client=client)
    first = Reader(source)
    first.drain(300)
    first.close()

    admin = KafkaAdminClient(bootstrap_servers=real_kafka.bootstrap)
    admin.delete_topics([topic])
    admin.close()
    create_topic_when_gone(real_kafka.bootstrap, topic)
    produce(real_kafka.bootstrap, topic, values(1_000, 1_100))
    second = Reader(source, first.ledger)
    notice = second.notice(NoticeKind.TOPIC_REPLACED)
    second.drain(400)
    second.close()

    assert (notice.partition, notice.first) == (f"{topic}/0", 300)
    assert second.ledger.payloads() == values(0, 300) + values(1_000, 1_100)


def create_topic_when_gone(bootstrap: str, topic: str) -> None:
    """Create a topic that was deleted a moment ago, as soon as the broker lets us."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            create_topic(bootstrap, topic)
        except TopicAlreadyExistsError:
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"{topic} is still there")
