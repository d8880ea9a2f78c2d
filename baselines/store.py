"""Versions of baselines in a directory: files named by their content, promotions in a log.

``<id>.owbl`` holds one baseline; ``promotions.jsonl`` says, one JSON object a line, who made
which baseline the one in force, when and why. Nothing is ever overwritten with other content.
"""

import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from baselines.baseline import Baseline
from baselines.codec import BaselineFormatError, decode_baseline, encode_baseline, read_summary
from baselines.description import Provenance, provenance_from

__all__ = ["PROMOTED", "BaselineStore", "BaselineStoreError", "Promotion", "StoredBaseline"]

PROMOTED = "promoted"
"""The reference that stands for the baseline in force."""

_SUFFIX = ".owbl"
_SHORTEST_PREFIX = 6
_HEAD_BYTES = 2**16


class BaselineStoreError(Exception):
    """The store cannot do what was asked: no such baseline, no directory, no reason given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """One baseline was put in force.

    Parameters
    ----------
    id
        The baseline.
    who, why
        The person who decided and the reason; never empty.
    at
        When, in microseconds since 1970-01-01T00:00Z.
    previous
        The baseline that was in force before; None: there was none.
    """

    id: str
    who: str
    why: str
    at: int
    previous: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBaseline:
    """What the store knows of a baseline without decoding it."""

    id: str
    provenance: Provenance
    n_windows: int
    n_bytes: int
    is_promoted: bool


class BaselineStore:
    """Baselines in one directory.

    Parameters
    ----------
    directory
        Where the files are; made on the first save.
    """

    def __init__(self, directory: Path | str) -> None:
        self.directory = Path(directory)

    def save(self, baseline: Baseline) -> str:
        """Write the baseline and return its id.

        A baseline that is there stays untouched, its first provenance included.
        """
        path = self._path(baseline.id)
        if not path.exists():
            self.directory.mkdir(parents=True, exist_ok=True)
            _write_atomically(path, encode_baseline(baseline))
        return baseline.id

    def load(self, reference: str = PROMOTED) -> Baseline:
        """Return a baseline, its checksum and id verified.

        Parameters
        ----------
        reference
            ``promoted``, an id, or the first 6 or more digits of one.

        Raises
        ------
        BaselineStoreError
            If there is no such baseline, or more than one.
        BaselineFormatError
            If its file is damaged; the message names the file.
        """
        found = self.resolve(reference)
        path = self._path(found)
        try:
            return decode_baseline(path.read_bytes(), expected_id=found)
        except BaselineFormatError as error:
            message = f"{path}: {error}"
            raise BaselineFormatError(message) from error

    def resolve(self, reference: str) -> str:
        """Return the id that `reference` stands for; BaselineStoreError if there is none."""
        if reference == PROMOTED:
            promotion = self.promoted()
            if promotion is None:
                message = f"no baseline in {str(self.directory)!r} is promoted yet; promote one"
                raise BaselineStoreError(message)
            return self._promoted_file(promotion.id)
        if len(reference) < _SHORTEST_PREFIX:
            message = (
                f"a baseline is named by at least {_SHORTEST_PREFIX} digits of its id, "
                f"got {reference!r}"
            )
            raise BaselineStoreError(message)
        matches = [known for known in self._ids() if known.startswith(reference)]
        if len(matches) == 1:
            return matches[0]
        what = f"{len(matches)} baselines begin" if matches else "no baseline begins"
        message = f"{what} with {reference!r} in {str(self.directory)!r}; list the ids to choose"
        raise BaselineStoreError(message)

    def list(self) -> tuple[StoredBaseline, ...]:
        """Return what is stored, oldest first; only the beginning of each file is read."""
        promotion = self.promoted()
        stored = [self._stored(known, promotion) for known in self._ids()]
        return tuple(sorted(stored, key=lambda one: (one.provenance.created_at_us, one.id)))

    def promote(self, reference: str, *, who: str, why: str, at: int) -> Promotion:
        """Put a baseline in force from now on.

        Parameters
        ----------
        reference
            An id or the first 6 or more digits of one.
        who, why
            The person who decides and the reason.
        at
            When, in microseconds since 1970-01-01T00:00Z.

        Raises
        ------
        BaselineStoreError
            If nobody or no reason is named, or there is no such baseline.
        BaselineFormatError
            If the baseline's file is damaged: it could not be used.
        """
        if not who.strip() or not why.strip():
            message = f"a promotion needs a person and a reason, got {who!r} and {why!r}"
            raise BaselineStoreError(message)
        current = self.promoted()
        promotion = Promotion(
            id=self.load(reference).id,
            who=who,
            why=why,
            at=at,
            previous=None if current is None else current.id,
        )
        _append_line(self._promotions_path, json.dumps(asdict(promotion), sort_keys=True))
        return promotion

    def promoted(self) -> Promotion | None:
        """Return the promotion in force, None if there was none."""
        promotions = self.promotions()
        return promotions[-1] if promotions else None

    def promotions(self) -> tuple[Promotion, ...]:
        """Return every promotion, oldest first; BaselineStoreError if the log is damaged."""
        path = self._promotions_path
        lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
        promotions: list[Promotion] = []
        for number, line in enumerate(lines, start=1):
            # A line without its end was cut by a crash, so nobody was told that it was done.
            if not line.endswith(b"\n"):
                continue
            try:
                promotions.append(Promotion(**json.loads(line)))
            except (ValueError, TypeError) as error:
                message = f"{path}:{number}: not a promotion: {error}; restore the file"
                raise BaselineStoreError(message) from error
        return tuple(promotions)

    @property
    def _promotions_path(self) -> Path:
        return self.directory / "promotions.jsonl"

    def _path(self, baseline_id: str) -> Path:
        return self.directory / f"{baseline_id}{_SUFFIX}"

    def _promoted_file(self, baseline_id: str) -> str:
        """Return the id if its file is there."""
        path = self._path(baseline_id)
        if not path.exists():
            message = (
                f"the promoted baseline {baseline_id[:12]} has no file {str(path)!r} any more; "
                "restore the file, or promote another version"
            )
            raise BaselineStoreError(message)
        return baseline_id

    def _ids(self) -> tuple[str, ...]:
        return tuple(sorted(path.stem for path in self.directory.glob(f"*{_SUFFIX}")))

    def _stored(self, baseline_id: str, promotion: Promotion | None) -> StoredBaseline:
        path = self._path(baseline_id)
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
        try:
            summary = read_summary(head)
            provenance = provenance_from(summary["provenance"])
        except BaselineFormatError as error:
            message = f"{path}: {error}"
            raise BaselineFormatError(message) from error
        return StoredBaseline(
            id=baseline_id,
            provenance=provenance,
            n_windows=summary["n_windows"],
            n_bytes=path.stat().st_size,
            is_promoted=promotion is not None and promotion.id == baseline_id,
        )


def _write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that it is there whole or not at all, whenever the power fails."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".partial")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_directory(path.parent)


def _append_line(path: Path, line: str) -> None:
    """Append one line and make it durable; first drop a line that a crash left unfinished."""
    with path.open("ab+") as file:
        file.seek(0)
        whole = file.read().rfind(b"\n") + 1
        file.truncate(whole)
        file.write(line.encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    _sync_directory(path.parent)


def _sync_directory(directory: Path) -> None:
    """Make a new or renamed file's entry durable."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
