"""Outputs and labels from Kafka and over HTTP, joined by a process that is killed on the way."""

import json
import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from monitor.clock import SystemClock
from monitor.sources.inbox import inbox_names
from monitor.storage.retention import drop_inbox_keys
from monitor.storage.store import Store
from monitor.storage.stream_tables import inbox
from tests.brokers.topics import create_topic, produce
from tests.integration.labelled_outputs import (
    LABELS,
    MONITOR,
    OUTPUTS,
    JoinMonitor,
    expected_account,
    fit,
    lines,
)

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

PARTITIONS = 2
N_RECORDS = len(OUTPUTS) + len(LABELS)
# Parts end at an even number, so that every partition keeps its records.
PARTS = ((0, 0.3), (0.3, 0.7), (0.7, 1.0))


def part(records: list[Any], share: tuple[float, float]) -> list[Any]:
    first, end = (round(len(records) * each / 2) * 2 for each in share)
    return records[first:end]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    fit(tmp_path)
    return tmp_path


@pytest.fixture
def undisturbed(folder: Path) -> dict[Any, Any]:
    """Return what is found in files, by one run that nothing happens to."""
    for name, records in (("outputs", OUTPUTS), ("labels", LABELS)):
        (folder / f"{name}.jsonl").write_bytes(b"".join(each + b"\n" for each in lines(records)))
    sides = [f"{{type: files, paths: [{name}.jsonl]}}" for name in ("outputs", "labels")]
    quiet = JoinMonitor(folder, "quiet", f"sqlite:///{folder / 'quiet.db'}", *sides).configure()
    quiet.finish()
    tally = quiet.tally()
    assert (tally.n_joined, tally.n_rows) == (expected_account()[0], len(OUTPUTS))
    assert (tally.n_late, tally.n_waiting, tally.unaccounted) == (0, 0, 0)
    return quiet.outcome()


@pytest.fixture
def process_of() -> Iterator[Callable[[JoinMonitor], Any]]:
    """Return a function that starts a monitor; what still runs in the end is killed."""
    started = []

    def start(monitor: JoinMonitor) -> Any:
        started.append(monitor.start())
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def kill(process: Any) -> None:
    os.kill(process.pid, signal.SIGKILL)
    process.wait()


@pytest.mark.parametrize("client", ["kafka-python", "confluent-kafka"])
def test_a_join_of_two_topics_that_is_killed_ends_with_the_same_bytes(
    folder, undisturbed, new_url, kafka, client, process_of
) -> None:
    topics = [create_topic(kafka.bootstrap, partitions=PARTITIONS) for _ in range(2)]
    sides = [
        f"{{type: kafka, bootstrap_servers: ['{kafka.bootstrap}'], topics: [{topic}], "
        f"group: {topic}, group_instance_id: host, client: {client}}}"
        for topic in topics
    ]
    joined = JoinMonitor(folder, "joined", new_url(), *sides).configure()
    n_sent = 0

    for share in PARTS:
        process = process_of(joined)
        for topic, records in zip(topics, (OUTPUTS, LABELS), strict=True):
            some = lines(part(records, share))
            n_sent += produce(kafka.bootstrap, topic, some, partitions=PARTITIONS)
        # Somewhere in the middle of this part.
        joined.wait_until_read(n_sent - N_RECORDS // 10)
        kill(process)
    joined.finish()

    assert n_sent == N_RECORDS
    outcome = joined.outcome()
    assert outcome["windows"] == undisturbed["windows"]
    assert outcome["findings"] == undisturbed["findings"]
    assert outcome["incidents"] == undisturbed["incidents"]
    assert joined.tally().n_records == N_RECORDS
    assert joined.tally().unaccounted == joined.tally().n_late == 0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def post(monitor: JoinMonitor, port: int, records: list[Any], key: str) -> list[int]:
    """Send a body until it is answered; return the answer."""
    statuses: list[int] = []

    def is_answered() -> bool:
        try:
            answer = httpx.post(
                f"http://127.0.0.1:{port}/v1/outputs",
                content=json.dumps(records),
                headers={"Idempotency-Key": key, "Content-Type": "application/json"},
                timeout=30,
            )
        except httpx.TransportError:
            return False
        statuses.append(answer.status_code)
        return answer.status_code in (200, 202)

    monitor.wait(is_answered)
    return statuses[-1:]


def test_a_join_of_what_is_sent_over_http_that_is_killed_ends_with_the_same_bytes(
    folder, undisturbed, new_url, process_of
) -> None:
    ports = (free_port(), free_port())
    sides = [f"{{type: http, port: {port}}}" for port in ports]
    joined = JoinMonitor(folder, "joined", new_url(), *sides).configure()
    statuses = []

    for number, share in enumerate(PARTS):
        process = process_of(joined)
        for port, records in zip(ports, (OUTPUTS, LABELS), strict=True):
            some = part(records, share)
            for first in range(0, len(some), 100):
                key = f"{number}/{first}"
                statuses += post(joined, port, some[first : first + 100], key)
        kill(process)
    process = process_of(joined)
    # The last answer may have been lost: the same key again is not counted again.
    statuses += post(joined, ports[1], some[first : first + 100], key)
    kill(process)
    joined.finish()

    with Store.open(joined.url) as store:
        with store.reading() as connection:
            kept = connection.execute(select(inbox.c.monitor, inbox.c.body)).all()
        n_dropped = sum(drop_inbox_keys(store, MONITOR, SystemClock().now_us()))

    assert statuses == [202] * (len(statuses) - 1) + [200]
    assert {each.monitor for each in kept} == set(inbox_names(MONITOR)) - {MONITOR}
    assert {each.body for each in kept} == {None}
    assert n_dropped == len(kept) == len(statuses) - 1
    outcome = joined.outcome()
    assert outcome["windows"] == undisturbed["windows"]
    assert outcome["findings"] == undisturbed["findings"]
    assert outcome["incidents"] == undisturbed["incidents"]
    assert joined.tally().n_records == N_RECORDS
    assert joined.tally().unaccounted == joined.tally().n_late == 0


def test_a_second_process_is_refused_by_one_error_and_takes_over_after_a_kill(
    folder, new_url, kafka, process_of
) -> None:
    topics = [create_topic(kafka.bootstrap, partitions=PARTITIONS) for _ in range(2)]
    sides = [
        f"{{type: kafka, bootstrap_servers: ['{kafka.bootstrap}'], topics: [{topic}], "
        f"group: {topic}, group_instance_id: host}}"
        for topic in topics
    ]
    joined = JoinMonitor(folder, "joined", new_url(), *sides).configure()
    first = process_of(joined)
    for topic, records in zip(topics, (OUTPUTS, LABELS), strict=True):
        produce(kafka.bootstrap, topic, lines(records), partitions=PARTITIONS)
    joined.wait_until_read(100)

    second = process_of(joined)
    refused = second.wait(60)
    told = [
        line
        for line in (folder / "joined.log").read_text().splitlines()
        if "followed by one worker" in line
    ]
    kill(first)
    joined.finish()

    assert refused == 1
    assert len(told) == 1
    assert f":{first.pid}'" in told[0]
    assert joined.tally().n_records == N_RECORDS
    assert joined.tally().unaccounted == 0
