"""Two streams as one: outputs that wait for labels, and labels that release them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from monitor.sources.labelled_stream.joining import Joining
from monitor.sources.labelled_stream.matching import Matcher, Outcome
from monitor.sources.labelled_stream.records import RecordReader
from monitor.sources.labelled_stream.release import Release
from monitor.sources.labelled_stream.waiting import JOIN, WaitingRoom
from monitor.sources.leases import LeasedClaims, Owner
from monitor.sources.live import (
    Batch,
    Claimed,
    LiveStream,
    Notice,
    NoticeKind,
    Outage,
    RemoteStream,
)

__all__ = ["JoinedStream", "Side", "SideClaims"]

_RELEASE_SECONDS = 0.05
_RESTARTED = (NoticeKind.TRUNCATED, NoticeKind.TOPIC_REPLACED)


@dataclass(slots=True, kw_only=True)
class SideClaims:
    """Claims the partitions of one side under names that the other side does not have.

    Parameters
    ----------
    claims
        Those of the monitor.
    prefix
        What names begin with.
    room
        Is told of partitions that come and go.
    positions
        Where each partition goes on, by its name in the monitor.
    """

    claims: LeasedClaims
    prefix: str
    room: WaitingRoom
    positions: dict[str, int] = field(default_factory=dict)

    def expect(self, partitions: Mapping[str, str]) -> None:
        """Have partitions waited for that exist."""
        self.claims.expect({self.prefix + name: each for name, each in partitions.items()})

    def claim(self, partitions: Mapping[str, str]) -> Mapping[str, Claimed]:
        """Take over partitions."""
        ours = {self.prefix + name: identity for name, identity in partitions.items()}
        self.room.lose(ours)
        claimed = self.claims.claim(ours)
        for name, each in claimed.items():
            is_same = each.identity in ("", ours[name])
            self.positions[name] = (each.position or 0) if is_same else 0
        return {name.removeprefix(self.prefix): each for name, each in claimed.items()}

    def lease(self, partition: str) -> Claimed:
        """Take a partition over, even from a living worker."""
        self.room.lose([self.prefix + partition])
        return self._goes_on(partition, self.claims.lease(self.prefix + partition))

    def lease_if_free(self, partition: str) -> Claimed | Owner:
        """Take a partition over that no living worker owns, or return the one that does."""
        found = self.claims.lease_if_free(self.prefix + partition)
        if isinstance(found, Owner):
            return found
        self.room.lose([self.prefix + partition])
        return self._goes_on(partition, found)

    def is_held(self, partition: str) -> bool:
        """Return whether this worker owns a partition, as far as it knows."""
        return self.claims.is_held(self.prefix + partition)

    def release(self, partitions: Sequence[str]) -> None:
        """Give partitions back."""
        ours = [self.prefix + name for name in partitions]
        self.room.lose(ours)
        for name in ours:
            self.positions.pop(name, None)
        self.claims.release(ours)

    def _goes_on(self, partition: str, claimed: Claimed) -> Claimed:
        self.positions[self.prefix + partition] = claimed.position or 0
        return claimed


@dataclass(slots=True, kw_only=True)
class Side:
    """One of the two streams.

    Parameters
    ----------
    stream, claims
        The stream, and the claims that it was opened with.
    reader
        Reads its records.
    newest_us
        The newest time of its records, None before the first.
    unjoined
        Batches that are read and not joined yet.
    restarted
        Partitions that begin anew: positions in them go back.
    """

    stream: LiveStream
    claims: SideClaims
    reader: RecordReader
    newest_us: int | None = None
    unjoined: list[Batch] = field(default_factory=list)
    restarted: set[str] = field(default_factory=set)

    @property
    def prefix(self) -> str:
        """Return what names of its partitions begin with in the monitor."""
        return self.claims.prefix

    @property
    def is_behind(self) -> bool:
        """Return whether it has more to hand on."""
        ours = {name.removeprefix(self.prefix) for name in self.claims.positions}
        return bool(ours - self.stream.caught_up() - self.stream.ended())

    def named(self, names: Iterable[str]) -> frozenset[str]:
        """Return names as the monitor has them."""
        return frozenset(self.prefix + name for name in names)

    def notices(self) -> list[Notice]:
        """Return what has happened, and remember which partitions begin anew."""
        notices = [
            replace(each, partition=self.prefix + each.partition) for each in self.stream.notices()
        ]
        self.restarted |= {each.partition for each in notices if each.kind in _RESTARTED}
        return notices

    def unknown(self, batch: Batch) -> Batch:
        """Return a batch under its name in the monitor, without records that came before."""
        name = self.prefix + batch.partition
        if name in self.restarted and batch.first < self.claims.positions.get(name, 0):
            self.claims.positions[name] = batch.first
            self.restarted.discard(name)
        position = self.claims.positions.get(name, batch.first)
        places = batch.positions
        if places is None:
            places = range(batch.first, batch.first + len(batch.payloads))
        n_known = sum(place < position for place in places)
        self.claims.positions[name] = max(batch.next, position)
        return Batch(
            partition=name,
            payloads=batch.payloads[n_known:],
            first=max(batch.first, position),
            next=max(batch.next, position),
            positions=list(places)[n_known:],
            too_long=[place for place in batch.too_long if place >= position],
        )

    def saw(self, times_us: Sequence[int]) -> None:
        """Note how far its records have come."""
        if times_us:
            self.newest_us = max(*times_us, self.newest_us or 0)


class JoinedStream:
    """Outputs and labels as one stream of records with labels.

    A joined record belongs to the partition whose record completed it, so that positions, and
    what waits, change together. What is released because time has passed belongs to a
    partition of its own, `JOIN`.

    Parameters
    ----------
    outputs, labels
        The two sides.
    matcher, release
        What becomes of their records.
    """

    def __init__(
        self, outputs: Side, labels: Side, matcher: Matcher, release: Release, joining: Joining
    ) -> None:
        self._outputs = outputs
        self._labels = labels
        self._matcher = matcher
        self._release = release
        self._joining = joining
        self._notices: list[Notice] = []
        self._ready: list[Batch] = []
        self._is_paused = False

    @property
    def memory(self) -> WaitingRoom:
        """Return what is written with every checkpoint."""
        return self._matcher.room

    def poll(self, timeout_seconds: float, max_records: int) -> Sequence[Batch]:
        """Return joined records, and those that are released."""
        if not self._is_paused:
            released, notices = self._release.batch()
            self._notices += notices
            self._ready += [released] if released is not None else []
        if self._release.has_more:
            # Else more could come than is released, and wait beyond horizon and limit.
            if not self._ready:
                self._joining.wait(min(timeout_seconds, _RELEASE_SECONDS))
            max_records = 0
        for seconds in (0.0, timeout_seconds):
            if not self._ready and max_records:
                self._read(seconds, max_records)
        ready, self._ready = self._ready, []
        return ready

    def notices(self) -> Sequence[Notice]:
        """Return what has happened since the last call."""
        notices = [*self._notices, *self._outputs.notices(), *self._labels.notices()]
        self._notices = []
        return notices

    def outage(self) -> Outage | None:
        """Return that nobody answers for one of the sides."""
        for side in (self._outputs, self._labels):
            outage = side.stream.outage() if isinstance(side.stream, RemoteStream) else None
            if outage is not None:
                return replace(outage, detail=f"{side.prefix}{outage.detail}")
        return None

    def caught_up(self) -> frozenset[str]:
        """Return the partitions that were read to their ends."""
        return self._of_both(lambda stream: stream.caught_up()) | {JOIN}

    def ended(self) -> frozenset[str]:
        """Return the partitions that have no more; that of what is released holds nobody up."""
        return self._of_both(lambda stream: stream.ended()) | {JOIN}

    def lag(self) -> Mapping[str, int]:
        """Return what waits to be read in each partition."""
        return {
            side.prefix + name: waiting
            for side in (self._outputs, self._labels)
            for name, waiting in side.stream.lag().items()
        }

    def pause(self) -> None:
        """Hand on nothing until `resume`."""
        self._is_paused = True
        for side in (self._outputs, self._labels):
            side.stream.pause()

    def resume(self) -> None:
        """Go on."""
        self._is_paused = False
        for side in (self._outputs, self._labels):
            side.stream.resume()

    def committed(self, positions: Mapping[str, int]) -> None:
        """Tell each side which of its positions are safe."""
        for side in (self._outputs, self._labels):
            ours = {
                name.removeprefix(side.prefix): position
                for name, position in positions.items()
                if name.startswith(side.prefix)
            }
            side.stream.committed(ours)

    def close(self) -> None:
        """Leave both sides."""
        try:
            self._outputs.stream.close()
        finally:
            self._labels.stream.close()

    def _of_both(self, ask: Callable[[LiveStream], frozenset[str]]) -> frozenset[str]:
        outputs, labels = self._outputs, self._labels
        return outputs.named(ask(outputs.stream)) | labels.named(ask(labels.stream))

    def _read(self, timeout_seconds: float, max_records: int) -> None:
        """Read both sides, or only the one that is behind in time while it has more.

        Otherwise the side that is read faster would fill the room with what waits.
        """
        sides = [self._outputs, self._labels]
        newest = [side.newest_us or 0 for side in sides]
        ahead = newest.index(max(newest))
        if newest[0] != newest[1] and sides[1 - ahead].is_behind:
            if self._poll(sides[1 - ahead], timeout_seconds / 2, max_records):
                return
            sides = [sides[ahead]]
        for side in sides:
            self._poll(side, timeout_seconds / 2, max(1, max_records // 2))

    def _poll(self, side: Side, timeout_seconds: float, max_records: int) -> bool:
        """Join what has come on one side; return whether anything has.

        While the database is away, what has come stays in `unjoined`.
        """
        if not side.unjoined:
            batches = side.stream.poll(timeout_seconds, max_records)
            self._notices += side.notices()
            side.unjoined += [side.unknown(batch) for batch in batches]
        has_come = bool(side.unjoined)
        while side.unjoined:
            self._ready.append(self._joined(side, side.unjoined[0]))
            del side.unjoined[0]
        return has_come

    def _joined(self, side: Side, batch: Batch) -> Batch:
        latest_us = self._joining.now_us() + self._joining.max_future_us
        parsed = side.reader.read(batch.payloads, latest_us=latest_us)
        self._matcher.room.expect(each.id for each in parsed if each.id is not None)
        outcome = Outcome()
        places = batch.positions or ()
        for each, payload, place in zip(parsed, batch.payloads, places, strict=True):
            if side is self._outputs:
                self._matcher.output(each, payload, place, outcome)
            else:
                self._matcher.label(each, place, outcome)
        side.saw(outcome.times_us)
        if parsed:
            self._matcher.room.touch(batch.partition)
        return outcome.batch(
            batch.partition,
            first=batch.first,
            next_=batch.next,
            n_records=len(batch.payloads) + len(batch.too_long),
            too_long=batch.too_long,
        )
