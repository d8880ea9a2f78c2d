"""One POST to a checked address: no redirects, no proxies, bounded in time and in size."""

import contextlib
import http.client
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from monitor.notifiers.addresses import allowed_address
from monitor.notifiers.base import DeliveryError, RefusedError

__all__ = ["Answer", "check_url", "json_body", "post"]

_KEPT_BYTES: Final = 65_536
_AGAIN: Final = frozenset({408, 409, 421, 425, 429})
_LONGEST_WAIT_SECONDS: Final = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a server that accepted a POST answered.

    Parameters
    ----------
    headers
        Its headers, names in lower case.
    body
        The first 64 KiB.
    """

    headers: Mapping[str, str]
    body: bytes

    def record(self) -> Mapping[str, Any]:
        """Return the JSON object in the body, an empty one if there is none."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


def json_body(content: object) -> bytes:
    """Return JSON as bytes."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def check_url(url: str, *, option: str = "url", allow_private: bool = False) -> None:
    """Refuse what is not an HTTP address, or would carry a secret in the clear.

    An option with a variable that is not filled in yet passes. The address is not repeated:
    it may hold a secret.

    Raises
    ------
    ValueError
        If it is one of these.
    """
    if "${" in url:
        return
    try:
        parts = urlsplit(url)
        right = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        right = False
    if not right or not url.isascii() or not url.isprintable() or " " in url:
        message = f"{option} must be an address that begins with 'https://', got <secret>"
        raise ValueError(message)
    if parts.scheme == "http" and not allow_private:
        message = f"{option} must begin with 'https://'; 'http://' needs allow_private: true"
        raise ValueError(message)


def post(
    url: str,
    body: bytes,
    *,
    headers: Mapping[str, str],
    timeout_seconds: float,
    allow_private: bool,
    now_us: int,
) -> Answer:
    """Send a body and return what was answered, if the server accepted it.

    Parameters
    ----------
    headers
        Besides the type of the content, which is JSON.
    timeout_seconds
        For all of it: a server that answers byte by byte is cut off too.
    now_us
        By the clock, for servers that say until which date to wait.

    Raises
    ------
    RefusedError
        If the address is private, or the server refuses the body for good.
    DeliveryError
        If it cannot be reached, does not answer in time, or is overloaded.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    address = allowed_address(host, port, allow_private=allow_private)
    connection = _Connection(host, port, address, secure=secure, timeout=timeout_seconds)
    sent = {"Content-Type": "application/json", "User-Agent": "outputwatch", **headers}
    try:
        with _deadline(connection.cut, timeout_seconds) as is_over:
            connection.request("POST", _target(parts), body=body, headers=sent)
            response = connection.getresponse()
            content = response.read(_KEPT_BYTES)
            if is_over.is_set():
                raise TimeoutError
    except (OSError, http.client.HTTPException, ValueError) as error:
        message = f"{host!r} must answer within {timeout_seconds:g} s, got {_reason(error)}"
        raise DeliveryError(message) from error
    finally:
        connection.close()
    names = {name.lower(): value for name, value in response.getheaders()}
    _check(host, response.status, names, content, now_us)
    return Answer(headers=names, body=content)


class _Connection(http.client.HTTPConnection):
    """Connects to an address that was checked, and speaks to it as the host."""

    def __init__(
        self, host: str, port: int, address: str, *, secure: bool, timeout: float
    ) -> None:
        super().__init__(host, port, timeout=timeout)
        self.default_port = 443 if secure else 80
        self._address = address
        self._secure = secure
        self._raw: socket.socket | None = None

    def connect(self) -> None:
        raw = socket.create_connection((self._address, self.port), self.timeout)
        self._raw = raw
        self.sock = raw
        if self._secure:
            context = ssl.create_default_context()
            secure = context.wrap_socket(
                raw, server_hostname=self.host, do_handshake_on_connect=False
            )
            # Known before the handshake, which a server may drag out too.
            self.sock = self._raw = secure
            secure.do_handshake()

    def cut(self) -> None:
        """End whatever the connection waits for."""
        if self._raw is not None:
            with contextlib.suppress(OSError):
                self._raw.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def _deadline(cut: Callable[[], None], seconds: float) -> Iterator[threading.Event]:
    over = threading.Event()

    def end() -> None:
        over.set()
        cut()

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield over
    finally:
        timer.cancel()


def _target(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _check(
    host: str, status: int, headers: Mapping[str, str], content: bytes, now_us: int
) -> None:
    if 200 <= status < 300:
        return
    said = " ".join(content[:200].decode("utf-8", "replace").split())
    message = f"{host!r} must accept it, got status {status}" + (f": {said}" if said else "")
    if status in _AGAIN or status >= 500:
        wait = _retry_after(headers.get("retry-after"), now_us)
        raise DeliveryError(message, retry_after_seconds=wait)
    if 300 <= status < 400:
        message += "; redirects are not followed, name the address itself"
    raise RefusedError(message)


def _retry_after(value: str | None, now_us: int) -> float | None:
    """Return the wait that a server asks for, in seconds or until a date (RFC 9110, 10.2.3)."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return min(float(value), _LONGEST_WAIT_SECONDS)
    try:
        until = parsedate_to_datetime(value)
    except ValueError:
        return None
    until = until if until.tzinfo is not None else until.replace(tzinfo=UTC)
    return min(max(0.0, until.timestamp() - now_us / 1_000_000), _LONGEST_WAIT_SECONDS)


def _reason(error: Exception) -> str:
    """Return what went wrong in a few words, without what was sent."""
    if isinstance(error, TimeoutError):
        return "no whole answer"
    words = " ".join(str(getattr(error, "strerror", None) or "").split())
    return f"{type(error).__name__}: {words}" if words else type(error).__name__
