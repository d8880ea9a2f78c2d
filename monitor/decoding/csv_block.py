"""One block of CSV records to columns, all values read as text.

An empty field is missing; ``nan`` and ``inf`` are numbers that are not finite. pyarrow refuses
a block as a whole, so a block that it refuses is halved until what is left is one bad record.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pv

from monitor.decoding.arrow_records import ArrowRecords
from monitor.decoding.base import Decoded, Origin, RejectionReason
from monitor.decoding.build import build
from monitor.decoding.json_block import is_utf8
from monitor.decoding.plan import DecodingPlan
from monitor.decoding.refusals import Failure, Place, refuse_all

__all__ = ["CsvHeader", "decode_csv_records"]


@dataclass(frozen=True, slots=True)
class CsvHeader:
    """The names of the fields, in order, and the character between fields.

    A name that stands twice: the first one counts.
    """

    names: tuple[str, ...]
    delimiter: str = ","

    @classmethod
    def parse(cls, record: bytes, delimiter: str) -> "CsvHeader":
        """Return the header that the first record of a file holds.

        Raises
        ------
        UnicodeDecodeError
            If the record is not UTF-8.
        """
        text = record.decode("utf-8-sig").rstrip("\r\n")
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        return cls(tuple(next(reader, [])), delimiter)


@dataclass(frozen=True, slots=True)
class _Block:
    """The bytes of a block and where its records that are not blank begin and end."""

    body: bytes
    starts: npt.NDArray[np.intp]
    ends: npt.NDArray[np.intp]

    def text(self, first: int, beyond: int) -> bytes:
        return self.body[self.starts[first] : self.ends[beyond - 1]]


def decode_csv_records(
    body: bytes,
    ends: npt.NDArray[np.intp],
    header: CsvHeader,
    plan: DecodingPlan,
    origin: Origin,
) -> Decoded:
    """Return the rows of whole CSV records.

    Parameters
    ----------
    body
        The bytes of the records.
    ends
        The position just beyond each record, of shape (n_records,), blank ones included;
        those are no records.
    header
        The fields.
    plan, origin
        What to read and where it comes from. `Origin.first_line` counts records.
    """
    starts = np.concatenate([np.zeros(1, np.intp), ends[:-1]]) if len(ends) else ends
    numbers = np.flatnonzero(~_blank(body, starts, ends))
    block = _Block(body, starts[numbers], ends[numbers])
    if plan.timestamp is not None and plan.timestamp.source_path not in header.names:
        detail = f"no field {plan.timestamp.source_path!r}, which holds the time"
        return refuse_all(RejectionReason.SCHEMA_MISMATCH, detail, origin, n_records=len(numbers))
    tables, failures, good = _parse(block, header, plan)
    place = Place(
        origin=origin,
        line_of=lambda row: int(numbers[good[row]]),
        text_of=lambda line: body[starts[line] : ends[line]],
    )
    placed = [
        Failure(line=int(numbers[one.line]), reason=one.reason, detail=one.detail)
        for one in failures
    ]
    return build(ArrowRecords(tables), plan, place=place, failures=placed)


def _blank(
    body: bytes, starts: npt.NDArray[np.intp], ends: npt.NDArray[np.intp]
) -> npt.NDArray[np.bool_]:
    blank = np.zeros(len(starts), np.bool_)
    for place in np.flatnonzero(ends - starts <= 2):
        blank[place] = not body[starts[place] : ends[place]].strip(b"\r\n")
    return blank


def _parse(
    block: _Block, header: CsvHeader, plan: DecodingPlan
) -> tuple[pa.Table, list[Failure], npt.NDArray[np.intp]]:
    """Return the good records, the bad ones, and the numbers of the good ones."""
    wanted = [path for path in plan.paths if path in header.names]
    empty = pa.table({path: pa.array([], pa.string()) for path in wanted})
    tables = [empty]
    failures: list[Failure] = []
    good: list[npt.NDArray[np.intp]] = [np.zeros(0, np.intp)]
    ranges = [(0, len(block.starts))] if len(block.starts) else []
    while ranges:
        first, beyond = ranges.pop()
        table = _read(block.text(first, beyond), beyond - first, header, wanted)
        if table is not None:
            tables.append(table)
            good.append(np.arange(first, beyond))
        elif beyond - first == 1:
            failures.append(_failure(block.text(first, beyond), first, header))
        else:
            middle = (first + beyond) // 2
            ranges += [(middle, beyond), (first, middle)]
    return pa.concat_tables(tables), failures, np.concatenate(good)


def _read(
    text: bytes, n_records: int, header: CsvHeader, wanted: Sequence[str]
) -> pa.Table | None:
    if not is_utf8(text):
        return None
    # Fields are named by position: names may be empty or stand twice.
    places = [header.names.index(path) for path in wanted] or [0]
    names = [str(place) for place in places]
    try:
        table = pv.read_csv(
            io.BytesIO(text),
            read_options=pv.ReadOptions(
                use_threads=False,
                block_size=len(text) + 1,
                column_names=[str(place) for place in range(len(header.names))],
            ),
            parse_options=pv.ParseOptions(delimiter=header.delimiter, newlines_in_values=True),
            convert_options=pv.ConvertOptions(
                check_utf8=False,
                include_columns=names,
                column_types=dict.fromkeys(names, pa.string()),
                null_values=[""],
                strings_can_be_null=True,
            ),
        )
    except pa.ArrowInvalid:
        return None
    if table.num_rows != n_records:
        return None
    return table.rename_columns(wanted) if wanted else _without_columns(n_records)


def _without_columns(n_rows: int) -> pa.Table:
    return pa.table({"": pa.nulls(n_rows)}).select([])


def _failure(record: bytes, number: int, header: CsvHeader) -> Failure:
    if not is_utf8(record):
        return Failure(
            line=number, reason=RejectionReason.INVALID_UTF8, detail="bytes that are not UTF-8"
        )
    return Failure(
        line=number,
        reason=RejectionReason.WRONG_FIELD_COUNT,
        detail=f"not the {len(header.names)} fields of the header",
    )
