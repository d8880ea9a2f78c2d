"""The open stream: records handed on in order, from positions that the database knows."""

import time
from collections.abc import Callable, Mapping, Sequence

from monitor.sources.kafka import Kafka
from monitor.sources.kafka_stream.broker import Broker
from monitor.sources.kafka_stream.claiming import Claiming
from monitor.sources.kafka_stream.client import (
    Client,
    ClientBrokenError,
    OutOfRangeError,
    Partition,
    Run,
    UnreachableError,
    UnreadableError,
)
from monitor.sources.kafka_stream.lookout import Lookout
from monitor.sources.kafka_stream.noticing import Noticing
from monitor.sources.kafka_stream.reading import Reading
from monitor.sources.kafka_stream.recovery import Recovery
from monitor.sources.live import Batch, Claims, Notice, Outage

__all__ = ["KafkaStream"]


class KafkaStream:
    """See `monitor.sources.live.LiveStream`.

    Positions and identities are asked for and claimed in `poll`, by the thread that polls: the
    client only notes what was given and taken, and such partitions stand still until then. So
    nothing that waits runs while the group rebalances, and a claim that fails is raised to the
    caller and tried again with the next `poll`.

    `poll` returns within its timeout, plus at most about 25 seconds when the cluster does not
    answer; a caller that sees it hang for longer must end the process.

    Parameters
    ----------
    options
        The source.
    claims
        How partitions are taken over.
    make_client
        Gives a new client.
    monotonic
        Seconds that never go back.
    """

    def __init__(
        self,
        options: Kafka,
        claims: Claims,
        *,
        make_client: Callable[[], Client],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._broker = broker = Broker(options)
        self._noticing = noticing = Noticing(monotonic)
        self._reading = reading = Reading(make_client, monotonic)
        self._claiming = Claiming(
            options, claims, broker=broker, reading=reading, noticing=noticing
        )
        self._recovery = Recovery(options, broker=broker, reading=reading, noticing=noticing)
        self._lookout = Lookout(
            options, broker=broker, reading=reading, noticing=noticing, monotonic=monotonic
        )

    def poll(self, timeout_seconds: float, max_records: int) -> Sequence[Batch]:
        """See `LiveStream.poll`."""
        reading = self._reading
        if reading.holdings.has_waiting() and not reading.paused:
            return reading.holdings.hand_on(max_records)
        runs = self._fetch(timeout_seconds, max_records)
        reading.take_note_of_changes()
        for run in runs:
            reading.holdings.keep(run)
        self._claiming.give_back()
        self._claiming.open_pending()
        self._lookout.look(busy=bool(runs))
        return [] if reading.paused else reading.holdings.hand_on(max_records)

    def notices(self) -> Sequence[Notice]:
        """See `LiveStream.notices`."""
        return self._noticing.handed_on()

    def outage(self) -> Outage | None:
        """See `RemoteStream.outage`."""
        return self._noticing.outage()

    def caught_up(self) -> frozenset[str]:
        """See `LiveStream.caught_up`.

        Where transactions are waited for, the end is that before the first open one.
        """
        return frozenset(
            partition.name
            for partition in self._reading.holdings.open
            if self._lookout.is_caught_up(partition)
        )

    def ended(self) -> frozenset[str]:
        """Return nothing: a topic does not end."""
        return frozenset()

    def lag(self) -> Mapping[str, int]:
        """See `LiveStream.lag`; records of open transactions count as waiting."""
        lags: dict[str, int] = {}
        holdings = self._reading.holdings
        for partition in holdings.open:
            position, end = self._lookout.progress(partition)
            if position is not None and end is not None:
                waiting = holdings.waiting_of(partition.name)
                lags[partition.name] = max(0, end - position) + waiting
        return lags

    def pause(self) -> None:
        """See `LiveStream.pause`; `poll` must still be called, which keeps the membership."""
        self._reading.pause()

    def resume(self) -> None:
        """See `LiveStream.resume`."""
        self._reading.resume()

    def committed(self, positions: Mapping[str, int]) -> None:
        """See `LiveStream.committed`."""
        client, open_ones = self._reading.client, self._reading.holdings.open
        known = {Partition.named(name): position for name, position in positions.items()}
        held = {partition: offset for partition, offset in known.items() if partition in open_ones}
        if client is not None and held:
            client.commit(held)

    def close(self) -> None:
        """See `LiveStream.close`."""
        self._reading.close()
        self._broker.close()

    def _fetch(self, timeout_seconds: float, max_records: int) -> Sequence[Run]:
        """Return what the client has; its troubles are dealt with here."""
        try:
            return self._reading.poll(timeout_seconds, max_records)
        except OutOfRangeError as error:
            self._recovery.out_of_range(error)
        except UnreadableError as error:
            self._recovery.unreadable(error)
        except UnreachableError as error:
            self._noticing.no_answer(str(error))
        except ClientBrokenError as error:
            self._reading.start_over()
            self._noticing.no_answer(str(error))
        return ()
