"""Action items: who does what until when, and which series will show that it worked."""

import datetime
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from monitor.incidents.acts.base import Occasion
from monitor.incidents.model import Incident
from monitor.incidents.records import Record
from monitor.incidents.right_checks import check_right
from monitor.incidents.rights import Decision
from monitor.incidents.roles import RefusedActError
from monitor.incidents.timeline import EntryKind, RecordedEntry, TimelineEntry
from monitor.printing import time_text

__all__ = [
    "DAY_US",
    "REVIEW_AFTER_DAYS",
    "ActionItem",
    "DueDate",
    "ItemKind",
    "action_items",
    "due_dates",
    "item_added",
    "item_done",
    "reviewed_effects",
]

REVIEW_AFTER_DAYS: Final = (30, 90)
"""When persons look again whether what was done has worked."""

DAY_US: Final = datetime.timedelta(days=1) // datetime.timedelta(microseconds=1)
"""A day in microseconds."""


class ItemKind(StrEnum):
    """What an action item is for."""

    PREVENT = "prevent"
    DETECT = "detect"
    CONTAIN = "contain"
    REMEDY_PEOPLE = "remedy_people"
    PROCESS = "process"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionItem:
    """One thing to do.

    Parameters
    ----------
    number
        From 1, in the order of the timeline.
    text, owner, due_us, kind
        What, who, until when, what for.
    series
        The monitored series that will show that it worked.
    seq
        The entry that added it.
    done_us
        When it was done; None until then.
    """

    number: int
    text: str
    owner: str
    due_us: int
    kind: ItemKind
    series: str
    seq: int
    done_us: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DueDate:
    """Something that is due, for whoever keeps timers.

    Parameters
    ----------
    what
        In words.
    who
        Whose it is; empty if nobody's by name.
    due_us
        Until when.
    """

    what: str
    who: str
    due_us: int


def item_added(
    incident: Incident,
    item: Record,
    occasion: Occasion,
    *,
    series: Collection[str],
) -> TimelineEntry:
    """Return the entry of a new action item.

    Parameters
    ----------
    incident
        What it follows from.
    item
        With ``text``, ``owner``, ``due_us``, ``item_kind`` and ``series``.
    occasion
        Who adds it and when.
    series
        The series of the configuration.

    Raises
    ------
    RefusedActError
        If something is missing, it is due in the past, or no such series is monitored.
    """
    check_right(
        Decision.REVIEW,
        occasion.by,
        occasion.second,
        people=occasion.people,
        holders=incident.roles,
        tier=incident.tier,
    )
    for name in ("text", "owner"):
        if not str(item[name]).strip():
            message = f"an action item needs its {name}, got none"
            raise RefusedActError(message)
    if item["due_us"] <= occasion.now_us:
        message = f"an action item must be due in the future, got {time_text(item['due_us'])}"
        raise RefusedActError(message)
    if item["series"] not in series:
        message = (
            "an action item names the series that will show that it worked, got "
            f"{item['series']!r}; monitored are {', '.join(sorted(series))}"
        )
        raise RefusedActError(message)
    body = {**item, "item_kind": ItemKind(item["item_kind"]).value}
    return occasion.entry(EntryKind.ACTION_ITEM, body)


def item_done(
    incident: Incident, timeline: Iterable[RecordedEntry], number: int, occasion: Occasion
) -> TimelineEntry:
    """Return the entry that an action item is done.

    Raises
    ------
    RefusedActError
        If there is no such item, or it is done already.
    """
    check_right(
        Decision.RECORD,
        occasion.by,
        occasion.second,
        people=occasion.people,
        holders=incident.roles,
        tier=incident.tier,
    )
    items = {each.number: each for each in action_items(timeline)}
    if number not in items:
        message = f"there is no action item {number}; there are {len(items)}"
        raise RefusedActError(message)
    if items[number].done_us is not None:
        message = f"action item {number} is done already"
        raise RefusedActError(message)
    body = {"item": number, "text": items[number].text}
    return occasion.entry(EntryKind.ACTION_ITEM_DONE, body)


def action_items(timeline: Iterable[RecordedEntry]) -> tuple[ActionItem, ...]:
    """Return the action items of a timeline that name a series, in order."""
    items: list[ActionItem] = []
    for each in sorted(timeline, key=lambda each: each.seq):
        body = each.entry.body
        if each.entry.kind is EntryKind.ACTION_ITEM and "item_kind" in body:
            items.append(
                ActionItem(
                    number=len(items) + 1,
                    text=body["text"],
                    owner=body["owner"],
                    due_us=body["due_us"],
                    kind=ItemKind(body["item_kind"]),
                    series=body["series"],
                    seq=each.seq,
                )
            )
        elif each.entry.kind is EntryKind.ACTION_ITEM_DONE and "item" in body:
            place = int(body["item"]) - 1
            items[place] = replace(items[place], done_us=each.entry.known_us)
    return tuple(items)


def reviewed_effects(timeline: Iterable[RecordedEntry]) -> frozenset[tuple[int, int]]:
    """Return item and days of the reviews of effects that persons have made."""
    return frozenset(
        (int(each.entry.body["item"]), int(each.entry.body["days"]))
        for each in timeline
        if each.entry.kind is EntryKind.EFFECT_REVIEWED
    )


def due_dates(timeline: Iterable[RecordedEntry]) -> tuple[DueDate, ...]:
    """Return what is due: items that are not done, and reviews of those that are."""
    entries = tuple(timeline)
    dates, reviewed = [], reviewed_effects(entries)
    for item in action_items(entries):
        if item.done_us is None:
            what = f"action item {item.number}: {item.text}"
            dates.append(DueDate(what=what, who=item.owner, due_us=item.due_us))
            continue
        dates += [
            DueDate(
                what=f"review after {days} days whether action item {item.number} worked: see "
                f"{item.series}",
                who=item.owner,
                due_us=item.done_us + days * DAY_US,
            )
            for days in REVIEW_AFTER_DAYS
            if (item.number, days) not in reviewed
        ]
    return tuple(sorted(dates, key=lambda each: each.due_us))
