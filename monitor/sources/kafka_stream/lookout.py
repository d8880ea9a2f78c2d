"""Questions asked now and then: do brokers answer, are the topics the same, where do they end."""

from collections.abc import Callable

from monitor.sources.kafka import Kafka
from monitor.sources.kafka_stream.broker import END, Broker
from monitor.sources.kafka_stream.client import Partition, UnreachableError
from monitor.sources.kafka_stream.noticing import Noticing
from monitor.sources.kafka_stream.reading import RETRY_SECONDS, Reading

__all__ = ["Lookout"]

FIRST_LOOK_SECONDS = 2.0
QUIET_LOOK_SECONDS = 10.0
BUSY_LOOK_SECONDS = 60.0
END_SECONDS = 1.0
NO_END = 1 << 63


class Lookout:
    """Looks at what the records themselves do not tell.

    Parameters
    ----------
    options
        The source.
    broker
        Whom to ask.
    reading
        What is read.
    noticing
        Whom to tell whether somebody answers.
    monotonic
        Seconds that never go back.
    """

    def __init__(
        self,
        options: Kafka,
        *,
        broker: Broker,
        reading: Reading,
        noticing: Noticing,
        monotonic: Callable[[], float],
    ) -> None:
        self._options = options
        self._broker = broker
        self._reading = reading
        self._noticing = noticing
        self._now = monotonic
        self._asked_at = self._now()
        self._look_at = self._asked_at + FIRST_LOOK_SECONDS
        self._ends: dict[Partition, tuple[float, int]] = {}

    def look(self, *, busy: bool) -> None:
        """Ask, if it is time, whether brokers answer; open anew what is another topic now.

        Parameters
        ----------
        busy
            Whether records have just come: then somebody answers.
        """
        now = self._now()
        if busy:
            self._noticing.answered()
            self._look_at = min(self._look_at, now + BUSY_LOOK_SECONDS)
        if now < self._due_at():
            return
        self._asked_at = now
        self._look_at = now + (BUSY_LOOK_SECONDS if busy else QUIET_LOOK_SECONDS)
        open_ones = self._reading.holdings.open
        topics = {partition.topic for partition in open_ones}
        try:
            identities = self._broker.identities(topics or self._options.topics)
        except UnreachableError as error:
            self._noticing.no_answer(str(error))
            return
        self._noticing.answered()
        for partition, held in list(open_ones.items()):
            identity = identities.get(partition.topic, "")
            if identity and held.identity and identity != held.identity:
                self._reading.put_back(partition)

    def is_caught_up(self, partition: Partition) -> bool:
        """Return whether everything that may be read of a partition has been handed on."""
        if self._reading.holdings.waiting_of(partition.name):
            return False
        position, end = self.progress(partition)
        if position is None or end is None:
            return False
        return position >= end or position >= self._readable_end(partition)

    def progress(self, partition: Partition) -> tuple[int | None, int | None]:
        """Return the next offset to be fetched and the end of the log, as far as known."""
        client = self._reading.client
        return (None, None) if client is None else client.progress(partition)

    def _due_at(self) -> float:
        since = self._noticing.silent_since
        if since is None:
            return self._look_at
        return min(self._look_at, max(since, self._asked_at) + RETRY_SECONDS)

    def _readable_end(self, partition: Partition) -> int:
        """Return the end of what may be read, asked for at most once a second."""
        if self._options.isolation_level == "read_uncommitted":
            return NO_END
        now = self._now()
        asked, end = self._ends.get(partition, (-END_SECONDS, 0))
        if now - asked >= END_SECONDS:
            try:
                end = self._broker.offsets([partition], END).get(partition, NO_END)
            except UnreachableError:
                end = NO_END
            self._ends[partition] = now, end
        return end
