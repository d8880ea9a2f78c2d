"""The Kafka source on a broker that is hurt: every record once, or a notice of the exact gap."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from monitor.sources.kafka import Kafka
from monitor.sources.live import LiveStream, NoticeKind, SourceStoppedError
from tests.brokers.small.broker import SmallBroker
from tests.brokers.topics import create_topic, delete_records_before, produce
from tests.integration.kafka_ledger import Ledger, Worker, drain

# kafka-python leaves the sockets of connections that the broker cut to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

N = 600
CLIENTS = ("kafka-python", "confluent-kafka")
Opened = tuple[LiveStream, Worker]


def values(first: int, end: int) -> list[bytes]:
    return [b'{"n":%d}' % number for number in range(first, end)]


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def opened(small_broker: SmallBroker, client: str) -> Any:
    """Return a function that opens a stream, closed at the end, of a group called as its topic."""
    streams: list[LiveStream] = []

    def open_one(topic: str, ledger: Ledger, **options: Any) -> Opened:
        quick = {
            "bootstrap_servers": (small_broker.bootstrap,),
            "client": client,
            "fetch_min_bytes": 1,
            "fetch_wait_seconds": 0.1,
            "session_timeout_seconds": 6.0,
            "heartbeat_seconds": 0.3,
        }
        if "partitions" not in options:
            quick |= {"topics": (topic,), "group": topic}
        worker = Worker(ledger)
        stream = Kafka(**(quick | options)).open(worker, worker=f"worker-{len(streams)}")
        streams.append(stream)
        return stream, worker

    yield open_one
    for stream in streams:
        stream.close()


def wait_for_notice(stream: LiveStream, worker: Worker, kind: NoticeKind) -> Any:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        worker.read(stream.poll(0.2, 500))
        worker.commit()
        for notice in stream.notices():
            assert notice.kind is kind
            return notice
    pytest.fail(f"no notice of {kind}")


def test_every_record_comes_once_although_connections_are_dropped(
    small_broker: SmallBroker, opened: Callable[..., Opened]
) -> None:
    topic = create_topic(small_broker.bootstrap, partitions=2)
    produce(small_broker.bootstrap, topic, values(0, N), partitions=2)
    ledger = Ledger()
    stream, worker = opened(topic, ledger)

    for _ in range(3):
        drain(stream, worker, min(N, ledger.n_counted() + 100))
        small_broker.drop_connections()
    drain(stream, worker, N)

    assert sorted(ledger.payloads()) == sorted(values(0, N))


def test_reading_goes_on_after_the_broker_was_away(
    small_broker: SmallBroker, opened: Callable[..., Opened]
) -> None:
    topic = create_topic(small_broker.bootstrap)
    produce(small_broker.bootstrap, topic, values(0, N))
    ledger = Ledger()
    stream, worker = opened(topic, ledger)
    drain(stream, worker, N)

    small_broker.kill()
    nothing = [stream.poll(0.2, 100) for _ in range(3)]
    small_broker.start()
    produce(small_broker.bootstrap, topic, values(N, 2 * N))
    drain(stream, worker, 2 * N)

    assert not any(nothing)
    assert ledger.payloads() == values(0, 2 * N)


@pytest.mark.parametrize("damage", ["break_checksum", "break_compression"])
def test_an_unreadable_batch_is_skipped_with_its_exact_offsets(
    small_broker: SmallBroker, opened: Callable[..., Opened], damage: str
) -> None:
    topic = create_topic(small_broker.bootstrap)
    for first in range(0, N, 200):
        produce(small_broker.bootstrap, topic, values(first, first + 200), compression="gzip")
    first, last = getattr(small_broker, damage)(topic, 0, 250)
    ledger = Ledger()
    stream, worker = opened(topic, ledger, on_unreadable_batch="skip")

    notice = wait_for_notice(stream, worker, NoticeKind.UNREADABLE_BATCH)
    drain(stream, worker, N - (last + 1 - first))

    assert (notice.partition, notice.first, notice.end) == (f"{topic}/0", first, last + 1)
    assert ledger.payloads() == values(0, first) + values(last + 1, N)
    assert ledger.rows[f"{topic}/0"].position == N


def test_an_unreadable_batch_stops_the_stream_if_that_is_the_policy(
    small_broker: SmallBroker, opened: Callable[..., Opened]
) -> None:
    topic = create_topic(small_broker.bootstrap)
    produce(small_broker.bootstrap, topic, values(0, N))
    small_broker.break_checksum(topic, 0, 0)
    stream, worker = opened(topic, Ledger())

    with pytest.raises(SourceStoppedError, match="on_unreadable_batch: skip"):
        drain(stream, worker, N)

    assert [notice.kind for notice in stream.notices()] == [NoticeKind.UNREADABLE_BATCH]


@pytest.mark.parametrize("client", ["kafka-python"])
def test_records_deleted_before_they_were_read_are_told(
    small_broker: SmallBroker, opened: Callable[..., Opened], client: str
) -> None:
    topic = create_topic(small_broker.bootstrap)
    produce(small_broker.bootstrap, topic, values(0, 100))
    ledger = Ledger()
    stream, worker = opened(topic, ledger)
    drain(stream, worker, 100)
    stream.close()
    produce(small_broker.bootstrap, topic, values(100, N))
    delete_records_before(small_broker.bootstrap, topic, 0, 300)

    stream, worker = opened(topic, ledger, on_retention_gap="skip")
    notice = wait_for_notice(stream, worker, NoticeKind.RETENTION_GAP)
    drain(stream, worker, N - 200)

    assert (notice.first, notice.end) == (100, 300)
    assert ledger.payloads() == values(0, 100) + values(300, N)


def test_deleted_records_stop_the_stream_by_default(
    small_broker: SmallBroker, opened: Callable[..., Opened]
) -> None:
    topic = create_topic(small_broker.bootstrap)
    produce(small_broker.bootstrap, topic, values(0, N))
    ledger = Ledger()
    worker = Worker(ledger)
    worker.claim({f"{topic}/0": ""})
    ledger.rows[f"{topic}/0"].position = 5
    delete_records_before(small_broker.bootstrap, topic, 0, 300)
    stream, worker = opened(topic, ledger)

    with pytest.raises(SourceStoppedError, match="from offset 5 up to 300 are deleted"):
        drain(stream, worker, N)


def test_a_topic_made_anew_is_read_from_its_beginning(
    small_broker: SmallBroker, opened: Callable[..., Opened]
) -> None:
    topic = create_topic(small_broker.bootstrap)
    produce(small_broker.bootstrap, topic, values(0, N))
    ledger = Ledger()
    worker = Worker(ledger)
    worker.claim({f"{topic}/0": ""})
    ledger.rows[f"{topic}/0"].position = 5
    ledger.rows[f"{topic}/0"].identity = "cluster/another-topic"

    stream, worker = opened(topic, ledger)
    notice = wait_for_notice(stream, worker, NoticeKind.TOPIC_REPLACED)
    drain(stream, worker, N)

    assert notice.partition == f"{topic}/0"
    assert ledger.payloads() == values(0, N)


def test_a_paused_stream_hands_nothing_on_and_keeps_its_partitions(
    small_broker: SmallBroker, opened: Callable[..., Opened]
) -> None:
    topic = create_topic(small_broker.bootstrap)
    produce(small_broker.bootstrap, topic, values(0, 10))
    ledger = Ledger()
    stream, worker = opened(topic, ledger)
    drain(stream, worker, 10)

    stream.pause()
    produce(small_broker.bootstrap, topic, values(10, 20))
    while_paused = [stream.poll(0.2, 100) for _ in range(4)]
    stream.resume()
    drain(stream, worker, 20)

    assert not any(while_paused)
    assert worker.claimed == [f"{topic}/0"]
    assert ledger.payloads() == values(0, 20)


def test_no_more_records_come_at_once_than_asked_for(
    small_broker: SmallBroker, opened: Callable[..., Opened]
) -> None:
    topic = create_topic(small_broker.bootstrap)
    produce(small_broker.bootstrap, topic, values(0, N))
    stream, worker = opened(topic, Ledger())

    sizes = []
    while sum(sizes) < N:
        batches = stream.poll(0.2, 70)
        worker.read(batches)
        sizes.append(sum(len(batch.payloads) for batch in batches))

    assert max(sizes) <= 70
    worker.commit()
    assert worker.ledger.payloads() == values(0, N)


def test_offsets_are_committed_to_kafka_for_dashboards(
    small_broker: SmallBroker, opened: Callable[..., Opened]
) -> None:
    topic = create_topic(small_broker.bootstrap)
    produce(small_broker.bootstrap, topic, values(0, N))
    ledger = Ledger()
    stream, worker = opened(topic, ledger)

    drain(stream, worker, N)
    deadline = time.monotonic() + 5
    while not small_broker.requests()["OffsetCommit"] and time.monotonic() < deadline:
        stream.poll(0.1, 1)

    assert small_broker.requests()["OffsetCommit"] >= 1


def test_latest_is_kept_even_if_no_record_comes_before_a_restart(
    small_broker: SmallBroker, opened: Callable[..., Opened]
) -> None:
    topic = create_topic(small_broker.bootstrap)
    produce(small_broker.bootstrap, topic, values(0, N))
    ledger = Ledger()
    stream, worker = opened(topic, ledger, start="latest")
    deadline = time.monotonic() + 10
    while not worker.commit() and time.monotonic() < deadline:
        worker.read(stream.poll(0.2, 100))
    stream.close()
    produce(small_broker.bootstrap, topic, values(N, N + 50))

    stream, worker = opened(topic, ledger, start="latest")
    drain(stream, worker, 50)

    assert ledger.payloads() == values(N, N + 50)


def test_close_returns_although_the_broker_is_away(
    small_broker: SmallBroker, opened: Callable[..., Opened]
) -> None:
    topic = create_topic(small_broker.bootstrap)
    produce(small_broker.bootstrap, topic, values(0, 10))
    stream, worker = opened(topic, Ledger())
    drain(stream, worker, 10)
    small_broker.kill()

    began = time.monotonic()
    stream.close()

    assert time.monotonic() - began < 7
