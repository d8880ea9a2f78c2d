"""What a person states of one field, signed as a finding so that it can be told outside."""

from collections.abc import Iterable

from monitor.incidents.acts.base import Occasion
from monitor.incidents.drafts.fields import DEFINITIONS
from monitor.incidents.model import Incident
from monitor.incidents.right_checks import check_right
from monitor.incidents.rights import Decision
from monitor.incidents.roles import RefusedActError
from monitor.incidents.timeline import EntryKind, RecordedEntry, TimelineEntry

__all__ = ["signed", "stated"]


def stated(
    incident: Incident,
    name: str,
    text: str,
    occasion: Occasion,
    *,
    not_applicable: bool = False,
) -> TimelineEntry:
    """Return the entry of a statement; a later one takes its place.

    Parameters
    ----------
    incident
        What it is about.
    name
        A field of `DEFINITIONS` that persons state.
    text
        The words, or why the field does not apply.
    occasion
        Who and when.
    not_applicable
        Whether the field does not apply.

    Raises
    ------
    RefusedActError
        If persons do not state this field, or not these persons, or there are no words.
    """
    definition = DEFINITIONS.get(name)
    if definition is None or not definition.human:
        fields = ", ".join(each for each, known in DEFINITIONS.items() if known.human)
        message = f"persons state one of {fields}; got {name!r}"
        raise RefusedActError(message)
    check_right(
        definition.decision,
        occasion.by,
        occasion.second,
        people=occasion.people,
        holders=incident.roles,
        tier=incident.tier,
    )
    if not text.strip():
        message = f"{definition.label} needs words, got none"
        raise RefusedActError(message)
    body = {"field": name, "text": text.strip()}
    if not_applicable:
        return occasion.entry(EntryKind.FINDING_SIGNED, {**body, "not_applicable": True})
    return occasion.entry(EntryKind.FINDING_SIGNED, body)


def signed(
    incident: Incident,
    timeline: Iterable[RecordedEntry],
    numbers: Iterable[int],
    occasion: Occasion,
) -> TimelineEntry:
    """Return the entry by which a person signs entries as findings; the reason says how checked.

    Raises
    ------
    RefusedActError
        If an entry is not there, none is named, or the person may not.
    """
    check_right(
        Decision.RECORD,
        occasion.by,
        occasion.second,
        people=occasion.people,
        holders=incident.roles,
        tier=incident.tier,
    )
    chosen = sorted(set(numbers))
    there = {each.seq for each in timeline}
    absent = [number for number in chosen if number not in there]
    if not chosen or absent:
        message = (
            f"entries of the timeline are signed, got {absent or 'none'}; see 'incident show'"
        )
        raise RefusedActError(message)
    if not occasion.reason.strip():
        message = "a signature needs words on how it was checked, got none; give --reason"
        raise RefusedActError(message)
    body = {"entries": chosen, "text": occasion.reason}
    return occasion.entry(EntryKind.FINDING_SIGNED, body)
