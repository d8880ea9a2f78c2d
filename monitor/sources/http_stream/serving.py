"""A server for outputs in a thread of its own."""

import asyncio
import contextlib
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import uvicorn

from monitor.sources.base import SourceError
from monitor.sources.http_stream.receiving import Receiver, application

__all__ = ["OutputServer", "Serving", "listen"]

_MAX_CONNECTIONS = 64
_GRACE_SECONDS = 2
_JOIN_SECONDS = 5.0


class Serving(Protocol):
    """What the stream needs to know of a server."""

    @property
    def port(self) -> int:
        """Return the port that it listens on."""
        ...

    @property
    def is_alive(self) -> bool:
        """Return whether it still takes bodies."""
        ...

    def close(self) -> None:
        """Take no more; bodies that are being kept are answered."""
        ...


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises
    ------
    SourceError
        If the address is taken, or not one of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        message = (
            f"the address for outputs must be free and of this machine, got {host!r} port "
            f"{port!r} ({error.strerror or error}); set source.host and source.port"
        )
        raise SourceError(message) from error


class OutputServer:
    """Answers requests in a thread, from the moment that it is made.

    Parameters
    ----------
    listener
        The socket, which is closed with the server.
    receiver
        Answers the requests.
    executor
        The threads of the receiver, which end with the server.
    """

    def __init__(
        self, listener: socket.socket, receiver: Receiver, executor: ThreadPoolExecutor
    ) -> None:
        self._port = int(listener.getsockname()[1])
        self._listener = listener
        self._receiver = receiver
        self._executor = executor
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server = uvicorn.Server(_settings(receiver))
        self._thread = threading.Thread(target=self._run, name="outputs over HTTP", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """Return the port that it listens on."""
        return self._port

    @property
    def is_alive(self) -> bool:
        """Return whether it still takes bodies."""
        return self._thread.is_alive()

    def close(self) -> None:
        """Stop listening, cut bodies off that are not here yet, and answer the others."""
        self._server.should_exit = True
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed already
                self._loop.call_soon_threadsafe(self._receiver.interrupt)
        self._thread.join(_JOIN_SECONDS)
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._listener.close()

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        await self._server.serve(sockets=[self._listener])


def _settings(receiver: Receiver) -> uvicorn.Config:
    """Return settings that do not depend on what else is installed."""
    return uvicorn.Config(
        application(receiver),
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_MAX_CONNECTIONS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
