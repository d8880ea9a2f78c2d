"""The open stream: records handed on in order, from positions that the database knows."""

import time
from collections.abc import Callable, Mapping, Sequence

from monitor.sources.kafka import Kafka
from monitor.sources.kafka_stream.broker import BEGINNING, END, Broker
from monitor.sources.kafka_stream.client import (
    ChangeKind,
    Client,
    ClientBrokenError,
    NotReadyError,
    OutOfRangeError,
    Partition,
    Run,
    UnreachableError,
    UnreadableError,
)
from monitor.sources.kafka_stream.holdings import Holdings
from monitor.sources.kafka_stream.inspection import Inspector
from monitor.sources.live import (
    Batch,
    Claimed,
    Claims,
    Notice,
    NoticeKind,
    SourceStoppedError,
)

__all__ = ["KafkaStream"]

QUIET_LOOK_SECONDS = 10.0
BUSY_LOOK_SECONDS = 60.0
RETRY_SECONDS = 1.0
UNREACHABLE_SECONDS = 15.0
END_SECONDS = 1.0


class KafkaStream:
    """See `monitor.sources.live.LiveStream`.

    Positions and identities are asked for and claimed in `poll`, by the thread that polls: the
    client only notes what was given and taken, and such partitions stand still until then. So
    nothing that waits runs while the group rebalances, and a claim that fails is raised to the
    caller and tried again with the next `poll`.

    `poll` returns within its timeout, plus at most about 20 seconds when the cluster does not
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
        self._options = options
        self._claims = claims
        self._make_client = make_client
        self._now = monotonic
        self._broker = Broker(options)
        self._client: Client | None = None
        self._holdings = Holdings()
        self._notices: list[Notice] = []
        self._detours: set[Partition] = set()
        self._paused = False
        self._retry_at = 0.0
        self._look_at = self._now() + QUIET_LOOK_SECONDS
        self._silent_since: float | None = None
        self._told_unreachable = False
        self._ends: dict[Partition, tuple[float, int]] = {}

    def poll(self, timeout_seconds: float, max_records: int) -> Sequence[Batch]:
        """See `LiveStream.poll`."""
        if self._holdings.has_waiting() and not self._paused:
            return self._holdings.hand_on(max_records)
        runs = self._fetch(timeout_seconds, max_records)
        self._take_note_of_changes()
        for run in runs:
            self._holdings.keep(run)
        self._give_back()
        self._open_pending()
        self._look_around(busy=bool(runs))
        return [] if self._paused else self._holdings.hand_on(max_records)

    def notices(self) -> Sequence[Notice]:
        """See `LiveStream.notices`."""
        notices, self._notices = self._notices, []
        return notices

    def caught_up(self) -> frozenset[str]:
        """See `LiveStream.caught_up`.

        Where transactions are waited for, the end is that before the first open one.
        """
        return frozenset(
            partition.name for partition in self._holdings.open if self._is_caught_up(partition)
        )

    def ended(self) -> frozenset[str]:
        """Return nothing: a topic does not end."""
        return frozenset()

    def lag(self) -> Mapping[str, int]:
        """See `LiveStream.lag`; records of open transactions count as waiting."""
        lags: dict[str, int] = {}
        for partition in self._holdings.open:
            position, end = self._progress(partition)
            if position is not None and end is not None:
                waiting = self._holdings.waiting_of(partition.name)
                lags[partition.name] = max(0, end - position) + waiting
        return lags

    def pause(self) -> None:
        """See `LiveStream.pause`; `poll` must still be called, which keeps the membership."""
        self._paused = True
        if self._client is not None:
            self._client.pause(list(self._holdings.open))

    def resume(self) -> None:
        """See `LiveStream.resume`."""
        self._paused = False
        if self._client is not None:
            self._client.resume(list(self._holdings.open))

    def committed(self, positions: Mapping[str, int]) -> None:
        """See `LiveStream.committed`."""
        known = {Partition.named(name): position for name, position in positions.items()}
        held = {p: offset for p, offset in known.items() if p in self._holdings.open}
        if self._client is not None and held:
            self._client.commit(held)

    def close(self) -> None:
        """See `LiveStream.close`."""
        if self._client is not None:
            self._client.close()
            self._client = None
        self._broker.close()

    def _fetch(self, timeout_seconds: float, max_records: int) -> Sequence[Run]:
        """Return what the client has; its troubles are dealt with here."""
        try:
            if self._client is None and not self._made_client(timeout_seconds):
                return ()
            assert self._client is not None
            self._take_detours()
            return self._client.poll(timeout_seconds, max_records)
        except OutOfRangeError as error:
            for partition, diverged in error.partitions.items():
                self._out_of_range(partition, diverged)
        except UnreadableError as error:
            self._unreadable(error)
        except ClientBrokenError as error:
            self._start_over()
            self._no_answer(str(error))
        return ()

    def _made_client(self, timeout_seconds: float) -> bool:
        if self._now() < self._retry_at:
            time.sleep(min(timeout_seconds, max(0.0, self._retry_at - self._now())))
            return False
        self._retry_at = self._now() + RETRY_SECONDS
        self._client = self._make_client()
        return True

    def _start_over(self) -> None:
        """Throw the client away; all that was read and not counted is read again."""
        client, self._client = self._client, None
        self._holdings.take_all()
        if client is not None:
            client.close()

    def _take_note_of_changes(self) -> None:
        for change in self._client.changes() if self._client else ():
            if change.kind is ChangeKind.GIVEN:
                self._holdings.give(change.partitions)
            else:
                self._holdings.take(change.partitions)

    def _give_back(self) -> None:
        leaving = self._holdings.leaving
        if leaving:
            self._claims.release(sorted(partition.name for partition in leaving))
            leaving.clear()

    def _open_pending(self) -> None:
        """Claim partitions that were given, and read on from where the database says."""
        pending = sorted(self._holdings.pending)
        if not pending or self._client is None or self._now() < self._retry_at:
            return
        try:
            topics = self._options.topics or [partition.topic for partition in pending]
            identities = self._broker.identities(topics)
            known = {p.name: identities.get(p.topic, "") for p in pending}
            self._expect_all(identities)
            claimed = self._claims.claim(known)
            offsets = self._starts(pending, claimed, identities)
        except UnreachableError as error:
            self._retry_at = self._now() + RETRY_SECONDS
            self._no_answer(str(error))
            return
        for partition, offset in offsets.items():
            self._open(partition, offset, identities.get(partition.topic, ""), claimed)

    def _expect_all(self, identities: Mapping[str, str]) -> None:
        """Name all partitions of the topics, before any of them is read and can be ahead."""
        if self._options.topics:
            known = self._broker.partitions(self._options.topics)
            self._claims.expect({p.name: identities.get(p.topic, "") for p in known})

    def _open(
        self, partition: Partition, offset: int, identity: str, claimed: Mapping[str, Claimed]
    ) -> None:
        assert self._client is not None
        try:
            self._client.read_from(partition, offset)
        except NotReadyError:
            self._retry_at = self._now() + 0.05
            return
        self._holdings.begin(partition, offset, identity)
        if self._paused:
            self._client.pause([partition])
        if claimed.get(partition.name, Claimed()).position is None and offset > 0:
            # Otherwise a restart before the first record would find another start.
            self._holdings.mark(partition, offset)

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
            self._tell_replaced(partition, known)
        return starts | (self._new_starts(new) if new else {})

    def _new_starts(self, partitions: Sequence[Partition]) -> dict[Partition, int]:
        at = self._options.start_ms
        if at is None:
            at = BEGINNING if self._options.start == "earliest" else END
        found = self._broker.offsets(partitions, at)
        missing = [partition for partition in partitions if partition not in found]
        return found | (self._broker.offsets(missing, END) if missing else {})

    def _out_of_range(self, partition: Partition, diverged: int | None) -> None:
        """Find out why an offset is gone, tell it, and stop or go on at what is left."""
        held = self._holdings.open.get(partition)
        if held is None:
            return
        try:
            identity = self._broker.identities([partition.topic]).get(partition.topic, "")
            if held.identity and identity and identity != held.identity:
                self._put_back(partition)
                return
            beginning = self._broker.offsets([partition], BEGINNING)[partition]
            end = self._broker.offsets([partition], END)[partition]
        except (UnreachableError, KeyError) as error:
            self._no_answer(str(error))
            return
        if held.next < beginning:
            gap = (held.next, beginning)
            self._go_past(
                partition, NoticeKind.RETENTION_GAP, gap, "deleted before they were read"
            )
            return
        # Else the log is shorter than it was: a broker that was behind has become its leader.
        left = min(held.next, end if diverged is None else diverged)
        if left < held.next:
            detail = "they were counted, and are no longer in the log"
            self._tell_of(partition, NoticeKind.TRUNCATED, (left, held.next), detail)
            if self._options.client == "confluent-kafka":
                message = f"{partition.name}: {detail}; read on with source.client: kafka-python"
                raise SourceStoppedError(message)
        self._go_to(partition, left)

    def _unreadable(self, error: UnreadableError) -> None:
        """Read the place again with fresh clients; stop, or go past it, if it stays so.

        The client goes on if it is sent to another place than the one it stumbled at.
        """
        found = False
        suspects = [error.partition] if error.partition else list(self._holdings.open)
        try:
            damage = self._damage(suspects)
        except UnreachableError as trouble:
            damage = {}
            self._no_answer(str(trouble))
        for partition, lost in damage.items():
            found = partition == error.partition
            detail = f"unreadable ({error})"
            self._go_past(partition, NoticeKind.UNREADABLE_BATCH, lost, detail)
        if not found:
            self._start_over()

    def _damage(self, suspects: Sequence[Partition]) -> Mapping[Partition, tuple[int, int]]:
        """Return the offsets that cannot be read where the suspects stand."""
        damage: dict[Partition, tuple[int, int]] = {}
        ends = self._broker.offsets(suspects, END)
        for partition in suspects:
            held = self._holdings.open.get(partition)
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
        self._tell_of(partition, kind, lost, detail)
        unreadable = kind is NoticeKind.UNREADABLE_BATCH
        option = "on_unreadable_batch" if unreadable else "on_retention_gap"
        if getattr(self._options, option) == "stop":
            self._start_over()
            message = (
                f"{partition.name}: the records from offset {lost[0]} up to {lost[1]} are "
                f"{detail}; set source.{option}: skip to go on without them"
            )
            raise SourceStoppedError(message)
        self._go_to(partition, lost[1])

    def _go_to(self, partition: Partition, offset: int) -> None:
        self._holdings.open[partition].next = offset
        self._holdings.mark(partition, offset)
        self._detours.add(partition)
        self._take_detours()

    def _take_detours(self) -> None:
        """Send the client past what it stumbled at; librdkafka may need a moment before it can."""
        for partition in list(self._detours):
            held = self._holdings.open.get(partition)
            try:
                if held is not None and self._client is not None:
                    self._client.read_from(partition, held.next)
                    if self._paused:
                        self._client.pause([partition])
            except NotReadyError:
                continue
            self._detours.discard(partition)

    def _put_back(self, partition: Partition) -> None:
        self._holdings.put_back(partition)
        if self._client is not None:
            self._client.pause([partition])

    def _look_around(self, *, busy: bool) -> None:
        """Ask now and then whether brokers answer and topics are still the same."""
        now = self._now()
        if busy:
            self._answered()
            self._look_at = min(self._look_at, now + BUSY_LOOK_SECONDS)
        if now < self._look_at:
            return
        self._look_at = now + (BUSY_LOOK_SECONDS if busy else QUIET_LOOK_SECONDS)
        topics = {partition.topic for partition in self._holdings.open}
        try:
            identities = self._broker.identities(topics or self._options.topics)
        except UnreachableError as error:
            self._no_answer(str(error))
            return
        self._answered()
        for partition, held in list(self._holdings.open.items()):
            identity = identities.get(partition.topic, "")
            if identity and held.identity and identity != held.identity:
                self._put_back(partition)

    def _no_answer(self, detail: str) -> None:
        now = self._now()
        if self._silent_since is None:
            self._silent_since = now
        self._look_at = min(self._look_at, now + RETRY_SECONDS)
        if now - self._silent_since >= UNREACHABLE_SECONDS and not self._told_unreachable:
            self._told_unreachable = True
            self._tell(Notice(kind=NoticeKind.UNREACHABLE, detail=detail))

    def _answered(self) -> None:
        self._silent_since = None
        self._told_unreachable = False

    def _tell(self, notice: Notice) -> None:
        if notice not in self._notices:
            self._notices.append(notice)

    def _tell_of(
        self, partition: Partition, kind: NoticeKind, lost: tuple[int, int], detail: str
    ) -> None:
        first, end = lost
        name = partition.name
        self._tell(Notice(kind=kind, partition=name, first=first, end=end, detail=detail))

    def _tell_replaced(self, partition: Partition, known: Claimed) -> None:
        detail = "there is another topic of the name now; it is read from its beginning"
        self._tell(
            Notice(
                kind=NoticeKind.TOPIC_REPLACED,
                partition=partition.name,
                first=known.position,
                detail=detail,
            )
        )

    def _progress(self, partition: Partition) -> tuple[int | None, int | None]:
        return (None, None) if self._client is None else self._client.progress(partition)

    def _is_caught_up(self, partition: Partition) -> bool:
        if self._holdings.waiting_of(partition.name):
            return False
        position, end = self._progress(partition)
        if position is None or end is None:
            return False
        return position >= end or position >= self._readable_end(partition)

    def _readable_end(self, partition: Partition) -> int:
        """Return the end of what may be read, asked for at most once a second."""
        now = self._now()
        asked, end = self._ends.get(partition, (-END_SECONDS, 0))
        if self._options.isolation_level == "read_uncommitted":
            return 1 << 63
        if now - asked >= END_SECONDS:
            try:
                end = self._broker.offsets([partition], END).get(partition, 1 << 63)
            except UnreachableError:
                end = 1 << 63
            self._ends[partition] = now, end
        return end
