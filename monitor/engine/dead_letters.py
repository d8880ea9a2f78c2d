"""Samples of rejected records, as a file that says where each of them stands."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from monitor.config.model import DeadLetterSettings

__all__ = ["LineNumbers", "write_dead_letters"]

_CHUNK_BYTES = 1 << 22


class LineNumbers:
    """Numbers of lines in files that were read from the middle.

    A block of a JSON Lines file knows how far into the file its range of bytes begins; which
    line it begins with takes counting the line ends before it. A line that the range cuts
    belongs to the block before. Offsets of one file in ascending order read the file once.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, int]] = {}

    def before(self, path: str, start: int) -> int | None:
        """Return how many lines begin before byte `start`; None if the file cannot be read."""
        # The line that holds the byte before `start` is the last of them.
        end = max(start - 1, 0)
        position, line_ends = self._known.get(path, (0, 0))
        if position > end:
            position, line_ends = 0, 0
        try:
            with Path(path).open("rb") as file:
                file.seek(position)
                while position < end:
                    chunk = file.read(min(_CHUNK_BYTES, end - position))
                    if not chunk:
                        break
                    line_ends += chunk.count(b"\n")
                    position += len(chunk)
        except OSError:
            return None
        self._known[path] = (position, line_ends)
        return line_ends + 1 if start else 0


def write_dead_letters(samples: Iterable[Mapping[str, Any]], settings: DeadLetterSettings) -> int:
    """Write samples of rejected records to ``dead_letters.path`` and return how many.

    Each line is a JSON object with the file, the line in that file (from 1, null when the
    whole file or row group is meant), the reason and what was found. The file is written
    anew by each audit.
    """
    kept = sorted(_first_of_each_reason(samples, settings.max_samples_per_reason), key=_place)
    if not kept and not settings.path.exists():
        return 0
    numbers = LineNumbers()
    settings.path.parent.mkdir(parents=True, exist_ok=True)
    with settings.path.open("w", encoding="utf-8") as file:
        for sample in kept:
            file.write(json.dumps(_letter(sample, numbers), ensure_ascii=False) + "\n")
    return len(kept)


def _first_of_each_reason(
    samples: Iterable[Mapping[str, Any]], limit: int
) -> Iterator[Mapping[str, Any]]:
    seen: Counter[str] = Counter()
    for sample in samples:
        seen[sample["reason"]] += 1
        if seen[sample["reason"]] <= limit:
            yield sample


def _place(sample: Mapping[str, Any]) -> tuple[str, int, int, int]:
    return sample["path"], sample["start"], sample["row_group"] or 0, sample["line"] or 0


def _letter(sample: Mapping[str, Any], numbers: LineNumbers) -> dict[str, Any]:
    line = sample["line"]
    if line is not None and sample["start"]:
        before = numbers.before(sample["path"], sample["start"])
        line = None if before is None else before + line
    letter = {
        "path": sample["path"],
        "line": line,
        "row_group": sample["row_group"],
        "reason": sample["reason"],
        "column": sample["column"],
        "detail": sample["detail"],
        "excerpt": sample["excerpt"],
    }
    return {
        key: value for key, value in letter.items() if value not in (None, "") or key == "line"
    }
