"""Disks that run out of space: a small file system of one's own, or a limit on the size of files.

Both make the kernel refuse to write. To mount a file system takes a privilege; a limit may be put
on any process of the same user, which is then told EFBIG instead of ENOSPC.
"""

import errno
import resource
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

__all__ = ["LimitedFiles", "SmallFileSystem", "Space", "best_space"]

MEGABYTES = 24
LOG_BYTES = 64 * 1024
BLOCK = bytes(4_096)


class Space(Protocol):
    """Where databases are, which can be filled."""

    @property
    def folder(self) -> Path:
        """Where databases are."""
        ...

    @property
    def description(self) -> str:
        """What is filled."""
        ...

    def fill(self, database: Path, processes: Sequence[int]) -> None:
        """Leave these processes no space for that database."""
        ...

    def free(self) -> None:
        """Give the space back."""
        ...


@dataclass(frozen=True)
class SmallFileSystem:
    """A file system in memory, filled by a file of no use."""

    folder: Path
    description: str = "a file system without space"

    def fill(self, database: Path, processes: Sequence[int]) -> None:
        """See `Space.fill`; it hits everybody."""
        del database, processes
        with self._ballast.open("ab", buffering=0) as file:
            try:
                while True:
                    file.write(BLOCK)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise

    def free(self) -> None:
        """See `Space.free`."""
        self._ballast.unlink(missing_ok=True)

    @property
    def _ballast(self) -> Path:
        return self.folder / "ballast"


@dataclass
class LimitedFiles:
    """Processes that may not let a file grow beyond the size of the database's log.

    Their own logs are smaller.
    """

    folder: Path
    description: str = "files that must not grow"
    _limited: dict[int, tuple[int, int]] = field(default_factory=dict)

    def fill(self, database: Path, processes: Sequence[int]) -> None:
        """See `Space.fill`."""
        log = database.with_name(f"{database.name}-wal")
        size = log.stat().st_size if log.exists() else 0
        for process in processes:
            former = resource.prlimit(process, resource.RLIMIT_FSIZE)
            self._limited.setdefault(process, former)
            resource.prlimit(process, resource.RLIMIT_FSIZE, (max(LOG_BYTES, size), former[1]))

    def free(self) -> None:
        """See `Space.free`."""
        for process, former in self._limited.items():
            try:
                resource.prlimit(process, resource.RLIMIT_FSIZE, former)
            except ProcessLookupError:
                continue
        self._limited.clear()


@contextmanager
def best_space(folder: Path) -> Iterator[Space]:
    """Provide a small file system in the folder if it may be mounted, else limits."""
    options = ["-t", "tmpfs", "-o", f"size={MEGABYTES}m", "tmpfs"]
    try:
        mounted = subprocess.run(["mount", *options, folder], capture_output=True, check=False)
    except FileNotFoundError:
        yield LimitedFiles(folder)
        return
    if mounted.returncode != 0:
        yield LimitedFiles(folder)
        return
    try:
        yield SmallFileSystem(folder)
    finally:
        subprocess.run(["umount", "--lazy", folder], capture_output=True, check=False)
