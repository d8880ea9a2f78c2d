"""What waits for its other half: outputs for a label, labels for an output."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from monitor.sources.live import Backlog, SourceStoppedError

__all__ = ["JOIN", "Waiting", "WaitingRoom", "WaitingState", "WaitingStore"]

JOIN = "join"
"""The partition of what is released because time has passed; who claims it owns the room."""


class WaitingState(IntEnum):
    """What is known of an event id.

    The numbers are those in the database.
    """

    OUTPUT = 0
    """The output has come, and waits for its label."""
    LABEL = 1
    """The label has come, and waits for its output."""
    DONE = 2
    """Both have come; remembered until the horizon, to know repetitions."""
    RELEASED = 3
    """The output was handed on without a label, before its horizon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One event id.

    Parameters
    ----------
    id
        64 bits of a hash of the event id, signed.
    state
        What is known of it.
    time_us
        The time of the output; of the label, if that is what waits.
    body
        The fields that are needed later: a JSON object of values by path, empty if none are.
    """

    id: int
    state: WaitingState
    time_us: int
    body: bytes = b""


class WaitingStore(Protocol):
    """Where a monitor keeps what waits; writing joins the present transaction."""

    def find(self, ids: Collection[int]) -> Mapping[int, Waiting]:
        """Return what is known of event ids."""
        ...

    def oldest(
        self, state: WaitingState, *, until_us: int | None, limit: int
    ) -> Sequence[Waiting]:
        """Return the oldest of a state, by time and id, up to a time (None: any time)."""
        ...

    def count(self, state: WaitingState) -> int:
        """Return how many there are of a state."""
        ...

    def write(self, changed: Iterable[Waiting], dropped: Collection[int]) -> None:
        """Keep what changed, and forget other ids."""
        ...

    def forget(self, until_us: int) -> None:
        """Forget what is done or released and whose time is at most `until_us`."""
        ...


class WaitingRoom:
    """What waits, with the changes that the next checkpoint writes.

    The changes become true when the positions of the records that made them do: a checkpoint
    writes both in one transaction, and one that fails leaves both to the next.

    Parameters
    ----------
    store
        The database.
    horizon_us
        How long after an output its label may be dated.
    early_us
        How long a label waits for its output.
    by_label_time
        Whether joined records are counted by the time of the label.
    max_waiting
        How many outputs, and how many labels, may wait.
    """

    def __init__(
        self,
        store: WaitingStore,
        *,
        horizon_us: int,
        early_us: int,
        by_label_time: bool,
        max_waiting: int,
    ) -> None:
        self._store = store
        self.horizon_us = horizon_us
        self.early_us = early_us
        self.by_label_time = by_label_time
        self.max_waiting = max_waiting
        self._changed: dict[int, Waiting | None] = {}
        self._found: Mapping[int, Waiting] = {}
        self._touched: set[str] = set()
        self._spoilt = ""
        self._oldest_us: int | None = None
        self.until_us: int | None = None
        self.is_ending = False
        self.is_fresh = True
        """Whether nothing was released since the last checkpoint."""
        self.n_waiting = {
            state: store.count(state) for state in (WaitingState.OUTPUT, WaitingState.LABEL)
        }

    def expect(self, ids: Iterable[int]) -> None:
        """Read what is known of the ids that `get` will be asked for."""
        self._found = self._store.find({each for each in ids if each not in self._changed})

    def get(self, id_: int) -> Waiting | None:
        """Return what is known of an id."""
        return self._changed[id_] if id_ in self._changed else self._found.get(id_)

    def put(self, entry: Waiting) -> None:
        """Change what is known of an id."""
        self._leave(entry.id)
        self._changed[entry.id] = entry
        if entry.state in self.n_waiting:
            self.n_waiting[entry.state] += 1

    def drop(self, entry: Waiting) -> None:
        """Forget an id that `oldest` returned."""
        self.n_waiting[entry.state] -= 1
        self._changed[entry.id] = None

    def replace(self, entry: Waiting, state: WaitingState) -> None:
        """Remember of an id that `oldest` returned no more than its new state."""
        self.n_waiting[entry.state] -= 1
        self._changed[entry.id] = Waiting(id=entry.id, state=state, time_us=entry.time_us)

    def oldest(
        self, state: WaitingState, *, until_us: int | None, limit: int
    ) -> Sequence[Waiting]:
        """Return the oldest of a state that have not changed since the last checkpoint."""
        found = self._store.oldest(state, until_us=until_us, limit=limit)
        return [entry for entry in found if entry.id not in self._changed]

    def touch(self, partition: str) -> None:
        """Note that records of a partition have changed something."""
        self._touched.add(partition)

    def lose(self, partitions: Iterable[str]) -> None:
        """Note partitions that go, or come back: what is not written of them is read again."""
        lost = sorted(self._touched.intersection(partitions))
        if lost:
            self._spoilt = lost[0]

    def write(self, moved: Collection[str]) -> None:
        """Write the changes, inside the transaction that has moved the partitions `moved`.

        Raises
        ------
        SourceStoppedError
            If they rest on records that are not counted in this transaction.
        """
        missing = sorted({JOIN, *self._touched} - set(moved))
        if missing or self._spoilt:
            message = (
                f"the partition {self._spoilt or missing[0]!r} was taken over while its records "
                "were joined; a source of type 'labelled' is followed by one worker, start it "
                "again once no other one runs"
            )
            raise SourceStoppedError(message)
        dropped = [id_ for id_, entry in self._changed.items() if entry is None]
        self._store.write((each for each in self._changed.values() if each is not None), dropped)
        if self.until_us is not None:
            self._store.forget(self.until_us - self.horizon_us)

    def written(self, until_us: int | None) -> None:
        """Take note that the transaction is kept, and how far all partitions have come."""
        self._changed.clear()
        self._found = {}
        self._touched.clear()
        self.is_fresh = True
        if until_us is not None:
            self.until_us = max(until_us, self.until_us or until_us)

    def backlog(self) -> Backlog:
        """Return what waits, as of the last checkpoint."""
        return Backlog(
            n_outputs=self.n_waiting[WaitingState.OUTPUT],
            n_labels=self.n_waiting[WaitingState.LABEL],
            oldest_us=self._oldest_us,
        )

    def not_before(self) -> int | None:
        """Return the time that windows must not be closed beyond; called inside a transaction.

        It is the earliest time under which an output that waits may still be counted.
        """
        oldest = self._store.oldest(WaitingState.OUTPUT, until_us=None, limit=1)
        self._oldest_us = oldest[0].time_us if oldest else None
        if not oldest:
            return None
        return oldest[0].time_us + (self.horizon_us if self.by_label_time else 0)

    def may_end(self, until_us: int | None) -> bool:
        """Return whether the stream may end here; called inside a transaction.

        Counted by the time of the output, nothing may wait any more: windows of its time are
        closed now. Else what is not due waits for the next run.
        """
        if not self.by_label_time:
            self.is_ending = True
            if self._store.count(WaitingState.OUTPUT):
                return False
        if max(self.n_waiting.values()) > self.max_waiting:
            return False
        return until_us is None or not any(
            self._store.oldest(state, until_us=until_us - patience_us, limit=1)
            for state, patience_us in (
                (WaitingState.OUTPUT, self.horizon_us),
                (WaitingState.LABEL, self.early_us),
            )
        )

    def _leave(self, id_: int) -> None:
        before = self.get(id_)
        if before is not None and before.state in self.n_waiting:
            self.n_waiting[before.state] -= 1
