"""Reporting clocks: the program shows when one might run from; counsel lets it run, or not."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from monitor.incidents.acts.base import Occasion
from monitor.incidents.awareness import Awareness, AwarenessKind, awareness_with_merged
from monitor.incidents.model import Incident
from monitor.incidents.records import Record
from monitor.incidents.regimes.library import calendars, regime, regimes
from monitor.incidents.regimes.model import Regime, RegimeClock, RegimeError, is_stale
from monitor.incidents.regimes.periods import due_us
from monitor.incidents.right_checks import check_right
from monitor.incidents.rights import Decision
from monitor.incidents.roles import RefusedActError
from monitor.incidents.timeline import EntryKind, RecordedEntry, TimelineEntry
from monitor.printing import time_text

__all__ = [
    "ClockProposal",
    "RegimeScreen",
    "RunningClock",
    "clock_met",
    "decide_clock",
    "first_notice",
    "running_clocks",
    "screen",
]

_NOTICE: Final = (AwarenessKind.FIRST_DELIVERED, AwarenessKind.FIRST_SEEN_BY_PERSON)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockProposal:
    """One period that might run; nothing runs until counsel says so.

    Parameters
    ----------
    clock
        The period.
    earliest_us, earliest_due_us
        The earliest time that it might run from, the first notice to any person, and when it
        would end then; None while nobody was told, or the calendar does not reach so far.
    candidates
        What the timeline holds of the times that the law looks at, those of incidents that were
        merged in among them.
    note
        Why there is no time.
    """

    clock: RegimeClock
    earliest_us: int | None
    earliest_due_us: int | None
    candidates: tuple[Awareness, ...]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegimeScreen:
    """One duty as counsel looks at it.

    Parameters
    ----------
    regime
        The duty.
    stale
        Whether its file must be checked against the law first.
    in_force
        Whether it applies on this day, by its dates.
    clocks
        Its periods.
    decision, decided_seq
        What counsel decided, and the entry; None until then.
    """

    regime: Regime
    stale: bool
    in_force: bool
    clocks: tuple[ClockProposal, ...]
    decision: str | None
    decided_seq: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningClock:
    """A period that counsel let run, and that is neither met nor stopped.

    Parameters
    ----------
    regime_id, clock
        Which.
    what, recipient
        What is due, and to whom.
    trigger_seq, started_us, due_us
        The entry that counsel chose, since when it runs and when it ends.
    seq
        The entry that started it.
    """

    regime_id: str
    clock: str
    what: str
    recipient: str
    trigger_seq: int
    started_us: int
    due_us: int
    seq: int


def first_notice(timeline: Iterable[RecordedEntry]) -> Awareness | None:
    """Return the first notice to any person: delivered, or seen; None while there was none.

    That of an incident which was merged in counts.
    """
    times = [each for each in awareness_with_merged(timeline) if each.kind in _NOTICE]
    return min(times, key=lambda each: each.from_us, default=None)


def screen(timeline: Iterable[RecordedEntry], now_us: int) -> tuple[RegimeScreen, ...]:
    """Return every duty with its questions and the earliest time its clocks might run from."""
    entries = sorted(timeline, key=lambda each: each.seq)
    today = datetime.fromtimestamp(now_us // 1_000_000, UTC).date()
    times = awareness_with_merged(entries)
    notice = first_notice(entries)
    decisions = _decisions(entries)
    return tuple(
        RegimeScreen(
            regime=each,
            stale=is_stale(each, today),
            in_force=(each.valid_from is None or each.valid_from <= today)
            and (each.valid_to is None or today <= each.valid_to),
            clocks=tuple(_proposal(clock, times, notice) for clock in each.clocks),
            decision=str(decided.entry.body["decision"]) if decided else None,
            decided_seq=decided.seq if decided else None,
        )
        for each in regimes().values()
        for decided in [decisions.get(each.id)]
    )


def _proposal(
    clock: RegimeClock, times: tuple[Awareness, ...], notice: Awareness | None
) -> ClockProposal:
    candidates = tuple(each for each in times if each.kind.value in clock.triggers)
    if notice is None:
        note = "no person was told or has seen it, as far as the timeline holds"
        return ClockProposal(
            clock=clock, earliest_us=None, earliest_due_us=None, candidates=candidates, note=note
        )
    try:
        due, note = due_us(clock, notice.from_us, calendars()), ""
    except RegimeError as error:
        due, note = None, str(error)
    return ClockProposal(
        clock=clock,
        earliest_us=notice.from_us,
        earliest_due_us=due,
        candidates=candidates,
        note=note,
    )


def _decisions(entries: Iterable[RecordedEntry]) -> Mapping[str, RecordedEntry]:
    return {
        str(each.entry.body["regime"]): each
        for each in entries
        if each.entry.kind is EntryKind.CLOCK_DECIDED
    }


def decide_clock(
    incident: Incident,
    timeline: Iterable[RecordedEntry],
    regime_id: str,
    occasion: Occasion,
    *,
    trigger_seq: int | None,
    clocks: tuple[str, ...] = (),
) -> tuple[TimelineEntry, ...]:
    """Return the entries of counsel's decision on one duty.

    Parameters
    ----------
    incident, timeline
        What it is about.
    regime_id
        The duty.
    occasion
        Who, why and when; the reason must be given.
    trigger_seq
        The entry whose time of knowing the clocks run from; None: the duty does not apply.
    clocks
        The periods that run; without them those that have no condition.

    Raises
    ------
    RefusedActError
        If the person may not decide it, gives no reason, or names no entry of the timeline.
    RegimeError
        If the duty or a clock is not known, or a calendar does not reach so far.
    """
    entries = sorted(timeline, key=lambda each: each.seq)
    check_right(
        Decision.LEGAL_CLOCK,
        occasion.by,
        occasion.second,
        people=occasion.people,
        holders=incident.roles,
        tier=incident.tier,
    )
    if not occasion.reason.strip():
        message = "a decision on a reporting clock needs a reason, got none; give --reason"
        raise RefusedActError(message)
    duty = regime(regime_id)
    today = datetime.fromtimestamp(occasion.now_us // 1_000_000, UTC).date()
    body: Record = {
        "regime": duty.id,
        "regime_version": duty.version,
        "reviewed_on": duty.reviewed_on.isoformat(),
        "stale": is_stale(duty, today),
        "decision": "does not apply" if trigger_seq is None else "applies",
    }
    stopped = tuple(
        occasion.entry(EntryKind.CLOCK_STOPPED, _told_again(each))
        for each in running_clocks(entries)
        if each.regime_id == duty.id
    )
    if trigger_seq is None:
        return (*stopped, occasion.entry(EntryKind.CLOCK_DECIDED, body))
    trigger = _entry(entries, trigger_seq)
    started = tuple(
        occasion.entry(EntryKind.CLOCK_STARTED, _started(duty, clock, trigger))
        for clock in _chosen(duty, clocks)
    )
    decided = occasion.entry(EntryKind.CLOCK_DECIDED, {**body, "trigger": trigger_seq})
    return (*stopped, decided, *started)


def _entry(entries: Iterable[RecordedEntry], seq: int) -> RecordedEntry:
    for each in entries:
        if each.seq == seq:
            return each
    message = f"the timeline has no entry {seq}; see 'incident show'"
    raise RefusedActError(message)


def _chosen(duty: Regime, names: tuple[str, ...]) -> tuple[RegimeClock, ...]:
    chosen = tuple(map(duty.clock, names)) or tuple(
        clock for clock in duty.clocks if not clock.condition
    )
    if not chosen:
        each = ", ".join(clock.name for clock in duty.clocks) or "none"
        message = f"{duty.id!r} has no clock without a condition; name one of: {each}"
        raise RefusedActError(message)
    return chosen


def _started(duty: Regime, clock: RegimeClock, trigger: RecordedEntry) -> Record:
    started = _known_us(trigger)
    due = due_us(clock, started, calendars())
    return {
        "regime": duty.id,
        "clock": clock.name,
        "what": clock.what,
        "recipient": duty.recipient,
        "trigger": trigger.seq,
        "started_us": started,
        "due_us": due,
        "text": f"{duty.title}: {clock.what} to {duty.recipient}, due {time_text(due)}",
    }


def _known_us(trigger: RecordedEntry) -> int:
    # What a law lets run is when somebody knew, not when it happened or was written down.
    return int(trigger.entry.body.get("known_us") or trigger.entry.known_us)


def _told_again(clock: RunningClock) -> Record:
    return {"regime": clock.regime_id, "clock": clock.clock, "started_by": clock.seq}


def clock_met(
    timeline: Iterable[RecordedEntry], regime_id: str, clock: str, occasion: Occasion
) -> TimelineEntry:
    """Return the entry that what was due was delivered, in time or late.

    Raises
    ------
    RefusedActError
        If that clock does not run.
    """
    for each in running_clocks(timeline):
        if (each.regime_id, each.clock) == (regime_id, clock):
            late = occasion.now_us > each.due_us
            return occasion.entry(EntryKind.CLOCK_MET, {**_told_again(each), "late": late})
    message = f"the clock {clock!r} of {regime_id!r} does not run; see 'comms clocks'"
    raise RefusedActError(message)


def running_clocks(timeline: Iterable[RecordedEntry]) -> tuple[RunningClock, ...]:
    """Return the clocks that run, the next due first; their ends are timers for whoever pages."""
    running: dict[int, RunningClock] = {}
    for each in sorted(timeline, key=lambda each: each.seq):
        body = each.entry.body
        if each.entry.kind is EntryKind.CLOCK_STARTED:
            running[each.seq] = RunningClock(
                regime_id=body["regime"],
                clock=body["clock"],
                what=body["what"],
                recipient=body["recipient"],
                trigger_seq=body["trigger"],
                started_us=body["started_us"],
                due_us=body["due_us"],
                seq=each.seq,
            )
        elif each.entry.kind in {EntryKind.CLOCK_STOPPED, EntryKind.CLOCK_MET}:
            running.pop(int(body["started_by"]), None)
    return tuple(sorted(running.values(), key=lambda each: (each.due_us, each.seq)))
