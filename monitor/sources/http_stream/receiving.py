"""What is answered to a body: 202 once it is safe, or why it was not taken."""

import asyncio
import hmac
import secrets
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from monitor.sources.http_stream.bodies import BodyError, lines_of_array, lines_of_json_lines
from monitor.sources.http_stream.loopback import is_loopback
from monitor.sources.inbox import Inbox, InboxAwayError, Putting

__all__ = ["MAX_RECORDS", "PATH", "Receiver", "application"]

PATH = "/v1/outputs"
MAX_RECORDS = (1 << 20) - 1
"""The most records of one body: its number and theirs make one position."""

_RETRY_AFTER = {"Retry-After": "5"}
_MAX_KEY_LENGTH = 255

Reader = Callable[[bytes], tuple[bytes, ...]]

_READERS: dict[str, Reader] = {
    "application/json": lines_of_array,
    "application/x-ndjson": lines_of_json_lines,
    "application/ndjson": lines_of_json_lines,
    "application/jsonl": lines_of_json_lines,
    "application/x-jsonlines": lines_of_json_lines,
}


@dataclass(slots=True, kw_only=True)
class Receiver:
    """Takes bodies; used by the server's event loop only.

    Parameters
    ----------
    inbox
        Where bodies are kept.
    executor
        Does what takes time: parsing, and waiting for the database.
    arrived
        Called, in a thread of `executor`, when a body was kept.
    token
        What clients must show; empty: nothing.
    max_body_bytes, max_waiting_records
        The largest body, and how many records may wait.
    max_body_seconds
        How long a client may take to send a body.
    """

    inbox: Inbox
    executor: Executor
    arrived: Callable[[], None]
    token: str
    max_body_bytes: int
    max_waiting_records: int
    max_body_seconds: float
    _reading: set[asyncio.Timeout] = field(default_factory=set)
    _is_closing: bool = False

    async def post(self, request: Request) -> Response:
        """Answer one request.

        Raises
        ------
        HTTPException
            With the status and the reason, if the body is not taken.
        """
        self._admit(request)
        reader, key = _reader_of(request), _key_of(request)
        self._check_length(request)
        body = await self._body_of(request)
        work = asyncio.get_running_loop().run_in_executor
        return await work(self.executor, self._keep, reader, key, body)

    def interrupt(self) -> None:
        """Wait for no body any more, and take no new one."""
        self._is_closing = True
        now = asyncio.get_running_loop().time()
        for limit in self._reading:
            limit.reschedule(now)

    def _admit(self, request: Request) -> None:
        if self.token:
            scheme, _, shown = request.headers.get("authorization", "").partition(" ")
            is_right = hmac.compare_digest(shown.strip().encode(), self.token.encode())
            if scheme.lower() != "bearer" or not is_right:
                header = {"WWW-Authenticate": "Bearer"}
                raise HTTPException(401, "the bearer token must be given and right", header)
        elif not is_loopback(_name_in(request.headers.get("host", ""))):
            # A web page may let its own name lead to this machine, and then a browser sends
            # what the page says; it cannot do so under a name of the machine itself.
            message = "without a token, the server must be called by a name of this machine"
            raise HTTPException(403, message)

    def _check_length(self, request: Request) -> None:
        length = request.headers.get("content-length")
        if length is None and "transfer-encoding" not in request.headers:
            raise HTTPException(411, "a request must have Content-Length, or come in chunks")
        if length is not None and int(length) > self.max_body_bytes:
            raise self._too_large()

    async def _body_of(self, request: Request) -> bytes:
        """Return the body; no more than the limit is ever held."""
        body = bytearray()
        try:
            async with asyncio.timeout(0 if self._is_closing else self.max_body_seconds) as limit:
                self._reading.add(limit)
                async for piece in request.stream():
                    body += piece
                    if len(body) > self.max_body_bytes:
                        raise self._too_large()
        except TimeoutError as error:
            if self._is_closing:
                raise HTTPException(503, "the monitor is stopping", _RETRY_AFTER) from error
            message = f"the body must be sent within {self.max_body_seconds:g} seconds"
            raise HTTPException(408, message, {"Connection": "close"}) from error
        except ClientDisconnect as error:
            raise HTTPException(400, "the body was not sent whole") from error
        finally:
            self._reading.discard(limit)
        return bytes(body)

    def _keep(self, reader: Reader, key: str, body: bytes) -> Response:
        try:
            lines = reader(body)
        except BodyError as error:
            raise HTTPException(400, str(error)) from error
        if not lines:
            raise HTTPException(400, "the body must hold at least one output")
        if len(lines) > MAX_RECORDS:
            message = f"a body must hold at most {MAX_RECORDS} outputs, got {len(lines)}"
            raise HTTPException(413, message)
        return self._answer(self._put(key, lines), len(lines))

    def _put(self, key: str, lines: tuple[bytes, ...]) -> Putting:
        try:
            return self.inbox.put(
                key,
                b"\n".join(lines),
                n_records=len(lines),
                max_waiting=self.max_waiting_records,
            )
        except InboxAwayError as error:
            message = "the database cannot be written now; nothing was kept"
            raise HTTPException(503, message, _RETRY_AFTER) from error

    def _answer(self, putting: Putting, n_records: int) -> Response:
        match putting:
            case Putting.ACCEPTED:
                self.arrived()
                return JSONResponse({"accepted": n_records}, status_code=202)
            case Putting.DUPLICATE:
                return JSONResponse({"accepted": n_records})
            case Putting.CONFLICT:
                message = "another body came with this Idempotency-Key; a new body needs a new key"
                raise HTTPException(409, message)
            case Putting.FULL:
                message = f"{self.max_waiting_records} outputs wait to be counted; send it again"
                raise HTTPException(429, message, _RETRY_AFTER)

    def _too_large(self) -> HTTPException:
        return HTTPException(413, f"a body must be at most {self.max_body_bytes} bytes")


def application(receiver: Receiver) -> Starlette:
    """Return the ASGI application: one path, and every answer is JSON."""
    app = Starlette(
        routes=[Route(PATH, receiver.post, methods=["POST"])],
        exception_handlers={HTTPException: _refused},
    )
    app.router.redirect_slashes = False
    return app


async def _refused(_request: Request, error: Exception) -> Response:
    status, reason = 500, "internal error"
    headers = None
    if isinstance(error, HTTPException):
        status, reason, headers = error.status_code, error.detail, error.headers
    return JSONResponse({"error": reason}, status_code=status, headers=headers)


def _reader_of(request: Request) -> Reader:
    kind, _, options = request.headers.get("content-type", "").partition(";")
    reader = _READERS.get(kind.strip().lower())
    charset = options.strip().lower().replace('"', "").replace("utf8", "utf-8")
    if reader is None or charset not in ("", "charset=utf-8"):
        message = (
            "Content-Type must be application/json (an array) or application/x-ndjson (a line "
            "each), in UTF-8"
        )
        raise HTTPException(415, message)
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise HTTPException(
            415, "the body must not be compressed", {"Accept-Encoding": "identity"}
        )
    return reader


def _key_of(request: Request) -> str:
    """Return the key that the client gave, or one that nobody has."""
    keys = request.headers.getlist("idempotency-key")
    if not keys:
        return f"made {secrets.token_hex(16)}"
    key = keys[0]
    if len(keys) > 1 or not key or len(key) > _MAX_KEY_LENGTH or not _is_plain(key):
        message = f"one Idempotency-Key of 1 to {_MAX_KEY_LENGTH} ASCII characters must be given"
        raise HTTPException(400, message)
    return f"given {key}"


def _name_in(host: str) -> str:
    """Return a Host header without the port."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdecimal() else host).strip("[]")


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable()
