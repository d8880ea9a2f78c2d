"""The Kafka source on a broker that is hurt: every record comes once, whatever happens."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from monitor.sources.live import NoticeKind, SourceStoppedError
from tests.brokers.small.broker import SmallBroker
from tests.brokers.topics import create_topic, produce
from tests.integration.kafka_ledger import Ledger
from tests.integration.kafka_reader import CLIENTS, Reader, filled, quick_source, values

# kafka-python leaves the sockets of connections that the broker cut to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

N = 600
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


def test_every_record_comes_once_although_connections_are_dropped(
    broker: SmallBroker, opened: Opened
) -> None:
    reader = opened(filled(broker.bootstrap, N, partitions=2))

    for _ in range(3):
        reader.drain(min(N, reader.ledger.n_counted() + 100))
        broker.drop_connections()
    reader.drain(N)

    assert sorted(reader.ledger.payloads()) == sorted(values(0, N))


def test_reading_goes_on_after_the_broker_was_away(broker: SmallBroker, opened: Opened) -> None:
    topic = filled(broker.bootstrap, N)
    reader = opened(topic)
    reader.drain(N)

    broker.kill()
    nothing = [reader.read_once() for _ in range(3)]
    broker.start()
    produce(broker.bootstrap, topic, values(N, 2 * N))
    reader.drain(2 * N)

    assert not any(nothing)
    assert reader.ledger.payloads() == values(0, 2 * N)


@pytest.mark.parametrize("damage", ["break_checksum", "break_compression"])
def test_an_unreadable_batch_is_skipped_with_its_exact_offsets(
    broker: SmallBroker, opened: Opened, damage: str
) -> None:
    topic = create_topic(broker.bootstrap)
    for first in range(0, N, 200):
        produce(broker.bootstrap, topic, values(first, first + 200), compression="gzip")
    first, last = getattr(broker, damage)(topic, 0, 250)
    reader = opened(topic, on_unreadable_batch="skip")

    notice = reader.notice(NoticeKind.UNREADABLE_BATCH)
    reader.drain(N - (last + 1 - first))

    assert (notice.partition, notice.first, notice.end) == (f"{topic}/0", first, last + 1)
    assert reader.ledger.payloads() == values(0, first) + values(last + 1, N)
    assert reader.ledger.rows[f"{topic}/0"].position == N


def test_an_unreadable_batch_stops_the_stream_if_that_is_the_policy(
    broker: SmallBroker, opened: Opened
) -> None:
    topic = filled(broker.bootstrap, N)
    broker.break_checksum(topic, 0, 0)
    reader = opened(topic)

    with pytest.raises(SourceStoppedError, match="on_unreadable_batch: skip"):
        reader.drain(N)

    assert [each.kind for each in reader.stream.notices()] == [NoticeKind.UNREADABLE_BATCH]


def test_a_paused_stream_hands_nothing_on_and_keeps_its_partitions(
    broker: SmallBroker, opened: Opened
) -> None:
    topic = filled(broker.bootstrap, 10)
    reader = opened(topic)
    reader.drain(10)

    reader.stream.pause()
    produce(broker.bootstrap, topic, values(10, 20))
    while_paused = [reader.read_once() for _ in range(4)]
    reader.stream.resume()
    reader.drain(20)

    assert not any(while_paused)
    assert reader.worker.claimed == [f"{topic}/0"]
    assert reader.ledger.payloads() == values(0, 20)


def test_no_more_records_come_at_once_than_asked_for(broker: SmallBroker, opened: Opened) -> None:
    reader = opened(filled(broker.bootstrap, N))

    sizes = []
    while sum(sizes) < N:
        batches = reader.stream.poll(0.2, 70)
        reader.worker.read(batches)
        sizes.append(sum(len(batch.payloads) for batch in batches))

    assert max(sizes) <= 70
    reader.worker.commit()
    assert reader.ledger.payloads() == values(0, N)


def test_offsets_are_committed_to_kafka_for_dashboards(
    broker: SmallBroker, opened: Opened
) -> None:
    reader = opened(filled(broker.bootstrap, N))

    reader.drain(N)
    deadline = time.monotonic() + 5
    while not broker.requests()["OffsetCommit"] and time.monotonic() < deadline:
        reader.stream.poll(0.1, 1)

    assert broker.requests()["OffsetCommit"] >= 1


def test_latest_is_kept_even_if_no_record_comes_before_a_restart(
    broker: SmallBroker, opened: Opened
) -> None:
    topic = filled(broker.bootstrap, N)
    first = opened(topic, start="latest")
    deadline = time.monotonic() + 10
    while not first.worker.commit() and time.monotonic() < deadline:
        first.worker.read(first.stream.poll(0.2, 100))
    first.close()
    produce(broker.bootstrap, topic, values(N, N + 50))

    second = opened(topic, first.ledger, start="latest")
    second.drain(50)

    assert second.ledger.payloads() == values(N, N + 50)


def test_close_returns_although_the_broker_is_away(broker: SmallBroker, opened: Opened) -> None:
    reader = opened(filled(broker.bootstrap, 10))
    reader.drain(10)
    broker.kill()

    began = time.monotonic()
    reader.close()

    assert time.monotonic() - began < 7
