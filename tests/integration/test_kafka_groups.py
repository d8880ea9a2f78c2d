"""Workers of one group: every record is counted once, whoever comes, goes or is kicked."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from monitor.sources.kafka import Kafka
from tests.brokers.small.broker import SmallBroker
from tests.brokers.topics import create_topic, produce
from tests.integration.kafka_ledger import Ledger, Worker

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

N = 3_000
PARTITIONS = 6


class Crew:
    """Workers in threads of their own that poll and commit until they are told to stop."""

    def __init__(self, ledger: Ledger, make: Callable[[int], Kafka]) -> None:
        self.ledger = ledger
        self.over = threading.Event()
        self._make = make
        self._pool = ThreadPoolExecutor(8)
        self._work: list[Any] = []

    def hire(self) -> threading.Event:
        """Start a worker; it leaves when the event that is returned is set."""
        leave = threading.Event()
        self._work.append(self._pool.submit(self._run, len(self._work), leave))
        return leave

    def wait_until(self, n_counted: int, seconds: float = 25) -> None:
        deadline = time.monotonic() + seconds
        while self.ledger.n_counted() < n_counted and time.monotonic() < deadline:
            if any(each.done() and each.exception() for each in self._work):
                break
            time.sleep(0.02)

    def finish(self) -> None:
        self.over.set()
        for each in self._work:
            each.result(timeout=20)
        self._pool.shutdown()

    def _run(self, number: int, leave: threading.Event) -> None:
        worker = Worker(self.ledger)
        stream = self._make(number).open(worker, worker=f"worker-{number}")
        try:
            while not (self.over.is_set() or leave.is_set()):
                worker.read(stream.poll(0.2, 50))
                time.sleep(0.01)
                stream.committed(worker.commit())
        finally:
            stream.close()


@pytest.mark.parametrize(
    ("client", "rebalancing", "static"),
    [
        ("kafka-python", "cooperative", False),
        ("kafka-python", "cooperative", True),
        ("kafka-python", "eager", False),
        ("confluent-kafka", "cooperative", False),
        ("confluent-kafka", "eager", False),
    ],
)
def test_every_record_is_counted_once_while_workers_come_go_and_are_kicked(
    small_broker: SmallBroker, client: str, rebalancing: str, static: bool
) -> None:
    topic = create_topic(small_broker.bootstrap, partitions=PARTITIONS)
    values = [b"%d" % number for number in range(N)]

    def make(number: int) -> Kafka:
        options: dict[str, Any] = {"client": client, "rebalancing": rebalancing}
        return Kafka(
            bootstrap_servers=(small_broker.bootstrap,),
            topics=(topic,),
            group=topic,
            group_instance_id=f"host-{number}" if static else None,
            fetch_min_bytes=1,
            fetch_wait_seconds=0.1,
            session_timeout_seconds=2.0,
            heartbeat_seconds=0.2,
            max_poll_seconds=10.0,
            **options,
        )

    ledger = Ledger()
    crew = Crew(ledger, make)
    first = crew.hire()
    produce(small_broker.bootstrap, topic, values[:1_000], partitions=PARTITIONS)
    crew.wait_until(300)
    crew.hire()
    produce(small_broker.bootstrap, topic, values[1_000:2_000], partitions=PARTITIONS)
    crew.wait_until(1_300)
    small_broker.kick_members(topic, 1)
    crew.hire()
    produce(small_broker.bootstrap, topic, values[2_000:], partitions=PARTITIONS)
    crew.wait_until(2_300)
    first.set()
    crew.wait_until(N)
    crew.finish()

    assert sorted(ledger.payloads()) == sorted(values)
