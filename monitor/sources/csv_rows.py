"""CSV: a stream cut into blocks of whole records, quoted newlines respected."""

import functools
import re
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from monitor.decoding.base import Decoded, Origin, RejectionReason
from monitor.decoding.csv_block import CsvHeader, decode_csv_records
from monitor.decoding.plan import DecodingPlan
from monitor.decoding.refusals import refuse_all
from monitor.sources.compression import ByteStream, StreamEndedEarlyError
from monitor.sources.jsonlines import LineLimits

__all__ = ["read_csv_records", "record_ends"]

Ends = npt.NDArray[np.intp]


@functools.cache
def _quoted(delimiter: str) -> re.Pattern[bytes]:
    """Return the pattern of a quoted field; group 1 is empty where the quote is not closed."""
    before = re.escape(delimiter).encode()
    return re.compile(rb"(?:\A|(?<=[" + before + rb'\r\n]))"[^"]*+(?:""[^"]*+)*+("|\Z)')


def record_ends(text: bytes, delimiter: str) -> tuple[Ends, bool]:
    """Return where records end, and whether a quote is left open at the end of `text`.

    Parameters
    ----------
    text
        Bytes that begin with a record.
    delimiter
        The character between fields.

    Returns
    -------
    tuple
        The positions just beyond each record's newline, of shape (n_records,); bytes after
        the last one belong to a record that is not whole.
    """
    ends: Ends = np.flatnonzero(np.frombuffer(text, np.uint8) == ord("\n")) + 1
    if b'"' not in text:
        return ends, False
    spans = []
    is_open = False
    for match in _quoted(delimiter).finditer(text):
        if b"\n" in match.group():
            spans.append(match.span())
        is_open = not match.group(1)
    if not spans:
        return ends, is_open
    starts, stops = np.array(spans, np.intp).T
    span = np.searchsorted(starts, ends - 1, side="right") - 1
    inside = (span >= 0) & (ends - 1 < stops[span])
    return ends[~inside], is_open


class _Reader:
    """Whole records of a stream; what is not yet a whole record waits in `rest`."""

    def __init__(self, stream: ByteStream, delimiter: str, limits: LineLimits) -> None:
        self._stream = stream
        self._delimiter = delimiter
        self._limits = limits
        self._rest = b""
        self._problem: StreamEndedEarlyError | None = None
        self._at_end = False

    def blocks(self) -> Iterator[tuple[bytes, Ends, RejectionReason | None]]:
        """Yield bytes, ends of records, and a reason if they are one record to be rejected."""
        while not self._at_end or self._rest:
            if not self._at_end:
                self._fill()
            ends, is_open = record_ends(self._rest, self._delimiter)
            if self._at_end and not is_open and self._rest and self._problem is None:
                ends = _with_last(ends, len(self._rest))
            if len(ends):
                yield self._take(int(ends[-1])), ends, None
            elif len(self._rest) > self._limits.max_line_bytes:
                yield self._skip_line(), ends, RejectionReason.LINE_TOO_LONG
            elif self._at_end and is_open and self._problem is None:
                yield self._skip_line(), ends, RejectionReason.UNCLOSED_QUOTE
            elif self._at_end:
                self._rest = b""
        if self._problem is not None:
            raise self._problem

    def _fill(self) -> None:
        try:
            piece = self._stream.read(self._limits.block_bytes)
        except StreamEndedEarlyError as error:
            self._problem, piece = error, b""
        self._at_end = not piece
        self._rest += piece

    def _take(self, size: int) -> bytes:
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken

    def _skip_line(self) -> bytes:
        """Drop the first line of the rest, reading on until it ends."""
        while (cut := self._rest.find(b"\n")) < 0 and not self._at_end:
            self._rest = b""
            self._fill()
        self._take(cut + 1 if cut >= 0 else len(self._rest))
        return b""


def _with_last(ends: Ends, size: int) -> Ends:
    return ends if len(ends) and ends[-1] == size else np.append(ends, size)


def read_csv_records(
    stream: ByteStream, plan: DecodingPlan, origin: Origin, limits: LineLimits, delimiter: str
) -> Iterator[Decoded]:
    """Yield the records of a stream, block by block; the first record names the fields.

    `Rejection.line` counts records after the header, from 1. A record longer than the limit
    costs one line: reading goes on with the next.

    Raises
    ------
    StreamEndedEarlyError
        If a compressed stream is damaged, after everything before the damage was yielded.
    UnicodeDecodeError
        If the header is not UTF-8.
    """
    header: CsvHeader | None = None
    line = origin.first_line
    for text, ends, reason in _Reader(stream, delimiter, limits).blocks():
        here = Origin(path=origin.path, position=origin.position, first_line=line)
        if reason is not None:
            detail = (
                f"its first line was skipped; a record has at most {limits.max_line_bytes} bytes"
            )
            yield refuse_all(reason, detail, here, line=line)
            line += 1
            continue
        body, places = text, ends
        if header is None:
            header, body, places = _take_header(text, ends, delimiter)
        if header is not None and len(places):
            yield from _decode(body, places, header, plan, here, limits)
            line += len(places)


def _take_header(text: bytes, ends: Ends, delimiter: str) -> tuple[CsvHeader | None, bytes, Ends]:
    """Return the first record that is not blank as the header, and what follows it."""
    start = 0
    for place, end in enumerate(ends.tolist()):
        record = text[start:end]
        if record.strip(b"\xef\xbb\xbf\r\n"):
            return CsvHeader.parse(record, delimiter), text[end:], ends[place + 1 :] - end
        start = end
    return None, b"", ends[:0]


def _decode(
    body: bytes,
    ends: Ends,
    header: CsvHeader,
    plan: DecodingPlan,
    origin: Origin,
    limits: LineLimits,
) -> Iterator[Decoded]:
    lengths = np.diff(ends, prepend=0)
    long = np.flatnonzero(lengths > limits.max_line_bytes)
    first = 0
    for place in [*long.tolist(), len(ends)]:
        if place > first:
            start = int(ends[first - 1]) if first else 0
            part = body[start : int(ends[place - 1])]
            yield decode_csv_records(
                part, ends[first:place] - start, header, plan, _at(origin, first)
            )
        if place < len(ends):
            here = _at(origin, place)
            detail = f"more than {limits.max_line_bytes} bytes"
            yield refuse_all(RejectionReason.LINE_TOO_LONG, detail, here, line=here.first_line)
        first = place + 1


def _at(origin: Origin, skipped: int) -> Origin:
    return Origin(
        path=origin.path, position=origin.position, first_line=origin.first_line + skipped
    )
