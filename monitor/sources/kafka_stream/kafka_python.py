"""The client kafka-python: pure Python, with a thread of its own for the network."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from kafka import ConsumerRebalanceListener, KafkaConsumer
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.errors import (
    KafkaError,
    LogTruncationError,
    OffsetOutOfRangeError,
    RetriableError,
)
from kafka.structs import MemberState, OffsetAndMetadata, TopicPartition

from monitor.sources.kafka import Kafka
from monitor.sources.kafka_stream.block_decoding import Block, BlockRecords, CorruptBatchError
from monitor.sources.kafka_stream.bounded import within
from monitor.sources.kafka_stream.client import (
    Change,
    ChangeKind,
    ClientBrokenError,
    OutOfRangeError,
    Partition,
    Run,
    UnreachableError,
    UnreadableError,
)
from monitor.sources.kafka_stream.construction import constructed
from monitor.sources.kafka_stream.refusals import refusal
from monitor.sources.kafka_stream.settings import consumer_settings

__all__ = ["KafkaPythonClient"]

CLOSE_SECONDS = 3.0
JOIN_SECONDS = 4.0
PAUSE_SECONDS = 0.2


class KafkaPythonClient:
    """A consumer that never stands where it was not sent.

    Parameters
    ----------
    options
        The source.
    partitions
        Read these without a group; None: join the group.
    blocks
        Whether record batches are read as blocks.

    Raises
    ------
    ClientBrokenError
        If no broker answers.
    SourceError
        If the broker refuses, and would again.
    """

    def __init__(
        self, options: Kafka, *, partitions: Iterable[Partition] | None, blocks: bool
    ) -> None:
        self._options = options
        self._changes: deque[Change] = deque()
        self._in_group = partitions is None
        self._blocks = blocks
        self._per_block = 1
        settings = consumer_settings(options)
        if self._in_group:
            settings |= _group_settings(options)
        try:
            self._consumer = constructed(KafkaConsumer, settings)
        except (KafkaError, OSError) as error:
            raise refusal(options, error) or ClientBrokenError(repr(error)) from error
        if blocks:
            # The class is looked up on the fetcher; nobody else's consumer is changed.
            self._consumer._fetcher.PartitionRecords = BlockRecords
        if partitions is None:
            self._consumer.subscribe(list(options.topics), listener=_Listener(self._change))
        else:
            mine = [TopicPartition(*partition) for partition in partitions]
            self._consumer.assign(mine)
            self._change(ChangeKind.GIVEN, mine)

    def poll(self, timeout_seconds: float, max_records: int) -> Sequence[Run]:
        """See `Client`."""
        limit = max(1, max_records // self._per_block)
        try:
            if self._in_group and self._consumer.group_metadata().state != MemberState.STABLE:
                # A join that is answered between two polls is thrown away: wait for the answer.
                # The poll below would go on waiting for records of partitions that stand still.
                self._consumer._coordinator.poll(timeout_ms=round(JOIN_SECONDS * 1_000))
            found = self._consumer.poll(round(timeout_seconds * 1_000), limit)
        except OffsetOutOfRangeError as error:
            raise OutOfRangeError({Partition(*tp): None for tp in error.args[0]}) from error
        except LogTruncationError as error:
            raise OutOfRangeError(_diverged(error)) from error
        except CorruptBatchError as error:
            raise UnreadableError(str(error), self._stumbled(), error.end) from error
        except RetriableError as error:
            # Thrown away, it could not leave the group, which would wait for it to come back.
            time.sleep(min(timeout_seconds, PAUSE_SECONDS))
            raise UnreachableError(repr(error)) from error
        except (KafkaError, OSError) as error:
            if _is_corruption(error):
                raise UnreadableError(repr(error), self._stumbled()) from error
            raise refusal(self._options, error) or ClientBrokenError(repr(error)) from error
        except Exception as error:
            # Decompression raises whatever its library raises.
            raise UnreadableError(repr(error), self._stumbled()) from error
        runs = [_run(Partition(*tp), records) for tp, records in found.items() if records]
        if self._blocks and runs:
            n_records = sum(len(run.payloads) for run in runs)
            self._per_block = max(1, n_records // sum(len(each) for each in found.values()))
        return runs

    def changes(self) -> Sequence[Change]:
        """See `Client`."""
        found = []
        while self._changes:
            found.append(self._changes.popleft())
        return found

    def read_from(self, partition: Partition, offset: int) -> None:
        """See `Client`."""
        tp = TopicPartition(*partition)
        try:
            self._consumer.seek(tp, offset)
            self._consumer.resume(tp)
        except (ValueError, KeyError):
            # Taken by the network's thread a moment ago; the change waits in the queue.
            return

    def pause(self, partitions: Sequence[Partition]) -> None:
        """See `Client`."""
        self._each(self._consumer.pause, partitions)

    def resume(self, partitions: Sequence[Partition]) -> None:
        """See `Client`."""
        self._each(self._consumer.resume, partitions)

    def progress(self, partition: Partition) -> tuple[int | None, int | None]:
        """See `Client`; the end is that of committed and uncommitted records."""
        state = self._consumer._subscription.assignment.get(TopicPartition(*partition))
        if state is None or state.position is None:
            return None, None
        return state.position.offset, state.highwater

    def commit(self, offsets: Mapping[Partition, int]) -> None:
        """See `Client`."""
        if not self._in_group or not offsets:
            return
        told = {
            TopicPartition(*partition): OffsetAndMetadata(offset, "", -1)
            for partition, offset in offsets.items()
        }
        try:
            self._consumer.commit_async(told)
        except (KafkaError, OSError, RuntimeError):
            return

    def close(self) -> None:
        """See `Client`."""
        try:
            within(CLOSE_SECONDS + 1.0, self._close)
        except Exception:
            # It is thrown away; what it still wants to say helps nobody.
            return

    def _stumbled(self) -> Partition | None:
        """Return the partition whose records raised; the errors themselves do not say it."""
        part = self._consumer._fetcher._next_partition_records
        return None if part is None else Partition(*part.topic_partition)

    def _close(self) -> None:
        self._consumer.close(autocommit=False, timeout_ms=round(CLOSE_SECONDS * 1_000))

    def _each(
        self, act: Callable[[TopicPartition], None], partitions: Sequence[Partition]
    ) -> None:
        for partition in partitions:
            try:
                act(TopicPartition(*partition))
            except (ValueError, KeyError):
                continue

    def _change(self, kind: ChangeKind, tps: Iterable[TopicPartition]) -> None:
        """Note a change; runs on the network's thread, so it must neither wait nor fail.

        A partition that was just given stands still at a place of no meaning: without one the
        client would go to the committed offset, and fetch at once.
        """
        partitions = frozenset(Partition(*tp) for tp in tps)
        if kind is ChangeKind.GIVEN:
            for partition in partitions:
                tp = TopicPartition(*partition)
                self._consumer.pause(tp)
                self._consumer.seek(tp, 0)
        if partitions:
            self._changes.append(Change(kind, partitions))


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc] # the client has no types
    def __init__(self, change: Callable[[ChangeKind, Iterable[TopicPartition]], None]) -> None:
        self._change = change

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self._change(ChangeKind.GIVEN, assigned)

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        self._change(ChangeKind.TAKEN, revoked)

    def on_partitions_lost(self, lost: Iterable[TopicPartition]) -> None:
        self._change(ChangeKind.TAKEN, lost)


def _group_settings(options: Kafka) -> dict[str, Any]:
    cooperative = options.rebalancing == "cooperative"
    return {
        "group_id": options.group,
        "group_instance_id": options.group_instance_id,
        "partition_assignment_strategy": [
            CooperativeStickyAssignor if cooperative else RangePartitionAssignor
        ],
        "session_timeout_ms": round(options.session_timeout_seconds * 1_000),
        "heartbeat_interval_ms": round(options.heartbeat_seconds * 1_000),
        "max_poll_interval_ms": round(options.max_poll_seconds * 1_000),
    }


def _run(partition: Partition, records: Sequence[Any]) -> Run:
    if not isinstance(records[0], Block):
        offsets = [record.offset for record in records]
        return Run(partition, offsets, [record.value or b"" for record in records])
    if len(records) == 1:
        return Run(partition, records[0].offsets, records[0].values)
    offsets, values = [], []
    for block in records:
        offsets += block.offsets
        values += block.values
    return Run(partition, offsets, values)


def _diverged(error: LogTruncationError) -> dict[Partition, int | None]:
    return {
        Partition(*tp): None if place is None else place.offset
        for tp, place in error.divergent_offsets.items()
    }


def _is_corruption(error: Exception) -> bool:
    return type(error).__name__ in {"CorruptRecordError", "UnsupportedCodecError"} or (
        "no complete records" in str(error)
    )
