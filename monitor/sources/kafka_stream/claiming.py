"""Partitions that were given: claimed, and read on from where the database says."""

from collections.abc import Mapping, Sequence

from monitor.sources.kafka import Kafka
from monitor.sources.kafka_stream.broker import BEGINNING, END, Broker
from monitor.sources.kafka_stream.client import Partition, UnreachableError
from monitor.sources.kafka_stream.noticing import Noticing
from monitor.sources.kafka_stream.reading import RETRY_SECONDS, Reading
from monitor.sources.live import Claimed, Claims

__all__ = ["Claiming"]

NOT_READY_SECONDS = 0.05


class Claiming:
    """Opens what the client was given, as soon as the cluster and the database answer.

    Parameters
    ----------
    options
        The source.
    claims
        How partitions are taken over.
    broker
        Whom to ask for offsets and identities.
    reading
        What is opened.
    noticing
        Whom to tell what was found.
    """

    def __init__(
        self,
        options: Kafka,
        claims: Claims,
        *,
        broker: Broker,
        reading: Reading,
        noticing: Noticing,
    ) -> None:
        self._options = options
        self._claims = claims
        self._broker = broker
        self._reading = reading
        self._noticing = noticing

    def give_back(self) -> None:
        """Release what was taken away."""
        leaving = self._reading.holdings.leaving
        if leaving:
            self._claims.release(sorted(partition.name for partition in leaving))
            leaving.clear()

    def open_pending(self) -> None:
        """Claim what was given and is not read yet, and begin to read it."""
        reading = self._reading
        pending = sorted(reading.holdings.pending)
        if not pending or reading.client is None or not reading.may_try():
            return
        try:
            topics = self._options.topics or [partition.topic for partition in pending]
            identities = self._broker.identities(topics)
            self._expect_all(identities)
            claimed = self._claims.claim({p.name: identities.get(p.topic, "") for p in pending})
            offsets = self._starts(pending, claimed, identities)
        except UnreachableError as error:
            reading.retry_in(RETRY_SECONDS)
            self._noticing.no_answer(str(error))
            return
        for partition, offset in offsets.items():
            is_new = claimed.get(partition.name, Claimed()).position is None
            self._open(partition, offset, identities.get(partition.topic, ""), is_new=is_new)

    def _expect_all(self, identities: Mapping[str, str]) -> None:
        """Name all partitions of the topics, before any of them is read and can be ahead."""
        if self._options.topics:
            known = self._broker.partitions(self._options.topics)
            self._claims.expect({p.name: identities.get(p.topic, "") for p in known})

    def _open(self, partition: Partition, offset: int, identity: str, *, is_new: bool) -> None:
        if not self._reading.begin(partition, offset, identity):
            self._reading.retry_in(NOT_READY_SECONDS)
        elif is_new and offset > 0:
            # Otherwise a restart before the first record would find another start.
            self._reading.holdings.mark(partition, offset)

    def _starts(
        self,
        partitions: Sequence[Partition],
        claimed: Mapping[str, Claimed],
        identities: Mapping[str, str],
    ) -> dict[Partition, int]:
        """Return where to begin in each partition."""
        starts: dict[Partition, int] = {}
        new, replaced = [], []
        for partition in partitions:
            known = claimed.get(partition.name, Claimed())
            identity = identities.get(partition.topic, "")
            if known.position is None:
                new.append(partition)
            elif known.identity and identity and known.identity != identity:
                replaced.append((partition, known))
            else:
                starts[partition] = known.position
        if replaced:
            starts |= self._broker.offsets([partition for partition, _ in replaced], BEGINNING)
        for partition, known in replaced:
            self._noticing.replaced(partition, known.position)
        return starts | (self._new_starts(new) if new else {})

    def _new_starts(self, partitions: Sequence[Partition]) -> dict[Partition, int]:
        at = self._options.start_ms
        if at is None:
            at = BEGINNING if self._options.start == "earliest" else END
        found = self._broker.offsets(partitions, at)
        missing = [partition for partition in partitions if partition not in found]
        return found | (self._broker.offsets(missing, END) if missing else {})
