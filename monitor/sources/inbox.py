"""Where outputs wait that were sent over HTTP, until they are counted."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Protocol, runtime_checkable

from monitor.sources.base import SourceError
from monitor.sources.leases import LeasedClaims
from monitor.sources.live import LiveStream

__all__ = [
    "LABELS",
    "OUTPUTS",
    "Inbox",
    "InboxAwayError",
    "InboxSource",
    "Putting",
    "StoredBody",
    "inbox_name",
    "inbox_names",
]

OUTPUTS, LABELS = "outputs/", "labels/"
"""The parts of a monitor that joins two sources; names of its partitions begin with them."""


def inbox_name(monitor: str, part: str = "") -> str:
    """Return under which name the bodies of a monitor are kept, or those of a part of it.

    Examples
    --------
    >>> inbox_name("loans/production", LABELS)
    'loans/production/labels/'
    """
    return f"{monitor}/{part}" if part else monitor


def inbox_names(monitor: str) -> tuple[str, ...]:
    """Return every name under which bodies of a monitor may be kept."""
    return tuple(inbox_name(monitor, part) for part in ("", OUTPUTS, LABELS))


class InboxAwayError(SourceError):
    """The database of an inbox cannot be read or written now."""


class Putting(StrEnum):
    """What became of a body that was to be kept."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    FULL = "full"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBody:
    """One body that waits: JSON Lines, under a number that grows."""

    seq: int
    body: bytes


class Inbox(Protocol):
    """The bodies of one monitor; the database keeps them, safe from a power cut.

    Every method raises `InboxAwayError` while the database is away.
    """

    def put(self, key: str, body: bytes, *, n_records: int, max_waiting: int) -> Putting:
        """Keep a body under a key, unless `max_waiting` records wait already.

        Numbers become visible in their order: a body never appears behind one that was read.
        The same key with the same body is a duplicate, with another body a conflict.
        """
        ...

    def read_from(self, seq: int, *, limit: int) -> Sequence[StoredBody]:
        """Return the next bodies that wait, in order, from the number `seq` on."""
        ...

    def counted(self, below: int, *, keep_keys_seconds: int) -> None:
        """Drop bodies whose number is less than `below`, and their keys after a while."""
        ...

    def waiting(self) -> int:
        """Return how many records wait."""
        ...


@runtime_checkable
class InboxSource(Protocol):
    """A source that is sent its outputs, and keeps them in the database until they are counted."""

    needs_inbox: ClassVar[bool]

    def open(self, claims: LeasedClaims, *, worker: str, inbox: Inbox) -> LiveStream:
        """Return the open stream.

        Parameters
        ----------
        claims, worker
            As for `LiveSource.open`.
        inbox
            Where bodies of this monitor are kept; it may be used from several threads.

        Raises
        ------
        SourceError
            If the source cannot be opened at all as it is configured.
        """
        ...
