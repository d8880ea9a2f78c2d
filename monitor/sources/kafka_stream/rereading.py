"""Records of a stretch of time, read again by a consumer that belongs to no group.

The time of an event is not the time of its record in Kafka. Reading begins at the first record
that was written after the stretch began, less the lateness that is allowed and a margin. It
ends in a partition when records were written so much after the stretch, and most events are as
late too: a log that was filled afterwards has all its records in another time.
"""

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final, TypeVar

import numpy as np
import numpy.typing as npt

from baselines.schema import Schema
from monitor.decoding.base import Decoded, Needs, Origin
from monitor.decoding.message_batch import MessageDecoder
from monitor.decoding.plan import plan_decoding
from monitor.sources.base import SourceError, Unit
from monitor.sources.kafka import Kafka
from monitor.sources.kafka_stream.broker import BEGINNING, END, Broker
from monitor.sources.kafka_stream.client import (
    OutOfRangeError,
    Partition,
    Run,
    UnreachableError,
)
from monitor.sources.kafka_stream.kafka_python import KafkaPythonClient
from monitor.sources.rereading import RereadStoppedError, Stretch

__all__ = ["KafkaStretch", "Limits"]

MARGIN_US: Final = 60_000_000
"""How far clocks of producers and brokers may be apart."""

BLOCK_RECORDS: Final = 1_000
_POLL_SECONDS: Final = 0.5
_POLL_RECORDS: Final = 5_000
_RETRY_SECONDS: Final = 0.5

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much is read at most; more is left out and told."""

    records: int = 2_000_000
    bytes: int = 1 << 30
    seconds: float = 60.0


@dataclass(slots=True, kw_only=True)
class _Part:
    """A partition while it is read: ``next <= offset < end``, of late times from `late_from`."""

    partition: Partition
    next: int
    late_from: int
    end: int
    payloads: list[bytes] = field(default_factory=list)
    is_done: bool = False

    @property
    def is_at_end(self) -> bool:
        return self.next >= self.end

    def keep(self, run: Run) -> tuple[int, int]:
        """Keep the records before the end; return how many records and bytes."""
        kept = [
            payload
            for offset, payload in zip(run.offsets, run.payloads, strict=True)
            if self.next <= offset < self.end
        ]
        self.payloads += kept
        self.next = max(self.next, run.offsets[-1] + 1)
        return len(kept), sum(map(len, kept))


class KafkaStretch:
    """See `monitor.sources.base.Source` and `monitor.sources.rereading.PartialSource`.

    No question takes longer than some seconds. A cluster that does not answer is asked again
    until the time is up.

    Parameters
    ----------
    options
        The source.
    stretch
        Which events are looked for.
    stopped
        Asked in between whether to give up.
    limits
        How much is read at most.
    monotonic
        Seconds that never go back.
    """

    name: ClassVar[str] = "kafka"

    def __init__(
        self,
        options: Kafka,
        stretch: Stretch,
        *,
        stopped: Callable[[], bool] = lambda: False,
        limits: Limits | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._options = options
        self._stretch = stretch
        self._stopped = stopped
        self._limits = limits or Limits()
        self._now = monotonic
        self._until = 0.0
        self._n_records = 0
        self._n_bytes = 0
        self._incomplete: list[str] = []

    def units(self) -> Sequence[Unit]:
        """Return one unit: the partitions are read at a time."""
        names = ",".join(self._options.topics or self._options.partitions)
        written_ns = self._stretch.to_us * 1_000
        unit = Unit(id=names, path=names, ordinal=0, format="jsonl", size=0, mtime_ns=written_ns)
        return [unit]

    def incomplete(self) -> Sequence[str]:
        """See `PartialSource.incomplete`."""
        return tuple(self._incomplete)

    def read(self, unit: Unit, schema: Schema, needs: Needs) -> Iterator[Decoded]:
        """Yield records around the stretch of time, in blocks of one partition each.

        Raises
        ------
        RereadStoppedError
            If it was told to stop.
        SourceError
            If nothing can be read, or a batch is broken.
        """
        del unit
        self._until = self._now() + self._limits.seconds
        broker = Broker(self._options)
        try:
            parts = self._parts(broker)
            if parts:
                yield from self._decoded(broker, parts, _decoder(schema, needs))
        finally:
            broker.close()

    def _parts(self, broker: Broker) -> dict[Partition, _Part]:
        """Return where to begin and to end; partitions without a record in time are left out."""
        options, stretch = self._options, self._stretch
        around_us = stretch.lateness_us + MARGIN_US
        wanted: Collection[Partition] = [Partition.named(name) for name in options.partitions]
        if not wanted:
            wanted = self._asked(lambda: broker.partitions(options.topics))
        if not wanted:
            return {}

        def offsets(at: int) -> Mapping[Partition, int]:
            return self._asked(lambda: broker.offsets(wanted, at))

        ends, oldest = offsets(END), offsets(BEGINNING)
        starts = offsets(max(0, stretch.from_us - around_us) // 1_000)
        late_from = offsets((stretch.to_us + around_us) // 1_000 + 1)
        parts: dict[Partition, _Part] = {}
        for partition, start in sorted(starts.items()):
            end = ends.get(partition, start)
            if start == oldest.get(partition) and start > 0:
                self._note_gone(partition, start)
            if start < end:
                parts[partition] = _Part(
                    partition=partition, next=start, end=end,
                    late_from=late_from.get(partition, end),
                )  # fmt: skip
        return parts

    def _decoded(
        self, broker: Broker, parts: Mapping[Partition, _Part], decoder: MessageDecoder
    ) -> Iterator[Decoded]:
        client = KafkaPythonClient(self._options, partitions=parts, blocks=False)
        try:
            for part in parts.values():
                client.read_from(part.partition, part.next)
            while not all(part.is_done for part in parts.values()):
                for run in self._polled(client, broker, parts):
                    self._take(run, parts[run.partition])
                given_up = self._given_up(parts)
                for part in parts.values():
                    self._pass_markers(client, part)
                    if part.payloads and (given_up or part.is_at_end or _is_full(part)):
                        yield self._block(part, decoder)
                    if part.is_at_end or part.is_done:
                        part.is_done = True
                        client.pause([part.partition])
                if given_up:
                    return
        finally:
            client.close()

    def _polled(
        self, client: KafkaPythonClient, broker: Broker, parts: Mapping[Partition, _Part]
    ) -> Sequence[Run]:
        self._give_up_if_stopped()
        left = max(1, self._limits.records - self._n_records)
        try:
            return client.poll(_POLL_SECONDS, min(_POLL_RECORDS, left))
        except UnreachableError:
            return ()
        except OutOfRangeError as error:
            # Retention was faster.
            gone = tuple(error.partitions)
            oldest = self._asked(lambda: broker.offsets(gone, BEGINNING))
            for partition, offset in oldest.items():
                part = parts[partition]
                part.next = max(part.next, offset)
                client.read_from(partition, part.next)
                self._note_gone(partition, offset)
            return ()

    def _take(self, run: Run, part: _Part) -> None:
        if part.is_done:
            return
        n_records, n_bytes = part.keep(run)
        self._n_records += n_records
        self._n_bytes += n_bytes

    def _pass_markers(self, client: KafkaPythonClient, part: _Part) -> None:
        """Go past what is no record at the end: markers of transactions, compacted keys."""
        position, _ = client.progress(part.partition)
        if position is not None and not part.is_done:
            part.next = max(part.next, position)

    def _block(self, part: _Part, decoder: MessageDecoder) -> Decoded:
        origin = Origin(path=part.partition.name, position=f"before {part.next}", first_line=1)
        decoded = decoder.decode(part.payloads, origin)
        part.payloads = []
        if part.next >= part.late_from and self._is_past(decoded.columns.time_us):
            part.is_done = True
        return decoded

    def _is_past(self, times_us: npt.NDArray[np.int64]) -> bool:
        """Return whether most events of a block came after the stretch, and none lies in it.

        Most, because a single clock that is wrong must not end it.
        """
        stretch = self._stretch
        if not len(times_us) or np.median(times_us) < stretch.to_us + stretch.lateness_us:
            return False
        return not bool(((times_us >= stretch.from_us) & (times_us < stretch.to_us)).any())

    def _given_up(self, parts: Mapping[Partition, _Part]) -> bool:
        """Return whether a limit is reached; what is missing then is noted."""
        limits = self._limits
        unread = [part.partition.name for part in parts.values() if not _is_read(part)]
        if not unread:
            return False
        if self._n_records >= limits.records:
            reached = f"{limits.records:,} records"
        elif self._n_bytes >= limits.bytes:
            reached = f"{limits.bytes:,} bytes"
        elif self._now() >= self._until:
            reached = f"{limits.seconds:g} seconds"
            if not self._n_records:
                message = f"no record of {', '.join(unread)} came within {reached}"
                raise SourceError(message)
        else:
            return False
        named = ", ".join(unread[:5]) + (f" and {len(unread) - 5} more" if unread[5:] else "")
        self._incomplete.append(f"reading was given up after {reached}, within {named}")
        return True

    def _note_gone(self, partition: Partition, offset: int) -> None:
        self._incomplete.append(f"records of {partition.name} before offset {offset} are gone")

    def _asked(self, question: Callable[[], T]) -> T:
        while True:
            self._give_up_if_stopped()
            try:
                return question()
            except UnreachableError:
                if self._now() >= self._until:
                    raise
                time.sleep(_RETRY_SECONDS)

    def _give_up_if_stopped(self) -> None:
        if self._stopped():
            message = "reading again was told to stop"
            raise RereadStoppedError(message)


def _decoder(schema: Schema, needs: Needs) -> MessageDecoder:
    return MessageDecoder(plan_decoding(schema, needs))


def _is_full(part: _Part) -> bool:
    return len(part.payloads) >= BLOCK_RECORDS


def _is_read(part: _Part) -> bool:
    return part.is_done or part.is_at_end
