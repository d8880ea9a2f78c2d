"""A stretch of time read again on a real node: transactions, compression, a group beside it."""

import json

import pytest
from kafka import KafkaAdminClient, KafkaProducer

from baselines.schema import Column, Role, Schema
from monitor.decoding.base import Needs
from monitor.sources.kafka_stream.rereading import KafkaStretch
from monitor.sources.rereading import Stretch
from tests.brokers.kafka_node.node import KafkaNode
from tests.brokers.topics import create_topic
from tests.integration.kafka_reader import Reader, quick_source

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

START, HOUR, PER_HOUR = 1_777_593_600, 3_600, 400
SCHEMA = Schema(
    columns=(
        Column(name="ts", role=Role.TIMESTAMP),
        Column(name="id", role=Role.EVENT_ID),
        Column(name="score", role=Role.SCORE),
    )
)


def ids_of_hour(node: KafkaNode, topic: str, hour: int) -> tuple[list[str], tuple[str, ...]]:
    from_us, to_us = ((START + each * HOUR) * 1_000_000 for each in (hour, hour + 1))
    again = KafkaStretch(
        quick_source(node.bootstrap, topic), Stretch(from_us=from_us, to_us=to_us)
    )
    ids = []
    (unit,) = again.units()
    needs = Needs(columns=frozenset({"score"}), event_ids=True)
    for decoded in again.read(unit, SCHEMA, needs):
        columns = decoded.columns
        inside = columns.take((columns.time_us >= from_us) & (columns.time_us < to_us))
        assert inside.event_ids is not None
        ids += inside.event_ids.tolist()
    return sorted(ids), tuple(again.incomplete())


def write(node: KafkaNode, topic: str) -> None:
    """Write four hours in transactions, of which every fifth is aborted."""
    producer = KafkaProducer(
        bootstrap_servers=node.bootstrap, transactional_id=f"writer-{topic}",
        compression_type="lz4", linger_ms=50,
    )  # fmt: skip
    producer.init_transactions()
    for first in range(0, 4 * PER_HOUR, 50):
        producer.begin_transaction()
        for number in range(first, first + 50):
            time = START + number * HOUR / PER_HOUR
            event = {"ts": time, "id": f"e{number}", "score": 0.5}
            producer.send(
                topic, json.dumps(event).encode(), partition=number % 2,
                timestamp_ms=round(time * 1_000),
            )  # fmt: skip
        if first // 50 % 5:
            producer.commit_transaction()
        else:
            producer.abort_transaction()
    producer.close(timeout=10)


def test_committed_records_of_an_hour_are_read_again_and_no_group_moves(
    real_kafka: KafkaNode,
) -> None:
    topic = create_topic(real_kafka.bootstrap, partitions=2)
    write(real_kafka, topic)
    committed = [n for n in range(4 * PER_HOUR) if n // 50 % 5]
    reader = Reader(quick_source(real_kafka.bootstrap, topic))
    reader.drain(len(committed))
    reader.close()
    admin = KafkaAdminClient(bootstrap_servers=real_kafka.bootstrap)
    try:
        before = admin.list_group_offsets([topic])
        groups = admin.list_groups()

        found = [ids_of_hour(real_kafka, topic, hour) for hour in (2, 3)]

        after = admin.list_group_offsets([topic])
        groups_after = admin.list_groups()
    finally:
        admin.close()

    for hour, (ids, incomplete) in zip((2, 3), found, strict=True):
        assert ids == sorted(f"e{n}" for n in committed if n // PER_HOUR == hour)
        assert incomplete == ()
    assert before
    assert after == before
    assert len(groups_after) == len(groups)
