"""What is decided before anything is counted: the partition of rows, and their order."""

from collections.abc import Sequence
from dataclasses import replace

from baselines.layout import Layout
from monitor.config.model import Configuration
from monitor.decoding.base import Needs
from monitor.engine.closing import Closing
from monitor.engine.partition import Partition
from monitor.engine.progress import Progress
from monitor.engine.reading import Reading
from monitor.engine.work import Work
from monitor.sources.base import Unit
from monitor.windows.spec import CountWindows

__all__ = ["closing_of", "needed_columns", "planned_work"]


def needed_columns(layout: Layout, by: Sequence[tuple[str, ...]]) -> frozenset[str]:
    """Return the columns that counting on `layout` and slicing by `by` read."""
    counted = {axis.column for table in layout.tables for axis in table.axes}
    return frozenset(counted | {name for columns in by for name in columns})


def planned_work(
    configuration: Configuration,
    reading: Reading,
    layout: Layout,
    units: Sequence[Unit],
    progress: Progress,
) -> Work:
    """Return the work of counting `units` on `layout`.

    For count windows every event's time is read first, because where a window ends depends on
    all events.
    """
    by = configuration.slices.by
    windows = configuration.windows
    columns = needed_columns(layout, by)
    by_count = isinstance(windows, CountWindows)
    work = Work(
        reading=replace(reading, needs=Needs(columns=columns, event_ids=by_count)),
        layout=layout,
        partition=Partition(windows=windows, by=by),
    )
    if not isinstance(windows, CountWindows):
        return work
    slicing = Needs(columns=frozenset(name for names in by for name in names), event_ids=True)
    first = replace(work, reading=replace(reading, needs=slicing))
    order = first.order(units, windows.rows, progress)
    boundaries = order.boundaries(configuration.slices.max_values)
    return replace(work, partition=replace(work.partition, boundaries=boundaries))


def closing_of(configuration: Configuration, work: Work) -> Closing:
    """Return how the counts of `work` become windows."""
    return Closing(
        layout=work.layout,
        windows=work.partition.windows,
        max_values=configuration.slices.max_values,
        boundaries=work.partition.boundaries,
        from_us=work.reading.time.from_us,
        to_us=work.reading.time.to_us,
    )
