"""Which entries of a timeline a draft may rest on, and what they say after corrections."""

from collections.abc import Iterable
from dataclasses import dataclass

from monitor.incidents.timeline import MONITOR, EntryKind, RecordedEntry, superseded

__all__ = ["UsableEntries", "UsableEntry"]


@dataclass(frozen=True, slots=True, kw_only=True)
class UsableEntry:
    """An entry as it holds now.

    Parameters
    ----------
    recorded
        The entry.
    text
        Its words, or those of its latest correction.
    refs
        Itself, and the correction.
    """

    recorded: RecordedEntry
    text: str
    refs: tuple[str, ...]

    @property
    def kind(self) -> EntryKind:
        """Return what it tells."""
        return self.recorded.entry.kind

    @property
    def is_observed(self) -> bool:
        """Return whether the monitor recorded it."""
        return self.recorded.entry.actor == MONITOR


class UsableEntries:
    """The entries of one incident, without those that were withdrawn.

    Parameters
    ----------
    timeline
        All entries.
    now_us
        Entries that were recorded later are not there yet.
    outside
        Whether only what a person signed as a finding counts, beside what the monitor
        recorded: for readers outside.
    """

    def __init__(
        self, timeline: Iterable[RecordedEntry], *, now_us: int, outside: bool = False
    ) -> None:
        known = sorted(
            (each for each in timeline if each.recorded_us <= now_us), key=lambda each: each.seq
        )
        by_seq = {each.seq: each for each in known}
        corrections = superseded(known)
        signed = _signed(known) if outside else set(by_seq)
        self._usable: list[UsableEntry] = []
        self._unsigned: list[UsableEntry] = []
        for each in known:
            correction = by_seq.get(corrections.get(each.seq, 0))
            if _is_withdrawn(correction):
                continue
            usable = _corrected(each, correction)
            fit = _fit(each, signed) and (correction is None or _fit(correction, signed))
            (self._usable if fit else self._unsigned).append(usable)

    def of(self, *kinds: EntryKind) -> list[UsableEntry]:
        """Return the usable entries of some kinds, in order; all of them without kinds."""
        return [each for each in self._usable if not kinds or each.kind in kinds]

    def unsigned(self, *kinds: EntryKind) -> list[UsableEntry]:
        """Return the entries of some kinds that nobody signed; all of them without kinds."""
        return [each for each in self._unsigned if not kinds or each.kind in kinds]


def _corrected(each: RecordedEntry, correction: RecordedEntry | None) -> UsableEntry:
    body = each.entry.body if correction is None else correction.entry.body
    refs = (f"e{each.seq}",) if correction is None else (f"e{each.seq}", f"e{correction.seq}")
    return UsableEntry(recorded=each, text=str(body.get("text", "")).strip(), refs=refs)


def _is_withdrawn(correction: RecordedEntry | None) -> bool:
    return correction is not None and bool(correction.entry.body.get("withdrawn"))


def _fit(each: RecordedEntry, signed: set[int]) -> bool:
    return each.entry.actor == MONITOR or each.seq in signed


def _signed(known: list[RecordedEntry]) -> set[int]:
    """Return the findings that persons signed, and the entries that they signed as such."""
    signed: set[int] = set()
    corrections = superseded(known)
    by_seq = {each.seq: each for each in known}
    for each in known:
        if each.entry.kind is not EntryKind.FINDING_SIGNED or each.entry.actor == MONITOR:
            continue
        if _is_withdrawn(by_seq.get(corrections.get(each.seq, 0))):
            continue
        signed |= {each.seq, *(int(seq) for seq in each.entry.body.get("entries", ()))}
    return signed
