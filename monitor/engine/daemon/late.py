"""Events that come after their window was closed, added to what is stored of it."""

from collections import defaultdict
from collections.abc import Mapping

from baselines.packing import decode_counts, encode_counts
from monitor.engine.partition import Counts, PartialKey
from monitor.storage.store import Store, StoredWindow
from monitor.windows.slices import ALL, other_label, slicing_name

__all__ = ["amend_windows"]


def amend_windows(
    store: Store, job_id: str, n_cells: int, late: Mapping[PartialKey, Counts]
) -> int:
    """Add late counts to stored windows and return how many outputs were added.

    What was decided about a window stays. A slice that the window did not keep is added to
    its other values; events of a stretch of time that has no stored window are not added.
    """
    added = 0
    by_start: dict[int, dict[str, Counts]] = defaultdict(dict)
    for (slice_, start_us), counts in late.items():
        by_start[start_us][slice_] = counts
    for start_us, slices in sorted(by_start.items()):
        stored = {window.key.slice: window for window in store.windows_at(job_id, start_us)}
        for slice_, counts in sorted(slices.items()):
            name = slice_ if slice_ in stored else other_label(slicing_name(slice_))
            if name not in stored:
                continue
            stored[name] = _amended(stored[name], counts, n_cells)
            if slice_ == ALL:
                added += int(counts[0])
        store.write_windows(job_id, stored.values())
    return added


def _amended(window: StoredWindow, counts: Counts, n_cells: int) -> StoredWindow:
    total = decode_counts(window.body, n_cells) + counts
    return StoredWindow(
        key=window.key,
        n_rows=int(total[0]),
        baseline_id=window.baseline_id,
        body=encode_counts(total),
    )
