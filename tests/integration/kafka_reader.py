"""A stream of the source with a worker on it, for tests that read a topic."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from monitor.sources.kafka import Kafka
from monitor.sources.live import LiveStream, Notice, NoticeKind
from tests.brokers.topics import create_topic, produce
from tests.integration.kafka_ledger import Ledger, Worker, drain

__all__ = ["CLIENTS", "Reader", "filled", "quick_source", "values"]

CLIENTS = ("kafka-python", "confluent-kafka")


def values(first: int, end: int) -> list[bytes]:
    """Return records that tell their number."""
    return [b'{"n":%d}' % number for number in range(first, end)]


def filled(bootstrap: str, n_records: int, *, partitions: int = 1) -> str:
    """Return a new topic that holds the first records."""
    topic = create_topic(bootstrap, partitions=partitions)
    produce(bootstrap, topic, values(0, n_records), partitions=partitions)
    return topic


def quick_source(bootstrap: str, topic: str, **options: Any) -> Kafka:
    """Return a source that does not wait, in a group called as its topic."""
    quick = {
        "bootstrap_servers": (bootstrap,),
        "fetch_min_bytes": 1,
        "fetch_wait_seconds": 0.1,
        "session_timeout_seconds": 6.0,
        "heartbeat_seconds": 0.3,
    }
    if "partitions" not in options:
        quick |= {"topics": (topic,), "group": topic}
    return Kafka(**(quick | options))


class Reader:
    """Reads into a ledger until told otherwise.

    Parameters
    ----------
    source
        What is read.
    ledger
        What was counted before, and is from now on.
    opened
        Opens the source in another way than it does itself.
    """

    def __init__(
        self,
        source: Kafka,
        ledger: Ledger | None = None,
        *,
        opened: Callable[[Kafka, Worker], LiveStream] | None = None,
    ) -> None:
        self.worker = Worker(ledger or Ledger())
        self.stream: LiveStream = (
            opened(source, self.worker) if opened else source.open(self.worker, worker="worker")
        )

    @property
    def ledger(self) -> Ledger:
        """What was counted."""
        return self.worker.ledger

    def drain(self, n_records: int, *, seconds: float = 20) -> None:
        """Read and commit until so many records are counted, or the time is up."""
        drain(self.stream, self.worker, n_records, seconds=seconds)

    def read_once(self) -> int:
        """Read and commit once; return how many records came."""
        batches = self.stream.poll(0.2, 500)
        self.worker.read(batches)
        self.stream.committed(self.worker.commit())
        return sum(len(batch.payloads) for batch in batches)

    def notice(self, kind: NoticeKind, *, seconds: float = 20) -> Notice:
        """Read until there is a notice, which must be of that kind."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.read_once()
            for notice in self.stream.notices():
                assert notice.kind is kind
                return notice
        pytest.fail(f"no notice of {kind}")

    def wait_until_caught_up(self, *, seconds: float = 10) -> bool:
        """Read until everything there is was handed on; return whether that has come about."""
        deadline = time.monotonic() + seconds
        while not self.stream.caught_up() and time.monotonic() < deadline:
            self.read_once()
        return bool(self.stream.caught_up())

    def close(self) -> None:
        """Leave."""
        self.stream.close()
