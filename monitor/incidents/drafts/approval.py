"""What persons do with a draft, as entries of the timeline; the program sends nothing."""

from collections.abc import Iterable
from typing import Final

from monitor.incidents.acts.base import Occasion
from monitor.incidents.drafts.draft import Draft, DraftStage, rules_of, stage_of
from monitor.incidents.model import Incident
from monitor.incidents.records import Record, from_record, to_record
from monitor.incidents.right_checks import check_right
from monitor.incidents.rights import RIGHTS
from monitor.incidents.roles import RefusedActError, Role
from monitor.incidents.timeline import EntryKind, RecordedEntry, TimelineEntry
from monitor.printing import time_text

__all__ = ["approved", "created", "drafts_of", "rejected", "sent_by_hand", "withdrawn"]

_READ: Final = frozenset({DraftStage.DRAFTED, DraftStage.APPROVED})
_OUT: Final = frozenset({DraftStage.APPROVED, DraftStage.SENT})


def created(draft: Draft, *, changed: bool) -> TimelineEntry:
    """Return the entry that holds a version of a draft: its text is chained with the rest."""
    return TimelineEntry(
        kind=EntryKind.DRAFT_CHANGED if changed else EntryKind.DRAFT_CREATED,
        occurred_us=draft.created_us,
        known_us=draft.created_us,
        body=_about(draft) | {"draft": to_record(draft)},
    )


def drafts_of(timeline: Iterable[RecordedEntry]) -> dict[str, list[Draft]]:
    """Return every version of every draft that a timeline holds, by subject, oldest first."""
    found: dict[str, list[Draft]] = {}
    for each in sorted(timeline, key=lambda each: each.seq):
        if each.entry.kind in {EntryKind.DRAFT_CREATED, EntryKind.DRAFT_CHANGED}:
            draft = from_record(Draft, each.entry.body["draft"])
            found.setdefault(draft.subject, []).append(draft)
    return found


def approved(
    incident: Incident,
    draft: Draft,
    timeline: Iterable[RecordedEntry],
    occasion: Occasion,
    *,
    current_hash: str,
    first_report: bool = False,
) -> TimelineEntry:
    """Return the entry that a person approves this very text.

    Parameters
    ----------
    incident, draft, timeline
        What is approved.
    occasion
        Who, with whom and when.
    current_hash
        The hash of the text as the timeline would make it now.
    first_report
        Whether it is the first report of a duty that allows an incomplete one.

    Raises
    ------
    RefusedActError
        If a field that blocks is unknown, the facts have changed, or the persons may not.
    """
    rules = rules_of(draft.subject)
    check_right(
        rules.decision,
        occasion.by,
        occasion.second,
        people=occasion.people,
        holders=incident.roles,
        tier=incident.tier,
    )
    if (stage := stage_of(draft, timeline)) is not DraftStage.DRAFTED:
        message = f"version {draft.version} of {draft.subject!r} is {stage.value} already"
        if stage in {DraftStage.REJECTED, DraftStage.WITHDRAWN}:
            message += "; write down what it lacked and draft it again"
        raise RefusedActError(message)
    if current_hash != draft.hash:
        message = (
            f"the timeline or the templates have changed since version {draft.version} of "
            f"{draft.subject!r} was made; draft it again and read it again"
        )
        raise RefusedActError(message)
    if first_report and not rules.phased:
        message = f"{draft.subject!r} does not allow a first report with unknowns"
        raise RefusedActError(message)
    if draft.blocking and not first_report:
        message = (
            f"these must be known before {draft.subject!r} is approved: "
            f"{', '.join(draft.blocking)}; a person states them with 'comms state'"
        )
        raise RefusedActError(message)
    body = _about(draft) | {"first_report": first_report, "hash_to_send": draft.hash_to_send}
    return occasion.entry(EntryKind.DRAFT_APPROVED, body)


def sent_by_hand(
    incident: Incident,
    draft: Draft,
    timeline: Iterable[RecordedEntry],
    occasion: Occasion,
    *,
    recipients: int,
    how: str,
    next_update_us: int | None = None,
) -> TimelineEntry:
    """Return the entry that a person sent an approved text by other means.

    Parameters
    ----------
    recipients
        How many got it, positive.
    how
        By what means.
    next_update_us
        By when the text promises the next one, microseconds; None: it promises none.

    Raises
    ------
    RefusedActError
        If this version is not approved or sent already, or the incident is a drill.
    """
    occasion.people.check(occasion.by)
    if incident.drill:
        message = "this is a drill: nothing leaves the building, so nothing was sent"
        raise RefusedActError(message)
    stage = stage_of(draft, timeline)
    if stage is not DraftStage.APPROVED:
        message = (
            f"version {draft.version} of {draft.subject!r} must be approved and not sent yet, it "
            f"is {stage.value}"
        )
        raise RefusedActError(message)
    if recipients < 1:
        message = f"at least one recipient must have got it, got {recipients}"
        raise RefusedActError(message)
    if next_update_us is not None and next_update_us <= occasion.now_us:
        message = (
            f"the next update must be promised for the future, got {time_text(next_update_us)}"
        )
        raise RefusedActError(message)
    body = _about(draft) | {"recipients": recipients, "how": how}
    if next_update_us is not None:
        body["next_update_us"] = next_update_us
    return occasion.entry(EntryKind.DRAFT_SENT, body | {"hash_to_send": draft.hash_to_send})


def rejected(draft: Draft, timeline: Iterable[RecordedEntry], occasion: Occasion) -> TimelineEntry:
    """Return the entry that a person rejects this very text, before it was sent.

    It takes a new version then: another text, from entries that say what this one lacked.

    Raises
    ------
    RefusedActError
        If it was sent, rejected or withdrawn already, no reason is given, or the person may not.
    """
    return _ended(draft, timeline, occasion, EntryKind.DRAFT_REJECTED, _READ)


def withdrawn(
    draft: Draft, timeline: Iterable[RecordedEntry], occasion: Occasion
) -> TimelineEntry:
    """Return the entry that a person takes an approved or sent text back.

    What was sent cannot be called back by a program: the entry says that it was out.

    Raises
    ------
    RefusedActError
        If it is not approved, no reason is given, or the person may not.
    """
    return _ended(draft, timeline, occasion, EntryKind.DRAFT_WITHDRAWN, _OUT)


def _ended(
    draft: Draft,
    timeline: Iterable[RecordedEntry],
    occasion: Occasion,
    kind: EntryKind,
    stages: frozenset[DraftStage],
) -> TimelineEntry:
    # To hold a text back takes one person, of those who let it go or of those who stand by.
    occasion.people.check(occasion.by)
    right = RIGHTS[rules_of(draft.subject).decision]
    if occasion.by.role not in right.deciders | right.seconds:
        roles = ", ".join(role.value for role in Role if role in right.deciders | right.seconds)
        message = f"this is decided by {roles}, got {occasion.by.role.value!r}; ask one of them"
        raise RefusedActError(message)
    if not occasion.reason.strip():
        message = "this needs a reason, got none; say why with --reason"
        raise RefusedActError(message)
    stage = stage_of(draft, timeline)
    if stage not in stages:
        possible = " or ".join(each.value for each in DraftStage if each in stages)
        message = (
            f"version {draft.version} of {draft.subject!r} must be {possible}, it is {stage.value}"
        )
        raise RefusedActError(message)
    body = _about(draft) | {"was": stage.value}
    return occasion.entry(kind, body)


def _about(draft: Draft) -> Record:
    return {"subject": draft.subject, "version": draft.version, "hash": draft.hash}
