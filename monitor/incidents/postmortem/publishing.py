"""A post-mortem that is complete becomes the word of its owner and of the commander."""

import hashlib
from collections.abc import Iterable

from monitor.incidents.acts.base import Occasion
from monitor.incidents.model import Incident
from monitor.incidents.postmortem.report import missing
from monitor.incidents.right_checks import check_right
from monitor.incidents.rights import Decision
from monitor.incidents.roles import RefusedActError
from monitor.incidents.timeline import EntryKind, RecordedEntry, TimelineEntry

__all__ = ["published"]


def published(
    incident: Incident,
    timeline: Iterable[RecordedEntry],
    text: str,
    occasion: Occasion,
) -> TimelineEntry:
    """Return the entry that a post-mortem is published, with its text and its hash.

    Parameters
    ----------
    incident, timeline
        What it is about.
    text
        The post-mortem as Markdown.
    occasion
        Its owner, and the commander as the second person.

    Raises
    ------
    RefusedActError
        If it lacks something, was published as it is, or the persons may not.
    """
    entries = tuple(timeline)
    check_right(
        Decision.PUBLISH_REVIEW,
        occasion.by,
        occasion.second,
        people=occasion.people,
        holders=incident.roles,
        tier=incident.tier,
    )
    if lacks := missing(incident, entries):
        message = f"the post-mortem must be complete, it lacks: {'; '.join(lacks)}"
        raise RefusedActError(message)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return occasion.entry(EntryKind.REVIEW_PUBLISHED, {"sha256": digest, "markdown": text})
