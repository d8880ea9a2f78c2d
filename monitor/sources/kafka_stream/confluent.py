"""The client confluent-kafka: librdkafka, several times faster at fetching."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from monitor.sources.base import SourceError
from monitor.sources.kafka import Kafka
from monitor.sources.kafka_stream.bounded import within
from monitor.sources.kafka_stream.client import (
    Change,
    ChangeKind,
    ClientBrokenError,
    NotReadyError,
    OutOfRangeError,
    Partition,
    Run,
    UnreadableError,
)
from monitor.sources.kafka_stream.settings import confluent_settings

__all__ = ["ConfluentClient"]

CLOSE_SECONDS = 4.0
_REFUSALS = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.SASL_AUTHENTICATION_FAILED,
    KafkaError._AUTHENTICATION,
    KafkaError.FENCED_INSTANCE_ID,
}
_DAMAGE = {KafkaError._BAD_MSG, KafkaError._BAD_COMPRESSION, KafkaError._NOT_IMPLEMENTED}
_OUT_OF_RANGE = {KafkaError.OFFSET_OUT_OF_RANGE, KafkaError._AUTO_OFFSET_RESET}


class ConfluentClient:
    """A consumer that never stands where it was not sent.

    Parameters
    ----------
    options
        The source.
    partitions
        Read these without a group; None: join the group.
    worker
        The name of this worker.
    """

    def __init__(
        self, options: Kafka, *, partitions: Iterable[Partition] | None, worker: str
    ) -> None:
        self._changes: deque[Change] = deque()
        self._troubles: deque[SourceError] = deque()
        self._positions: dict[Partition, int] = {}
        self._ends: dict[Partition, int] = {}
        self._in_group = partitions is None
        self._cooperative = options.rebalancing == "cooperative"
        try:
            self._consumer = Consumer(confluent_settings(options, worker))
        except KafkaException as error:
            message = f"confluent-kafka refuses the options: {error.args[0]}"
            raise SourceError(message) from error
        if partitions is None:
            self._consumer.subscribe(
                list(options.topics),
                on_assign=self._assigned,
                on_revoke=self._revoked,
                on_lost=self._revoked,
            )
        else:
            mine = [TopicPartition(*partition, OFFSET_BEGINNING) for partition in partitions]
            self._consumer.assign(mine)
            self._hold(mine)

    def poll(self, timeout_seconds: float, max_records: int) -> Sequence[Run]:
        """See `Client`."""
        if self._troubles:
            raise self._troubles.popleft()
        try:
            messages = self._consumer.consume(max_records, timeout_seconds)
        except KafkaException as error:
            raise ClientBrokenError(repr(error)) from error
        found: dict[tuple[str | None, int | None], tuple[list[int], list[bytes]]] = {}
        stumbled: set[Partition | None] = set()
        for message in messages:
            failure = message.error()
            if failure is not None:
                partition = _partition_of(message)
                trouble = self._trouble(failure, partition, message.offset())
                if trouble is not None:
                    # What came before it is good and is handed on first.
                    self._troubles.append(trouble)
                    stumbled.add(partition)
                continue
            # A bare tuple is equal to the partition, and no object is made for each record.
            place = message.topic(), message.partition()
            run = found.get(place)
            if run is None:
                run = found[place] = [], []
            if not stumbled or place not in stumbled:
                run[0].append(message.offset() or 0)
                run[1].append(message.value() or b"")
        runs = [
            Run(Partition(str(t), int(n or 0)), *run) for (t, n), run in found.items() if run[0]
        ]
        self._positions |= {run.partition: run.offsets[-1] + 1 for run in runs}
        return runs

    def changes(self) -> Sequence[Change]:
        """See `Client`."""
        found = list(self._changes)
        self._changes.clear()
        return found

    def read_from(self, partition: Partition, offset: int) -> None:
        """See `Client`."""
        place = TopicPartition(*partition, offset)
        try:
            self._consumer.seek(place)
            self._consumer.resume([place])
        except KafkaException as error:
            message = f"cannot go to {partition.name} at {offset}: {error.args[0]}"
            raise NotReadyError(message) from error
        self._positions[partition] = offset
        self._ends.pop(partition, None)

    def pause(self, partitions: Sequence[Partition]) -> None:
        """See `Client`."""
        self._consumer.pause([TopicPartition(*partition) for partition in partitions])

    def resume(self, partitions: Sequence[Partition]) -> None:
        """See `Client`."""
        self._consumer.resume([TopicPartition(*partition) for partition in partitions])

    def progress(self, partition: Partition) -> tuple[int | None, int | None]:
        """See `Client`; librdkafka tells when the end of what may be read is reached."""
        position = self._positions.get(partition)
        if position is None:
            return None, None
        reached = self._ends.get(partition)
        if reached is not None and position <= reached:
            return reached, reached
        try:
            known = self._consumer.get_watermark_offsets(TopicPartition(*partition), cached=True)
        except KafkaException:
            return position, None
        return position, known[1] if known and known[1] >= position else None

    def commit(self, offsets: Mapping[Partition, int]) -> None:
        """See `Client`."""
        if not self._in_group or not offsets:
            return
        places = [TopicPartition(*partition, offset) for partition, offset in offsets.items()]
        try:
            self._consumer.commit(offsets=places, asynchronous=True)
        except KafkaException:
            return

    def close(self) -> None:
        """See `Client`."""
        try:
            within(CLOSE_SECONDS, self._consumer.close)
        except (TimeoutError, KafkaException, RuntimeError):
            return

    def _trouble(
        self, error: KafkaError, partition: Partition | None, offset: int | None
    ) -> SourceError | None:
        """Return what an error means; None: nothing bad."""
        code = error.code()
        if code == KafkaError._PARTITION_EOF and partition is not None and offset is not None:
            self._ends[partition] = offset
            return None
        if code in _OUT_OF_RANGE and partition is not None:
            return OutOfRangeError({partition: None})
        if code in _DAMAGE and partition is not None:
            return UnreadableError(str(error), partition)
        if code in _REFUSALS:
            message = (
                f"the broker refuses: {error}; the source needs Read on the group, and Read "
                f"and Describe on the topics"
            )
            return SourceError(message)
        return ClientBrokenError(str(error)) if error.fatal() else None

    def _assigned(self, _: object, places: list[TopicPartition]) -> None:
        for place in places:
            place.offset = OFFSET_BEGINNING
        if self._cooperative:
            self._consumer.incremental_assign(places)
        else:
            self._consumer.assign(places)
        self._hold(places)

    def _hold(self, places: Sequence[TopicPartition]) -> None:
        """Let partitions that were just given stand still until they are sent somewhere."""
        if places:
            self._consumer.pause(list(places))
            self._change(ChangeKind.GIVEN, places)

    def _revoked(self, _: object, places: list[TopicPartition]) -> None:
        if self._cooperative:
            self._consumer.incremental_unassign(places)
        else:
            self._consumer.unassign()
        self._change(ChangeKind.TAKEN, places)

    def _change(self, kind: ChangeKind, places: Iterable[TopicPartition]) -> None:
        partitions = frozenset(Partition(place.topic, place.partition) for place in places)
        for partition in partitions:
            self._positions.pop(partition, None)
            self._ends.pop(partition, None)
        if partitions:
            self._changes.append(Change(kind, partitions))


def _partition_of(message: Message) -> Partition | None:
    topic, number = message.topic(), message.partition()
    return None if topic is None or number is None or number < 0 else Partition(topic, number)
