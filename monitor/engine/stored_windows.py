"""The windows that past audits counted and stored, to be judged again without the log."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from baselines.baseline import Baseline
from baselines.layout import Layout
from baselines.packing import decode_counts
from baselines.summary import Window, WindowKey, WindowSummary
from monitor.engine.reading import TimeRange
from monitor.errors import OutputwatchError
from monitor.printing import time_text
from monitor.storage.compaction import compacted_until
from monitor.storage.store import AuditJob, Store, StoredWindow
from monitor.windows.spec import TumblingWindows, WindowSpec

__all__ = ["NoStoredWindowsError", "StoredWindows", "stored_windows", "windows_of_job"]


class NoStoredWindowsError(OutputwatchError):
    """No audit has stored windows that can be judged against the baseline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredWindows:
    """The windows of past audits, encoded, in order of time.

    Parameters
    ----------
    layout
        What they were counted on.
    stretches
        The windows of one stretch of time together, one for each slice, by slice.
    n_audits
        How many audits stored them.
    compacted_until_us
        The end of the windows of these audits that were added up to days and months, and
        cannot be judged any more; None if there are none in the range.
    """

    layout: Layout
    stretches: tuple[tuple[StoredWindow, ...], ...]
    n_audits: int
    compacted_until_us: int | None = None

    def __len__(self) -> int:
        return len(self.stretches)

    def __iter__(self) -> Iterator[tuple[Window, ...]]:
        """Yield the windows of each stretch, decoded."""
        last = len(self.stretches) - 1
        for number, stored in enumerate(self.stretches):
            # The log may begin or end inside the outermost windows: it is not there to tell.
            inner = 0 < number < last
            yield tuple(_window(self.layout, each, inner=inner) for each in stored)

    @property
    def n_cut_short(self) -> int:
        """Return how many stretches were closed before their time, by a change of baseline."""
        return sum(any(each.cut_short for each in stored) for stored in self.stretches)


def windows_of_job(
    store: Store, baseline: Baseline, job_id: str, *, after_us: int | None = None
) -> Iterator[Window]:
    """Yield the windows of one audit, decoded, in order of start, slice and number.

    Those that begin at or before `after_us` are left out.
    """
    layout = baseline.layout
    for stored in store.windows(job_id, after_us=after_us):
        yield _window(layout, stored)


def stored_windows(
    store: Store, baseline: Baseline, windows: WindowSpec, time: TimeRange
) -> StoredWindows:
    """Return the windows of every audit against a baseline.

    Where audits overlap the latest one counts, but a whole window before one that was cut
    short, whose volume says nothing. Windows of a number of outputs are those of the
    latest audit: their numbers mean something within one audit only.

    Parameters
    ----------
    store
        Holds the audits.
    baseline
        On whose layout windows must have been counted.
    windows
        How the configuration cuts event time.
    time
        Only windows that lie within.

    Raises
    ------
    NoStoredWindowsError
        If there are none.
    """
    jobs = [job for job in store.jobs() if job.baseline_id == baseline.id]
    if not jobs:
        raise NoStoredWindowsError(_why_none(store.jobs(), baseline))
    if not isinstance(windows, TumblingWindows):
        jobs = jobs[-1:]
    found: dict[WindowKey, StoredWindow] = {}
    used = 0
    for job in jobs:
        ours = {each.key: each for each in store.windows(job.id) if _fits(each, windows)}
        used += bool(ours)
        found = _overlaid(found, ours)
    inside = [each for key, each in found.items() if _within(key, time)]
    if not inside:
        message = (
            f"past audits against the baseline {baseline.id[:12]} must have windows of the "
            "configuration's length in the range, got none; audit the log again or widen the range"
        )
        raise NoStoredWindowsError(message)
    return StoredWindows(
        layout=baseline.layout,
        stretches=_stretches(inside, windows),
        n_audits=used,
        compacted_until_us=_compacted_until(store, jobs, time),
    )


def _window(layout: Layout, stored: StoredWindow, *, inner: bool = True) -> Window:
    counts = decode_counts(stored.body, layout.n_cells)
    complete = inner and not stored.cut_short
    return Window(stored.key, WindowSummary(layout, counts), complete=complete)


def _overlaid(
    older: Mapping[WindowKey, StoredWindow], newer: Mapping[WindowKey, StoredWindow]
) -> dict[WindowKey, StoredWindow]:
    """Return the newer windows over the older ones; stretches that are whole go before others."""
    return _cut_only_where(older, newer) | _cut_only_where(newer, older)


def _cut_only_where(
    windows: Mapping[WindowKey, StoredWindow], others: Mapping[WindowKey, StoredWindow]
) -> dict[WindowKey, StoredWindow]:
    """Return the windows without those cut short that the others have whole."""
    whole = {key.start_us for key, each in others.items() if not each.cut_short}
    return {
        key: each
        for key, each in windows.items()
        if not (each.cut_short and key.start_us in whole)
    }


def _compacted_until(store: Store, jobs: Sequence[AuditJob], time: TimeRange) -> int | None:
    ends = [compacted_until(store, job.id) for job in jobs]
    until_us = max((end for end in ends if end is not None), default=None)
    if until_us is None or (time.from_us is not None and time.from_us >= until_us):
        return None
    return until_us


def _why_none(jobs: Sequence[AuditJob], baseline: Baseline) -> str:
    if not jobs:
        return "no audit has stored windows yet; run: outputwatch audit"
    latest = jobs[-1]
    return (
        f"windows must have been counted on the layout of the baseline in force, "
        f"{baseline.id[:12]}; past audits were counted on others, the latest, of "
        f"{time_text(latest.created_us)}, on {latest.baseline_id[:12]}; "
        "audit the log again, or name that one in baseline.version"
    )


def _fits(stored: StoredWindow, windows: WindowSpec) -> bool:
    """Return whether a window may be one of the configuration's."""
    if not isinstance(windows, TumblingWindows):
        return stored.n_rows <= windows.rows
    key = stored.key
    return key.ordinal == 0 and key.end_us - key.start_us == windows.length_us


def _within(key: WindowKey, time: TimeRange) -> bool:
    begun = time.from_us is None or key.start_us >= time.from_us
    return begun and (time.to_us is None or key.end_us <= time.to_us)


def _stretches(
    found: Sequence[StoredWindow], windows: WindowSpec
) -> tuple[tuple[StoredWindow, ...], ...]:
    by_time = isinstance(windows, TumblingWindows)
    stretches: dict[int, list[StoredWindow]] = {}
    for stored in found:
        number = stored.key.start_us if by_time else stored.key.ordinal
        stretches.setdefault(number, []).append(stored)
    return tuple(
        tuple(sorted(stretches[number], key=lambda each: each.key.slice))
        for number in sorted(stretches)
    )
