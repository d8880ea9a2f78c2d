"""A database for tests of the source: positions with epochs, and what was counted."""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from monitor.sources.live import Batch, Claimed, LiveStream

__all__ = ["Ledger", "Worker", "drain"]


@dataclass
class _Row:
    position: int | None = None
    identity: str = ""
    epoch: int = 0
    payloads: list[bytes] = field(default_factory=list)


class Ledger:
    """What workers share: each partition's position, epoch, and counted payloads."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.rows: dict[str, _Row] = {}
        self.n_fenced = 0

    def payloads(self) -> list[bytes]:
        """Return what was counted, of all partitions, in order of partition."""
        with self.lock:
            return [each for name in sorted(self.rows) for each in self.rows[name].payloads]

    def n_counted(self) -> int:
        """Return how many payloads were counted."""
        with self.lock:
            return sum(len(row.payloads) for row in self.rows.values())


class Worker:
    """The claims of one worker, and what it has read and not committed yet."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.claimed: list[str] = []
        self.released: list[str] = []
        self._epochs: dict[str, int] = {}
        self._read: dict[str, list[Batch]] = {}
        self._identities: dict[str, str] = {}

    def expect(self, partitions: Mapping[str, str]) -> None:
        with self.ledger.lock:
            for name in partitions:
                self.ledger.rows.setdefault(name, _Row())

    def claim(self, partitions: Mapping[str, str]) -> Mapping[str, Claimed]:
        with self.ledger.lock:
            known = {}
            for name, identity in partitions.items():
                row = self.ledger.rows.setdefault(name, _Row())
                row.epoch += 1
                self._epochs[name] = row.epoch
                self._read[name] = []
                self._identities[name] = identity
                known[name] = Claimed(position=row.position, identity=row.identity)
        self.claimed += sorted(partitions)
        return known

    def release(self, partitions: Sequence[str]) -> None:
        self.released += partitions
        for name in partitions:
            self._epochs.pop(name, None)
            self._read.pop(name, None)

    def read(self, batches: Sequence[Batch]) -> None:
        for batch in batches:
            positions = batch.positions or range(batch.first, batch.next)
            assert len(positions) == len(batch.payloads)
            self._read[batch.partition].append(batch)

    def commit(self) -> dict[str, int]:
        """Commit what was read; drop it where another worker has claimed the partition."""
        safe: dict[str, int] = {}
        with self.ledger.lock:
            for name, batches in self._read.items():
                row = self.ledger.rows[name]
                if batches and row.epoch != self._epochs[name]:
                    self.ledger.n_fenced += 1
                elif batches:
                    for batch in batches:
                        row.payloads += batch.payloads
                    row.position = safe[name] = batches[-1].next
                    row.identity = self._identities[name]
                self._read[name] = []
        return safe


def drain(stream: LiveStream, worker: Worker, n_records: int, *, seconds: float = 20) -> None:
    """Poll and commit until the ledger has so many records, or the time is up."""
    deadline = time.monotonic() + seconds
    while worker.ledger.n_counted() < n_records and time.monotonic() < deadline:
        worker.read(stream.poll(0.2, 1_000))
        stream.committed(worker.commit())
