"""The files that are there now: new ones, renamed ones, and those that went away."""

from collections.abc import Callable, Mapping
from pathlib import Path

from monitor.sources.followed import CompleteFile, FollowedFile, GrowingFile
from monitor.sources.live import Notice, NoticeKind

__all__ = ["WatchedPaths"]

Key = tuple[int, int]
Change = tuple[int, int]


class WatchedPaths:
    """Files found again and again, each known by its device and inode.

    Parameters
    ----------
    find
        Returns the files that are there.
    refusal
        Says why a file is not followed; empty: it is.
    is_complete
        Says whether a file never grows: it is followed once it has settled.
    is_rotated
        Says whether a file's name is one of those that rotation gives.
    settle_seconds
        How long a complete file must not have changed.
    max_line_bytes
        The longest line that is handed on.
    """

    def __init__(
        self,
        *,
        find: Callable[[], list[Path]],
        refusal: Callable[[Path], str],
        is_complete: Callable[[Path], bool],
        is_rotated: Callable[[Path], bool],
        settle_seconds: float,
        max_line_bytes: int,
    ) -> None:
        self._find = find
        self._refusal = refusal
        self._is_complete = is_complete
        self._is_rotated = is_rotated
        self._settle_seconds = settle_seconds
        self._max_line_bytes = max_line_bytes
        self._followed: dict[Key, FollowedFile] = {}
        self._done: dict[Key, Change] = {}
        self._settling: dict[Key, tuple[Change, float]] = {}
        self._complaints: dict[Path, str] = {}
        self._notices: list[Notice] = []

    @property
    def files(self) -> list[FollowedFile]:
        """Return the files that are followed."""
        return list(self._followed.values())

    def look(self, now: float) -> None:
        """Find out which files are there; the clock stands at `now`, in seconds."""
        found = self._found()
        for key, (path, change) in found.items():
            if key not in self._followed and self._done.get(key) != change:
                self._adopt(path, key, change, now)
        for key, file in self._followed.items():
            if key in found:
                file.path = found[key][0]
            file.is_rotated = file.is_complete or (
                key not in found or file.path != file.first_path or self._is_rotated(file.path)
            )
        for known in (self._done, self._settling):
            for key in known.keys() - found.keys():
                del known[key]

    def drop(self, file: FollowedFile) -> None:
        """Follow a file no longer, unless it changes."""
        self._followed.pop(file.content.key, None)
        self._done[file.content.key] = file.last_change
        file.content.close()

    def complain(self, path: Path, detail: str) -> None:
        """Tell that a file cannot be read, once for each reason."""
        self._tell(NoticeKind.UNREACHABLE, path, f"{str(path)!r} cannot be read: {detail}")

    def notices(self) -> list[Notice]:
        """Return what has happened since the last call."""
        notices, self._notices = self._notices, []
        return notices

    def close(self) -> None:
        """Close the files."""
        for file in self.files:
            file.content.close()
        self._followed.clear()

    def _found(self) -> Mapping[Key, tuple[Path, Change]]:
        found: dict[Key, tuple[Path, Change]] = {}
        for path in self._find():
            try:
                status = path.stat()
            except FileNotFoundError:
                continue
            except OSError as error:
                self.complain(path, str(error))
                continue
            key = (status.st_dev, status.st_ino)
            found.setdefault(key, (path, (status.st_size, status.st_mtime_ns)))
        return found

    def _adopt(self, path: Path, key: Key, change: Change, now: float) -> None:
        refusal = self._refusal(path)
        if refusal:
            self._tell(NoticeKind.NOT_FOLLOWED, path, refusal)
            return
        is_complete = self._is_complete(path)
        if is_complete and not self._has_settled(key, change, now):
            return
        try:
            content = CompleteFile(path) if is_complete else GrowingFile(path)
        except FileNotFoundError:
            return
        except OSError as error:
            self.complain(path, str(error))
            return
        self._complaints.pop(path, None)
        if content.key in self._followed:
            # Between the look and the opening another file came to this path.
            content.close()
            return
        self._done.pop(content.key, None)
        self._followed[content.key] = FollowedFile(
            path,
            content,
            is_complete=is_complete,
            max_line_bytes=self._max_line_bytes,
            now=now,
        )

    def _has_settled(self, key: Key, change: Change, now: float) -> bool:
        before, since = self._settling.get(key, (None, now))
        if before != change:
            self._settling[key] = (change, now)
            return self._settle_seconds <= 0
        return now - since >= self._settle_seconds

    def _tell(self, kind: NoticeKind, path: Path, detail: str) -> None:
        if self._complaints.get(path) != detail:
            self._complaints[path] = detail
            self._notices.append(Notice(kind=kind, detail=detail))
