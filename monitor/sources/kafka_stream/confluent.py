"""The client confluent-kafka: librdkafka, several times faster at fetching."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence

from confluent_kafka import (
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
    ClientBrokenError,
    OutOfRangeError,
    Partition,
    Run,
    UnreadableError,
)
from monitor.sources.kafka_stream.confluent_assignment import ConfluentAssignment
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
_OUT_OF_RANGE = {
    KafkaError.OFFSET_OUT_OF_RANGE,
    KafkaError._AUTO_OFFSET_RESET,
    KafkaError._LOG_TRUNCATION,
}


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
        self._troubles: deque[SourceError] = deque()
        self._in_group = partitions is None
        try:
            self._consumer = Consumer(confluent_settings(options, worker))
        except KafkaException as error:
            message = f"confluent-kafka refuses the options: {error.args[0]}"
            raise SourceError(message) from error
        cooperative = options.rebalancing == "cooperative"
        self._assignment = ConfluentAssignment(self._consumer, cooperative=cooperative)
        if partitions is None:
            self._assignment.join(options.topics)
        else:
            self._assignment.take(partitions)

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
        self._assignment.positions |= {run.partition: run.offsets[-1] + 1 for run in runs}
        return runs

    def changes(self) -> Sequence[Change]:
        """See `Client`."""
        return self._assignment.changes()

    def read_from(self, partition: Partition, offset: int) -> None:
        """See `Client`."""
        self._assignment.read_from(partition, offset)

    def pause(self, partitions: Sequence[Partition]) -> None:
        """See `Client`."""
        self._assignment.pause(partitions)

    def resume(self, partitions: Sequence[Partition]) -> None:
        """See `Client`."""
        self._assignment.resume(partitions)

    def progress(self, partition: Partition) -> tuple[int | None, int | None]:
        """See `Client`; librdkafka tells when the end of what may be read is reached."""
        position = self._assignment.positions.get(partition)
        if position is None:
            return None, None
        reached = self._assignment.ends.get(partition)
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
            self._assignment.ends[partition] = offset
            return None
        if code in _OUT_OF_RANGE and partition is not None:
            self._assignment.has_stopped(partition)
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


def _partition_of(message: Message) -> Partition | None:
    topic, number = message.topic(), message.partition()
    return None if topic is None or number is None or number < 0 else Partition(topic, number)
