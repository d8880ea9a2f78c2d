"""The rows of an incident's first windows, read again: strata, releases and a sample."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from baselines.columns import Categories, Columns, Field
from baselines.schema import Role, Schema
from monitor.config.model import Configuration
from monitor.decoding.base import Needs
from monitor.engine.reading import Reading, Tally, TimeRange
from monitor.incidents.model import Incident
from monitor.incidents.records import canonical_json
from monitor.incidents.sampling import StratifiedSample
from monitor.printing import time_text
from monitor.sources.base import Source, Unit
from monitor.sources.rereading import PartialSource
from monitor.windows.slices import ALL, OTHER_VALUES, slicing_of

__all__ = ["NO_VALUE", "RereadRows", "first_windows", "reread"]

NO_VALUE = "(missing)"


@dataclass(slots=True, kw_only=True)
class RereadRows:
    """What the rows show.

    Parameters
    ----------
    sample
        The sample; None if none is wanted.
    releases
        For each part of a release, how many rows had which version.
    n_rows
        Rows of these windows and slices that are still there.
    incomplete
        What could not be read, a clause each.
    """

    sample: StratifiedSample | None
    releases: dict[str, Counter[str]] = field(default_factory=dict)
    n_rows: int = 0
    incomplete: tuple[str, ...] = ()


def first_windows(incident: Incident) -> list[tuple[int, int]]:
    """Return start and end of the windows in which the series of an incident first departed."""
    return sorted({(s.first.window.start_us, s.first.window.end_us) for s in incident.own_signals})


def reread(configuration: Configuration, source: Source, incident: Incident) -> RereadRows:
    """Return what the rows show that an incident began with.

    Units whose file was last written before the windows began are passed over.

    Parameters
    ----------
    configuration
        What is to be kept.
    source
        Where rows are read from a second time.
    incident
        The incident.
    """
    settings = configuration.evidence
    rows = RereadRows(
        sample=StratifiedSample(incident_id=incident.id, max_rows=settings.sample_rows)
        if settings.sample_rows
        else None,
        releases={part: Counter() for part in settings.release},
    )
    spans = first_windows(incident)
    slices = sorted({signal.identity.slice for signal in incident.own_signals})
    reading = Reading(
        source=source,
        schema=_with_texts(configuration.schema),
        needs=Needs(columns=frozenset(_wanted(configuration, slices)), event_ids=True),
        time=TimeRange(from_us=spans[0][0], to_us=max(end for _, end in spans)),
    )
    for unit in _units(source, spans[0][0]):
        for columns in reading.rows(unit, Tally()):
            inside = _inside(columns, spans) & _in_slices(columns, slices)
            if inside.any():
                _take(rows, columns.take(inside), configuration)
    if isinstance(source, PartialSource):
        rows.incomplete = tuple(source.incomplete())
    return rows


def _with_texts(schema: Schema) -> Schema:
    """Return the schema with texts as categories: as texts they are measured, not kept."""
    columns = (
        replace(column, role=Role.CATEGORY) if column.role is Role.TEXT else column
        for column in schema
    )
    return replace(schema, columns=tuple(columns))


def _units(source: Source, start_us: int) -> Iterator[Unit]:
    for unit in source.units():
        if unit.mtime_ns // 1_000 >= start_us:
            yield unit


def _wanted(configuration: Configuration, slices: Iterable[str]) -> set[str]:
    settings = configuration.evidence
    sliced = {name for slice_ in slices for name in _slice_columns(slice_)}
    return {
        *_kept_columns(configuration),
        *_strata(configuration),
        *settings.release.values(),
        *sliced,
    }


def _kept_columns(configuration: Configuration) -> tuple[str, ...]:
    chosen = configuration.evidence.columns
    return tuple(column.name for column in configuration.schema) if chosen is None else chosen


def _strata(configuration: Configuration) -> tuple[str, ...]:
    chosen = configuration.evidence.strata
    if chosen is not None:
        return chosen
    sliced = [name for by in configuration.slices.by for name in by]
    outcomes = [column.name for column in configuration.schema.with_role(Role.PREDICTION)]
    return tuple(dict.fromkeys((*sliced, *outcomes)))


def _inside(columns: Columns, spans: Sequence[tuple[int, int]]) -> npt.NDArray[np.bool_]:
    inside = np.zeros(columns.n_rows, dtype=np.bool_)
    for start_us, end_us in spans:
        inside |= (columns.time_us >= start_us) & (columns.time_us < end_us)
    return inside


def _slice_columns(slice_: str) -> tuple[str, ...]:
    if slice_ == ALL:
        return ()
    return tuple(part.partition("=")[0] for part in slice_.split(","))


def _in_slices(columns: Columns, slices: Sequence[str]) -> npt.NDArray[np.bool_]:
    # Which values were put under other values, and what text features are, is not known here:
    # then all rows may belong.
    if any(
        slice_ == ALL
        or OTHER_VALUES in slice_
        or any(name not in columns.fields for name in _slice_columns(slice_))
        for slice_ in slices
    ):
        return np.ones(columns.n_rows, dtype=np.bool_)
    inside = np.zeros(columns.n_rows, dtype=np.bool_)
    for slice_ in slices:
        slicing = slicing_of(columns, _slice_columns(slice_))
        if slice_ in slicing.labels:
            inside |= slicing.codes == slicing.labels.index(slice_)
    return inside


def _take(rows: RereadRows, columns: Columns, configuration: Configuration) -> None:
    rows.n_rows += columns.n_rows
    for part, name in configuration.evidence.release.items():
        rows.releases[part].update(_values(columns.fields.get(name), columns.n_rows))
    if rows.sample is None:
        return
    strata = [
        (name, _values(columns.fields.get(name), columns.n_rows))
        for name in _strata(configuration)
    ]
    for number, row in enumerate(_rows(columns, _kept_columns(configuration))):
        stratum = ",".join(f"{name}={values[number]}" for name, values in strata) or ALL
        rows.sample.add(stratum, row)


def _values(values: Field | None, n_rows: int) -> list[str]:
    if values is None:
        return [NO_VALUE] * n_rows
    if isinstance(values, Categories):
        levels = (*values.levels, NO_VALUE)
        return [levels[code] for code in values.codes.tolist()]
    plain = _plain(values)
    return [NO_VALUE if value is None else str(value) for value in plain]


def _rows(columns: Columns, names: Sequence[str]) -> Iterator[str]:
    kept = {name: _plain(columns.fields[name]) for name in names if name in columns.fields}
    for number, time_us in enumerate(columns.time_us.tolist()):
        row: dict[str, object] = {name: values[number] for name, values in kept.items()}
        told: dict[str, object] = {"time": time_text(time_us), "columns": row}
        if columns.event_ids is not None:
            told["event_id"] = columns.event_ids[number]
        yield canonical_json(told)


def _plain(values: Field) -> list[object]:
    """Return the values as JSON has them; infinities are words."""
    if isinstance(values, Categories):
        levels: tuple[str | None, ...] = (*values.levels, None)
        return [levels[code] for code in values.codes.tolist()]
    numbers: list[object] = list(values.values.tolist())
    if values.missing is not None:
        return [None if gone else each for each, gone in zip(numbers, values.missing, strict=True)]
    return numbers
