"""Rows for a report: a deterministic sample, read from the log again, as a pandas frame.

We keep no rows. A report that needs some reads the log again and takes those whose event ids
have the smallest hashes, so the same log gives the same report in any order of reading.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from baselines.columns import Categories, Columns, Numbers
from baselines.sampling import BottomK
from baselines.schema import Schema
from monitor.decoding.base import Needs
from monitor.reports.evidently_report import ReportError
from monitor.sources.base import Source, Unit
from monitor.windows.slices import ALL, slicing_name, slicing_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["comparable_columns", "rows_frame", "sample_rows"]


def sample_rows(
    source: Source,
    schema: Schema,
    *,
    from_us: int | None,
    to_us: int | None,
    slice: str = ALL,
    max_rows: int = 20_000,
) -> Columns:
    """Return at most `max_rows` rows of a stretch of event time and of one slice.

    Parameters
    ----------
    source
        The log; all of it is read.
    schema
        The columns to read.
    from_us, to_us
        Event time ``from_us <= time < to_us``, microseconds since the epoch; None: open.
    slice
        ``all``, or ``column=value`` (several joined by ``,``).
    max_rows
        The rows with the smallest hashes of event id are kept.

    Raises
    ------
    ReportError
        If the log has no such rows.
    """
    reservoir = BottomK(max_rows)
    for unit in source.units():
        first_row = 0
        for decoded in source.read(unit, schema, Needs(event_ids=True)):
            columns = _identified(decoded.columns, unit, first_row)
            first_row += columns.n_rows
            keep = _in_time(columns, from_us, to_us) & _in_slice(columns, slice)
            reservoir.add(columns.take(keep))
    sample = reservoir.sample()
    if sample.n_rows == 0:
        message = (
            f"the log has no rows of slice {slice!r} between {_moment(from_us)} and "
            f"{_moment(to_us)}; reports are made of rows that are read again, so the files "
            f"must still be where the configuration says"
        )
        raise ReportError(message)
    return sample


def _identified(columns: Columns, unit: Unit, first_row: int) -> Columns:
    """Return the rows with an id each: the event's own, else its place in the log."""
    rows = range(first_row, first_row + columns.n_rows)
    given = [None] * columns.n_rows if columns.event_ids is None else columns.event_ids.tolist()
    ids = np.empty(columns.n_rows, dtype=np.object_)
    ids[:] = [
        f"{unit.path}#{unit.ordinal}#{row}" if known is None else str(known)
        for row, known in zip(rows, given, strict=True)
    ]
    return replace(columns, event_ids=ids)


def _in_time(columns: Columns, from_us: int | None, to_us: int | None) -> npt.NDArray[np.bool_]:
    keep = np.ones(columns.n_rows, dtype=np.bool_)
    if from_us is not None:
        keep &= columns.time_us >= from_us
    if to_us is not None:
        keep &= columns.time_us < to_us
    return keep


def _in_slice(columns: Columns, label: str) -> npt.NDArray[np.bool_]:
    if label == ALL:
        return np.ones(columns.n_rows, dtype=np.bool_)
    slicing = slicing_of(columns, tuple(slicing_name(label).split(",")))
    if label not in slicing.labels:
        return np.zeros(columns.n_rows, dtype=np.bool_)
    return np.asarray(slicing.codes == slicing.labels.index(label))


def _moment(us: int | None) -> str:
    return "the beginning or end" if us is None else f"{np.datetime64(us, 'us')}Z"


def comparable_columns(schema: Schema) -> tuple[list[str], list[str]]:
    """Return the names of the numeric and of the category columns, in schema order."""
    numeric = [column.name for column in schema if column.is_numeric]
    category = [column.name for column in schema if column.is_category]
    return numeric, category


def rows_frame(columns: Columns, schema: Schema) -> "pd.DataFrame":
    """Return the numeric and category columns as a frame, missing values as NaN or None."""
    import pandas as pd

    numeric, category = comparable_columns(schema)
    values: dict[str, npt.NDArray[np.float64] | npt.NDArray[np.object_]] = {}
    for name in [*numeric, *category]:
        field = columns.fields.get(name)
        if isinstance(field, Numbers):
            values[name] = _numbers(field)
        elif isinstance(field, Categories):
            values[name] = np.array([*field.levels, None], dtype=np.object_)[field.codes]
    return pd.DataFrame(values)


def _numbers(field: Numbers) -> npt.NDArray[np.float64]:
    absent = ~np.isfinite(field.values)
    if field.missing is not None:
        absent |= field.missing
    return np.where(absent, np.nan, field.values)
