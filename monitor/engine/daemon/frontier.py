"""How far all partitions have come together: which windows nothing more is expected for."""

from collections.abc import Sequence
from dataclasses import dataclass

from monitor.engine.closing import BREAK_US
from monitor.storage.streams import PartitionRow
from monitor.windows.spec import TumblingWindows

__all__ = ["Frontier", "Patience", "frontier"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long partitions are waited for, microseconds by the wall clock.

    Parameters
    ----------
    idle_us
        A partition that was read to its end and brought nothing for so long is not waited for.
    affirmed_us
        Its owner must have said so within this time.
    unattended_us
        A partition that no worker attends for so long is not waited for either.
    """

    idle_us: int
    affirmed_us: int
    unattended_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Frontier:
    """How far the partitions have come.

    Parameters
    ----------
    until_us
        Windows that end at or before this time can be closed; None: nothing is known yet.
    silent
        Whether the clock has moved it, because no partition brings anything: the windows
        without any outputs up to it are windows of silence.
    waiting_for
        The partitions that hold it back.
    unattended
        The partitions that nobody attends, and that are not waited for any more.
    """

    until_us: int | None
    silent: bool = False
    waiting_for: tuple[str, ...] = ()
    unattended: tuple[str, ...] = ()


def frontier(
    partitions: Sequence[PartitionRow],
    windows: TumblingWindows,
    patience: Patience,
    now_us: int,
) -> Frontier:
    """Return how far partitions have come together.

    It is the smallest watermark (newest event time less the allowed lateness) of those that can
    still bring something. If none can, the clock takes its place, unless the newest event is
    more than 31 days old: then a log is replayed, and the clock says nothing about it.
    """
    lateness_us = windows.allowed_lateness_seconds * 1_000_000
    unattended = tuple(each.name for each in partitions if _is_unattended(each, patience, now_us))
    waited = [
        each
        for each in partitions
        if each.name not in unattended and not _is_idle(each, patience, now_us)
    ]
    newest = [each.newest_us for each in partitions if each.newest_us is not None]
    if waited:
        behind = tuple(each.name for each in waited if each.newest_us is None)
        if behind:
            return Frontier(until_us=None, waiting_for=behind, unattended=unattended)
        until_us = min(each.newest_us for each in waited if each.newest_us is not None)
        slowest = tuple(each.name for each in waited if each.newest_us == until_us)
        return Frontier(
            until_us=until_us - lateness_us, waiting_for=slowest, unattended=unattended
        )
    if not newest:
        return Frontier(until_us=None, unattended=unattended)
    by_clock = now_us - lateness_us
    if by_clock - max(newest) > BREAK_US:
        return Frontier(until_us=by_clock, unattended=unattended)
    return Frontier(until_us=by_clock, silent=True, unattended=unattended)


def _is_idle(each: PartitionRow, patience: Patience, now_us: int) -> bool:
    if each.ended:
        return True
    affirmed = now_us - each.attended_us <= patience.affirmed_us
    return each.caught_up and affirmed and now_us - each.moved_us >= patience.idle_us


def _is_unattended(each: PartitionRow, patience: Patience, now_us: int) -> bool:
    return not each.ended and now_us - each.attended_us > patience.unattended_us
