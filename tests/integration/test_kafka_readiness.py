"""A monitor whose brokers are away says that it cannot see, and lives on."""

import http.client
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from monitor.clock import SystemClock
from monitor.engine.daemon.process import Process
from tests.brokers.ports import free_port
from tests.brokers.small.broker import SmallBroker
from tests.brokers.topics import create_topic, produce
from tests.monitor.engine.daemon.toy import configure, counted_rows, events, lines

# kafka-python leaves the sockets of connections that the broker cut to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

FILES = 'source: {type: files, paths: ["logs/*.jsonl*"], poll_seconds: 0.02, settle_seconds: 0.1}'


def asked(port: int, place: str) -> tuple[int, str]:
    """Return the status and the body of an answer; nobody listens: 0."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", place)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    except OSError:
        return 0, ""
    finally:
        connection.close()


def until(condition: Callable[[], object], *, seconds: float = 90) -> None:
    end, pause = time.monotonic() + seconds, threading.Event()
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        pause.wait(0.2)


def written(folder: Path, broker: SmallBroker, topic: str, port: int) -> Path:
    path = configure(folder)
    source = (
        f"source: {{type: kafka, bootstrap_servers: ['{broker.bootstrap}'], topics: [{topic}], "
        f"group: {topic}, fetch_min_bytes: 1, fetch_wait_seconds: 0.1}}"
    )
    text = path.read_text()
    assert FILES in text
    text = text.replace(FILES, source)
    path.write_text(text.replace("telemetry: null", f'telemetry: "127.0.0.1:{port}"'))
    return path


def test_it_is_ready_only_while_a_broker_answers_and_says_since_when_none_does(
    tmp_path: Path, small_broker: SmallBroker
) -> None:
    topic, port = create_topic(small_broker.bootstrap), free_port()
    first, second = (lines(events(hour, 2, seed=hour)).encode().splitlines() for hour in (0, 2))
    process = Process(
        path=str(written(tmp_path, small_broker, topic, port)), clock=SystemClock(), worker="one"
    )
    thread = threading.Thread(target=process.run)

    def cannot_see() -> bool:
        status, body = asked(port, "/readyz")
        reasons = json.loads(body)["reasons"] if body else []
        return status == 503 and any(
            each.startswith("source: broker unreachable since 20") for each in reasons
        )

    def counted(number: int) -> bool:
        database = tmp_path / "state.db"
        return database.is_file() and counted_rows(database) == number

    produce(small_broker.bootstrap, topic, first)
    small_broker.stop()
    thread.start()
    try:
        until(cannot_see)
        small_broker.start()
        until(lambda: asked(port, "/readyz")[0] == 200)
        until(lambda: counted(len(first)))
        small_broker.stop()
        until(cannot_see)
        alive, (_, metrics) = asked(port, "/healthz"), asked(port, "/metrics")
        small_broker.start()
        until(lambda: asked(port, "/readyz")[0] == 200)
        _, later = asked(port, "/metrics")
        produce(small_broker.bootstrap, topic, second)
        until(lambda: counted(len(first) + len(second)))
    finally:
        process.stop()
        thread.join(60)

    assert alive[0] == 200
    assert "outputwatch_source_unreachable 1.0" in metrics
    assert "outputwatch_source_unreachable 0.0" in later
