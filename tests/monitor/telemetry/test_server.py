"""What the server for probes and metrics promises."""

import json
import socket
import threading
from collections.abc import Iterator
from http.client import HTTPConnection

import pytest

from monitor.clock import FixedClock
from monitor.telemetry.accounts import Vocabulary
from monitor.telemetry.health import Condition, Health
from monitor.telemetry.metrics import Metrics
from monitor.telemetry.server import TelemetryServer, TelemetryServerError

NO_WORDS = Vocabulary(reasons=(), notices=(), verdicts=(), states=(), tiers=())


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(0)


@pytest.fixture
def health(clock) -> Health:
    return Health(stalled_after_seconds=60, clock=clock)


@pytest.fixture
def server(health) -> Iterator[TelemetryServer]:
    with TelemetryServer(Metrics(NO_WORDS, version="1"), health, port=0) as server:
        yield server


def ask(server: TelemetryServer, path: str, method: str = "GET") -> tuple[int, str, bytes]:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=5)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        return response.status, response.getheader("Content-Type", ""), response.read()
    finally:
        connection.close()


def test_liveness_is_200_until_the_loop_stands_still(server, clock) -> None:
    before = ask(server, "/healthz")[0]
    clock.us = 61_000_000

    status, _, body = ask(server, "/healthz")

    assert before == 200
    assert status == 503
    assert json.loads(body)["status"] == "failing"


def test_readiness_is_503_with_reasons_until_everything_holds(server, health) -> None:
    early, _, body = ask(server, "/readyz")
    for condition in Condition:
        health.holds(condition)

    late = ask(server, "/readyz?verbose")

    assert early == 503
    assert len(json.loads(body)["reasons"]) == 3
    assert late[0] == 200


def test_metrics_come_in_the_format_of_prometheus(server) -> None:
    status, content_type, body = ask(server, "/metrics")

    assert status == 200
    assert content_type.startswith("text/plain; version=0.0.4")
    assert b"# TYPE outputwatch_records_total counter" in body


def test_head_answers_without_a_body(server) -> None:
    assert ask(server, "/healthz", "HEAD") == (200, "application/json", b"")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", "/healthz", 501), ("GET", "/", 404), ("GET", "/../etc/passwd", 404)],
)
def test_everything_else_is_refused(server, method, path, status) -> None:
    assert ask(server, path, method)[0] == status


def test_clients_that_say_nothing_do_not_lock_out_more_than_their_places(server) -> None:
    idle = [socket.create_connection(("127.0.0.1", server.port), timeout=5) for _ in range(15)]
    try:
        answered = ask(server, "/healthz")[0]
    finally:
        for client in idle:
            client.close()

    assert answered == 200


def test_connections_beyond_the_limit_are_closed_at_once(server) -> None:
    idle = [socket.create_connection(("127.0.0.1", server.port), timeout=5) for _ in range(16)]
    late = socket.create_connection(("127.0.0.1", server.port), timeout=5)
    try:
        answer = late.recv(1)
    finally:
        for client in (*idle, late):
            client.close()

    assert answer == b""


def test_a_taken_address_is_named(server, health) -> None:
    with pytest.raises(TelemetryServerError, match=f"'127.0.0.1' port {server.port}"):
        TelemetryServer(Metrics(NO_WORDS, version="1"), health, port=server.port)


def test_closing_frees_the_port_and_ends_the_thread(health) -> None:
    metrics = Metrics(NO_WORDS, version="1")

    with TelemetryServer(metrics, health, port=0) as first:
        port = first.port
    with TelemetryServer(metrics, health, port=port) as second:
        status = ask(second, "/healthz")[0]

    assert status == 200
    assert "telemetry server" not in {thread.name for thread in threading.enumerate()}
