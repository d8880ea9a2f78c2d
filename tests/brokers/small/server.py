"""Connections of the small broker: frames in, answers out, in order, and abrupt ends."""

import asyncio
import contextlib
import io
import struct

from kafka.protocol.api_header import RequestHeader

from tests.brokers.small import data_requests, group_requests, offset_requests, topic_requests
from tests.brokers.small.codes import Code
from tests.brokers.small.requests import ANSWERS, Answer, Message
from tests.brokers.small.state import State

__all__ = ["Server"]

FRAME = struct.Struct(">i")
API = struct.Struct(">hhi")  # the request's key, its version, the number that the answer repeats
# Imported for their entries in the table of answers.
HANDLERS = (data_requests, group_requests, offset_requests, topic_requests)


class Server:
    """Listens while it is open; what it answers from is its `state`."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._listener: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def open(self) -> None:
        """Listen on the state's port."""
        self._listener = await asyncio.start_server(
            self._serve, self._state.host, self._state.port, backlog=128
        )
        for group in self._state.groups.values():
            group.thaw()

    async def close(self) -> None:
        """Stop to listen and cut every connection."""
        if self._listener is None:
            return
        self._listener.close()
        tasks = self.drop_connections()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._listener.wait_closed()
        self._listener = None
        for group in self._state.groups.values():
            group.freeze()

    def drop_connections(self) -> list[asyncio.Task[None]]:
        """Cut every connection without a farewell; return the tasks that served them."""
        for writer in self._connections.values():
            writer.transport.abort()
        return list(self._connections)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections[task] = writer
        try:
            while True:
                (size,) = FRAME.unpack(await reader.readexactly(FRAME.size))
                answer = await self._answer(await reader.readexactly(size))
                if answer is not None:
                    writer.write(answer)
                    await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the client went away, or the broker goes down
        finally:
            del self._connections[task]
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _answer(self, frame: bytes) -> bytes | None:
        key, version, correlation_id = API.unpack_from(frame)
        answer = ANSWERS.get(key)
        if answer is None:
            message = f"a request with the unknown key {key}"
            raise ConnectionAbortedError(message)
        self._state.requests[answer.name] += 1
        if version not in answer.versions:
            response, version = _unsupported(answer, version)
        else:
            response = await answer.handler(self._state, _decoded(answer, version, frame))
        delay = self._state.delays.get(answer.name, self._state.delays.get("", 0.0))
        if delay:
            await asyncio.sleep(delay)
        if response is None:
            return None
        response.API_VERSION = version
        response.with_header(correlation_id=correlation_id)
        return bytes(response.encode(header=True, framed=True))


def _decoded(answer: Answer, version: int, frame: bytes) -> Message:
    stream = io.BytesIO(frame)
    header = RequestHeader.decode(stream, flexible=answer.request.flexible_version_q(version))
    request = answer.request.decode(memoryview(frame)[stream.tell() :], version=version)
    request._header = header
    request._version = version
    return request


def _unsupported(answer: Answer, version: int) -> tuple[Message, int]:
    # Only this one request may be tried in any version; its refusal is always in version 0.
    if answer.name != "ApiVersions":
        message = f"{answer.name} in the unsupported version {version}"
        raise ConnectionAbortedError(message)
    return answer.response(error_code=Code.UNSUPPORTED_VERSION), 0
