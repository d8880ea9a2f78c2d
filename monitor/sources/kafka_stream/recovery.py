"""What is done about offsets that are gone and batches that cannot be read."""

from collections.abc import Mapping, Sequence

from monitor.sources.kafka import Kafka
from monitor.sources.kafka_stream.broker import BEGINNING, END, Broker
from monitor.sources.kafka_stream.client import (
    OutOfRangeError,
    Partition,
    UnreachableError,
    UnreadableError,
)
from monitor.sources.kafka_stream.inspection import Inspector
from monitor.sources.kafka_stream.noticing import Noticing
from monitor.sources.kafka_stream.reading import Reading
from monitor.sources.live import NoticeKind, SourceStoppedError

__all__ = ["Recovery"]


class Recovery:
    """Finds out what is lost, tells it, and stops or goes on behind it.

    Parameters
    ----------
    options
        The source, with what to do about losses.
    broker
        Whom to ask for offsets and identities.
    reading
        What has stumbled.
    noticing
        Whom to tell what was found.
    """

    def __init__(
        self, options: Kafka, *, broker: Broker, reading: Reading, noticing: Noticing
    ) -> None:
        self._options = options
        self._broker = broker
        self._reading = reading
        self._noticing = noticing

    def out_of_range(self, error: OutOfRangeError) -> None:
        """Find out why offsets are gone.

        Raises
        ------
        SourceStoppedError
            If records were deleted before they were read, and the policy is to stop.
        """
        for partition, diverged in error.partitions.items():
            try:
                self._out_of_range(partition, diverged)
            except (UnreachableError, KeyError) as trouble:
                self._noticing.no_answer(str(trouble))

    def unreadable(self, error: UnreadableError) -> None:
        """Read the place again with fresh clients; stop, or go past it, if it stays so.

        The client goes on if it is sent to another place than the one it stumbled at.

        Raises
        ------
        SourceStoppedError
            If it stays so, and the policy is to stop.
        """
        found = False
        suspects = [error.partition] if error.partition else list(self._reading.holdings.open)
        try:
            damage = self._damage(suspects)
        except UnreachableError as trouble:
            damage = {}
            self._noticing.no_answer(str(trouble))
        for partition, lost in damage.items():
            found = partition == error.partition
            detail = f"unreadable ({error})"
            self._go_past(partition, NoticeKind.UNREADABLE_BATCH, lost, detail)
        if not found:
            self._reading.start_over()

    def _out_of_range(self, partition: Partition, diverged: int | None) -> None:
        held = self._reading.holdings.open.get(partition)
        if held is None:
            return
        identity = self._broker.identities([partition.topic]).get(partition.topic, "")
        if held.identity and identity and identity != held.identity:
            self._reading.put_back(partition)
            return
        beginning = self._broker.offsets([partition], BEGINNING)[partition]
        end = self._broker.offsets([partition], END)[partition]
        if held.next < beginning:
            gap = (held.next, beginning)
            detail = "deleted before they were read"
            self._go_past(partition, NoticeKind.RETENTION_GAP, gap, detail)
            return
        # Else the log is shorter than it was: a broker that was behind has become its leader.
        left = min(held.next, end if diverged is None else diverged)
        if left < held.next:
            detail = "they were counted, and are no longer in the log"
            self._noticing.lost(partition, NoticeKind.TRUNCATED, (left, held.next), detail)
        self._reading.go_to(partition, left)

    def _damage(self, suspects: Sequence[Partition]) -> Mapping[Partition, tuple[int, int]]:
        """Return the offsets that cannot be read where the suspects stand."""
        damage: dict[Partition, tuple[int, int]] = {}
        ends = self._broker.offsets(suspects, END)
        for partition in suspects:
            held = self._reading.holdings.open.get(partition)
            if held is not None and held.next < ends.get(partition, 0):
                inspector = Inspector(self._options, partition, ends[partition])
                end = inspector.next_readable(held.next)
                if end > held.next:
                    damage[partition] = held.next, end
        return damage

    def _go_past(
        self, partition: Partition, kind: NoticeKind, lost: tuple[int, int], detail: str
    ) -> None:
        """Tell of lost offsets, and go on behind them unless the policy is to stop."""
        self._noticing.lost(partition, kind, lost, detail)
        unreadable = kind is NoticeKind.UNREADABLE_BATCH
        option = "on_unreadable_batch" if unreadable else "on_retention_gap"
        if getattr(self._options, option) == "stop":
            self._reading.start_over()
            message = (
                f"{partition.name}: the records from offset {lost[0]} up to {lost[1]} are "
                f"{detail}; set source.{option}: skip to go on without them"
            )
            raise SourceStoppedError(message)
        self._reading.go_to(partition, lost[1])
