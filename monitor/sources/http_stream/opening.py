"""Put a server and its stream together."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from monitor.sources.http_stream.receiving import Receiver
from monitor.sources.http_stream.serving import OutputServer, listen
from monitor.sources.http_stream.stream import HttpStream
from monitor.sources.inbox import Inbox
from monitor.sources.leases import LeasedClaims

__all__ = ["Limits", "open_stream"]

_THREADS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What is asked of clients, as in `monitor.sources.http.Http`."""

    token: str
    max_body_bytes: int
    max_body_seconds: float
    max_waiting_records: int


def open_stream(
    address: tuple[str, int],
    limits: Limits,
    claims: LeasedClaims,
    inbox: Inbox,
    *,
    keep_keys_seconds: int,
) -> HttpStream:
    """Return the stream of what is sent to an address.

    Raises
    ------
    SourceError
        If the address is taken, or not one of this machine.
    """
    arrived = threading.Event()
    server = _serve(address, limits, inbox, arrived.set)
    try:
        return HttpStream(
            inbox, claims, server=server, arrived=arrived, keep_keys_seconds=keep_keys_seconds
        )
    except BaseException:
        server.close()
        raise


def _serve(
    address: tuple[str, int], limits: Limits, inbox: Inbox, arrived: Callable[[], None]
) -> OutputServer:
    listener = listen(*address)
    executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="outputs over HTTP")
    receiver = Receiver(
        inbox=inbox,
        executor=executor,
        arrived=arrived,
        token=limits.token,
        max_body_bytes=limits.max_body_bytes,
        max_waiting_records=limits.max_waiting_records,
        max_body_seconds=limits.max_body_seconds,
    )
    return OutputServer(listener, receiver, executor)
