"""What the Kafka source tells of records that are gone, and where it goes on."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaAdminClient

from monitor.sources.kafka_stream.opening import open_stream
from monitor.sources.live import NoticeKind, SourceStoppedError
from tests.brokers.small.broker import SmallBroker
from tests.brokers.topics import create_topic, delete_records_before, produce
from tests.integration.kafka_ledger import Ledger, Worker
from tests.integration.kafka_reader import CLIENTS, Reader, filled, quick_source, values
from tests.integration.operator_view import seen

# kafka-python leaves the sockets of connections that the broker cut to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

N = 600
HASTE = 30
Opened = Callable[..., Reader]


@pytest.fixture(params=CLIENTS)
def opened(request: pytest.FixtureRequest, small_broker: SmallBroker) -> Iterator[Opened]:
    """Return a function that opens a reader of a topic, closed at the end."""
    readers: list[Reader] = []

    def open_one(topic: str, ledger: Ledger | None = None, **options: Any) -> Reader:
        source = quick_source(small_broker.bootstrap, topic, client=request.param, **options)
        readers.append(Reader(source, ledger))
        return readers[-1]

    yield open_one
    for reader in readers:
        reader.close()


@pytest.fixture
def broker(small_broker: SmallBroker) -> SmallBroker:
    return small_broker


def known(partition: str, position: int, identity: str = "") -> Ledger:
    """Return a ledger that knows one partition."""
    ledger = Ledger()
    Worker(ledger).claim({partition: ""})
    ledger.rows[partition].position = position
    ledger.rows[partition].identity = identity
    return ledger


@pytest.mark.parametrize("rebalancing", ["cooperative", "eager"])
def test_deleted_records_are_skipped_with_their_exact_offsets(
    broker: SmallBroker, opened: Opened, rebalancing: str
) -> None:
    topic = filled(broker.bootstrap, N, partitions=2)
    ledger = known(f"{topic}/0", 50)
    delete_records_before(broker.bootstrap, topic, 0, 200)

    reader = opened(topic, ledger, on_retention_gap="skip", rebalancing=rebalancing)
    notice = reader.notice(NoticeKind.RETENTION_GAP)
    reader.drain(N - 200)

    assert (notice.partition, notice.first, notice.end) == (f"{topic}/0", 50, 200)
    assert sorted(ledger.payloads()) == sorted(values(0, N)[400::2] + values(0, N)[1::2])


def test_deleted_records_are_skipped_without_a_group(broker: SmallBroker, opened: Opened) -> None:
    topic = filled(broker.bootstrap, N)
    ledger = known(f"{topic}/0", 50)
    delete_records_before(broker.bootstrap, topic, 0, 200)

    reader = opened(topic, ledger, on_retention_gap="skip", partitions=(f"{topic}/0",))
    notice = reader.notice(NoticeKind.RETENTION_GAP)
    reader.drain(N - 200)

    assert (notice.first, notice.end) == (50, 200)
    assert ledger.payloads() == values(200, N)


def test_a_paused_stream_that_is_overtaken_by_retention_tells_it_each_time(
    broker: SmallBroker, opened: Opened
) -> None:
    topic = filled(broker.bootstrap, 100)
    reader = opened(topic, on_retention_gap="skip")
    reader.drain(100)

    told = []
    for first in (100, 600):
        reader.stream.pause()
        # What was asked for before comes still.
        while_paused = [reader.read_once() for _ in range(3)]
        produce(broker.bootstrap, topic, values(first, first + 500))
        delete_records_before(broker.bootstrap, topic, 0, first + 400)
        reader.stream.resume()
        notice = reader.notice(NoticeKind.RETENTION_GAP)
        told.append((notice.first, notice.end, sum(while_paused)))
        reader.drain(reader.ledger.n_counted() + 100, seconds=5)

    assert told == [(100, 500, 0), (600, 1_000, 0)]
    assert reader.ledger.payloads() == values(0, 100) + values(500, 600) + values(1_000, 1_100)


def test_deleted_records_stop_the_stream_by_default(broker: SmallBroker, opened: Opened) -> None:
    topic = filled(broker.bootstrap, N)
    delete_records_before(broker.bootstrap, topic, 0, 300)
    reader = opened(topic, known(f"{topic}/0", 5))

    with pytest.raises(SourceStoppedError, match="from offset 5 up to 300 are deleted"):
        reader.drain(N)


def test_a_log_that_was_cut_short_is_told_and_read_on_at_its_end(
    broker: SmallBroker, opened: Opened
) -> None:
    topic = create_topic(broker.bootstrap)
    for first in range(0, N, 200):
        produce(broker.bootstrap, topic, values(first, first + 200))
    reader = opened(topic)
    reader.drain(N)

    broker.cut_short(topic, 0, 400)
    broker.drop_connections()
    notice = reader.notice(NoticeKind.TRUNCATED)
    produce(broker.bootstrap, topic, values(1_000, 1_100))
    reader.drain(N + 100)

    assert (notice.partition, notice.first, notice.end) == (f"{topic}/0", 400, N)
    assert reader.ledger.payloads() == values(0, N) + values(1_000, 1_100)
    assert reader.ledger.rows[f"{topic}/0"].position == 500


def test_a_log_that_was_cut_short_while_nobody_read_opens_an_incident(
    broker: SmallBroker, opened: Opened, tmp_path: Path
) -> None:
    topic = filled(broker.bootstrap, 100)
    ledger = known(f"{topic}/0", 300)

    reader = opened(topic, ledger)
    notice = reader.notice(NoticeKind.TRUNCATED)
    produce(broker.bootstrap, topic, values(100, 150))
    reader.drain(50)

    view = seen(notice, tmp_path)
    ((title, sentence),) = view.incidents
    assert (notice.partition, notice.first, notice.end) == (f"{topic}/0", 100, 300)
    assert ledger.payloads() == values(100, 150)
    assert title == f"Behavioural: lost records of {topic}/0"
    assert "truncated" in sentence
    assert "positions 100 to 299" in sentence
    assert 'outputwatch_source_notices_total{kind="truncated"} 1.0' in view.metrics
    assert "outputwatch_gap_records_total 200.0" in view.metrics


def test_a_topic_made_anew_while_nobody_read_is_read_from_its_beginning(
    broker: SmallBroker, opened: Opened
) -> None:
    topic = filled(broker.bootstrap, N)
    ledger = known(f"{topic}/0", 5, "cluster/another-topic")

    reader = opened(topic, ledger)
    notice = reader.notice(NoticeKind.TOPIC_REPLACED)
    reader.drain(N)

    assert (notice.partition, notice.first) == (f"{topic}/0", 5)
    assert ledger.payloads() == values(0, N)


def test_a_topic_made_anew_while_it_is_read_is_read_from_its_beginning(
    broker: SmallBroker, opened: Opened
) -> None:
    topic = filled(broker.bootstrap, 300)
    reader = opened(topic)
    reader.drain(300)

    admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
    admin.delete_topics([topic])
    admin.close()
    create_topic(broker.bootstrap, topic)
    produce(broker.bootstrap, topic, values(1_000, 1_100))
    notice = reader.notice(NoticeKind.TOPIC_REPLACED, seconds=40)
    reader.drain(400)

    assert (notice.partition, notice.first) == (f"{topic}/0", 300)
    assert reader.ledger.payloads() == values(0, 300) + values(1_000, 1_100)


@pytest.mark.parametrize("client", CLIENTS)
def test_a_broker_that_is_away_for_long_is_told_once_and_nothing_is_lost(
    broker: SmallBroker, client: str, tmp_path: Path
) -> None:
    topic = filled(broker.bootstrap, 10)
    reader = Reader(
        quick_source(broker.bootstrap, topic, client=client),
        opened=lambda source, worker: open_stream(
            source, worker, worker="worker", monotonic=lambda: HASTE * time.monotonic()
        ),
    )
    reader.drain(10)

    broker.kill()
    notice = reader.notice(NoticeKind.UNREACHABLE, seconds=40)
    reader.read_once()
    told_again = reader.stream.notices()
    broker.start()
    produce(broker.bootstrap, topic, values(10, 20))
    reader.drain(20)
    reader.close()

    view = seen(notice, tmp_path)
    assert (notice.partition, notice.first, notice.end) == ("", None, None)
    assert not told_again
    assert not view.incidents
    assert 'outputwatch_source_notices_total{kind="unreachable"} 1.0' in view.metrics
    assert "outputwatch_gap_records_total 0.0" in view.metrics
    assert reader.ledger.payloads() == values(0, 20)
