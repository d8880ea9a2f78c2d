"""The few things that a consumer must be able to do, and how it says that it cannot."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol, Self

from monitor.sources.base import SourceError

__all__ = [
    "Change",
    "ChangeKind",
    "Client",
    "ClientBrokenError",
    "NotReadyError",
    "OutOfRangeError",
    "Partition",
    "Run",
    "UnreachableError",
    "UnreadableError",
]


class Partition(NamedTuple):
    """One partition of a topic."""

    topic: str
    number: int

    @property
    def name(self) -> str:
        """Return the name that positions are kept under, the same in every run."""
        return f"{self.topic}/{self.number}"

    @classmethod
    def named(cls, name: str) -> Self:
        """Return the partition of that name.

        Examples
        --------
        >>> Partition.named("outputs/3")
        Partition(topic='outputs', number=3)
        """
        topic, _, number = name.rpartition("/")
        return cls(topic, int(number))


@dataclass(frozen=True, slots=True)
class Run:
    """Records of one partition in order; an offset for each payload, ascending."""

    partition: Partition
    offsets: Sequence[int]
    payloads: Sequence[bytes]


class ChangeKind(StrEnum):
    """What became of partitions."""

    GIVEN = "given"
    TAKEN = "taken"


@dataclass(frozen=True, slots=True)
class Change:
    """Partitions that the group has given to this worker or taken from it."""

    kind: ChangeKind
    partitions: frozenset[Partition]


class OutOfRangeError(SourceError):
    """The broker no longer has, or never had, the offsets that are asked for.

    Parameters
    ----------
    partitions
        Where; and the offset from which the log differs from what was read, if the broker says.
    """

    def __init__(self, partitions: Mapping[Partition, int | None]) -> None:
        super().__init__(f"offsets out of range in {', '.join(p.name for p in partitions)}")
        self.partitions = partitions


class UnreadableError(SourceError):
    """Bytes came that cannot be read: wrong checksum, compression or structure.

    Parameters
    ----------
    detail
        In words.
    partition
        Where, if the client says so.
    end
        The offset after the unreadable batch, if its header can be believed.
    """

    def __init__(
        self, detail: str, partition: Partition | None = None, end: int | None = None
    ) -> None:
        super().__init__(detail)
        self.partition = partition
        self.end = end


class ClientBrokenError(SourceError):
    """The client must be thrown away; a new one may do better."""


class NotReadyError(SourceError):
    """The client cannot do that yet; try again a little later."""


class UnreachableError(SourceError):
    """No broker has answered in time."""


class Client(Protocol):
    """A member of a group, or the reader of given partitions.

    Partitions that are given to it stand still until `read_from`. Every call returns in bounded
    time.
    """

    def poll(self, timeout_seconds: float, max_records: int) -> Sequence[Run]:
        """Return what has arrived within the timeout, about `max_records` records at most.

        Raises
        ------
        UnreachableError
            If no broker answers just now; the client goes on trying, and keeps its membership.
        OutOfRangeError, UnreadableError, ClientBrokenError
            As they say. The client must be thrown away after the latter two.
        """
        ...

    def changes(self) -> Sequence[Change]:
        """Return what was given and taken since the last call, in order."""
        ...

    def read_from(self, partition: Partition, offset: int) -> None:
        """Go to an offset. A partition that is not held any more is passed over.

        Raises
        ------
        NotReadyError
            If the client is not ready for it.
        """
        ...

    def pause(self, partitions: Sequence[Partition]) -> None:
        """Fetch nothing of them; they are kept."""
        ...

    def resume(self, partitions: Sequence[Partition]) -> None:
        """Fetch them."""
        ...

    def progress(self, partition: Partition) -> tuple[int | None, int | None]:
        """Return the next offset to be fetched and the end of the log, as far as known."""
        ...

    def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Tell Kafka of offsets, without waiting for the answer and without an error."""
        ...

    def close(self) -> None:
        """Leave the group within a few seconds."""
        ...
