"""Two incidents that are one: the second goes on, the first stays readable."""

from dataclasses import replace

from baselines.summary import WindowKey
from monitor.incidents.acts.base import Occasion
from monitor.incidents.awareness import awareness_record, awareness_with_merged
from monitor.incidents.grouping import Changes
from monitor.incidents.model import Incident
from monitor.incidents.observations import Signal
from monitor.incidents.right_checks import check_right
from monitor.incidents.rights import Decision
from monitor.incidents.roles import RefusedActError
from monitor.incidents.signals import summed_up
from monitor.incidents.states import IncidentState
from monitor.incidents.suggestion import Tier, worse
from monitor.incidents.timeline import EntryKind, RecordedEntry

__all__ = ["merge"]


def merge(
    incident: Incident,
    into: Incident,
    occasion: Occasion,
    into_timeline: tuple[RecordedEntry, ...],
) -> Changes:
    """Return what comes of merging an incident into another.

    Nothing is moved between timelines: each keeps its own entries and awareness times, and
    tells the head hash and the awareness times of the other.

    Raises
    ------
    RefusedActError
        If they cannot be merged, or not by this person.
    """
    _check(incident, into, occasion)
    check_right(
        Decision.MERGE,
        occasion.by,
        occasion.second,
        people=occasion.people,
        holders=into.roles,
        tier=worse(incident.tier, into.tier),
    )
    gone = replace(
        incident,
        state=IncidentState.MERGED,
        merged_into=into.id,
        version=incident.version + 1,
    )
    kept = replace(_united(incident, into), version=into.version + 1)
    entries = {
        gone.id: (occasion.entry(EntryKind.MERGED, _told("into", into, into_timeline)),),
        kept.id: (
            occasion.entry(EntryKind.MERGED_FROM, _told("from", incident, occasion.timeline)),
        ),
    }
    return Changes(incidents=(gone, kept), entries=entries)


def _check(incident: Incident, into: Incident, occasion: Occasion) -> None:
    if not occasion.reason.strip():
        message = "a merge needs a reason, got none; say why with --reason"
        raise RefusedActError(message)
    if incident.id == into.id:
        message = "an incident must be merged into another one, got itself"
        raise RefusedActError(message)
    for each in (incident, into):
        if not each.is_active:
            message = (
                f"only incidents that are being worked on are merged, got {each.short_id!r} "
                f"in state {each.state.value!r}; link them instead"
            )
            raise RefusedActError(message)
    if incident.drill != into.drill:
        message = "a drill must stay apart from what is not one; link them instead"
        raise RefusedActError(message)


def _united(incident: Incident, into: Incident) -> Incident:
    facts = {held.fact: held for held in (*incident.facts, *into.facts)}
    filled = {holder.role for holder in into.roles}
    roles = (*into.roles, *(each for each in incident.roles if each.role not in filled))
    united = replace(
        into,
        signals=_signals(incident, into),
        last_window=max(incident.last_window, into.last_window),
        onset_us=min(incident.onset_us, into.onset_us),
        releases=tuple(sorted({*incident.releases, *into.releases})),
        could_be=worse(incident.could_be, into.could_be),
        facts=tuple(facts[fact] for fact in sorted(facts)),
        roles=tuple(sorted(roles, key=lambda each: each.role.value)),
        # Merging is not a way to resolve.
        resolution_proposed=_proposed(incident, into),
    )
    if united.signals:
        united = summed_up(united)
    return replace(united, confirmed=_confirmed(incident, into, united))


def _confirmed(incident: Incident, into: Incident, united: Incident) -> Tier | None:
    """Return the decided tier; merging makes nothing milder than either of them was."""
    if incident.confirmed is None and into.confirmed is None:
        return None
    decided = worse(incident.tier, into.tier)
    return decided if into.confirmed or decided.rank < united.suggestion.tier.rank else None


def _proposed(incident: Incident, into: Incident) -> WindowKey | None:
    """Return the later of both proposals; None unless every signal of both is back."""
    proposals = [each.resolution_proposed for each in (incident, into) if each.own_signals]
    seen = [each for each in proposals if each is not None]
    return max(seen) if seen and len(seen) == len(proposals) else None


def _signals(incident: Incident, into: Incident) -> tuple[Signal, ...]:
    """Return the signals of both; of one that both hold, the fresher."""
    held: dict[str, Signal] = {}
    for signal in (*into.signals, *incident.signals):
        known = held.get(signal.fingerprint)
        if known is None or known.freshest.window < signal.freshest.window:
            held[signal.fingerprint] = signal
    ordered = sorted(held.values(), key=lambda each: (each.first.window, each.identity.slice))
    return tuple(ordered)


def _told(word: str, other: Incident, timeline: tuple[RecordedEntry, ...]) -> dict[str, object]:
    head = max(timeline, key=lambda each: each.seq, default=None)
    return {
        word: other.id,
        "number": other.number,
        "name": other.title,
        "tier": other.tier.value,
        "head": head.hash if head else None,
        "entries": len(timeline),
        "awareness": awareness_record(awareness_with_merged(timeline)),
    }
