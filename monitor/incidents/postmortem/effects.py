"""Whether what was done has worked: persons look after 30 and 90 days, and say what they saw."""

from collections.abc import Iterable
from enum import StrEnum

from monitor.incidents.acts.base import Occasion
from monitor.incidents.model import Incident
from monitor.incidents.postmortem.items import (
    DAY_US,
    REVIEW_AFTER_DAYS,
    action_items,
    reviewed_effects,
)
from monitor.incidents.right_checks import check_right
from monitor.incidents.rights import Decision
from monitor.incidents.roles import RefusedActError
from monitor.incidents.timeline import EntryKind, RecordedEntry, TimelineEntry
from monitor.printing import time_text

__all__ = ["Effect", "effect_reviewed"]


class Effect(StrEnum):
    """What a person saw of an action."""

    WORKED = "worked"
    DID_NOT_WORK = "did_not_work"
    UNCLEAR = "unclear"


def effect_reviewed(
    incident: Incident,
    timeline: Iterable[RecordedEntry],
    number: int,
    occasion: Occasion,
    *,
    days: int,
    effect: Effect,
    text: str,
) -> TimelineEntry:
    """Return the entry of a review whether an action item has worked.

    Parameters
    ----------
    incident, timeline
        What the item follows from, in whatever state.
    number
        Of the item.
    occasion
        Who looked and when.
    days
        Which review, one of `REVIEW_AFTER_DAYS`.
    effect, text
        What was seen, in a word and in words.

    Raises
    ------
    RefusedActError
        If the item is not there or not done, the review is not due yet or was made, or there
        are no words.
    """
    entries = tuple(timeline)
    check_right(
        Decision.RECORD,
        occasion.by,
        occasion.second,
        people=occasion.people,
        holders=incident.roles,
        tier=incident.tier,
    )
    items = {each.number: each for each in action_items(entries)}
    item = items.get(number)
    if item is None or item.done_us is None:
        state = "not done" if item else f"not one of the {len(items)} there are"
        message = f"the effect is reviewed of an action item that is done, {number} is {state}"
        raise RefusedActError(message)
    if days not in REVIEW_AFTER_DAYS:
        known = " or ".join(map(str, REVIEW_AFTER_DAYS))
        message = f"effects are reviewed after {known} days, got {days}"
        raise RefusedActError(message)
    if occasion.now_us < (due_us := item.done_us + days * DAY_US):
        message = (
            f"the effect of action item {number} is reviewed after {days} days, at "
            f"{time_text(due_us)}; look at {item.series} then"
        )
        raise RefusedActError(message)
    if (number, days) in reviewed_effects(entries):
        message = (
            f"the effect of action item {number} after {days} days was reviewed already; correct "
            "that entry with 'incident correct'"
        )
        raise RefusedActError(message)
    if not text.strip():
        message = f"a review needs words on what {item.series} shows, got none"
        raise RefusedActError(message)
    body = {
        "item": number,
        "days": days,
        "effect": Effect(effect).value,
        "series": item.series,
        "text": f"action item {number} after {days} days, {Effect(effect).value}: {text.strip()}",
    }
    return occasion.entry(EntryKind.EFFECT_REVIEWED, body)
