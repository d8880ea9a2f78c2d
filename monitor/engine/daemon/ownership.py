"""The partitions of one worker: claimed, leased, given back, and lost to others."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy.exc import DBAPIError

from monitor.clock import Clock
from monitor.engine.daemon.holding import Holding
from monitor.engine.daemon.intake import decode_hashes
from monitor.engine.daemon.tally import StreamTally
from monitor.engine.worker_names import has_gone
from monitor.sources.leases import Owner
from monitor.sources.live import Claimed
from monitor.storage.errors import StorageError
from monitor.storage.streams import PartitionRow, StreamRepository
from monitor.telemetry.logs import get_logger

__all__ = ["Ownership"]

_LOG = get_logger(__name__)


@dataclass(slots=True, kw_only=True)
class Ownership:
    """The partitions of this worker; a stream claims and releases them, from any thread.

    Parameters
    ----------
    streams, worker, clock
        The database, the name of this worker, and the wall clock.
    n_cells, deduplicate
        The length of every vector of counts, and whether event ids are remembered.
    lease_us
        A leased partition is free if its owner has written no checkpoint for so long.
    holdings
        What is read of each partition that is its own.
    lost
        Partitions that another worker has taken over while the stream still hands them on.
    """

    streams: StreamRepository
    worker: str
    clock: Clock
    n_cells: int
    deduplicate: bool
    lease_us: int = 30_000_000
    holdings: dict[str, Holding] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def expect(self, partitions: Mapping[str, str]) -> None:
        """Have partitions waited for that exist, whoever will claim them."""
        self.streams.expect(partitions, now_us=self.clock.now_us())

    def claim(self, partitions: Mapping[str, str]) -> Mapping[str, Claimed]:
        """Take partitions over and return where the database goes on with each."""
        rows = self.streams.claim(partitions, owner=self.worker, now_us=self.clock.now_us())
        claimed: dict[str, Claimed] = {}
        holdings: dict[str, Holding] = {}
        for name, identity in partitions.items():
            row = rows[name]
            claimed[name] = Claimed(position=row.position, identity=row.identity)
            if row.identity not in ("", identity):
                # Another thing by the same name: what was counted of the old one stays.
                self.streams.renew(name, row.epoch, identity)
            position = row.position if row.identity in ("", identity) else 0
            holdings[name] = self._holding(row, position)
        with self._lock:
            self.holdings.update(holdings)
            self.lost.difference_update(holdings)
        return claimed

    def lease(self, partition: str) -> Claimed:
        """Take a partition over, even from a living worker."""
        rows = self.streams.claim({partition: ""}, owner=self.worker, now_us=self.clock.now_us())
        return self._leased(rows[partition])

    def lease_if_free(self, partition: str) -> Claimed | Owner:
        """Take a partition over that no living worker owns, or return the one that does."""
        now_us = self.clock.now_us()
        row = self.streams.claim_if(
            partition, lambda known: self._is_free(known, now_us), owner=self.worker, now_us=now_us
        )
        if row.owner != self.worker:
            return Owner(worker=row.owner, heard_of_us=row.attended_us)
        return self._leased(row)

    def is_held(self, partition: str) -> bool:
        """Return whether a partition is this worker's own, as far as it knows."""
        with self._lock:
            return partition in self.holdings

    def leave(self) -> None:
        """Give back what is leased, so that another worker need not wait until it is free."""
        leased = [name for name, holding in self.held().items() if holding.leased]
        try:
            self.release(leased)
        except (StorageError, DBAPIError) as error:
            _LOG.warning("leases could not be given back, they will run out", error=error)

    def release(self, partitions: Sequence[str]) -> None:
        """Give partitions back; what was not written is dropped, their next owner reads it."""
        with self._lock:
            self.lost.difference_update(partitions)
            epochs = {
                name: self.holdings.pop(name).epoch for name in partitions if name in self.holdings
            }
        if epochs:
            self.streams.release(epochs, now_us=self.clock.now_us())

    def drop(self, partitions: Sequence[str]) -> None:
        """Forget partitions that another worker owns by now."""
        with self._lock:
            self.lost.update(partitions)
            for name in partitions:
                self.holdings.pop(name, None)

    def held(self) -> dict[str, Holding]:
        """Return what is held now, by name."""
        with self._lock:
            return dict(sorted(self.holdings.items()))

    def _leased(self, row: PartitionRow) -> Claimed:
        holding = self._holding(row, row.position, leased=True)
        with self._lock:
            self.holdings[row.name] = holding
            self.lost.discard(row.name)
        return Claimed(position=row.position, identity=row.identity)

    def _is_free(self, known: PartitionRow, now_us: int) -> bool:
        is_silent = now_us - known.attended_us > self.lease_us
        return known.owner in ("", self.worker) or is_silent or has_gone(known.owner)

    def _holding(
        self, row: PartitionRow, position: int | None, *, leased: bool = False
    ) -> Holding:
        seen: dict[int, set[int]] = {}
        if self.deduplicate:
            for start_us, body in self.streams.ids_of(row.name):
                seen.setdefault(start_us, set()).update(decode_hashes(body))
        return Holding(
            name=row.name,
            n_cells=self.n_cells,
            epoch=row.epoch,
            committed=position,
            position=position,
            newest_us=row.newest_us,
            moved_us=row.moved_us,
            tally=StreamTally.from_json(row.tally),
            packed=self.streams.partials_of(row.name),
            seen=seen,
            leased=leased,
        )
