"""Head hashes that are kept elsewhere: what a whole rewrite or a cut end is found by."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from monitor.errors import OutputwatchError
from monitor.incidents.records import canonical_json, to_record
from monitor.incidents.timeline import RecordedEntry, broken_links

__all__ = [
    "Anchor",
    "AnchorError",
    "append_anchors",
    "head_hash",
    "read_anchors",
    "violations",
]


class AnchorError(OutputwatchError):
    """A file of anchors cannot be read or written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """How long a timeline was, and the hash of its last entry, at a time."""

    incident_id: str
    seq: int
    hash: str
    at_us: int


def head_hash(timeline: Sequence[RecordedEntry]) -> str:
    """Return the hash of the last entry: print it wherever somebody else keeps a copy."""
    head = max(timeline, key=lambda each: each.seq, default=None)
    return "" if head is None else head.hash


def append_anchors(
    path: Path, timelines: Mapping[str, Sequence[RecordedEntry]], *, at_us: int
) -> int:
    """Add a line of JSON for the head of each timeline to a file; return how many.

    Keep the file where whoever can write to the database cannot.

    Raises
    ------
    AnchorError
        If the file cannot be written.
    """
    lines = []
    for incident_id, timeline in sorted(timelines.items()):
        if timeline:
            anchor = Anchor(
                incident_id=incident_id,
                seq=max(each.seq for each in timeline),
                hash=head_hash(timeline),
                at_us=at_us,
            )
            lines.append(f"{canonical_json(to_record(anchor))}\n")
    try:
        with path.open("a", encoding="utf-8") as file:
            file.writelines(lines)
    except OSError as error:
        message = f"the anchors cannot be added to {str(path)!r}: {error.strerror}"
        raise AnchorError(message) from error
    return len(lines)


def read_anchors(path: Path) -> tuple[Anchor, ...]:
    """Return the anchors of a file.

    Raises
    ------
    AnchorError
        If the file cannot be read, or a line of it is not an anchor.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        message = f"the anchors in {str(path)!r} cannot be read: {error}"
        raise AnchorError(message) from error
    anchors = []
    for number, line in enumerate(lines, start=1):
        try:
            anchors.append(Anchor(**json.loads(line)))
        except (ValueError, TypeError) as error:
            message = f"{path}:{number}: must be an anchor as 'incident anchor' writes it"
            raise AnchorError(message) from error
    return tuple(anchors)


def violations(
    timelines: Mapping[str, Sequence[RecordedEntry]], anchors: Iterable[Anchor] = ()
) -> tuple[str, ...]:
    """Return what is wrong with timelines, in words; nothing if they hold.

    Without anchors, a change of single entries is found. With anchors of an earlier time,
    also a rewrite of a whole timeline, a cut end, and a timeline that is gone.
    """
    found = [
        f"incident {incident_id[:12]}: entry {seq} does not follow from the ones before"
        for incident_id, timeline in sorted(timelines.items())
        for seq in broken_links(timeline)
    ]
    for anchor in anchors:
        timeline = timelines.get(anchor.incident_id, ())
        by_seq = {each.seq: each for each in timeline}
        name = f"incident {anchor.incident_id[:12]}"
        if anchor.seq not in by_seq:
            found.append(
                f"{name}: entry {anchor.seq} was anchored and is gone, "
                f"{len(by_seq)} entries are left"
            )
        elif by_seq[anchor.seq].hash != anchor.hash:
            found.append(f"{name}: entry {anchor.seq} has another hash than was anchored")
    return tuple(dict.fromkeys(found))
