"""A small HTTP server for probes and for Prometheus: /healthz, /readyz, /metrics."""

import json
import socketserver
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socket import AF_INET6, socket
from types import TracebackType
from typing import Final, Self

from monitor.errors import OutputwatchError
from monitor.telemetry.health import Health, HealthReport
from monitor.telemetry.metrics import CONTENT_TYPE, Metrics

__all__ = ["DEFAULT_HOST", "DEFAULT_PORT", "TelemetryServer", "TelemetryServerError"]

DEFAULT_HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 9469

_MAX_CONNECTIONS = 16
_SOCKET_TIMEOUT_SECONDS = 5.0
_JSON = "application/json"

Request = socket | tuple[bytes, socket]


class TelemetryServerError(OutputwatchError):
    """The address for probes and metrics cannot be used."""


class TelemetryServer:
    """Answers probes and Prometheus in threads of its own, at most 16 at a time.

    Nothing it answers holds text of records or secrets; it has no access control, so it
    listens on the machine itself unless told otherwise.

    Parameters
    ----------
    metrics
        What ``/metrics`` answers.
    health
        What ``/healthz`` (200 or 503: alive) and ``/readyz`` (200 or 503: ready) answer.
    host, port
        The address; port 0 takes any free one.

    Raises
    ------
    TelemetryServerError
        If the address is taken or is not one of this machine.
    """

    def __init__(
        self,
        metrics: Metrics,
        health: Health,
        *,
        host: str = DEFAULT_HOST,
        port: int = DEFAULT_PORT,
    ) -> None:
        kind = _IPv6Listener if ":" in host else _Listener
        try:
            self._listener = kind((host, port), _Handler)
        except OSError as error:
            message = (
                f"the address for health and metrics must be free and of this machine, got "
                f"{host!r} port {port!r} ({error.strerror or error}); set another one"
            )
            raise TelemetryServerError(message) from error
        self._listener.metrics, self._listener.health = metrics, health
        self._thread = threading.Thread(
            target=self._listener.serve_forever,
            kwargs={"poll_interval": 0.1},
            name="telemetry server",
            daemon=True,
        )

    @property
    def port(self) -> int:
        """Return the port that it listens on."""
        return int(self._listener.server_address[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._listener.shutdown()
        self._thread.join()
        self._listener.server_close()


class _Listener(socketserver.ThreadingTCPServer):
    """Takes connections; more than the limit are closed without an answer."""

    metrics: Metrics
    health: Health
    allow_reuse_address = True
    daemon_threads = True
    # Closing waits for nobody: a client that hangs must not keep the process from ending.
    block_on_close = False

    def __init__(self, address: tuple[str, int], handler: type["_Handler"]) -> None:
        self._places = threading.BoundedSemaphore(_MAX_CONNECTIONS)
        super().__init__(address, handler)

    def process_request(self, request: Request, client_address: object) -> None:
        if self._places.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Request, client_address: object) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Request, client_address: object) -> None:
        """Say nothing: a client that went away is not a fault of the monitor."""


class _IPv6Listener(_Listener):
    address_family = AF_INET6


class _Handler(BaseHTTPRequestHandler):
    server: _Listener
    server_version = "outputwatch"
    sys_version = ""
    timeout = _SOCKET_TIMEOUT_SECONDS

    def do_GET(self) -> None:
        match self.path.partition("?")[0]:
            case "/healthz":
                self._report(self.server.health.liveness())
            case "/readyz":
                self._report(self.server.health.readiness())
            case "/metrics":
                self._answer(HTTPStatus.OK, self.server.metrics.exposition(), CONTENT_TYPE)
            case _:
                body = b'{"paths": ["/healthz", "/readyz", "/metrics"]}\n'
                self._answer(HTTPStatus.NOT_FOUND, body, _JSON)

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: probes come every few seconds."""

    def _report(self, report: HealthReport) -> None:
        status = HTTPStatus.OK if report.ok else HTTPStatus.SERVICE_UNAVAILABLE
        self._answer(status, json.dumps(report.record()).encode() + b"\n", _JSON)

    def _answer(self, status: HTTPStatus, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
