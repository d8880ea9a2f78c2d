"""A running monitor without a network works as with one, and its notices wait."""

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from monitor.cli import run_command_line
from monitor.clock import SystemClock
from monitor.engine.daemon.process import Process
from monitor.incidents.timeline import EntryKind
from monitor.storage.outbox import OutboxRepository, OutboxState
from monitor.storage.store import Store
from tests.monitor.engine.daemon.toy import configure, events, lines

NOTIFIERS = """
notifiers:
  channels:
    - type: webhook
      channel: own
      url: http://127.0.0.1:{port}/
      secret: sesame
      timeout_seconds: 2
      allow_private: true
"""


class _Taking(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server: Any = self.server
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server.got.append((self.headers["Idempotency-Key"], json.loads(body)["notice"]["kind"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep the output of tests clean."""


@pytest.fixture
def port() -> int:
    """Return a port where nobody listens yet."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def path(tmp_path: Path, port: int) -> Path:
    made = configure(tmp_path, more=NOTIFIERS.format(port=port))
    drifting = events(0, 20, seed=2, drift_from=4, drift_until=20)
    (tmp_path / "logs" / "a.jsonl").write_text(lines(drifting))
    return made


def listening(port: int) -> ThreadingHTTPServer:
    server: Any = ThreadingHTTPServer(("127.0.0.1", port), _Taking)
    server.got = []
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
    return server


@pytest.fixture
def server(port: int) -> Iterator[Any]:
    running = listening(port)
    yield running
    running.shutdown()
    running.server_close()


def follow(path: Path) -> None:
    Process(path=str(path), clock=SystemClock(), until_caught_up=True).run()


def test_a_running_monitor_delivers_what_it_opens(path: Path, server: Any) -> None:
    follow(path)

    with Store.open(f"sqlite:///{path.parent / 'state.db'}") as store:
        rows = OutboxRepository(store, "toy/test").rows()
        kinds = [
            entry.entry.kind
            for incident in store.incidents("toy/test").all()
            for entry in store.incidents("toy/test").timeline(incident.id)
        ]
    assert "opened" in [row.kind for row in rows]
    assert {row.state for row in rows} == {OutboxState.SENT}
    assert sorted(key for key, _ in server.got) == sorted(row.id for row in rows)
    assert kinds.count(EntryKind.NOTIFIED) == len(rows)


def test_without_a_network_incidents_are_opened_and_notices_wait_until_there_is_one(
    path: Path, port: int
) -> None:
    follow(path)

    with Store.open(f"sqlite:///{path.parent / 'state.db'}") as store:
        outbox = OutboxRepository(store, "toy/test")
        waiting = outbox.rows([OutboxState.WAITING])
        assert len(store.incidents("toy/test").all()) >= 1
        assert waiting[0].kind == "opened"
        assert "127.0.0.1" in (waiting[0].last_error or "")
        server: Any = listening(port)
        try:
            outbox.retry([row.id for row in waiting], now_us=SystemClock().now_us())
            status = run_command_line(["outbox", "send", str(path)])
        finally:
            server.shutdown()
            server.server_close()
        assert status == 0
        assert [key for key, _ in server.got] == [row.id for row in waiting]
        assert outbox.counts()[OutboxState.WAITING] == 0


@pytest.mark.parametrize(("more", "told"), [("", False), ("  audits: true\n", True)])
def test_an_audit_tells_only_if_it_is_asked_to(path: Path, more: str, told: bool) -> None:
    path.write_text(path.read_text().replace("notifiers:\n", f"notifiers:\n{more}"))

    run_command_line(["audit", str(path)])

    with Store.open(f"sqlite:///{path.parent / 'state.db'}") as store:
        assert len(store.incidents("toy/test").all()) >= 1
        assert bool(OutboxRepository(store, "toy/test").rows()) is told
