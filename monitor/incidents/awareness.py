"""When an incident became known, in seven senses: different clocks start on different ones."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from monitor.incidents.records import Record, from_record, to_record
from monitor.incidents.timeline import (
    MONITOR,
    Confidence,
    EntryKind,
    RecordedEntry,
    superseded,
)

__all__ = ["Awareness", "AwarenessKind", "awareness", "awareness_record", "awareness_with_merged"]


class AwarenessKind(StrEnum):
    """In which sense something was known; no law is decided here, people pick one."""

    ONSET_ESTIMATED = "onset_estimated"
    FIRST_SIGNAL = "first_signal"
    FIRST_DELIVERED = "first_delivered"
    FIRST_SEEN_BY_PERSON = "first_seen_by_person"
    BELIEF_STATED = "belief_stated"
    DETERMINED = "determined"
    CAUSAL_LINK_STATED = "causal_link_stated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Awareness:
    """One of the seven times.

    Parameters
    ----------
    kind
        In which sense.
    from_us, to_us
        The time, or the earliest and latest it may have been, microseconds.
    by
        Who knew, or who says so.
    confidence
        How it is known.
    seq
        The entry that it is taken from.
    corrected_by
        The entry that corrected its time, None if none did.
    merged_from
        The incident whose entries these are, if it was merged in; empty for the incident's own.
    """

    kind: AwarenessKind
    from_us: int
    to_us: int
    by: str
    confidence: Confidence
    seq: int
    corrected_by: int | None = None
    merged_from: str = ""


_STATED: Final[Mapping[EntryKind, AwarenessKind]] = {
    EntryKind.BELIEF_STATED: AwarenessKind.BELIEF_STATED,
    EntryKind.DETERMINED: AwarenessKind.DETERMINED,
    EntryKind.CAUSAL_LINK_STATED: AwarenessKind.CAUSAL_LINK_STATED,
}
_OPENED: Final = frozenset({EntryKind.OPENED, EntryKind.OPENED_BY_PERSON})
# What is written into a timeline from another one tells nothing about when this was seen.
_NOT_SEEN: Final = frozenset({EntryKind.MERGED_FROM})


def awareness(timeline: Iterable[RecordedEntry]) -> tuple[Awareness, ...]:
    """Return the awareness times that a timeline holds, the earliest entry of each kind.

    They are read from entries and nowhere else. A correction that states another time moves
    the time, and both entries are named.

    Parameters
    ----------
    timeline
        The entries of one incident, in any order.
    """
    ordered = sorted(timeline, key=lambda each: each.seq)
    corrections = superseded(ordered)
    by_seq = {each.seq: each for each in ordered}
    found: dict[AwarenessKind, Awareness] = {}
    for each in ordered:
        correction = by_seq.get(corrections.get(each.seq, 0))
        if correction is not None and correction.entry.body.get("withdrawn"):
            continue
        for kind in _kinds(each):
            at = _awareness(kind, each, correction)
            if kind not in found or at.from_us < found[kind].from_us:
                found[kind] = at
    return tuple(found[kind] for kind in AwarenessKind if kind in found)


def awareness_with_merged(timeline: Iterable[RecordedEntry]) -> tuple[Awareness, ...]:
    """Return the awareness times of a timeline, and those of every incident merged into it.

    What was known of one of them was known: a merge makes nobody aware later.
    """
    entries = sorted(timeline, key=lambda each: each.seq)
    merged = (
        replace(time, merged_from=time.merged_from or str(each.entry.body["from"]))
        for each in entries
        if each.entry.kind is EntryKind.MERGED_FROM
        for time in (from_record(Awareness, told) for told in each.entry.body["awareness"])
    )
    return (*awareness(entries), *merged)


def awareness_record(times: Iterable[Awareness]) -> list[Record]:
    """Return awareness times as a timeline keeps them."""
    return [to_record(each) for each in times]


def _kinds(recorded: RecordedEntry) -> list[AwarenessKind]:
    entry = recorded.entry
    kinds = []
    if entry.kind in _OPENED:
        kinds.append(AwarenessKind.FIRST_SIGNAL)
        if _onset(recorded) is not None:
            kinds.append(AwarenessKind.ONSET_ESTIMATED)
    if entry.kind is EntryKind.NOTIFIED:
        kinds.append(AwarenessKind.FIRST_DELIVERED)
    if entry.actor != MONITOR and entry.role is not None and entry.kind not in _NOT_SEEN:
        kinds.append(AwarenessKind.FIRST_SEEN_BY_PERSON)
    if entry.kind in _STATED:
        kinds.append(_STATED[entry.kind])
    return kinds


def _awareness(
    kind: AwarenessKind, recorded: RecordedEntry, correction: RecordedEntry | None
) -> Awareness:
    entry = recorded.entry
    from_us = to_us = entry.known_us
    confidence, corrected_by = entry.confidence, None
    if kind is AwarenessKind.ONSET_ESTIMATED:
        from_us, to_us = _onset(recorded) or (from_us, to_us)
        confidence = Confidence.ESTIMATED
    elif correction is not None and "known_us" in correction.entry.body:
        from_us = to_us = int(correction.entry.body["known_us"])
        corrected_by = correction.seq
    return Awareness(
        kind=kind,
        from_us=from_us,
        to_us=to_us,
        by=entry.actor,
        confidence=confidence,
        seq=recorded.seq,
        corrected_by=corrected_by,
    )


def _onset(recorded: RecordedEntry) -> tuple[int, int] | None:
    """Return the earliest onset of the signals it opened with, and the end of their window."""
    body = recorded.entry.body
    if recorded.entry.kind is EntryKind.OPENED_BY_PERSON:
        onset = body.get("onset_us")
        return None if onset is None else (int(onset), recorded.entry.occurred_us)
    onsets = [
        int(signal["onset_us"])
        for signal in body.get("signals", ())
        if signal.get("onset_us") is not None
    ]
    return (min(onsets), recorded.entry.occurred_us) if onsets else None
