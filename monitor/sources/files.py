"""Log files: JSON Lines and CSV (plain, gzip, Zstandard) and Parquet."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import annotated_types as at
import pyarrow as pa

from baselines.schema import Schema
from monitor.decoding.base import Decoded, Needs, Origin, RejectionReason
from monitor.decoding.plan import DecodingPlan, plan_decoding
from monitor.decoding.refusals import refuse_all
from monitor.sources.base import SourceError, Unit, source
from monitor.sources.compression import (
    COMPRESSIONS,
    ByteStream,
    StreamEndedEarlyError,
    open_bytes,
    plain_name,
)
from monitor.sources.csv_rows import read_csv_records
from monitor.sources.following import FilesStream, FollowingSettings
from monitor.sources.jsonlines import LineLimits, RangeStream, read_json_lines
from monitor.sources.live import Claims, LiveStream
from monitor.sources.log_names import (
    FORMATS,
    find_files,
    format_by_name,
    is_compressed,
    is_rotated,
)
from monitor.sources.parquet import count_row_groups, read_row_group
from monitor.sources.watched_paths import WatchedPaths

__all__ = ["Files"]

_PARSED_BYTES = 4 << 20
"""How much is parsed at once: larger blocks are no faster and hold more memory."""


@source
@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """Files on disk: read part by part, or followed as they are written.

    Parameters
    ----------
    paths
        Files, directories (searched with everything below them; files of unknown suffix and
        hidden files are passed over) and patterns such as ``logs/2026-*/*.jsonl.gz``.
    format
        ``auto``: by suffix (.jsonl, .ndjson, .json: one JSON object a line; .csv, .tsv;
        .parquet, .pq), before that of rotation (.1, -20260131) and .gz or .zst. Only JSON Lines
        can be followed.
    block_bytes
        The size of a unit of an uncompressed JSON Lines file, in bytes. Compressed files and
        CSV are one unit each, and a Parquet file one a row group.
    max_line_bytes
        The longest line or CSV record that is accepted.
    csv_delimiter
        The character between fields; empty: a tab for .tsv, otherwise a comma.
    poll_seconds
        How often `outputwatch run` looks for new lines and files.
    settle_seconds
        `outputwatch run` takes a file that was renamed or deleted, or a compressed one, for
        complete when it has not changed for this time.
    follow_compressed
        Whether `outputwatch run` reads compressed files too. Only where none of them holds what
        was followed before it was compressed: its outputs would count twice.
    """

    name: ClassVar[str] = "files"
    paths: Annotated[tuple[str, ...], at.MinLen(1)]
    format: Literal["auto", "jsonl", "csv", "parquet"] = "auto"
    block_bytes: Annotated[int, at.Ge(1_024)] = 16 << 20
    max_line_bytes: Annotated[int, at.Ge(1_024)] = 8 << 20
    csv_delimiter: Annotated[str, at.MaxLen(1)] = ""
    poll_seconds: Annotated[float, at.Ge(0.01), at.Le(3_600)] = 1.0
    settle_seconds: Annotated[float, at.Ge(0), at.Le(86_400)] = 10.0
    follow_compressed: bool = False

    def units(self) -> Sequence[Unit]:
        """Return the plan, in order of path, then of position. Files are not read for it.

        Raises
        ------
        SourceError
            If a path leads nowhere, or a file's format cannot be told.
        """
        units: list[Unit] = []
        for path in self._files():
            units += self._plan(path, len(units))
        return units

    def read(self, unit: Unit, schema: Schema, needs: Needs) -> Iterator[Decoded]:
        """Yield the unit's records block by block.

        What was appended to a JSON Lines file since it was planned is not read; a file that
        changed otherwise is rejected as `file_changed`.
        """
        plan = plan_decoding(schema, needs)
        origin = Origin(path=unit.path, position=unit.position)
        try:
            if _has_changed(unit):
                detail = "its size or time is not what it was when it was planned"
                yield refuse_all(RejectionReason.FILE_CHANGED, detail, origin)
            elif unit.row_group is not None:
                yield from read_row_group(Path(unit.path), unit.row_group, plan, origin)
            elif unit.format == "parquet":
                yield from _explain_unreadable(Path(unit.path), origin)
            else:
                yield from self._read_stream(unit, plan, origin)
        except StreamEndedEarlyError as error:
            yield refuse_all(RejectionReason.TRUNCATED_FILE, str(error), origin)
        except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
            yield refuse_all(RejectionReason.UNREADABLE_FILE, str(error), origin)

    def open(self, claims: Claims, *, worker: str) -> LiveStream:
        """Return the stream of lines as they are written; files may come later.

        Raises
        ------
        SourceError
            If a file that is there has no format, or another one than JSON Lines was chosen.
        """
        del worker
        if self.format in ("csv", "parquet"):
            message = (
                f"only JSON Lines can be followed, got the format {self.format!r}; read such "
                "files with 'outputwatch audit', or write JSON Lines"
            )
            raise SourceError(message)
        for path in find_files(self.paths):
            self._format(path)
        watched = WatchedPaths(
            find=lambda: find_files(self.paths),
            refusal=self._refusal,
            is_complete=is_compressed,
            is_rotated=is_rotated,
            settle_seconds=self.settle_seconds,
            max_line_bytes=self.max_line_bytes,
        )
        return FilesStream(
            watched,
            FollowingSettings(
                poll_seconds=self.poll_seconds,
                settle_seconds=self.settle_seconds,
            ),
            claims,
        )

    def _refusal(self, path: Path) -> str:
        """Return why a file is not followed, or nothing."""
        kind = format_by_name(path) if self.format == "auto" else self.format
        if kind != "jsonl":
            return (
                f"{str(path)!r} is not followed: only JSON Lines can be; read it with "
                "'outputwatch audit'"
            )
        if is_compressed(path) and not self.follow_compressed:
            return (
                f"{str(path)!r} is not followed: a compressed file may be the rotated part of a "
                "log that was read already; set source.follow_compressed if it is not"
            )
        return ""

    def _files(self) -> list[Path]:
        files = find_files(self.paths)
        if not files:
            message = f"no files found at {', '.join(map(repr, self.paths))}; check source.paths"
            raise SourceError(message)
        return files

    def _format(self, path: Path) -> str:
        if self.format != "auto":
            return self.format
        kind = format_by_name(path)
        if kind is None:
            known = ", ".join(FORMATS)
            message = (
                f"the format of {str(path)!r} must be given, or its suffix be one of {known}; "
                f"set source.format"
            )
            raise SourceError(message)
        return kind

    def _plan(self, path: Path, ordinal: int) -> list[Unit]:
        kind = self._format(path)
        status = path.stat()
        size = status.st_size

        def unit(
            place: int, position: str, start: int | None, end: int | None, group: int | None
        ) -> Unit:
            return Unit(
                id=f"{path}|{size}|{status.st_mtime_ns}|{position}",
                path=str(path),
                ordinal=ordinal + place,
                format=kind,
                size=size,
                mtime_ns=status.st_mtime_ns,
                start=start,
                end=end,
                row_group=group,
            )

        if kind == "parquet":
            groups = _row_groups(path)
            if groups is not None:
                return [unit(group, f"row-group-{group}", None, None, group) for group in groups]
        elif kind == "jsonl" and path.suffix.lower() not in COMPRESSIONS:
            starts = range(0, size, self.block_bytes)
            ends = [min(start + self.block_bytes, size) for start in starts]
            return [
                unit(place, f"{start}-{end}", start, end, None)
                for place, (start, end) in enumerate(zip(starts, ends, strict=True))
            ]
        return [unit(0, "whole", None, None, None)]

    def _read_stream(self, unit: Unit, plan: DecodingPlan, origin: Origin) -> Iterator[Decoded]:
        limits = LineLimits(
            block_bytes=min(self.block_bytes, _PARSED_BYTES), max_line_bytes=self.max_line_bytes
        )
        path = Path(unit.path)
        stream = _open(unit, path, self.max_line_bytes)
        try:
            if unit.format == "csv":
                comma = "\t" if plain_name(path).endswith(".tsv") else ","
                delimiter = self.csv_delimiter or comma
                yield from read_csv_records(stream, plan, origin, limits, delimiter)
            else:
                yield from read_json_lines(stream, plan, origin, limits)
        finally:
            stream.close()


def _open(unit: Unit, path: Path, max_line_bytes: int) -> ByteStream:
    if unit.start is None or unit.end is None:
        return open_bytes(path)
    return RangeStream(
        path, start=unit.start, end=unit.end, size=unit.size, max_line_bytes=max_line_bytes
    )


def _row_groups(path: Path) -> range | None:
    """Return the row groups; None if the file cannot be read, which reading will report."""
    try:
        return range(count_row_groups(path))
    except (OSError, pa.ArrowException):
        return None


def _explain_unreadable(path: Path, origin: Origin) -> Iterator[Decoded]:
    count_row_groups(path)
    detail = "it could not be read when it was planned, but can be now; plan again"
    yield refuse_all(RejectionReason.FILE_CHANGED, detail, origin)


def _has_changed(unit: Unit) -> bool:
    status = Path(unit.path).stat()
    if unit.start is not None:
        return status.st_size < unit.size
    return (status.st_size, status.st_mtime_ns) != (unit.size, unit.mtime_ns)
