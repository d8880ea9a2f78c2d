"""Partitions that any worker could read, and that one at a time does."""

from dataclasses import dataclass
from typing import Protocol

from monitor.sources.live import Claimed, Claims

__all__ = ["LeasedClaims", "Owner"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Who reads a partition.

    Parameters
    ----------
    worker
        Its name.
    heard_of_us
        When it last wrote a checkpoint, microseconds by its wall clock.
    """

    worker: str
    heard_of_us: int


class LeasedClaims(Claims, Protocol):
    """Claims of partitions that nobody assigns to workers: they take them from one another.

    A lease lasts until its owner gives it back, ends, or writes no checkpoint for some time. As
    with every claim, whoever lost it cannot commit any more, whether or not it knows.
    """

    def lease(self, partition: str) -> Claimed:
        """Take a partition over, even from a living worker."""
        ...

    def lease_if_free(self, partition: str) -> Claimed | Owner:
        """Take a partition over that no living worker owns, or return the one that does."""
        ...

    def is_held(self, partition: str) -> bool:
        """Return whether this worker owns a partition, as far as it knows."""
        ...
