"""The client in use with what it has brought: made when needed, thrown away when broken."""

import time
from collections.abc import Callable, Sequence

from monitor.sources.kafka_stream.client import (
    ChangeKind,
    Client,
    NotReadyError,
    Partition,
    Run,
)
from monitor.sources.kafka_stream.holdings import Holdings

__all__ = ["RETRY_SECONDS", "Reading"]

RETRY_SECONDS = 1.0
"""How long after a failure the same is tried again."""


class Reading:
    """Partitions that are read, and the client that reads them.

    Parameters
    ----------
    make_client
        Gives a new client.
    monotonic
        Seconds that never go back.
    """

    def __init__(self, make_client: Callable[[], Client], monotonic: Callable[[], float]) -> None:
        self._make_client = make_client
        self._now = monotonic
        self._detours: set[Partition] = set()
        self._retry_at = 0.0
        self.client: Client | None = None
        self.holdings = Holdings()
        self.paused = False

    def may_try(self) -> bool:
        """Return whether it is time to try what failed before."""
        return self._now() >= self._retry_at

    def retry_in(self, seconds: float) -> None:
        """Have what has just failed tried again after some time."""
        self._retry_at = self._now() + seconds

    def poll(self, timeout_seconds: float, max_records: int) -> Sequence[Run]:
        """Return what the client has; see `Client.poll`."""
        if self.client is None and not self._made_client(timeout_seconds):
            return ()
        assert self.client is not None
        self._take_detours()
        return self.client.poll(timeout_seconds, max_records)

    def take_note_of_changes(self) -> None:
        """Take note of the partitions that the client was given, or that were taken from it."""
        for change in self.client.changes() if self.client else ():
            if change.kind is ChangeKind.GIVEN:
                self.holdings.give(change.partitions)
            else:
                self.holdings.take(change.partitions)

    def begin(self, partition: Partition, offset: int, identity: str) -> bool:
        """Read a partition from an offset on; return whether the client was ready for it."""
        assert self.client is not None
        try:
            self.client.read_from(partition, offset)
        except NotReadyError:
            return False
        self.holdings.begin(partition, offset, identity)
        if self.paused:
            self.client.pause([partition])
        return True

    def go_to(self, partition: Partition, offset: int) -> None:
        """Go on with an open partition at another offset, which is handed on as its position."""
        self.holdings.open[partition].next = offset
        self.holdings.mark(partition, offset)
        self._detours.add(partition)
        self._take_detours()

    def put_back(self, partition: Partition) -> None:
        """Have an open partition opened anew, from the position in the database."""
        self.holdings.put_back(partition)
        if self.client is not None:
            self.client.pause([partition])

    def pause(self) -> None:
        """Let all partitions stand still."""
        self.paused = True
        if self.client is not None:
            self.client.pause(list(self.holdings.open))

    def resume(self) -> None:
        """Let all partitions go on."""
        self.paused = False
        if self.client is not None:
            self.client.resume(list(self.holdings.open))

    def start_over(self) -> None:
        """Throw the client away; all that was read and not counted is read again."""
        client, self.client = self.client, None
        self.holdings.take_all()
        if client is not None:
            client.close()

    def close(self) -> None:
        """Leave the group."""
        if self.client is not None:
            self.client.close()
            self.client = None

    def _made_client(self, timeout_seconds: float) -> bool:
        if not self.may_try():
            time.sleep(min(timeout_seconds, max(0.0, self._retry_at - self._now())))
            return False
        self.retry_in(RETRY_SECONDS)
        self.client = self._make_client()
        return True

    def _take_detours(self) -> None:
        """Send the client past what it stumbled at; librdkafka may need a moment before it can."""
        for partition in list(self._detours):
            held = self.holdings.open.get(partition)
            try:
                if held is not None and self.client is not None:
                    self.client.read_from(partition, held.next)
                    if self.paused:
                        self.client.pause([partition])
            except NotReadyError:
                continue
            self._detours.discard(partition)
