"""What a person states of one field, signed as a finding so that it can be told outside."""

from monitor.incidents.acts.base import Occasion
from monitor.incidents.drafts.fields import DEFINITIONS
from monitor.incidents.model import Incident
from monitor.incidents.roles import RefusedActError, check_right
from monitor.incidents.timeline import EntryKind, TimelineEntry

__all__ = ["stated"]


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
