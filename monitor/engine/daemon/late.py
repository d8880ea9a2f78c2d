"""Events that come after their window was closed, added to what is stored of it."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from baselines.packing import decode_counts, encode_counts
from monitor.engine.partition import Counts, PartialKey
from monitor.storage.store import Store, StoredWindow
from monitor.windows.slices import ALL, other_label, slicing_name

__all__ = ["amend_windows"]


def amend_windows(
    store: Store,
    job_id: str,
    n_cells: int,
    late: Mapping[PartialKey, Counts],
    *,
    max_values: int,
) -> int:
    """Add late counts to stored windows and return how many outputs were added.

    What was decided about a window stays. A slice that the window did not keep is added to
    its other values, or kept if there is room for it: the largest are not chosen anew. Events
    of a stretch of time that has no stored window are not added.
    """
    added = 0
    by_start: dict[int, dict[str, Counts]] = defaultdict(dict)
    for (slice_, start_us), counts in late.items():
        by_start[start_us][slice_] = counts
    for start_us, slices in sorted(by_start.items()):
        stored = {window.key.slice: window for window in store.windows_at(job_id, start_us)}
        if ALL not in stored:
            continue
        # The largest first, as a window that is closed keeps them.
        for slice_, counts in sorted(slices.items(), key=lambda each: (-each[1][0], each[0])):
            name = _place(slice_, stored, max_values)
            before = stored.get(name) or _nothing(stored[ALL], name, n_cells)
            stored[name] = _amended(before, counts, n_cells)
            if slice_ == ALL:
                added += int(counts[0])
        store.write_windows(job_id, stored.values())
    return added


def _place(slice_: str, stored: Mapping[str, StoredWindow], max_values: int) -> str:
    """Return the slice of a stored window that late outputs of a slice belong to."""
    if slice_ in stored:
        return slice_
    slicing = slicing_name(slice_)
    others = other_label(slicing)
    n_kept = sum(name != ALL and slicing_name(name) == slicing for name in stored)
    return others if others in stored or n_kept >= max_values else slice_


def _nothing(window: StoredWindow, slice_: str, n_cells: int) -> StoredWindow:
    body = encode_counts(np.zeros(n_cells, dtype=np.int64))
    return replace(window, key=replace(window.key, slice=slice_), n_rows=0, body=body)


def _amended(window: StoredWindow, counts: Counts, n_cells: int) -> StoredWindow:
    total = decode_counts(window.body, n_cells) + counts
    return replace(window, n_rows=int(total[0]), body=encode_counts(total))
