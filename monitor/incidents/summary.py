"""An incident on one screen: everything the person on call needs, in words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from detectors.base import Estimate
from monitor.incidents.decision_rights import (
    DecisionRight,
    decision_rights,
    unfilled_roles,
)
from monitor.incidents.first_steps import first_steps
from monitor.incidents.model import Incident
from monitor.incidents.observations import Observation, Signal, SignalKind
from monitor.incidents.records import Record
from monitor.incidents.roles import REQUIRED_ROLES, Role
from monitor.incidents.suggestion import Axes
from monitor.incidents.timeline import EntryKind, RecordedEntry, superseded
from monitor.incidents.wording import leading_signal, slice_words
from monitor.printing import time_text

__all__ = ["IncidentSummary", "SignalLine", "TimelineLine", "summarize"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalLine:
    """One signal in the table."""

    series: str
    slice: str
    failure_mode: str
    tier: str
    times_tolerance: str
    n_windows: int
    first_us: int | None
    last_us: int | None
    state: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineLine:
    """One entry of the timeline: when it happened, was known and was written down.

    `corrected_by` is the number of the entry that took its place, None if it stands.
    """

    seq: int
    occurred_us: int | None
    known_us: int
    recorded_us: int
    actor: str
    kind: str
    text: str
    corrected_by: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentSummary:
    """What the page of an incident says; times in microseconds, the rest in words.

    Times of events are None where events have none.

    Parameters
    ----------
    what
        What changed, in the words of the leading signal's worst window.
    how_much
        The effect against its tolerance, with the interval.
    onset_us, last_us
        Since when, estimated, and the end of the latest breaching window.
    who
        Slices, groups and numbers of outputs concerned: exposure, not harm.
    how_sure
        On how much evidence it rests.
    suggested, could_be, confirmed
        Tiers; `confirmed` is None until a person decides.
    do_first
        Steps in order.
    decides, unfilled
        Who decides what, and the roles that nobody fills yet.
    broken_links
        Timeline entries that were changed behind the program's back.
    drill
        Whether it is practice.
    """

    id: str
    number: int | None
    title: str
    state: str
    system: str
    environment: str
    failure_mode: str
    what: str
    how_much: str
    onset_us: int | None
    last_us: int | None
    resolution_proposed: bool
    resolution_proposed_us: int | None
    recurrence_of: str | None
    releases: tuple[str, ...]
    who: tuple[str, ...]
    how_sure: str
    suggested: str
    could_be: str
    confirmed: str | None
    score: int
    axes: Axes
    policy: str
    reasons: tuple[str, ...]
    unknowns: tuple[str, ...]
    notes: tuple[str, ...]
    do_first: tuple[str, ...]
    decides: tuple[DecisionRight, ...]
    unfilled: tuple[str, ...]
    signals: tuple[SignalLine, ...]
    inhibited: tuple[SignalLine, ...]
    timeline: tuple[TimelineLine, ...]
    broken_links: tuple[int, ...]
    drill: bool = False


def summarize(
    incident: Incident,
    timeline: Iterable[RecordedEntry],
    broken_links: tuple[int, ...] = (),
    *,
    required_roles: Sequence[Role] = REQUIRED_ROLES,
) -> IncidentSummary:
    """Return the incident's page.

    Parameters
    ----------
    incident
        The incident.
    timeline
        Its timeline, in order.
    broken_links
        What `monitor.incidents.timeline.broken_links` says of it.
    required_roles
        Roles that must be filled before a SEV1 or SEV2 can be called resolved.
    """
    lead = leading_signal(incident.signals) if incident.signals else None
    worst = lead.worst if lead else None
    proposed = incident.resolution_proposed
    has_times = incident.has_times
    entries = tuple(timeline)
    corrections = superseded(entries)
    return IncidentSummary(
        id=incident.id,
        number=incident.number,
        title=incident.title,
        state=incident.state.value,
        system=incident.system,
        environment=incident.environment,
        failure_mode=incident.failure_mode.value,
        what=(worst and worst.sentence) or incident.stated_mode or incident.title,
        how_much=_how_much(worst),
        onset_us=incident.onset_us if has_times else None,
        last_us=incident.last_window.end_us if has_times else None,
        resolution_proposed=proposed is not None,
        resolution_proposed_us=proposed.end_us if proposed and has_times else None,
        recurrence_of=incident.recurrence_of,
        releases=incident.releases,
        who=_who(incident),
        how_sure=_how_sure(incident, lead),
        suggested=incident.suggested.value,
        could_be=incident.highest.value,
        confirmed=incident.confirmed.value if incident.confirmed else None,
        score=incident.suggestion.score,
        axes=incident.suggestion.axes,
        policy=incident.suggestion.policy,
        reasons=incident.suggestion.reasons,
        unknowns=incident.suggestion.unknowns,
        notes=worst.notes if worst else (),
        do_first=first_steps(incident.failure_mode, incident.kind, incident.tier),
        decides=decision_rights(incident),
        unfilled=unfilled_roles(incident, required_roles),
        signals=tuple(_signal_line(signal) for signal in incident.own_signals),
        inhibited=tuple(_signal_line(signal) for signal in incident.inhibited_signals),
        timeline=tuple(
            _timeline_line(each, has_times=has_times, corrected_by=corrections.get(each.seq))
            for each in entries
        ),
        broken_links=broken_links,
        drill=incident.drill,
    )


def _how_much(observation: Observation | None) -> str:
    if observation is None:
        return "nothing was measured, a person reported it"
    departure, effect = observation.departure, observation.effect
    if departure is None or effect is None:
        return "no size was measured"
    return (
        f"{departure.value:.3g} times the tolerance (interval {_interval(departure)}): "
        f"{effect.value:.3g} {observation.unit} (interval {_interval(effect)}), "
        f"accepted {observation.tolerance:.3g}"
    )


def _who(incident: Incident) -> tuple[str, ...]:
    own = incident.own_signals
    if not own:
        return ("unknown yet, a person reported it",)
    slices = sorted({slice_words(signal.identity.slice) for signal in own})
    lines = [f"slices: {', '.join(slices)}"]
    worse = sorted({group for signal in own for group in signal.freshest.worse_off})
    if worse:
        lines.append(f"worse off: {', '.join(worse)}")
    if incident.kind is SignalKind.BREACH:
        lines.append(f"exposed: {_exposed(own)}")
    lines.append("harmed: unknown yet, a person states it")
    return tuple(lines)


def _exposed(signals: tuple[Signal, ...]) -> str:
    # Signals overlap, so the largest of them is shown and nothing is added up.
    largest = max(
        (signal.freshest for signal in signals),
        key=lambda each: (each.n_exposed_since_onset, each.n_exposed),
    )
    latest = f"{largest.n_exposed:,}"
    if largest.n_exposed_since_onset <= largest.n_exposed:
        return f"{latest} outputs in the latest breaching window of the largest signal"
    total = f"{largest.n_exposed_since_onset:,}"
    return (
        f"{total} outputs since the onset of the largest signal, {latest} of them in its latest "
        "breaching window"
    )


def _how_sure(incident: Incident, lead: Signal | None) -> str:
    if lead is None:
        return "on the word of a person"
    if incident.kind is SignalKind.CANNOT_SEE:
        return "the series cannot be seen; whether anything is wrong is not known"
    if incident.kind is SignalKind.LOST:
        return "a fact: these records cannot be read any more; what was in them is not known"
    if incident.kind is SignalKind.NOT_READY:
        return "a fact: the rehearsal failed; nothing is known to be wrong with outputs"
    windows = f"{lead.n_windows} window{'s' if lead.n_windows > 1 else ''}"
    if incident.suggestion.held:
        return f"not established yet, seen in {windows}"
    grade = "repeated" if lead.n_windows > 1 else "one window"
    return f"{grade}: beyond the tolerance in {windows}"


def _signal_line(signal: Signal) -> SignalLine:
    departure = signal.worst.departure
    first, last = signal.first.window, signal.freshest.window
    return SignalLine(
        series=signal.identity.series,
        slice=signal.identity.slice,
        failure_mode=signal.identity.failure_mode.value,
        tier=signal.suggestion.tier.value,
        times_tolerance=f"{departure.low:.3g} to {departure.high:.3g}" if departure else "unknown",
        n_windows=signal.n_windows,
        first_us=first.start_us if first.has_times else None,
        last_us=last.end_us if last.has_times else None,
        state=_signal_state(signal),
        sentence=signal.worst.sentence,
    )


def _signal_state(signal: Signal) -> str:
    if signal.inhibited_by:
        return f"explained by {', '.join(signal.inhibited_by)}"
    if signal.identity.kind is SignalKind.LOST:
        return "lost"
    return "recovered" if signal.recovered else "firing"


def _timeline_line(
    recorded: RecordedEntry, *, has_times: bool, corrected_by: int | None
) -> TimelineLine:
    entry = recorded.entry
    return TimelineLine(
        seq=recorded.seq,
        occurred_us=entry.occurred_us if has_times else None,
        known_us=entry.known_us,
        recorded_us=recorded.recorded_us,
        actor=entry.actor,
        kind=entry.kind.value.replace("_", " "),
        text=_entry_text(recorded),
        corrected_by=corrected_by,
    )


def _entry_text(recorded: RecordedEntry) -> str:
    said = recorded.entry.role is not None
    return _said_text(recorded.entry.body) if said else _seen_text(recorded)


def _said_text(body: Record) -> str:
    """Return what a person did or said, and why."""
    parts = [
        str(body[key]) for key in ("title", "text", "stated_mode", "explanation") if body.get(key)
    ]
    if "decided" in body:
        parts.append(f"{body['decided']} decided, {body['suggested']} suggested")
    elif {"from", "to"} <= body.keys():
        parts.append(f"{body['from']} -> {body['to']}")
    elif "fact" in body:
        fact = str(body["fact"]).replace("_", " ")
        parts.append(f"{fact}: {body['before']} -> {body['after']}")
    if "assigned_role" in body or "handed_role" in body:
        role = body.get("assigned_role", body.get("handed_role"))
        parts.append(f"{role}: {body['name']}")
    if "supersedes" in body:
        parts.insert(0, f"instead of entry {body['supersedes']}")
    if "second" in body:
        parts.append(f"with {body['second']['name']} ({body['second']['role']})")
    if "reason" in body:
        parts.append(f"because: {body['reason']}")
    return "; ".join(parts)


def _seen_text(recorded: RecordedEntry) -> str:
    """Return what the monitor saw."""
    body = recorded.entry.body
    if "title" in body:
        return str(body["title"])
    if "sentence" in body:
        signal = f"{body['series']} on {slice_words(body['slice'])}"
        return f"{signal}{_again(recorded)}: {body['sentence']}"
    if recorded.entry.kind is EntryKind.SUGGESTION_RAISED:
        before, after = body["from"], body["to"]
        return f"{_tiers_text(before)} -> {_tiers_text(after)}"
    if "timer" in body:
        late = ", late" if body["late"] else ""
        if "text" in body:
            return f"{body['text']}{late}"
        return f"{str(body['timer']).replace('_', ' ')} was due for {body['tier']}{late}"
    if "series" in body:
        return f"{body['series']} on {slice_words(body['slice'])}"
    if "of_manifest" in body:
        return _annex_text(body)
    if "manifest" in body:
        return f"{len(body['signals'])} signals, manifest {str(body['manifest'])[:12]}"
    if "signals" in body:
        return ", ".join(str(signal["series"]) for signal in body["signals"])
    if recorded.entry.kind is EntryKind.RESOLUTION_PROPOSED:
        return "every signal is back; a person decides"
    return str(body.get("text", ""))


def _annex_text(body: Record) -> str:
    """Return how many outputs were kept, or why none, and what of the release is known."""
    parts = []
    if "sample" in body:
        parts.append(f"{body['sample']['n_rows']} of {body['n_rows']} outputs kept, sealed")
    elif "not_available" in body:
        parts.append(f"no outputs kept: {body['not_available']}")
    parts += [f"not complete: {each}" for each in body.get("incomplete", ())]
    for part, versions in body["observed"].items():
        parts.append(f"{part} {', '.join(versions)}")
    parts += [f"{part} {version}, as declared" for part, version in body["declared"].items()]
    if body["unknown"]:
        parts.append(f"unknown: {', '.join(body['unknown'])}")
    return "; ".join(parts)


def _again(recorded: RecordedEntry) -> str:
    """Return since when a signal that had recovered departs again."""
    onset_us = recorded.entry.body.get("onset_us")
    if recorded.entry.kind is not EntryKind.SIGNAL_RECURRED or onset_us is None:
        return ""
    return f" again, since about {time_text(onset_us)}"


def _tiers_text(told: Record) -> str:
    tier, could_be = told["tier"], told["could_be"]
    return f"{tier}" if tier == could_be else f"{tier}, could be {could_be}"


def _interval(estimate: Estimate) -> str:
    return f"{estimate.low:.3g} to {estimate.high:.3g}"
