"""A monitor that is started with another baseline, another cut of time, or another policy.

A window is decided once, with what was in force when it closed. After a change only windows that
close later are judged with the new baseline, also if it was in force before: its earlier
windows are no evidence for what follows, because those in between are missing.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from baselines.baseline import Baseline
from baselines.packing import decode_counts, encode_counts
from baselines.summary import WindowKey
from monitor.storage.store import Store, StoredWindow
from monitor.storage.streams import MonitorRow, StreamRepository
from monitor.windows.spec import TumblingWindows

__all__ = ["Switch", "take_up"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """What a start changed.

    Parameters
    ----------
    row
        The monitor's row from now on.
    n_closed_early
        Windows that were open and are stored as they were, marked as cut short and without a
        verdict: what follows is counted on another baseline or cut otherwise.
    policy_changed
        Whether stored windows are judged anew, to gather the evidence of the new policy.
    """

    row: MonitorRow
    n_closed_early: int = 0
    policy_changed: bool = False


def take_up(
    store: Store,
    streams: StreamRepository,
    wanted: MonitorRow,
    *,
    windows: TumblingWindows,
    baseline_of: Callable[[str], Baseline],
) -> Switch:
    """Return where the monitor goes on, after bringing its row to what is wanted now.

    Parameters
    ----------
    wanted
        The row of a monitor that would begin now.
    windows
        How event time is cut from now on.
    baseline_of
        Returns a baseline by its id; it raises if that baseline is not there any more.
    """
    with store.begin():
        streams.create(wanted)
        row = streams.locked()
        if (row.job_id, row.policy_digest) == (wanted.job_id, wanted.policy_digest):
            return Switch(row=row)
        if row.job_id == wanted.job_id:
            row = replace(row, policy_digest=wanted.policy_digest, snapshot=None)
            streams.save(row)
            return Switch(row=row, policy_changed=row.revision > 0)
        n_closed, newest_us = _close_early(store, streams, row, baseline_of)
        begun_us = _last_begun(newest_us, row, windows)
        # A worker that missed the change must not take what it remembers for what is stored.
        revision = row.revision + 1
        fresh = replace(wanted, closed_us=begun_us, begun_us=begun_us, revision=revision)
        streams.save(fresh)
        return Switch(row=fresh, n_closed_early=n_closed)


def _close_early(
    store: Store,
    streams: StreamRepository,
    row: MonitorRow,
    baseline_of: Callable[[str], Baseline],
) -> tuple[int, int | None]:
    """Store what is open under its own baseline; return how many windows, and the newest event."""
    newest = [each.newest_us for each in streams.partitions() if each.newest_us is not None]
    starts = streams.open_starts()
    if not starts:
        return 0, max(newest, default=None)
    n_cells = baseline_of(row.baseline_id).layout.n_cells
    length_us = _length_us(row)
    n_closed = 0
    for start_us, slice_, bodies in streams.merged(starts[-1] + 1):
        counts = np.zeros(n_cells, dtype=np.int64)
        for body in bodies:
            counts += decode_counts(body, n_cells)
        window = StoredWindow(
            key=WindowKey(start_us, start_us + length_us, slice_),
            n_rows=int(counts[0]),
            baseline_id=row.baseline_id,
            body=encode_counts(counts),
            cut_short=True,
        )
        store.write_windows(row.job_id, [window])
        n_closed += 1
    streams.forget_open(starts[-1] + 1)
    return n_closed, max(newest, default=None)


def _last_begun(newest_us: int | None, row: MonitorRow, windows: TumblingWindows) -> int | None:
    """Return the window that is counted as closed: the rest of it was counted before.

    A window of which the first part is missing would look like a loss of traffic.
    """
    begun = [] if newest_us is None else [newest_us]
    if row.closed_us is not None:
        # Silence may have closed windows after the newest event: they were judged already.
        begun.append(row.closed_us + _length_us(row) - 1)
    if not begun:
        return None
    return int(windows.starts(np.array([max(begun)], dtype=np.int64))[0])


def _length_us(row: MonitorRow) -> int:
    return int(row.counting["seconds"]) * 1_000_000
