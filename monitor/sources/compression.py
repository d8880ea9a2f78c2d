"""Bytes of a file, decompressed as they are read."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pyarrow as pa

__all__ = ["COMPRESSIONS", "ByteStream", "StreamEndedEarlyError", "open_bytes", "plain_name"]

COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}

_PIECE_BYTES = 1 << 16


class StreamEndedEarlyError(Exception):
    """A compressed stream is cut short or damaged; what came before has been read."""


class ByteStream(Protocol):
    """What bytes are read from."""

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes; none at the end."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...


class _Decompressed:
    """A compressed file; damage is reported only after everything before it was handed out."""

    def __init__(self, path: Path, compression: str) -> None:
        self._file = pa.OSFile(str(path), "rb")
        self._stream = pa.CompressedInputStream(self._file, compression)
        self._problem: str | None = None

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes, fewer only before the end or before damage."""
        pieces = []
        wanted = size
        while wanted > 0 and self._problem is None:
            try:
                piece = self._stream.read(min(_PIECE_BYTES, wanted))
            except OSError as error:
                self._problem = str(error)
                break
            if not piece:
                break
            pieces.append(piece)
            wanted -= len(piece)
        if not pieces and self._problem is not None:
            raise StreamEndedEarlyError(self._problem)
        return b"".join(pieces)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def plain_name(path: Path) -> str:
    """Return the file's name in lower case without the suffix of a compression."""
    name = path.name.lower()
    for suffix in COMPRESSIONS:
        name = name.removesuffix(suffix)
    return name


def open_bytes(path: Path) -> ByteStream:
    """Return the file's bytes, decompressed if its suffix says so.

    Raises
    ------
    OSError
        If the file cannot be opened.
    """
    compression = COMPRESSIONS.get(path.suffix.lower())
    opener: Callable[[], ByteStream] = (
        (lambda: path.open("rb"))
        if compression is None
        else (lambda: _Decompressed(path, compression))
    )
    return opener()
