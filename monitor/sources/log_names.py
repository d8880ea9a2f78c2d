"""What the names of log files say: their format, and whether rotation gave them."""

import re
from collections.abc import Iterable
from pathlib import Path

from monitor.sources.compression import COMPRESSIONS, plain_name

__all__ = ["FORMATS", "find_files", "format_by_name", "is_compressed", "is_rotated"]

FORMATS = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_ROTATION = re.compile(r"[.-](?:\d+|\d{4}-\d\d-\d\d(?:[T_.-]?\d[\d-]*)?)$")


def format_by_name(path: Path) -> str | None:
    """Return the format that a file's suffix names, before that of rotation and compression.

    Examples
    --------
    >>> format_by_name(Path("app.jsonl.1.gz"))
    'jsonl'
    """
    return FORMATS.get(Path(_without_rotation(plain_name(path))).suffix)


def is_rotated(path: Path) -> bool:
    """Return whether the name is one that rotation gives.

    Examples
    --------
    >>> is_rotated(Path("app.jsonl-20260131")), is_rotated(Path("app-20260131.jsonl"))
    (True, False)
    """
    name = plain_name(path)
    return _without_rotation(name) != name


def is_compressed(path: Path) -> bool:
    """Return whether the suffix is that of a compression."""
    return path.suffix.lower() in COMPRESSIONS


def find_files(paths: Iterable[str]) -> list[Path]:
    """Return the files at paths, below directories and of patterns, in order, each once.

    Below directories, files of unknown suffix and hidden files are passed over.
    """
    found: set[Path] = set()
    for text in paths:
        path = Path(text)
        if path.is_dir():
            found |= {file for file in path.rglob("*") if _is_log(path, file)}
        elif path.is_file():
            found.add(path)
        else:
            pattern = text.removeprefix(path.anchor) or "."
            found |= set(Path(path.anchor or ".").glob(pattern))
    return sorted((path for path in found if path.is_file()), key=str)


def _without_rotation(name: str) -> str:
    bare = _ROTATION.sub("", name)
    return bare if Path(bare).suffix in FORMATS else name


def _is_log(directory: Path, file: Path) -> bool:
    parts = file.relative_to(directory).parts
    if any(part.startswith((".", "_")) for part in parts):
        return False
    return file.is_file() and format_by_name(file) is not None
