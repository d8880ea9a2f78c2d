"""The fields of an incident, from its timeline and the register; nothing is made up."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from monitor.incidents.awareness import Awareness, AwarenessKind, awareness
from monitor.incidents.drafts.entries import UsableEntries, UsableEntry
from monitor.incidents.drafts.fields import DEFINITIONS, Field, Fields, FieldState
from monitor.incidents.drafts.observed import OBSERVED
from monitor.incidents.drafts.plain_times import plain_moment, plain_span
from monitor.incidents.model import Incident
from monitor.incidents.records import Record
from monitor.incidents.timeline import EntryKind, RecordedEntry
from monitor.printing import time_text

__all__ = ["facts_of"]

_ONSET_METHOD: Final = (
    "from the window in which the series most likely departed to the end of the window that "
    "raised the alarm"
)
_INTERVAL_METHOD: Final = "the interval of the finding"
_NAMES: Final = frozenset({"number", "system", "environment"})
_STATED_BY_KIND: Final[Mapping[str, EntryKind]] = {
    "harm": EntryKind.HARM_STATED,
    "cause": EntryKind.CAUSE_STATED,
    "causal_link": EntryKind.CAUSAL_LINK_STATED,
}
_LISTED: Final[Mapping[str, tuple[EntryKind, ...]]] = {
    "measures": (
        EntryKind.CONTAINED,
        EntryKind.ACTION_TAKEN,
        EntryKind.ROLLBACK_APPLIED,
        EntryKind.ROLLBACK_VERIFIED,
    ),
    "evidence_kept": (EntryKind.EVIDENCE_FROZEN,),
    "clocks": (EntryKind.CLOCK_STARTED,),
}
_TIMES: Final[Mapping[str, AwarenessKind]] = {
    "first_signal": AwarenessKind.FIRST_SIGNAL,
    "first_delivered": AwarenessKind.FIRST_DELIVERED,
    "awareness_time": AwarenessKind.FIRST_SEEN_BY_PERSON,
    "belief_time": AwarenessKind.BELIEF_STATED,
    "determined_time": AwarenessKind.DETERMINED,
    "causal_link_time": AwarenessKind.CAUSAL_LINK_STATED,
}


def facts_of(
    incident: Incident,
    timeline: Iterable[RecordedEntry],
    register: Mapping[str, Any],
    now_us: int,
    *,
    outside: bool = False,
) -> Fields:
    """Return every field of `DEFINITIONS`, known or unknown.

    Parameters
    ----------
    incident
        The incident.
    timeline
        Its entries.
    register
        The ``system`` section of the configuration as a record; empty where there is none.
    now_us
        As known at this time: later entries are left out.
    outside
        Whether for readers outside: then only what a person signed as a finding counts, and
        what the monitor recorded is marked as such.
    """
    of_incident = [each for each in timeline if each.incident_id == incident.id]
    entries = UsableEntries(of_incident, now_us=now_us, outside=outside)
    known = [each for each in of_incident if each.recorded_us <= now_us]
    found = (
        _observed(entries)
        | _declared(register)
        | _times(known, entries)
        | _listed(entries, outside=outside)
        | _stated(entries)
    )
    return {name: found.get(name) or _unknown(name, entries) for name in DEFINITIONS}


def _unknown(name: str, entries: UsableEntries) -> Field:
    kinds = (_STATED_BY_KIND[name],) if name in _STATED_BY_KIND else _LISTED.get(name, ())
    unsigned = [
        ref
        for each in entries.unsigned()
        if each.kind in kinds or each.recorded.entry.body.get("field") == name
        for ref in each.refs
    ]
    reason = f"{', '.join(unsigned)} not signed as a finding" if unsigned else ""
    return Field(name=name, state=FieldState.UNKNOWN, reason=reason)


def _observed(entries: UsableEntries) -> dict[str, Field]:
    """Return what the monitor's latest observation tells."""
    latest = next(
        (each for each in reversed(entries.of(EntryKind.NOTE)) if _is_observation(each)), None
    )
    if latest is None:
        return {}
    told: Record = latest.recorded.entry.body[OBSERVED]
    texts = {
        "number": told["number"],
        "system": told["system"],
        "environment": told["environment"],
        "versions": ", ".join(told["versions"]),
        "title": told["title"],
        "what_happened": told.get("sentence"),
        "slices": ", ".join(told.get("slices", ())),
        "worse_off": ", ".join(told.get("worse_off", ())),
        "exposed": told.get("exposed"),
        "last_seen": None if told["last_us"] is None else time_text(told["last_us"]),
        "ongoing": _ongoing(told),
        "tier": f"{told['tier']} {'confirmed' if told['confirmed'] else 'suggested'}",
        "state": str(told["state"]).replace("_", " "),
        "evidence": ", ".join(told.get("findings", ())),
        "commander": told["roles"].get("commander"),
    }
    if told["last_us"] is not None:
        texts["last_seen_plainly"] = plain_moment(told["last_us"])
    found = {
        name: Field(
            name=name,
            state=FieldState.FACT,
            text=text,
            refs=latest.refs,
            # What something is called was not observed.
            observed=name not in _NAMES,
        )
        for name, text in texts.items()
        if text
    }
    if told.get("effect"):
        found["effect"] = _effect(told, latest)
    return found


def _is_observation(each: UsableEntry) -> bool:
    return each.is_observed and OBSERVED in each.recorded.entry.body


def _ongoing(told: Record) -> str:
    if told["resolution_proposed"]:
        return "the series are back within tolerance; a person decides whether it is over"
    return "the series were beyond the tolerance when they were last seen"


def _effect(told: Record, latest: UsableEntry) -> Field:
    effect = told["effect"]
    return Field(
        name="effect",
        state=FieldState.ESTIMATE,
        text=f"{effect['value']} ({told['unit']}; accepted {told['tolerance']})",
        low=effect["low"],
        high=effect["high"],
        method=_INTERVAL_METHOD,
        refs=latest.refs,
        observed=True,
    )


def _declared(register: Mapping[str, Any]) -> dict[str, Field]:
    return {
        name: Field(name=name, state=FieldState.FACT, text=str(register[name]), refs=("register",))
        for name in ("stakes", "vulnerable_users")
        if register.get(name) is not None
    }


def _times(known: list[RecordedEntry], entries: UsableEntries) -> dict[str, Field]:
    usable = {each.recorded.seq: each for each in entries.of()}
    times = {each.kind: each for each in awareness(known) if each.seq in usable}
    found = {
        name: _time(name, times[kind], usable[times[kind].seq])
        for name, kind in _TIMES.items()
        if kind in times
    }
    onset = times.get(AwarenessKind.ONSET_ESTIMATED)
    if onset is not None:
        found["onset"] = Field(
            name="onset",
            state=FieldState.ESTIMATE,
            text=time_text(onset.from_us),
            low=time_text(onset.from_us),
            high=time_text(onset.to_us),
            method=_ONSET_METHOD,
            refs=usable[onset.seq].refs,
            observed=usable[onset.seq].is_observed,
        )
        found["onset_plainly"] = Field(
            name="onset_plainly",
            state=FieldState.FACT,
            text=plain_span(onset.from_us, onset.to_us),
            refs=usable[onset.seq].refs,
            observed=usable[onset.seq].is_observed,
        )
    return found


def _time(name: str, time: Awareness, entry: UsableEntry) -> Field:
    return Field(
        name=name,
        state=FieldState.FACT if entry.is_observed else FieldState.STATED,
        text=time_text(time.from_us),
        refs=entry.refs,
        by=None if entry.is_observed else time.by,
        known_us=time.from_us,
        observed=entry.is_observed,
    )


def _listed(entries: UsableEntries, *, outside: bool) -> dict[str, Field]:
    found = {}
    for name, kinds in _LISTED.items():
        told = [each for each in entries.of(*kinds) if _words(each)]
        if outside and any(not each.is_observed for each in told):
            # What a person signed says it; the monitor's own words beside it say it twice.
            told = [each for each in told if not each.is_observed]
        if told:
            found[name] = Field(
                name=name,
                state=FieldState.FACT,
                text="; ".join(
                    f"{time_text(each.recorded.entry.occurred_us)} {_words(each)}" for each in told
                ),
                refs=tuple(ref for each in told for ref in each.refs),
                observed=any(each.is_observed for each in told),
            )
    return found


def _words(each: UsableEntry) -> str:
    """Return the words of an entry; what was frozen is named by its manifest."""
    manifest = each.recorded.entry.body.get("manifest")
    return each.text or (f"manifest {manifest}" if manifest else "")


def _stated(entries: UsableEntries) -> dict[str, Field]:
    """Return what persons stated; the latest statement of a field counts."""
    by_kind = {kind: name for name, kind in _STATED_BY_KIND.items()}
    found: dict[str, Field] = {}
    for each in entries.of():
        entry = each.recorded.entry
        name = str(entry.body.get("field") or by_kind.get(each.kind, ""))
        if each.is_observed or name not in DEFINITIONS or not each.text:
            continue
        state = FieldState.STATED
        if entry.body.get("not_applicable"):
            state = FieldState.NOT_APPLICABLE
        found[name] = Field(
            name=name,
            state=state,
            text="" if state is FieldState.NOT_APPLICABLE else each.text,
            reason=each.text if state is FieldState.NOT_APPLICABLE else "",
            refs=each.refs,
            by=entry.actor,
            known_us=entry.known_us,
        )
    return found
