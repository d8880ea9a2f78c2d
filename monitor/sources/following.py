"""Files that are appended to, rotated, shortened and deleted, followed by looking at them."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from monitor.sources.compression import StreamEndedEarlyError
from monitor.sources.followed import FollowedFile
from monitor.sources.lines import Lines
from monitor.sources.live import Batch, Claims, Notice, NoticeKind
from monitor.sources.watched_paths import WatchedPaths

__all__ = ["FilesStream", "FollowingSettings"]

_MOST_AT_ONCE_BYTES = 256 << 10
_LEAST_AT_ONCE_BYTES = 4 << 10
_BYTES_A_RECORD = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowingSettings:
    """How files are followed.

    Parameters
    ----------
    poll_seconds
        The time between two looks at the files.
    settle_seconds
        A file that has not changed for this time, and that nobody should be writing to, is
        complete.
    """

    poll_seconds: float
    settle_seconds: float


class FilesStream:
    """The lines of files, as they are written.

    Parameters
    ----------
    watched
        Finds the files.
    settings
        How they are followed.
    claims
        How their partitions are taken over.
    elapsed
        Returns seconds on a clock that never goes back.
    wait
        Waits for so many seconds.
    """

    def __init__(
        self,
        watched: WatchedPaths,
        settings: FollowingSettings,
        claims: Claims,
        *,
        elapsed: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._watched = watched
        self._settings = settings
        self._claims = claims
        self._elapsed = elapsed
        self._wait = wait
        self._ended: dict[str, Path] = {}
        self._notices: list[Notice] = []
        self._look_at = elapsed()
        self._last_served = ""
        self._is_paused = self._is_finishing = False

    def poll(self, timeout_seconds: float, max_records: int) -> Sequence[Batch]:
        """Return new lines of one file or several.

        A batch may hold no payload: then only blank lines were passed over, or lines that are
        too long.
        """
        until = self._elapsed() + timeout_seconds
        while True:
            batches = () if self._is_paused else tuple(self._batches(max_records))
            left = until - self._elapsed()
            if batches or left <= 0:
                return batches
            self._wait(min(left, self._settings.poll_seconds))

    def notices(self) -> Sequence[Notice]:
        """Return what has happened since the last call."""
        notices = (*self._notices, *self._watched.notices())
        self._notices = []
        return notices

    def caught_up(self) -> frozenset[str]:
        """Return the files that were read to their end; a line without newline may wait."""
        open_ones = {file.partition for file in self._files() if file.partition is not None}
        behind = {file.partition for file in self._files() if not file.is_at_end}
        return frozenset((open_ones | self._ended.keys()) - behind)

    def ended(self) -> frozenset[str]:
        """Return the files that were rotated or deleted, read to the end and left alone since."""
        return frozenset(self._ended)

    def lag(self) -> Mapping[str, int]:
        """Return how many bytes wait in each file; compressed files are left out."""
        return {
            file.partition: max(0, file.size - file.position)
            for file in self._files()
            if file.partition is not None and not file.is_complete
        }

    def labels(self) -> Mapping[str, str]:
        """Return the present path of each partition, for people."""
        paths = {name: str(path) for name, path in self._ended.items()}
        return paths | {
            file.partition: str(file.path) for file in self._files() if file.partition is not None
        }

    def pause(self) -> None:
        """Hand on nothing until `resume`; files stay open."""
        self._is_paused = True

    def resume(self) -> None:
        """Go on."""
        self._is_paused = False

    def finish(self) -> None:
        """Take every file for complete: the last line needs no newline, then all have ended."""
        self._is_finishing = True

    def committed(self, positions: Mapping[str, int]) -> None:
        """Take note of nothing: files have no place for it."""
        del positions

    def close(self) -> None:
        """Close the files."""
        self._watched.close()

    def _files(self) -> list[FollowedFile]:
        return self._watched.files

    def _batches(self, max_records: int) -> Iterator[Batch]:
        now = self._elapsed()
        if now >= self._look_at:
            self._look_at = now + self._settings.poll_seconds
            self._watched.look(now)
            self._check_for_changes(now)
        self._take_over(now)
        left = max_records
        for file in self._in_turn():
            while left > 0 and (batch := self._next(file, left, now)) is not None:
                self._last_served = batch.partition
                left -= max(1, len(batch.payloads) + len(batch.too_long))
                yield batch

    def _in_turn(self) -> list[FollowedFile]:
        """Return the files that have names, those after the one that was served last first."""
        named = [file for file in self._files() if file.partition is not None]
        named.sort(key=lambda file: str(file.partition))
        return sorted(named, key=lambda file: str(file.partition) <= self._last_served)

    def _check_for_changes(self, now: float) -> None:
        for file in self._files():
            try:
                is_another = file.look(now)
            except OSError as error:
                self._watched.complain(file.path, str(error))
                continue
            if is_another:
                self._begin_anew(file)

    def _begin_anew(self, file: FollowedFile) -> None:
        before = str(file.partition)
        self._notices.append(
            Notice(
                kind=NoticeKind.TRUNCATED,
                partition=before,
                first=file.position,
                detail=f"{str(file.path)!r} was emptied or written anew; lines that were not "
                "read until then are lost",
            )
        )
        self._ended[before] = file.path
        file.forget()

    def _take_over(self, now: float) -> None:
        """Name and claim the files whose first line is whole."""
        new: dict[str, tuple[FollowedFile, str]] = {}
        for file in self._files():
            if file.partition is not None or (named := self._name(file, now)) is None:
                continue
            if named == file.before:
                # It is claimed already; claiming it again would drop what is not committed.
                self._ended.pop(named[0], None)
                file.begin(*named, 0)
            else:
                new[named[0]] = (file, named[1])
        if not new:
            return
        claimed = self._claims.claim({name: identity for name, (_, identity) in new.items()})
        for name, (file, identity) in new.items():
            known = claimed.get(name)
            position = 0 if known is None or known.position is None else known.position
            if not file.is_complete and position > file.size:
                self._notices.append(_shortened(name, file, position))
                position = 0
            self._ended.pop(name, None)
            file.begin(name, identity, position)

    def _name(self, file: FollowedFile, now: float) -> tuple[str, str] | None:
        is_final = self._is_final(file, now)
        try:
            named = file.name(is_final=is_final)
        except (OSError, StreamEndedEarlyError) as error:
            self._give_up(file, str(error))
            return None
        if named is None and is_final:
            # Nothing was ever written to it.
            self._watched.drop(file)
        return named

    def _is_final(self, file: FollowedFile, now: float) -> bool:
        if self._is_finishing or file.is_complete:
            return True
        return file.is_rotated and file.quiet_seconds(now) >= self._settings.settle_seconds

    def _next(self, file: FollowedFile, max_records: int, now: float) -> Batch | None:
        """Return the next lines of a file, None at its end."""
        if file.partition in self._ended:
            return None
        size = min(_MOST_AT_ONCE_BYTES, max_records * _BYTES_A_RECORD)
        while True:
            first = file.position
            try:
                lines = file.read(max(size, _LEAST_AT_ONCE_BYTES))
            except (OSError, StreamEndedEarlyError) as error:
                self._give_up(file, str(error))
                return None
            if file.position > first:
                return _batch(file, lines, first)
            if file.is_at_end:
                return self._end(file) if self._is_final(file, now) else None

    def _end(self, file: FollowedFile) -> Batch | None:
        first = file.position
        lines = file.finish()
        self._ended[str(file.partition)] = file.path
        batch = _batch(file, lines, first) if file.position > first else None
        self._watched.drop(file)
        return batch

    def _give_up(self, file: FollowedFile, detail: str) -> None:
        """Leave a damaged compressed file; try others again with the next look."""
        if not file.is_complete:
            self._watched.complain(file.path, detail)
            return
        self._notices.append(
            Notice(
                kind=NoticeKind.UNREADABLE_BATCH,
                partition=file.partition or str(file.path),
                first=file.position,
                detail=f"{str(file.path)!r} is damaged: {detail}",
            )
        )
        if file.partition is not None:
            self._ended[file.partition] = file.path
        self._watched.drop(file)


def _batch(file: FollowedFile, lines: Lines, first: int) -> Batch:
    return Batch(
        partition=str(file.partition),
        payloads=lines.payloads,
        first=first,
        next=file.position,
        positions=lines.positions,
        too_long=lines.too_long,
    )


def _shortened(name: str, file: FollowedFile, position: int) -> Notice:
    return Notice(
        kind=NoticeKind.TRUNCATED,
        partition=name,
        first=position,
        detail=f"{str(file.path)!r} has {file.size} bytes, of which {position} were read; it is "
        "read from its beginning",
    )
