"""One transaction: where partitions stand, what they counted, and what follows from it."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from monitor.clock import Clock
from monitor.engine.daemon.deciding import Decider, Decision
from monitor.engine.daemon.frontier import Frontier, Patience, frontier
from monitor.engine.daemon.holding import Holding, Settlement
from monitor.engine.daemon.intake import encode_hashes
from monitor.engine.daemon.late import amend_windows
from monitor.engine.daemon.tally import StreamTally
from monitor.errors import OutputwatchError
from monitor.sources.live import StreamMemory
from monitor.storage.errors import ConcurrentWriteError
from monitor.storage.store import Store
from monitor.storage.streams import MonitorRow, Move, PartitionRow, StreamRepository
from monitor.windows.spec import TumblingWindows

__all__ = [
    "Checkpoint",
    "CheckpointWriter",
    "CommittedUnawaresError",
    "MonitorChangedError",
    "Standing",
]


class MonitorChangedError(OutputwatchError):
    """Another worker of this monitor runs with another baseline or another policy."""


class CommittedUnawaresError(OutputwatchError):
    """A checkpoint that seemed to have failed is in the database: go on from there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the stream says of a partition at the time of a checkpoint."""

    caught_up: bool = False
    ended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What one transaction wrote.

    Parameters
    ----------
    decision
        The windows that were closed, and the monitor's row afterwards.
    frontier
        How far all partitions have come.
    positions
        Where the partitions of this worker stand now.
    counted
        What became of the records that this checkpoint wrote.
    n_open
        Stretches of time that are open after it.
    fenced
        Partitions that another worker owns by now; what was read of them is dropped.
    unowned
        Partitions that nobody owns, or whose owner has not been heard of for some time; without
        those that have ended, unless they were asked for.
    everything_read
        Whether all partitions of all workers were read to their ends.
    last_record_us
        When the last record came to any worker, by the wall clock; None without partitions.
    """

    decision: Decision
    frontier: Frontier
    positions: Mapping[str, int]
    counted: StreamTally
    n_open: int = 0
    fenced: tuple[str, ...] = ()
    unowned: frozenset[str] = frozenset()
    everything_read: bool = False
    last_record_us: int | None = None


@dataclass(slots=True, kw_only=True)
class CheckpointWriter:
    """Writes checkpoints; a failed one leaves everything as it was, to be tried again.

    Parameters
    ----------
    store, streams, decider, clock, windows, patience
        What it works with.
    expected
        The monitor's row as this worker was started for.
    max_letters
        Samples that are kept of each reason.
    amend_values
        The slices that a window keeps of each slicing, to add late events to stored windows;
        None: late events are only counted.
    """

    store: Store
    streams: StreamRepository
    decider: Decider
    clock: Clock
    windows: TumblingWindows
    patience: Patience
    expected: MonitorRow
    max_letters: int
    amend_values: int | None = None
    _settled: list[tuple[Holding, Settlement]] = field(default_factory=list)

    def write(
        self,
        holdings: Mapping[str, Holding],
        standings: Mapping[str, Standing],
        *,
        finish: bool = False,
        memory: StreamMemory | None = None,
        lost: Collection[str] = (),
    ) -> Checkpoint:
        """Write what is held and decide what can be decided.

        Parameters
        ----------
        holdings
            The partitions of this worker.
        standings
            What the stream says of them.
        finish
            Whether the stream ends here, if everything was read.
        memory
            What the stream remembers besides positions.
        lost
            Partitions that another worker has taken over, to see whether it left them.

        Raises
        ------
        MonitorChangedError
            If another worker has another baseline or policy.
        CommittedUnawaresError
            If the database is further than it should be, by a commit of this worker of which
            only the answer was lost.
        ConcurrentWriteError, sqlalchemy.exc.OperationalError
            If the database could not be written; nothing was.
        """
        self._settled = []
        try:
            with self.store.begin():
                written = self._write(holdings, standings, finish=finish, memory=memory, lost=lost)
        except BaseException:
            self.decider.undone()
            raise
        if memory is not None:
            memory.written(written.frontier.until_us)
        for holding, settlement in self._settled:
            holding.settle(settlement)
            if written.decision.row.closed_us is not None:
                holding.forget(written.decision.row.closed_us)
        return written

    def _write(
        self,
        holdings: Mapping[str, Holding],
        standings: Mapping[str, Standing],
        *,
        finish: bool,
        memory: StreamMemory | None,
        lost: Collection[str],
    ) -> Checkpoint:
        row = self.streams.locked()
        self._check(row)
        now_us = self.clock.now_us()
        busy = {
            name: holding
            for name, holding in sorted(holdings.items())
            if not _is_over(holding, standings.get(name, Standing()))
        }
        known = {each.name: each for each in self.streams.in_play({*busy, *lost})}
        ours = {name: holding for name, holding in sorted(holdings.items()) if name in known}
        fenced = tuple(
            name
            for name, holding in {**busy, **ours}.items()
            if not self._is_ours(holding, known.get(name))
        )
        for name, holding in ours.items():
            if name not in fenced:
                standing = standings.get(name, Standing())
                known[name] = self._moved(known[name], holding, standing, row, now_us)
        ended_before = self.streams.ended()
        partitions = (*known.values(), *([ended_before] if ended_before is not None else []))
        front = frontier(partitions, self.windows, self.patience, now_us)
        everything = bool(partitions) and all(
            each.caught_up or each.ended or each.name in front.unattended for each in partitions
        )
        until_us = front.until_us
        if memory is not None:
            memory.write(holdings.keys() - set(fenced))
            everything = everything and (not finish or memory.may_end(until_us))
            until_us = _earlier(until_us, memory.not_before())
        ended = finish and everything
        decision = Decision(row=row)
        if until_us is not None or ended:
            decision = self.decider.decide(row, until_us or 0, silent=front.silent, ended=ended)
        return Checkpoint(
            decision=decision,
            frontier=front,
            positions={
                name: holding.position
                for name, holding in holdings.items()
                if name not in fenced and holding.position is not None
            },
            counted=self._counted(),
            n_open=len(self.streams.open_starts()),
            fenced=fenced,
            unowned=self._unowned(partitions, now_us),
            everything_read=everything,
            last_record_us=max((each.moved_us for each in partitions), default=None),
        )

    def _unowned(self, partitions: Iterable[PartitionRow], now_us: int) -> frozenset[str]:
        return frozenset(
            each.name
            for each in partitions
            if each.name
            and (not each.owner or now_us - each.attended_us > self.patience.affirmed_us)
        )

    def _counted(self) -> StreamTally:
        """Return what this checkpoint adds to the tallies."""
        counted = StreamTally()
        for holding, settlement in self._settled:
            counted = StreamTally.total([counted, settlement.tally.less(holding.tally)])
        return counted

    def _is_ours(self, holding: Holding, known: PartitionRow | None) -> bool:
        """Return whether nobody took a partition over since this worker did."""
        if known is None or known.epoch != holding.epoch:
            return False
        if known.position != holding.committed:
            message = (
                f"{holding.name!r} must stand at {holding.committed!r} in the database, it is at "
                f"{known.position!r}: a checkpoint whose answer was lost has been written; what "
                "was read since is read again from there"
            )
            raise CommittedUnawaresError(message)
        return True

    def _moved(
        self,
        known: PartitionRow,
        holding: Holding,
        standing: Standing,
        row: MonitorRow,
        now_us: int,
    ) -> PartitionRow:
        """Write what one partition adds, and return where it stands then."""
        if known.ended and _is_over(holding, standing):
            # Files that were rotated away become many, and nothing is new about them.
            return known
        settlement = holding.settlement(row.closed_us)
        if self.amend_values is not None and settlement.late:
            settlement.tally.n_amended += amend_windows(
                self.store, row.job_id, holding.n_cells, settlement.late,
                max_values=self.amend_values,
            )  # fmt: skip
        move = Move(
            name=holding.name,
            epoch=holding.epoch,
            old=holding.committed,
            new=holding.position,
            newest_us=holding.newest_us,
            caught_up=standing.caught_up,
            ended=standing.ended,
            moved_us=holding.moved_us,
            attended_us=now_us,
            tally=settlement.tally.to_json(),
        )
        if not self.streams.move(move):
            raise ConcurrentWriteError
        self._write_counts(holding, settlement, row)
        self._settled.append((holding, settlement))
        return replace(
            known,
            position=move.new,
            newest_us=move.newest_us,
            caught_up=move.caught_up,
            ended=move.ended,
            moved_us=move.moved_us,
            attended_us=move.attended_us,
            tally=move.tally,
        )

    def _write_counts(self, holding: Holding, settlement: Settlement, row: MonitorRow) -> None:
        self.streams.put_partials(holding.partial_rows(settlement))
        for start_us, hashes in sorted(holding.fresh.ids.items()):
            if row.closed_us is None or start_us > row.closed_us:
                position = holding.position or 0
                self.streams.add_ids(holding.name, start_us, position, encode_hashes(hashes))
        if holding.fresh.letters:
            self.streams.add_letters(holding.fresh.letters, limit=self.max_letters)

    def _check(self, row: MonitorRow) -> None:
        ours, theirs = self.expected, row
        if (ours.job_id, ours.policy_digest) != (theirs.job_id, theirs.policy_digest):
            message = (
                f"another worker of {self.streams.name!r} has changed the baseline or the "
                f"policy (baseline {theirs.baseline_id[:12]}, here {ours.baseline_id[:12]}); "
                "start this one again with the same configuration"
            )
            raise MonitorChangedError(message)


def _is_over(holding: Holding, standing: Standing) -> bool:
    """Return whether nothing is to be written of a partition, now or ever.

    Files that were rotated away become many: they are not even looked up.
    """
    return standing.ended and holding.is_written and not holding.leased


def _earlier(until_us: int | None, not_before: int | None) -> int | None:
    """Return how far windows can be closed while something may still come for a time."""
    return until_us if until_us is None or not_before is None else min(until_us, not_before)
