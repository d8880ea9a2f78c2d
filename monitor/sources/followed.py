"""One file that is followed: what it is called for good, and how far it has been read."""

import hashlib
import os
from pathlib import Path
from typing import Protocol

from monitor.sources.compression import ByteStream, open_bytes
from monitor.sources.lines import LineCutter, Lines

__all__ = ["HEAD_BYTES", "CompleteFile", "FileBytes", "FollowedFile", "GrowingFile", "head_of"]

HEAD_BYTES = 1_024
"""As much of a file's first line goes into its name."""

Key = tuple[int, int]
"""Device and inode."""

Change = tuple[int, int]
"""Size in bytes and modification time in nanoseconds."""


def head_of(text: bytes, *, is_final: bool) -> bytes | None:
    """Return what names a file: its first line, at most 1 KiB of it.

    Appending to the file never changes it. None: the line is not whole yet, so that nothing of
    the file can be handed on either.

    Parameters
    ----------
    text
        The first bytes of the file, 1 KiB if it has as many.
    is_final
        Whether the file will not grow any more.

    Examples
    --------
    >>> head_of(b"half a line", is_final=False) is None
    True
    """
    newline = text.find(b"\n", 0, HEAD_BYTES)
    if newline >= 0:
        return text[: newline + 1]
    if len(text) >= HEAD_BYTES or (is_final and text):
        return text[:HEAD_BYTES]
    return None


class FileBytes(Protocol):
    """A file's content, decompressed."""

    key: Key

    def change(self) -> Change:
        """Return size and time of the file; equal means that it has not changed."""
        ...

    def read(self, position: int, size: int) -> bytes:
        """Return up to `size` bytes from `position` on; none at the end.

        Raises
        ------
        OSError
            If they cannot be read.
        StreamEndedEarlyError
            If a compressed file is damaged there.
        """
        ...

    def close(self) -> None:
        """Close the file."""
        ...


class GrowingFile:
    """An uncompressed file; it is held open, so that what is renamed or deleted can be read."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb", buffering=0)
        status = os.fstat(self._file.fileno())
        self.key: Key = (status.st_dev, status.st_ino)

    def change(self) -> Change:
        """Return the present size and time."""
        status = os.fstat(self._file.fileno())
        return status.st_size, status.st_mtime_ns

    def read(self, position: int, size: int) -> bytes:
        """Return up to `size` bytes from `position` on."""
        self._file.seek(position)
        return self._file.read(size) or b""

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class CompleteFile:
    """A compressed file, which is read once from its beginning to its end."""

    def __init__(self, path: Path) -> None:
        status = path.stat()
        self.key: Key = (status.st_dev, status.st_ino)
        self._path = path
        self._change = (status.st_size, status.st_mtime_ns)
        self._stream: ByteStream | None = None
        self._position = 0

    def change(self) -> Change:
        """Return size and time when it was opened."""
        return self._change

    def read(self, position: int, size: int) -> bytes:
        """Return up to `size` decompressed bytes; going back begins anew."""
        if self._stream is None or position < self._position:
            self.close()
            self._stream = open_bytes(self._path)
            self._position = 0
        while self._position < position:
            skipped = self._stream.read(min(1 << 20, position - self._position))
            if not skipped:
                return b""
            self._position += len(skipped)
        piece = self._stream.read(size)
        self._position += len(piece)
        return piece

    def close(self) -> None:
        """Close the file."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None


class FollowedFile:
    """A file and how far it has been handed on.

    Parameters
    ----------
    path
        Where it was found first.
    content
        Its bytes.
    is_complete
        Whether it never grows.
    max_line_bytes
        The longest line that is handed on.
    now
        Seconds on the stream's clock.
    """

    def __init__(
        self, path: Path, content: FileBytes, *, is_complete: bool, max_line_bytes: int, now: float
    ) -> None:
        self.path = self.first_path = path
        self.content = content
        self.is_complete = is_complete
        self.is_rotated = is_complete
        self.partition: str | None = None
        self.identity = ""
        self.before: tuple[str, str] | None = None
        """Name and identity before the file was emptied."""
        self.is_at_end = False
        self._max_line_bytes = max_line_bytes
        self._cutter = LineCutter(0, max_line_bytes=max_line_bytes)
        self._change = content.change()
        self._quiet_since = now
        self._head: bytes = b""

    @property
    def position(self) -> int:
        """Return the beginning of the first line that was not handed on."""
        return self._cutter.position

    @property
    def size(self) -> int:
        """Return the size when it was last looked at, in bytes on disk."""
        return self._change[0]

    @property
    def last_change(self) -> Change:
        """Return size and time when it was last looked at."""
        return self._change

    def quiet_seconds(self, now: float) -> float:
        """Return for how long the file has not changed."""
        return now - self._quiet_since

    def look(self, now: float) -> bool:
        """Notice whether the file has changed; return whether it is no longer what was read.

        It is not if it became shorter than what was read, or begins otherwise.

        Raises
        ------
        OSError
            If it cannot be read.
        """
        change = self.content.change()
        if change == self._change:
            return False
        self._change, self._quiet_since = change, now
        self.is_at_end = False
        if self.is_complete or self.partition is None:
            return False
        if change[0] < self._cutter.end:
            return True
        return self.content.read(0, len(self._head)) != self._head

    def name(self, *, is_final: bool) -> tuple[str, str] | None:
        """Return what the partition is called, and its identity; None: too early to say.

        The name holds the inode and a hash of the first line. The device is left out: its
        number may change when the machine starts anew.

        Raises
        ------
        OSError, StreamEndedEarlyError
            If the file cannot be read.
        """
        head = head_of(self.content.read(0, HEAD_BYTES), is_final=is_final or self.is_complete)
        if head is None:
            return None
        self._head = head
        digest = hashlib.sha256(head).hexdigest()
        return f"file/{self.content.key[1]:x}-{digest[:16]}", digest

    def begin(self, partition: str, identity: str, position: int) -> None:
        """Read on from `position` under a name."""
        self.partition, self.identity = partition, identity
        self.is_at_end = False
        self._cutter = LineCutter(position, max_line_bytes=self._max_line_bytes)

    def forget(self) -> None:
        """Begin anew: the file is not what it was."""
        self.before = (str(self.partition), self.identity)
        self.partition, self.identity = None, ""
        self._cutter = LineCutter(0, max_line_bytes=self._max_line_bytes)

    def read(self, size: int) -> Lines:
        """Return the lines within the next `size` bytes.

        Raises
        ------
        OSError, StreamEndedEarlyError
            If they cannot be read.
        """
        piece = self.content.read(self._cutter.end, size)
        self.is_at_end = not piece
        return self._cutter.feed(piece) if piece else Lines()

    def finish(self) -> Lines:
        """Return the last line although it has no newline."""
        return self._cutter.finish()
