"""What a timeline promises: reporting clocks, action items, reviews and the next update."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from monitor.incidents.business_hours import OFFICE_HOURS, BusinessHours
from monitor.incidents.model import Incident
from monitor.incidents.postmortem.items import (
    REVIEW_AFTER_DAYS,
    action_items,
    reviewed_effects,
)
from monitor.incidents.regimes.clocks import running_clocks
from monitor.incidents.timeline import EntryKind, RecordedEntry
from monitor.incidents.timers import Timer, TimerKind, Wait, timer_id
from monitor.printing import time_text

__all__ = ["Promise", "promised_timers", "promises", "unreviewed"]

_HOUR: Final = 3_600_000_000
_DAY: Final = 24 * _HOUR
_DAILY: Final = Wait(us=_DAY)
_EACH_WORKED_DAY: Final = Wait(business_days=1)
_EFFECT: Final = dict(
    zip(
        (TimerKind.EFFECT_AFTER_30_DAYS, TimerKind.EFFECT_AFTER_90_DAYS),
        REVIEW_AFTER_DAYS,
        strict=True,
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """Something that is due because an entry of the timeline says so.

    Parameters
    ----------
    kind
        What is due.
    seq
        The entry that says so.
    due_us
        Until when.
    text
        What is due, in words.
    again
        After what wait it is told once more while it is still due; None: it is told once.
    """

    kind: TimerKind
    seq: int
    due_us: int
    text: str
    again: Wait | None = None


def promises(timeline: Iterable[RecordedEntry]) -> tuple[Promise, ...]:
    """Return what is promised and not kept yet, the next due first.

    A warning of a clock that was over before counsel let the clock run is left out.
    """
    entries = sorted(timeline, key=lambda each: each.seq)
    found = (*_clocks(entries), *_items(entries), *_updates(entries), *_alone(entries))
    return tuple(sorted(found, key=lambda each: (each.due_us, each.seq, each.kind)))


def promised_timers(
    incident: Incident,
    timeline: Iterable[RecordedEntry],
    fired: dict[tuple[TimerKind, int], int],
    *,
    now_us: int,
    hours: BusinessHours = OFFICE_HOURS,
) -> tuple[Timer, ...]:
    """Return the timers of what is promised; nothing here starts a reporting clock.

    Parameters
    ----------
    incident
        Whose timeline it is.
    timeline
        Its entries.
    fired
        When each kind and entry was told last.
    now_us
        The time by the clock.
    hours
        When people are at work.
    """
    timers = []
    for each in promises(timeline):
        last_us = fired.get((each.kind, each.seq))
        if last_us is not None and each.again is None:
            continue
        again = each.again or _DAILY
        due_us = each.due_us if last_us is None else again.end(last_us, hours)
        timers.append(
            Timer(
                id=timer_id(incident.id, each.kind, each.seq, incident.tier, now_us),
                incident_id=incident.id,
                kind=each.kind,
                step=each.seq,
                tier=incident.tier,
                created_us=now_us,
                due_us=due_us,
            )
        )
    return tuple(timers)


def _clocks(entries: list[RecordedEntry]) -> Iterator[Promise]:
    by_seq = {each.seq: each for each in entries}
    for clock in running_clocks(entries):
        period = clock.due_us - clock.started_us
        what = f"{clock.what} to {clock.recipient or 'the authority'} ({clock.regime_id})"
        until = f"{what} is due at {time_text(clock.due_us)}"
        warnings = (
            (TimerKind.CLOCK_HALF_OVER, period - period // 2, "half of the time is over"),
            # A sixth is enough to send what is ready, a day to write it.
            (TimerKind.CLOCK_ENDS_SOON, min(_DAY, period // 6), "the time is nearly over"),
        )
        for kind, before_us, words in warnings:
            due_us = clock.due_us - before_us
            if due_us > by_seq[clock.seq].recorded_us:
                yield Promise(kind=kind, seq=clock.seq, due_us=due_us, text=f"{words}: {until}")
        yield Promise(
            kind=TimerKind.CLOCK_ENDED,
            seq=clock.seq,
            due_us=clock.due_us,
            text=f"the time is over: {until}",
            again=_DAILY,
        )


def _items(entries: list[RecordedEntry]) -> Iterator[Promise]:
    reviewed = reviewed_effects(entries)
    for item in action_items(entries):
        if item.done_us is None:
            yield Promise(
                kind=TimerKind.ACTION_ITEM,
                seq=item.seq,
                due_us=item.due_us,
                text=f"action item {item.number} of {item.owner} is due: {item.text}",
                again=_EACH_WORKED_DAY,
            )
            continue
        for kind, days in _EFFECT.items():
            if (item.number, days) in reviewed:
                continue
            yield Promise(
                kind=kind,
                seq=item.seq,
                due_us=item.done_us + days * _DAY,
                text=f"{item.owner} looks at {item.series}: has action item {item.number} worked "
                f"in the {days} days since it was done?",
                again=_EACH_WORKED_DAY,
            )


def _updates(entries: list[RecordedEntry]) -> Iterator[Promise]:
    open_: dict[str, Promise] = {}
    for each in entries:
        if each.entry.kind is EntryKind.DRAFT_SENT:
            # What is sent keeps the promise before it, and may make another one.
            subject = str(each.entry.body.get("subject"))
            open_.pop(subject, None)
            if (due_us := each.entry.body.get("next_update_us")) is not None:
                open_[subject] = Promise(
                    kind=TimerKind.PROMISED_UPDATE,
                    seq=each.seq,
                    due_us=int(due_us),
                    text=f"the next update ({subject}) was promised by {time_text(due_us)}",
                    again=_EACH_WORKED_DAY,
                )
    yield from open_.values()


def unreviewed(timeline: Iterable[RecordedEntry]) -> dict[str, RecordedEntry]:
    """Return what one person did without the second one that it takes, and nobody reviewed.

    Returns
    -------
    dict
        By the id of the rollback, the entry that tells of it.
    """
    open_: dict[str, RecordedEntry] = {}
    for each in sorted(timeline, key=lambda each: each.seq):
        body = each.entry.body
        if body.get("step") == "break_glass":
            open_[str(body.get("rollback"))] = each
        elif body.get("step") == "reviewed":
            open_.pop(str(body.get("rollback")), None)
    return open_


def _alone(entries: list[RecordedEntry]) -> Iterator[Promise]:
    for each in unreviewed(entries).values():
        yield Promise(
            kind=TimerKind.BREAK_GLASS_REVIEW,
            seq=each.seq,
            due_us=each.recorded_us + _DAY,
            text=f"{each.entry.actor} went ahead alone with {each.entry.body.get('plan')!r}: "
            "somebody else reviews it",
            again=_EACH_WORKED_DAY,
        )
