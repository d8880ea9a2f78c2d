"""What a source is that does not end: batches of records, each with a position to go on from."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

from monitor.decoding.base import RejectionReason
from monitor.sources.base import SourceError

__all__ = [
    "Account",
    "Backlog",
    "Batch",
    "Claimed",
    "Claims",
    "FinishingStream",
    "LiveSource",
    "LiveStream",
    "Notice",
    "NoticeKind",
    "Outage",
    "PartitionLostError",
    "RemoteStream",
    "SourceStoppedError",
    "StreamMemory",
]


class PartitionLostError(SourceError):
    """Another worker has taken a partition over; what was read of it and not committed is void."""


class SourceStoppedError(SourceError):
    """The policy says to stop rather than to go on without records that cannot be read."""


class NoticeKind(StrEnum):
    """What can go wrong with a stream besides single records."""

    RETENTION_GAP = "retention_gap"
    UNREADABLE_BATCH = "unreadable_batch"
    TOPIC_REPLACED = "topic_replaced"
    TRUNCATED = "truncated"
    UNREACHABLE = "unreachable"
    NOT_FOLLOWED = "not_followed"
    TOO_MANY_WAITING = "too_many_waiting"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something that the people who run the monitor must know.

    Parameters
    ----------
    kind
        What happened.
    partition
        Where; empty: the whole source.
    first, end
        The positions ``first <= position < end`` that could not be read; None: unknown.
    detail
        In words.
    """

    kind: NoticeKind
    partition: str = ""
    first: int | None = None
    end: int | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """That nobody answers where records come from.

    Parameters
    ----------
    seconds
        For how long by now.
    detail
        What does not answer, in words.
    """

    seconds: float
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What became of the records behind a batch, where its payloads are not simply these.

    ``n_records`` is the number of payloads and of records that are too long, plus `n_waiting`,
    `n_joined`, `n_repeated` and the refused ones.

    Parameters
    ----------
    n_records
        The records of the source that the batch stands for.
    n_waiting
        How many more wait than before; negative if more were released than came.
    n_joined
        Records that were added to another one, and are no payload of their own.
    n_repeated
        Records that had come before.
    n_past_horizon, n_crowded_out
        Payloads that were released without their other half: because their time was over, or
        because too many waited.
    refused
        Position and reason of each record that gives no row.
    times_us
        The times of the records, microseconds since the epoch: they tell how far the partition
        has come, and not the times of the payloads.
    """

    n_records: int
    n_waiting: int = 0
    n_joined: int = 0
    n_repeated: int = 0
    n_past_horizon: int = 0
    n_crowded_out: int = 0
    refused: Sequence[tuple[int, RejectionReason]] = ()
    times_us: Sequence[int] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Records of one partition, in order.

    Parameters
    ----------
    partition
        The name of the partition, the same in every run: ``topic/3``, a file.
    payloads
        One record each, as bytes.
    first
        The position of the first record. It equals `next` of the batch before, unless records
        between them are no outputs at all (transaction markers, compacted keys) or a notice
        names the gap.
    next
        The position to go on from once these records are counted.
    positions
        The position of each record, of the same length as `payloads`; None: consecutive
        from `first`.
    too_long
        The positions of records longer than the source accepts. They are not in `payloads`, and
        each of them counts as one rejected record.
    account
        What the batch stands for, if not for its payloads one by one.
    """

    partition: str
    payloads: Sequence[bytes]
    first: int
    next: int
    positions: Sequence[int] | None = None
    too_long: Sequence[int] = ()
    account: Account | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A partition as the database knows it.

    Parameters
    ----------
    position
        Where to go on; None: nothing of it was ever counted.
    identity
        What the partition was when that was written (a topic's id, a file's beginning); empty:
        unknown. A source that finds another identity says so with a notice.
    """

    position: int | None = None
    identity: str = ""


class Claims(Protocol):
    """How a stream takes partitions over, and gives them back; the engine provides it.

    All may be called from another thread than the one that polls, while that one waits.
    """

    def expect(self, partitions: Mapping[str, str]) -> None:
        """Take note that partitions exist, given by name with their present identity.

        Nothing is decided without them, although nobody may have claimed them yet: where
        several workers share partitions, one of them must not run ahead of the others.
        """
        ...

    def claim(self, partitions: Mapping[str, str]) -> Mapping[str, Claimed]:
        """Take over partitions, given by name with their present identity.

        Whoever owned them before cannot commit any more.
        """
        ...

    def release(self, partitions: Sequence[str]) -> None:
        """Give partitions back; what was counted of them and not committed is dropped."""
        ...


class LiveStream(Protocol):
    """An open stream; used by one thread, except where `Claims` says otherwise."""

    def poll(self, timeout_seconds: float, max_records: int) -> Sequence[Batch]:
        """Return what has arrived, at most about `max_records` records, within the timeout.

        Records that are not UTF-8 or not JSON are handed on all the same. Nothing raises
        because of a record; a batch that cannot be decompressed or has a wrong checksum is
        handled by the policy and becomes a notice.

        Raises
        ------
        SourceStoppedError
            If the policy is to stop.
        """
        ...

    def notices(self) -> Sequence[Notice]:
        """Return what has happened since the last call."""
        ...

    def caught_up(self) -> frozenset[str]:
        """Return the partitions of which everything there is has been handed on."""
        ...

    def ended(self) -> frozenset[str]:
        """Return the partitions that will never have more: rotated files, a closed input."""
        ...

    def lag(self) -> Mapping[str, int]:
        """Return how many records (or bytes, for files) wait in each partition, if known."""
        ...

    def pause(self) -> None:
        """Hand on nothing until `resume`, without losing the partitions."""
        ...

    def resume(self) -> None:
        """Go on handing records on."""
        ...

    def committed(self, positions: Mapping[str, int]) -> None:
        """Take note that positions are safe in the database: for dashboards, never for truth."""
        ...

    def close(self) -> None:
        """Leave; never waits longer than a few seconds."""
        ...


@runtime_checkable
class FinishingStream(Protocol):
    """A stream that can be told that nobody will wait for more."""

    def finish(self) -> None:
        """Take what is there for complete: what is written in part will not be continued."""
        ...


@runtime_checkable
class RemoteStream(Protocol):
    """A stream that comes from others, who may not answer."""

    def outage(self) -> Outage | None:
        """Return that nobody answers, None while somebody does; it asks nobody."""
        ...


@runtime_checkable
class LiveSource(Protocol):
    """A configured source that `run` can follow.

    One that keeps what is sent to it is a `monitor.sources.inbox.InboxSource`, and is given an
    inbox too.
    """

    def open(self, claims: Claims, *, worker: str) -> LiveStream:
        """Return the open stream.

        Parameters
        ----------
        claims
            How partitions are taken over.
        worker
            The name of this worker, unique among those that run.

        Raises
        ------
        SourceError
            If the source cannot be opened at all as it is configured.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What waits for its other half.

    Parameters
    ----------
    n_outputs, n_labels
        How many wait.
    oldest_us
        The time of the oldest output that waits; None: none does.
    """

    n_outputs: int
    n_labels: int
    oldest_us: int | None


class StreamMemory(Protocol):
    """What a stream remembers besides positions; every checkpoint writes it with them."""

    def backlog(self) -> Backlog:
        """Return what waits since the last checkpoint; it reads nothing."""
        ...

    def write(self, moved: Collection[str]) -> None:
        """Write what changed, inside the transaction that has moved the partitions `moved`.

        Raises
        ------
        SourceStoppedError
            If it rests on records that are not counted in this transaction.
        """
        ...

    def written(self, until_us: int | None) -> None:
        """Take note that the transaction is kept.

        Parameters
        ----------
        until_us
            How far all partitions have come, None if that is not known.
        """
        ...

    def not_before(self) -> int | None:
        """Return a time; windows that end after it must stay open. None: there is none.

        Called inside the transaction, after `write`.
        """
        ...

    def may_end(self, until_us: int | None) -> bool:
        """Return whether nothing is left to hand on, now that everything was read.

        Called inside the transaction, after `write`.
        """
        ...
