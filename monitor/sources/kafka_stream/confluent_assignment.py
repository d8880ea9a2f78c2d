"""Which partitions a consumer of librdkafka has, and where in them it stands."""

from collections import deque
from collections.abc import Iterable, Sequence

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

from monitor.sources.kafka_stream.client import Change, ChangeKind, NotReadyError, Partition

__all__ = ["ConfluentAssignment"]


class ConfluentAssignment:
    """Lets partitions that were given stand still until they are sent somewhere.

    Parameters
    ----------
    consumer
        The consumer, without partitions yet.
    cooperative
        Whether partitions come and go one by one.
    """

    def __init__(self, consumer: Consumer, *, cooperative: bool) -> None:
        self._consumer = consumer
        self._one_by_one = cooperative
        self._changes: deque[Change] = deque()
        self._standing: set[Partition] = set()
        self._stopped: set[Partition] = set()
        self.positions: dict[Partition, int] = {}
        """The next offset to be read, where that is known."""
        self.ends: dict[Partition, int] = {}
        """The end of what may be read, where it was reached."""

    def join(self, topics: Sequence[str]) -> None:
        """Join the group, which gives and takes partitions from now on."""
        self._consumer.subscribe(
            list(topics), on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked
        )

    def take(self, partitions: Iterable[Partition]) -> None:
        """Take partitions without a group."""
        self._one_by_one = True
        places = [TopicPartition(*partition, OFFSET_BEGINNING) for partition in partitions]
        self._consumer.incremental_assign(places)
        self._hold(places)

    def changes(self) -> Sequence[Change]:
        """Return what was given and taken since the last call, in order."""
        found = list(self._changes)
        self._changes.clear()
        return found

    def has_stopped(self, partition: Partition) -> None:
        """Take note that librdkafka fetches a partition no more: its offset is out of range."""
        self._stopped.add(partition)

    def read_from(self, partition: Partition, offset: int) -> None:
        """Go to an offset; see `Client.read_from`."""
        place = TopicPartition(*partition, offset)
        try:
            if partition in self._stopped:
                self._assign_anew(place)
            else:
                self._consumer.seek(place)
            self._consumer.resume([place])
        except KafkaException as error:
            message = f"cannot go to {partition.name} at {offset}: {error.args[0]}"
            raise NotReadyError(message) from error
        self._stopped.discard(partition)
        self._standing.discard(partition)
        self.positions[partition] = offset
        self.ends.pop(partition, None)

    def pause(self, partitions: Sequence[Partition]) -> None:
        """Fetch nothing of them."""
        self._consumer.pause([TopicPartition(*partition) for partition in partitions])
        self._standing.update(partitions)

    def resume(self, partitions: Sequence[Partition]) -> None:
        """Fetch them."""
        self._consumer.resume([TopicPartition(*partition) for partition in partitions])
        self._standing.difference_update(partitions)

    def _assign_anew(self, place: TopicPartition) -> None:
        """Let a partition begin anew at an offset.

        librdkafka refuses to seek in a partition that it does not fetch any more: it must be
        taken from the assignment and put into it again. With eager rebalancing that goes only
        with all partitions at once.
        """
        held = {Partition(each.topic, each.partition) for each in self._consumer.assignment()}
        partition = Partition(place.topic, place.partition)
        if partition not in held:
            return
        if self._one_by_one:
            self._consumer.incremental_unassign([place])
            self._consumer.incremental_assign([place])
            return
        others = [
            TopicPartition(*other, self.positions.get(other, OFFSET_BEGINNING))
            for other in held - {partition}
        ]
        self._consumer.assign([place, *others])
        self._consumer.pause([TopicPartition(*each) for each in self._standing])

    def _assigned(self, _: object, places: list[TopicPartition]) -> None:
        for place in places:
            place.offset = OFFSET_BEGINNING
        if self._one_by_one:
            self._consumer.incremental_assign(places)
        else:
            self._consumer.assign(places)
        self._hold(places)

    def _hold(self, places: Sequence[TopicPartition]) -> None:
        if places:
            self._consumer.pause(list(places))
            self._standing |= self._change(ChangeKind.GIVEN, places)

    def _revoked(self, _: object, places: list[TopicPartition]) -> None:
        if self._one_by_one:
            self._consumer.incremental_unassign(places)
        else:
            self._consumer.unassign()
        self._change(ChangeKind.TAKEN, places)

    def _change(self, kind: ChangeKind, places: Iterable[TopicPartition]) -> frozenset[Partition]:
        """Note a change, and return its partitions, of which nothing is known now."""
        partitions = frozenset(Partition(place.topic, place.partition) for place in places)
        for partition in partitions:
            self.positions.pop(partition, None)
            self.ends.pop(partition, None)
            self._stopped.discard(partition)
            self._standing.discard(partition)
        if partitions:
            self._changes.append(Change(kind, partitions))
        return partitions
