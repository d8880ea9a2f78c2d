"""A small Kafka broker of our own: real TCP, one node, in a thread, with faults at hand.

It speaks through kafka-python's protocol classes and keeps its log in memory. It has one node,
no transactions and no leader elections: what holds on it must be judged on a real node too.
"""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any, Self, TypeVar

from tests.brokers.errors import BrokerError
from tests.brokers.ports import LOOPBACK, free_port
from tests.brokers.small.batches import Batch
from tests.brokers.small.repeating_log import RepeatingLog
from tests.brokers.small.server import Server
from tests.brokers.small.state import State, Topic

__all__ = ["SmallBroker"]

PATIENCE_SECONDS = 10
Result = TypeVar("Result")


class SmallBroker:
    """A broker that a test can hurt; as a context manager it starts, and is closed at the end.

    `start`, `stop`, `kill` and `restart` mean what they mean on a real node: the log, the
    topics, the groups and the committed offsets are there again, on the same port.
    """

    is_real = False
    description = "small broker in Python"

    def __init__(self) -> None:
        self._port = free_port()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="small-broker", daemon=True)
        self._state: State | None = None
        self._server: Server | None = None

    @property
    def bootstrap(self) -> str:
        """Where clients connect, as host:port."""
        return f"{LOOPBACK}:{self._port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Listen; what was written before is still there."""
        if not self._thread.is_alive():
            self._thread.start()
        self._wait_for(self._open())

    def kill(self) -> None:
        """Go down: cut all connections and refuse new ones. The log is kept for `start`."""
        self._wait_for(self._opened.close())

    stop = kill

    def restart(self) -> None:
        """Go down and come back at once."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Go down for good."""
        if not self._thread.is_alive():
            return
        self.kill()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_SECONDS)

    def drop_connections(self) -> None:
        """Cut every connection; clients may come back at once."""
        self._do(self._opened.drop_connections)

    def delay(self, seconds: float, *requests: str) -> None:
        """Hold back answers, of the named requests (such as 'Fetch') or else of all."""
        self._do(lambda: self._known.delays.update(dict.fromkeys(requests or ("",), seconds)))

    def hurry(self) -> None:
        """End every delay, for requests that come from now on."""
        self._do(self._known.delays.clear)

    def kick_members(self, group: str, count: int | None = None) -> list[str]:
        """Drop members of a group, all or the first few, as if their sessions had ended."""

        def kick() -> list[str]:
            known = self._known.group(group)
            kicked = list(known.members)[:count]
            for member in kicked:
                known.drop(member)
            return [member.id for member in kicked]

        return self._do(kick)

    def members(self, group: str) -> list[str]:
        """Return the ids of a group's members."""
        return self._do(lambda: [member.id for member in self._known.group(group).members])

    def generation(self, group: str) -> int:
        """Return a group's generation: how many rebalances it has completed."""
        return self._do(lambda: self._known.group(group).generation)

    def delete_records_before(self, topic: str, partition: int, offset: int) -> None:
        """Forget the records before `offset`, as retention does."""
        self._do(lambda: self._known.log(topic, partition).delete_before(offset))

    def cut_short(self, topic: str, partition: int, end: int) -> None:
        """Lose the last batches, from the one that holds the offset `end` on."""
        self._do(lambda: self._known.log(topic, partition).cut(end))

    def break_checksum(self, topic: str, partition: int, offset: int) -> tuple[int, int]:
        """Spoil the batch that holds a record; return the batch's first and last offset."""
        return self._spoil(topic, partition, offset, Batch.with_broken_checksum)

    def break_compression(self, topic: str, partition: int, offset: int) -> tuple[int, int]:
        """Make the batch that holds a record impossible to decompress; return its offsets."""
        return self._spoil(topic, partition, offset, Batch.with_undecodable_payload)

    def repeat(self, topic: str, end: int) -> None:
        """Serve what a topic's partitions hold again and again, up to the offset `end`."""

        def replace() -> None:
            known = self._known.topics[topic]
            logs = tuple(RepeatingLog(log.batches, end) for log in known.partitions)
            self._known.topics[topic] = Topic(topic, logs, known.id)

        self._do(replace)

    def requests(self) -> Counter[str]:
        """Return how many requests of each name have come so far."""
        return self._do(lambda: Counter(self._known.requests))

    @property
    def _known(self) -> State:
        if self._state is None:
            message = "a small broker must be started first"
            raise BrokerError(message)
        return self._state

    @property
    def _opened(self) -> Server:
        if self._server is None:
            message = "a small broker must be started first"
            raise BrokerError(message)
        return self._server

    async def _open(self) -> None:
        if self._server is None:
            self._state = State(self._port)
            self._server = Server(self._state)
        await self._opened.open()

    def _spoil(
        self, topic: str, partition: int, offset: int, spoiled: Callable[[Batch], Batch]
    ) -> tuple[int, int]:
        return self._do(lambda: self._known.log(topic, partition).spoil(offset, spoiled))

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.close()

    def _do(self, action: Callable[[], Result]) -> Result:
        async def act() -> Result:
            return action()

        return self._wait_for(act())

    def _wait_for(self, work: Coroutine[Any, Any, Result]) -> Result:
        done = asyncio.run_coroutine_threadsafe(work, self._loop)
        return done.result(PATIENCE_SECONDS)
