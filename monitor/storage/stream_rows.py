"""What the database holds of a running monitor: its rows, as the engine reads and writes them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Letter", "MonitorRow", "Move", "PartialRow", "PartitionRow"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorRow:
    """What all workers of a monitor share.

    Parameters
    ----------
    job_id
        Under which its windows and findings are kept.
    baseline_id
        What windows are counted on and compared with.
    policy_digest
        How windows are decided.
    counting
        How events are cut into windows and slices.
    closed_us
        Start of the last stretch of time that was closed; None before the first.
    begun_us
        Windows that begin at or before it were decided with another baseline or cut of time, or
        closed without a verdict; None: there are none.
    revision
        Grows with every decision, and with every change of baseline.
    snapshot
        The evidence after the last decision; None: to be gathered anew.
    """

    job_id: str
    baseline_id: str
    policy_digest: str
    counting: Mapping[str, Any]
    closed_us: int | None = None
    begun_us: int | None = None
    revision: int = 0
    snapshot: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionRow:
    """Where one partition stands; times are microseconds by the wall clock, except `newest_us`.

    Parameters
    ----------
    name, identity
        What it is called, and what it was when its position was written.
    position
        Where to go on; None: nothing of it was counted yet.
    epoch, owner
        The number of its present owner, and that worker's name; empty: nobody.
    newest_us
        The newest event time that was counted, None without any.
    caught_up, ended
        Whether everything there was had been read, and whether no more will ever come.
    moved_us, attended_us
        When its last record came, and when its owner last said where it stands.
    tally
        What became of its records, by kind.
    """

    name: str
    identity: str = ""
    position: int | None = None
    epoch: int = 0
    owner: str = ""
    newest_us: int | None = None
    caught_up: bool = False
    ended: bool = False
    moved_us: int = 0
    attended_us: int = 0
    tally: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A partition's new place, valid only if nobody else took it over or moved it.

    `epoch` and `old` are what the owner believes; the rest is as in `PartitionRow`.
    """

    name: str
    epoch: int
    old: int | None
    new: int | None
    newest_us: int | None
    caught_up: bool
    ended: bool
    moved_us: int
    attended_us: int
    tally: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartialRow:
    """What one partition adds to one open window: encoded counts."""

    partition: str
    slice: str
    start_us: int
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A record that was not counted, or a stretch of records that could not be read."""

    partition: str
    position: int
    reason: str
    recorded_us: int
    body: Mapping[str, Any]
