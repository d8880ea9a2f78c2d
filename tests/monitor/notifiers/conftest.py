"""Servers that look like those of providers, a notice, and attempts to deliver it."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from detectors.base import FailureMode
from monitor.incidents.suggestion import Tier
from monitor.notifiers.base import Sending
from monitor.notifiers.notice import Notice, NoticeKind

NOW = 1_767_225_600_000_000


@dataclass
class Request:
    """What arrived."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def content(self) -> Any:
        return json.loads(self.body)


@dataclass
class Answering:
    """What a server answers, in order; the last answer is given for ever."""

    port: int
    requests: list[Request] = field(default_factory=list)
    answers: list[tuple[int | str, dict[str, str], bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, status: int | str, body: object = b"", **headers: str) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.append((status, named, content))


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        state: Answering = self.server.state
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        state.requests.append(Request(self.path, headers, body))
        answers = state.answers
        answer = answers[min(len(state.requests), len(answers)) - 1] if answers else (202, {}, b"")
        status, headers, content = answer
        if status == "close":
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        if status == "hang":
            self.server.released.wait(20)
            return
        if status == "drip":
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            while not self.server.released.wait(0.05):
                try:
                    self.wfile.write(b"X-More: 1\r\n")
                except OSError:
                    break
            return
        self.send_response(int(status))
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Keep the output of tests clean."""


@pytest.fixture
def server() -> Iterator[Answering]:
    """Provide a real server on this machine that answers as it is told."""
    running = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    running.daemon_threads = True
    running.block_on_close = False
    running.handle_error = lambda *_: None
    running.released = threading.Event()
    running.state = Answering(running.server_address[1])
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield running.state
    running.released.set()
    running.shutdown()
    thread.join()
    running.server_close()
    time.sleep(0)


@pytest.fixture
def sending() -> Sending:
    return Sending(key="k" * 64, now_us=NOW)


@pytest.fixture
def notice() -> Callable[..., Notice]:
    """Provide a function that makes a notice."""

    def made(kind: NoticeKind = NoticeKind.OPENED, **changes: Any) -> Notice:
        values: dict[str, Any] = {
            "kind": kind,
            "incident_id": "a" * 64,
            "number": 12,
            "title": "Bias: selection rate of F, 2 times the tolerance",
            "system": "loans",
            "environment": "production",
            "failure_mode": FailureMode.BIAS,
            "state": "candidate",
            "tier": Tier.SEV2,
            "could_be": Tier.SEV1,
            "confirmed": False,
            "since_us": NOW - 3_600_000_000,
            "sentence": "F is selected less often",
            "told_us": NOW,
            "seq": 3,
            "head": "f" * 64,
            "url": "https://outputwatch.example.org/incidents/12",
        }
        return Notice(**{**values, **changes})

    return made
