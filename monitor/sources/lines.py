"""Bytes that arrive piece by piece, cut into lines whose positions are known."""

from dataclasses import dataclass

__all__ = ["LineCutter", "Lines"]

_BOM = b"\xef\xbb\xbf"
_SPACE = b" \t\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Whole lines.

    Parameters
    ----------
    payloads
        The lines without their newlines; those of nothing but white space are left out.
    positions
        Where each of `payloads` begins, in bytes from the beginning of the file.
    too_long
        Where lines begin that are longer than the limit; they are not in `payloads`.
    """

    payloads: tuple[bytes, ...] = ()
    positions: tuple[int, ...] = ()
    too_long: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.payloads) + len(self.too_long)


class LineCutter:
    """Cuts a stream of bytes at its newlines.

    No more than `max_line_bytes` of a line are held: of a longer one, only where it began.

    Parameters
    ----------
    position
        Where the first byte that will be fed stands: the beginning of a line.
    max_line_bytes
        The longest line that is handed on, in bytes without its newline.

    Examples
    --------
    >>> cutter = LineCutter(0, max_line_bytes=10)
    >>> cutter.feed(b"one" + bytes([10]) + b"tw").payloads
    (b'one',)
    >>> cutter.position
    4
    """

    def __init__(self, position: int, *, max_line_bytes: int) -> None:
        self.position = position
        """Where the first line begins that was not handed on yet."""
        self.end = position
        """Just beyond the last byte that was fed."""
        self._limit = max_line_bytes
        self._rest = bytearray()
        self._is_skipping = False

    @property
    def has_rest(self) -> bool:
        """Whether a line has begun whose newline was not fed yet."""
        return self.end > self.position

    def feed(self, piece: bytes) -> Lines:
        """Return the lines that end within `piece`, which follows what was fed before."""
        cut = piece.rfind(b"\n") + 1
        self.end += len(piece)
        if not cut:
            self._keep(piece)
            return Lines()
        whole = bytes(self._rest) + piece[:cut]
        was_skipping = self._is_skipping
        self._rest.clear()
        self._is_skipping = False
        lines = self._cut(whole, was_skipping, self.end - len(piece) + cut)
        self._keep(piece[cut:])
        return lines

    def finish(self) -> Lines:
        """Return the last line although it has no newline; nothing will follow."""
        if not self.has_rest:
            return Lines()
        whole, was_skipping = bytes(self._rest) + b"\n", self._is_skipping
        self._rest.clear()
        self._is_skipping = False
        return self._cut(whole, was_skipping, self.end)

    def _keep(self, piece: bytes) -> None:
        if not self._is_skipping:
            self._rest += piece
            # The mark of byte order at the beginning of a file is no part of its first line.
            allowed = self._limit + (len(_BOM) if self.position == 0 else 0)
            if len(self._rest) > allowed:
                self._rest.clear()
                self._is_skipping = True

    def _cut(self, whole: bytes, was_skipping: bool, end: int) -> Lines:
        """Return the lines of `whole`, which ends with a newline, and move on to `end`."""
        payloads: list[bytes] = []
        positions: list[int] = []
        too_long: list[int] = []
        position = self.position
        lines = whole.split(b"\n")[:-1]
        for place, line in enumerate(lines):
            begin = position
            position += len(line) + 1
            if place == 0 and was_skipping:
                too_long.append(begin)
                position = end - sum(len(each) + 1 for each in lines[1:])
                continue
            text = line.removeprefix(_BOM) if begin == 0 else line
            if len(text) > self._limit:
                too_long.append(begin)
            elif text.strip(_SPACE):
                payloads.append(text)
                positions.append(begin)
        self.position = end
        return Lines(
            payloads=tuple(payloads), positions=tuple(positions), too_long=tuple(too_long)
        )
