"""JSON Lines: byte ranges cut at newlines, and streams cut into blocks of whole lines."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from monitor.decoding.base import Decoded, Origin, RejectionReason
from monitor.decoding.json_block import decode_json_lines
from monitor.decoding.plan import DecodingPlan
from monitor.decoding.refusals import refuse_all
from monitor.sources.compression import ByteStream

__all__ = ["LineLimits", "RangeStream", "read_json_lines"]

_BOM = b"\xef\xbb\xbf"
_SCAN_BYTES = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class LineLimits:
    """How much is read and parsed at once, in bytes, and how long a line may be."""

    block_bytes: int
    max_line_bytes: int


class RangeStream:
    """The lines that begin within a range of a file's bytes.

    Nothing is read at planning time: a range begins after the first newline at or after the
    byte before it, and ends with the line that its last byte belongs to. Every line of the
    file therefore belongs to exactly one of a set of adjoining ranges.

    Parameters
    ----------
    path
        An uncompressed file.
    start, end
        The range.
    size
        The size of the file when it was planned; what was added since is not read.
    max_line_bytes
        How far beyond the range the last line is followed.
    """

    def __init__(
        self, path: Path, *, start: int, end: int, size: int, max_line_bytes: int
    ) -> None:
        self._file = path.open("rb")
        begin = 0 if start == 0 else self._after_newline(start - 1, end)
        if end >= size:
            finish = size
        else:
            finish = self._after_newline(end - 1, min(size, end + max_line_bytes + 1))
        self._left = max(0, finish - begin) if begin < end else 0
        self._file.seek(begin)

    def _after_newline(self, position: int, limit: int) -> int:
        """Return the position after the first newline from `position` on, at most `limit`."""
        self._file.seek(position)
        while position < limit:
            piece = self._file.read(min(_SCAN_BYTES, limit - position))
            if not piece:
                break
            found = piece.find(b"\n")
            if found >= 0:
                return position + found + 1
            position += len(piece)
        return limit

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes; none at the end."""
        piece = self._file.read(min(size, self._left))
        self._left -= len(piece)
        return piece

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_json_lines(
    stream: ByteStream, plan: DecodingPlan, origin: Origin, limits: LineLimits
) -> Iterator[Decoded]:
    """Yield the records of a stream, block by block.

    A line longer than the limit is rejected, without being held in memory as a whole; the
    lines after it are read.

    Raises
    ------
    StreamEndedEarlyError
        If a compressed stream is damaged, after everything before the damage was yielded.
    """
    line = origin.first_line
    for block, is_whole in _blocks(stream, limits):
        here = Origin(path=origin.path, position=origin.position, first_line=line)
        if is_whole:
            yield from _decode(block, plan, here, limits)
            line += block.count(b"\n")
        else:
            yield _too_long(here, line, limits)
            line += 1


def _too_long(origin: Origin, line: int, limits: LineLimits) -> Decoded:
    detail = f"more than {limits.max_line_bytes} bytes"
    return refuse_all(RejectionReason.LINE_TOO_LONG, detail, origin, line=line)


def _blocks(stream: ByteStream, limits: LineLimits) -> Iterator[tuple[bytes, bool]]:
    """Yield whole lines, and for each line that is too long an empty block marked False."""
    rest = b""
    is_first = True
    problem: Exception | None = None
    while problem is None:
        try:
            piece = stream.read(limits.block_bytes)
        except Exception as error:
            problem, piece = error, b""
        if is_first:
            piece = piece.removeprefix(_BOM)
            is_first = False
        if not piece:
            break
        text = rest + piece
        cut = text.rfind(b"\n") + 1
        if cut:
            yield text[:cut], True
        rest = text[cut:]
        if len(rest) > limits.max_line_bytes:
            yield b"", False
            rest = _skip_line(stream)
    if rest and problem is None:
        yield rest, True
    if problem is not None:
        raise problem


def _skip_line(stream: ByteStream) -> bytes:
    """Read to the end of the line; return what was read beyond it."""
    while piece := stream.read(_SCAN_BYTES):
        _, newline, rest = piece.partition(b"\n")
        if newline:
            return rest
    return b""


def _decode(
    block: bytes, plan: DecodingPlan, origin: Origin, limits: LineLimits
) -> Iterator[Decoded]:
    """Decode a block of whole lines, putting aside those that are too long."""
    if len(block) <= limits.max_line_bytes:
        yield decode_json_lines(block, plan, origin)
        return
    first = line = 0
    start = position = 0
    while position < len(block):
        newline = block.find(b"\n", position)
        after = len(block) if newline < 0 else newline + 1
        if after - position - (newline >= 0) > limits.max_line_bytes:
            yield from _part(block[start:position], plan, origin, first)
            yield _too_long(origin, origin.first_line + line, limits)
            start, first = after, line + 1
        position = after
        line += 1
    yield from _part(block[start:], plan, origin, first)


def _part(block: bytes, plan: DecodingPlan, origin: Origin, skipped: int) -> Iterator[Decoded]:
    if block:
        here = Origin(
            path=origin.path, position=origin.position, first_line=origin.first_line + skipped
        )
        yield decode_json_lines(block, plan, here)
