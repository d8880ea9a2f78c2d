"""Parquet: row groups, read column by column."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from monitor.decoding.arrow_records import ArrowRecords
from monitor.decoding.base import Decoded, Origin, RejectionReason
from monitor.decoding.build import build
from monitor.decoding.plan import DecodingPlan
from monitor.decoding.refusals import Place, refuse_all

__all__ = ["count_row_groups", "read_row_group"]

_BATCH_ROWS = 1 << 18


def count_row_groups(path: Path) -> int:
    """Return how many row groups there are.

    Raises
    ------
    OSError, pyarrow.ArrowInvalid
        If the file cannot be read.
    """
    with pq.ParquetFile(path) as file:
        return int(file.num_row_groups)


def read_row_group(
    path: Path, row_group: int, plan: DecodingPlan, origin: Origin
) -> Iterator[Decoded]:
    """Yield the rows of one row group, in batches of at most 262,144.

    Rows that cannot be read for damage are counted as rejected. A column that the file lacks
    is missing in every row, but for the time: without it all rows are rejected.

    Raises
    ------
    OSError, pyarrow.ArrowInvalid
        If the file itself cannot be read.
    """
    with pq.ParquetFile(path) as bare:
        schema = bare.schema_arrow
        n_rows = int(bare.metadata.row_group(row_group).num_rows)
    columns = _columns(schema, plan)
    path_of_time = plan.timestamp.source_path if plan.timestamp is not None else None
    if path_of_time is not None and path_of_time not in columns:
        detail = f"no column {path_of_time!r}, which holds the time"
        yield refuse_all(RejectionReason.SCHEMA_MISMATCH, detail, origin, n_records=n_rows)
        return
    n_read = 0
    with pq.ParquetFile(path, read_dictionary=_dictionary_columns(schema, plan)) as file:
        try:
            for batch in file.iter_batches(
                _BATCH_ROWS, row_groups=[row_group], columns=columns, use_threads=False
            ):
                here = Origin(path=origin.path, position=origin.position, first_line=n_read + 1)
                records = ArrowRecords(pa.Table.from_batches([batch]))
                yield build(records, plan, place=Place(origin=here))
                n_read += batch.num_rows
        except (OSError, pa.ArrowInvalid) as error:
            yield refuse_all(
                RejectionReason.UNREADABLE_FILE, str(error), origin, n_records=n_rows - n_read
            )


def _columns(schema: pa.Schema, plan: DecodingPlan) -> list[str]:
    """Return the paths that the file has, with list elements as whole lists."""
    found = []
    for path in plan.paths:
        plain = path if path in schema.names else path.partition("[")[0].replace("\\.", ".")
        first = plain.split(".")[0]
        if plain in schema.names or (first in schema.names and _has(schema, plain.split("."))):
            found.append(plain)
    return list(dict.fromkeys(found))


def _has(schema: pa.Schema, steps: list[str]) -> bool:
    kind = schema.field(steps[0]).type
    for step in steps[1:]:
        if not pa.types.is_struct(kind) or kind.get_field_index(step) < 0:
            return False
        kind = kind.field(step).type
    return True


def _dictionary_columns(schema: pa.Schema, plan: DecodingPlan) -> list[str]:
    """Return the text columns of few distinct values, which are decoded once each."""
    paths = {column.source_path for column in plan.values if column.is_category}
    return [path for path in sorted(paths) if path in schema.names and _is_text(schema, path)]


def _is_text(schema: pa.Schema, name: str) -> bool:
    kind = schema.field(name).type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
