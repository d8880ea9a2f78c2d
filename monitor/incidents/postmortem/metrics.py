"""How long it took: to detect, acknowledge, contain, roll back and tell, from entries only."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from monitor.incidents.awareness import AwarenessKind, awareness
from monitor.incidents.timeline import EntryKind, RecordedEntry

__all__ = ["Duration", "duration_text", "durations", "length_text"]

_MINUTE: Final = 60_000_000
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR

_FROM_SIGNAL: Final = {
    "to acknowledge": EntryKind.ACKNOWLEDGED,
    "to contain": EntryKind.CONTAINED,
    "to a verified rollback": EntryKind.ROLLBACK_VERIFIED,
    "to the first notice outside or inside": EntryKind.DRAFT_SENT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Duration:
    """One stretch of time.

    Parameters
    ----------
    name
        From what to what.
    low_us, high_us
        Its least and its greatest length; equal where both ends are recorded, None where one
        is not.
    refs
        The entries that it is taken from.
    """

    name: str
    low_us: int | None = None
    high_us: int | None = None
    refs: tuple[str, ...] = ()


def durations(timeline: Iterable[RecordedEntry]) -> tuple[Duration, ...]:
    """Return how long each step took; an unknown end makes an unknown duration, not zero.

    The time to detect runs from the estimated onset, so it is an interval. The others run from
    the first signal.
    """
    entries = sorted(timeline, key=lambda each: each.seq)
    times = {each.kind: each for each in awareness(entries)}
    onset = times.get(AwarenessKind.ONSET_ESTIMATED)
    signal = times.get(AwarenessKind.FIRST_SIGNAL)
    detect = Duration(name="to detect, from the estimated onset")
    if onset is not None and signal is not None:
        detect = Duration(
            name=detect.name,
            low_us=signal.from_us - onset.to_us,
            high_us=signal.from_us - onset.from_us,
            refs=(f"e{onset.seq}",),
        )
    found = [detect]
    for name, kind in _FROM_SIGNAL.items():
        end = next((each for each in entries if each.entry.kind is kind), None)
        if end is None or signal is None:
            found.append(Duration(name=name))
            continue
        took = end.entry.known_us - signal.from_us
        refs = (f"e{signal.seq}", f"e{end.seq}")
        found.append(Duration(name=name, low_us=took, high_us=took, refs=refs))
    return tuple(found)


def duration_text(duration: Duration) -> str:
    """Return a duration in words, ``unknown yet`` where an end is not recorded."""
    if duration.low_us is None or duration.high_us is None:
        return "unknown yet"
    low, high = length_text(duration.low_us), length_text(duration.high_us)
    refs = f" [{', '.join(duration.refs)}]"
    return f"{low}{refs}" if low == high else f"{low} to {high}{refs}"


def length_text(us: int) -> str:
    """Return a length of time in the largest unit that it fills.

    Examples
    --------
    >>> length_text(90 * 60_000_000), length_text(50 * 3_600_000_000), length_text(30_000_000)
    ('1.5 hours', '2.1 days', '0.5 minutes')
    """
    for size, unit in ((_DAY, "days"), (_HOUR, "hours")):
        if abs(us) >= size:
            return f"{us / size:.1f} {unit}"
    return f"{us / _MINUTE:.1f} minutes"
