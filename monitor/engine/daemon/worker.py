"""One worker of a running monitor: read, count, write a checkpoint, and again."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from sqlalchemy.exc import DBAPIError

from monitor.clock import Clock
from monitor.config.running import RunSettings
from monitor.engine.daemon.checkpoint import Checkpoint, CheckpointWriter, Standing
from monitor.engine.daemon.holding import Holding
from monitor.engine.daemon.intake import Intake
from monitor.engine.daemon.observing import Observer
from monitor.engine.daemon.ownership import Ownership
from monitor.errors import OutputwatchError
from monitor.sources.live import (
    Batch,
    FinishingStream,
    LiveStream,
    Notice,
    NoticeKind,
    RemoteStream,
    StreamMemory,
)
from monitor.storage.connection import refusal
from monitor.storage.errors import StorageError
from monitor.telemetry.logs import get_logger

__all__ = ["DatabaseAwayError", "Ending", "Worker"]

_LOG = get_logger(__name__)

POLL_SECONDS = 0.5
MAX_RECORDS_AT_ONCE = 5_000
_RETRY_SECONDS = 0.5
_DRAIN_SECONDS = 10.0


class DatabaseAwayError(OutputwatchError):
    """The database could not be written for longer than the configuration allows."""


class Ending(StrEnum):
    """Why a worker stopped."""

    STOPPED = "stopped"
    FINISHED = "finished"


@dataclass(slots=True, kw_only=True)
class Worker:
    """Follows a stream until it is told to stop, or has read everything.

    Parameters
    ----------
    settings
        The ``run`` section.
    ownership, stream, intake, writer
        The partitions, where records come from, how they are counted and written.
    observer
        Is told what happens, for metrics, logs and incidents about the monitor itself.
    clock
        The wall clock.
    monotonic
        Seconds that never go back.
    wait
        Waits for some seconds.
    until_caught_up
        Whether to stop once everything there is was read; windows that are open then are
        closed, as at the end of an audit.
    reopen
        Opens the stream once more, after it was closed.
    between
        Does a little of other work, as long as records are read and written without trouble.
    """

    settings: RunSettings
    ownership: Ownership
    stream: LiveStream
    intake: Intake
    writer: CheckpointWriter
    observer: Observer
    clock: Clock
    monotonic: Callable[[], float]
    wait: Callable[[float], object]
    reopen: Callable[[], LiveStream]
    until_caught_up: bool = False
    between: Callable[[], None] | None = None
    stopping: threading.Event = field(default_factory=threading.Event)
    _last_checkpoint: float = 0.0
    _away_since: float | None = None
    _paused: bool = False
    _told_to_finish: bool = False

    def run(self) -> Ending:
        """Work until told to stop; what was read is written before it ends.

        Raises
        ------
        DatabaseAwayError
            If the database was away for too long.
        SourceStoppedError
            If the source's policy is to stop at what cannot be read.
        """
        self._last_checkpoint = self.monotonic()
        while not self.stopping.is_set():
            self.observer.beat()
            self._read()
            if self._is_due():
                checkpoint = self._checkpoint(finish=self._told_to_finish)
                if checkpoint is not None and self._is_finished(checkpoint):
                    return Ending.FINISHED
            if self.between is not None and self._away_since is None and not self._paused:
                self.between()
        self._drain()
        return Ending.STOPPED

    def _read(self) -> None:
        self._pause_or_resume()
        began = self.monotonic()
        try:
            batches = self.stream.poll(POLL_SECONDS, MAX_RECORDS_AT_ONCE)
        except (StorageError, DBAPIError) as error:
            # It could not take a new partition over, or its records are in the database.
            self._database_away(error, began)
            self.wait(_RETRY_SECONDS)
            return
        self._note(self.stream.notices())
        now_us = self.clock.now_us()
        for batch in batches:
            self._take(batch, now_us)
        self.observer.polled(sum(len(batch.payloads) for batch in batches))
        self.observer.answered(
            self.stream.outage() if isinstance(self.stream, RemoteStream) else None
        )

    def _take(self, batch: Batch, now_us: int) -> None:
        holding = self.ownership.held().get(batch.partition)
        if holding is None:
            # Its new owner reads it.
            return
        self.intake.take(batch, holding, now_us)

    def _note(self, notices: Sequence[Notice]) -> None:
        for notice in notices:
            if notice.kind in (NoticeKind.TRUNCATED, NoticeKind.TOPIC_REPLACED):
                for name, holding in self.ownership.held().items():
                    holding.restarted |= name == notice.partition
            self.observer.noticed(notice)

    def _pause_or_resume(self) -> None:
        waiting = self._waiting()
        if not self._paused and waiting >= self.settings.max_waiting_records:
            self.stream.pause()
            self._paused = True
        elif self._paused and waiting < self.settings.max_waiting_records // 2:
            self.stream.resume()
            self._paused = False
        self.observer.waiting(waiting, paused=self._paused)

    def _waiting(self) -> int:
        return sum(each.fresh.tally.n_records for each in self.ownership.held().values())

    def _is_due(self) -> bool:
        since = self.monotonic() - self._last_checkpoint
        if self._away_since is not None:
            return since >= _RETRY_SECONDS
        if self._waiting() >= self.settings.checkpoint_records:
            return True
        return since >= self.settings.checkpoint_seconds

    def _checkpoint(self, *, finish: bool = False) -> Checkpoint | None:
        """Write a checkpoint; None if the database could not be written, to be tried again."""
        began = self.monotonic()
        self._last_checkpoint = began
        held = self.ownership.held()
        standings = self._standings(held)
        try:
            memory: StreamMemory | None = getattr(self.stream, "memory", None)
            written = self.writer.write(
                held, standings, finish=finish, memory=memory, lost=self.ownership.lost
            )
        except (StorageError, DBAPIError) as error:
            self._database_away(error, began)
            return None
        self._away_since = None
        self.intake.closed_us = written.decision.row.closed_us
        self.ownership.drop(written.fenced)
        self.stream.committed(written.positions)
        self._go_back_for(written.unowned)
        self.observer.checkpointed(
            written, seconds=self.monotonic() - began, lag=self.stream.lag()
        )
        if memory is not None:
            self.observer.joining(memory.backlog())
        if written.decision.more:
            self._last_checkpoint = began - self.settings.checkpoint_seconds
        return written

    def _go_back_for(self, unowned: frozenset[str]) -> None:
        """Open the source anew if it hands on what another worker took over and has left.

        A worker that was slow to claim may have taken a partition that was no longer its own;
        when it gives it back, the source has no reason to give it to this one once more.
        """
        orphaned = self.ownership.lost & unowned
        if not orphaned:
            return
        _LOG.warning(
            "the source is opened anew: partitions were taken over by another worker and left",
            partitions=sorted(orphaned),
        )
        self.stream.close()
        self.ownership.release([*self.ownership.lost, *self.ownership.held()])
        self.stream = self.reopen()
        self._paused = self._told_to_finish = False

    def _standings(self, held: Mapping[str, Holding]) -> dict[str, Standing]:
        caught_up, ended = self.stream.caught_up(), self.stream.ended()
        return {name: Standing(caught_up=name in caught_up, ended=name in ended) for name in held}

    def _database_away(self, error: Exception, began: float) -> None:
        if self._away_since is None:
            self._away_since = began
        away = self.monotonic() - self._away_since
        self.observer.database_away(error, seconds=away)
        if away > self.settings.database_patience_seconds:
            # The lines after it hold the statement's parameters, and these may be records.
            first_line = str(error).partition("\n")[0][:300]
            message = (
                f"the database could not be written for {away:.0f} seconds, more than "
                f"run.database_patience_seconds: {refusal(error)}: {first_line}; what was read "
                "since is read again at the next start"
            )
            raise DatabaseAwayError(message) from error

    def _is_finished(self, checkpoint: Checkpoint) -> bool:
        if not self.until_caught_up:
            return False
        can_be_told = isinstance(self.stream, FinishingStream)
        nothing = can_be_told and not self.ownership.held()
        if not (checkpoint.everything_read or nothing) or self._waiting():
            return False
        if not self._told_to_finish:
            # The next checkpoint closes all windows, once the last lines were handed on too.
            self._told_to_finish = True
            if isinstance(self.stream, FinishingStream):
                self.stream.finish()
            return False
        return not checkpoint.decision.more

    def _drain(self) -> None:
        """Write what was read; leave it to the next start if the database does not take it."""
        until = self.monotonic() + _DRAIN_SECONDS
        while self._waiting():
            self.observer.beat()
            try:
                if self._checkpoint() is not None:
                    return
            except DatabaseAwayError:
                return
            if self.monotonic() >= until:
                return
            self.wait(_RETRY_SECONDS)
