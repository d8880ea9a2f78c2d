"""How `outputwatch run` behaves: the ``run`` section."""

from dataclasses import dataclass
from typing import Annotated, Literal

import annotated_types as at

__all__ = ["RunSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """How a stream is followed, and what happens to what comes late, twice or not at all.

    Parameters
    ----------
    checkpoint_seconds
        How often positions, counts and decisions are written, all in one transaction.
    checkpoint_records
        They are written sooner once so many records wait.
    max_waiting_records
        With so many records that cannot be written, because the database is away, nothing more
        is read; partitions are kept.
    database_patience_seconds
        How long the database may be away until the process ends with an error, so that its
        supervisor starts it anew.
    idle_seconds
        A partition that was read to its end and has brought nothing for so long does not hold
        windows open any more. It must be longer than a group takes to replace a lost member.
    unattended_seconds
        A partition that no worker has attended for so long does not hold windows open either;
        it is reported.
    max_future_seconds
        A record whose event time is so far ahead of the clock is rejected: one wrong clock
        must not close everybody's windows.
    late
        ``count``: events for a window that is closed are counted as late, and nothing else.
        ``amend``: they are also added to the stored window, for reports and backtests; what
        was decided stays.
    deduplicate
        Whether an event id is counted once only while its window is open. It takes the
        column of role ``event_id``, 8 bytes of disk and about 100 bytes of memory for each
        event of an open window, and repetitions must come in the same partition.
    telemetry
        Where ``/healthz``, ``/readyz`` and ``/metrics`` are served, ``host:port``; null: not.
    watchdog_seconds
        The process ends if its loop has not moved for so long; its supervisor starts it anew. One
        try to write a locked database alone may take 30.
    """

    checkpoint_seconds: Annotated[float, at.Gt(0), at.Le(60)] = 1.0
    checkpoint_records: Annotated[int, at.Ge(1)] = 50_000
    max_waiting_records: Annotated[int, at.Ge(1)] = 500_000
    database_patience_seconds: Annotated[float, at.Ge(0)] = 300.0
    idle_seconds: Annotated[float, at.Gt(0)] = 300.0
    unattended_seconds: Annotated[float, at.Gt(0)] = 3_600.0
    max_future_seconds: Annotated[float, at.Ge(0)] = 300.0
    late: Literal["count", "amend"] = "count"
    deduplicate: bool = False
    telemetry: str | None = "127.0.0.1:9469"
    watchdog_seconds: Annotated[float, at.Ge(60)] = 120.0
