"""A baseline from a log: choose the grids on a sample, then count every reference row."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from tempfile import TemporaryDirectory

from baselines.baseline import Baseline, Provenance
from baselines.columns import Columns
from baselines.fitting import fit_layout
from baselines.layout import AxisNeed, Layout, TableNeed, table_name
from baselines.sampling import BottomK
from baselines.schema import Role, Schema
from baselines.summary import Window, WindowSummary
from monitor import __version__
from monitor.clock import Clock
from monitor.config.model import Configuration
from monitor.decoding.base import Needs
from monitor.engine.batch import closed_windows, count_units, merged_counts
from monitor.engine.closing import Closing
from monitor.engine.log_sources import reference_source
from monitor.engine.partition import Counts
from monitor.engine.planning import closing_of, planned_work
from monitor.engine.progress import Progress
from monitor.engine.reading import Reading, Tally, TimeRange
from monitor.engine.reference_history import ReferenceHistory
from monitor.engine.runners.serial import SerialRunner
from monitor.engine.work import with_event_ids
from monitor.errors import OutputwatchError
from monitor.features.registry import with_features
from monitor.sources.base import Unit
from monitor.storage.ledger import Ledger, Totals
from monitor.storage.store import Store
from monitor.windows.slices import ALL, largest
from monitor.windows.wording import describe_windows

__all__ = ["Fitted", "NoReferenceRowsError", "fit_baseline"]


class NoReferenceRowsError(OutputwatchError):
    """There is nothing to fit a baseline on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A new baseline and what became of the records it was fitted on.

    Parameters
    ----------
    n_left_out
        The first windows of all traffic that the history does not keep, because it may hold
        only so many cells.
    """

    baseline: Baseline
    totals: Totals
    n_left_out: int = 0


def fit_baseline(
    configuration: Configuration,
    *,
    clock: Clock,
    progress: Progress,
    time: TimeRange | None = None,
) -> Fitted:
    """Return a baseline fitted on the configuration's reference rows.

    The log is read twice: once for a sample of at most ``baseline.sample_rows`` rows on which
    edges and levels are chosen, once to count every row. The sample holds the rows whose
    event ids have the smallest hashes, so it does not depend on the order of the log.

    Parameters
    ----------
    configuration
        What to read and what to watch.
    clock
        Tells when the baseline was made.
    progress
        Told of each unit that is read.
    time
        The reference range; None: that of the configuration.

    Raises
    ------
    NoReferenceRowsError
        If no row lies in the range.
    OnlyFollowedError
        If the source can only be followed and no reference paths are given.
    """
    settings = configuration.baseline
    schema = with_features(configuration.schema)
    source = reference_source(configuration)
    time = time or TimeRange(from_us=settings.reference.from_us, to_us=settings.reference.to_us)
    reading = Reading(source=source, schema=schema, needs=Needs(event_ids=True), time=time)
    units = tuple(source.units())
    sample, span = _sample(reading, units, settings.sample_rows, progress)
    needs = table_needs(configuration, schema, sample)
    layout = fit_layout(
        sample, schema, needs, max_bins=settings.max_bins, max_levels=settings.max_levels
    )
    counted = _count(configuration, reading, layout, units, progress)
    has_times = schema.only(Role.TIMESTAMP) is not None
    baseline = Baseline(
        schema=schema,
        layout=layout,
        references=counted.references,
        history=counted.history,
        provenance=Provenance(
            source=", ".join(getattr(source, "paths", (source.name,))),
            from_us=time.from_us,
            to_us=time.to_us,
            first_us=span.first_us if has_times else None,
            last_us=span.last_us if has_times else None,
            n_rows=counted.totals.n_rows,
            n_rejected=sum(counted.totals.rejected.values()),
            windows=describe_windows(configuration.windows),
            n_windows=sum(window.key.slice == ALL for window in counted.history),
            created_at_us=clock.now_us(),
            outputwatch_version=__version__,
        ),
    )
    return Fitted(baseline=baseline, totals=counted.totals, n_left_out=counted.n_left_out)


@dataclass(slots=True)
class _Span:
    """The first and the last event time among rows."""

    first_us: int | None = None
    last_us: int | None = None

    def add(self, columns: Columns) -> None:
        if columns.n_rows:
            first, last = int(columns.time_us.min()), int(columns.time_us.max())
            self.first_us = first if self.first_us is None else min(self.first_us, first)
            self.last_us = last if self.last_us is None else max(self.last_us, last)


def _sample(
    reading: Reading, units: Sequence[Unit], sample_rows: int, progress: Progress
) -> tuple[Columns, _Span]:
    """Return a sample, and the first and the last event time of all that will be counted."""
    reservoir, span = BottomK(sample_rows), _Span()
    progress.start("choosing bins and levels", len(units))
    for unit in units:
        first_row = 0
        for columns in reading.rows(unit, Tally()):
            identified = with_event_ids(columns, unit, first_row)
            first_row += columns.n_rows
            reservoir.add(identified)
            span.add(columns)
        progress.advance()
    sample = reservoir.sample()
    if sample.n_rows == 0:
        message = (
            f"no reference rows to fit a baseline on in {len(units)} units of "
            f"{units[0].path!r} and others between {reading.time.from_us} and "
            f"{reading.time.to_us}; see baseline.reference in the configuration"
        )
        raise NoReferenceRowsError(message)
    return sample, span


def table_needs(
    configuration: Configuration, schema: Schema, sample: Columns
) -> tuple[TableNeed, ...]:
    """Return the tables of a new layout, each once, in a fixed order.

    One table for every countable column and for every safety check that the sample holds,
    then the tables that detectors ask for.
    """
    single = [column.name for column in schema if column.is_numeric or column.is_category]
    single += sorted(name for name in sample.fields if name not in schema)
    needs: list[TableNeed] = [(AxisNeed(name),) for name in single]
    for entry in configuration.detectors:
        needs += entry.detector.tables(schema)
    by_name = {table_name(need): need for need in needs}
    return tuple(by_name.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counted:
    references: Mapping[str, WindowSummary]
    history: tuple[Window, ...]
    n_left_out: int
    totals: Totals


def _count(
    configuration: Configuration,
    reading: Reading,
    layout: Layout,
    units: Sequence[Unit],
    progress: Progress,
) -> _Counted:
    """Count every reference row with the engine of an audit, on a ledger of its own."""
    work = planned_work(configuration, reading, layout, units, progress)
    with (
        TemporaryDirectory(prefix="outputwatch-") as folder,
        Store.open(f"sqlite:///{folder}/fit.db") as store,
    ):
        ledger = store.ledger("fit")
        count_units(work, units, ledger=ledger, runner=SerialRunner(), progress=progress)
        references, history = _summarise(ledger, closing_of(configuration, work))
        return _Counted(
            references=references,
            history=history.windows(),
            n_left_out=history.n_left_out,
            totals=ledger.totals(),
        )


def _summarise(
    ledger: Ledger, closing: Closing
) -> tuple[dict[str, WindowSummary], ReferenceHistory]:
    """Return the counts of each slice and the windows that they were added from.

    A slice is kept for the whole reference or not at all: the largest of each slicing.
    """
    n_cells = closing.layout.n_cells
    sizes: Counter[str] = Counter()
    for _, label, counts in merged_counts(ledger, n_cells):
        sizes[label] += int(counts[0])
    kept = largest(sizes, closing.max_values)
    references: dict[str, Counts] = {}
    history = ReferenceHistory(n_cells=n_cells)
    for windows in closed_windows(ledger, replace(closing, kept=kept, padded=False)):
        for window in windows:
            label, counts = window.key.slice, window.summary.counts
            references[label] = references[label] + counts if label in references else counts
            history.add(window)
    summaries = {label: WindowSummary(closing.layout, c) for label, c in references.items()}
    return dict(sorted(summaries.items())), history
