"""What persons write in a post-mortem: sections and questions, kept as data."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from monitor.incidents.acts.base import Occasion
from monitor.incidents.model import Incident
from monitor.incidents.right_checks import check_right
from monitor.incidents.rights import Decision
from monitor.incidents.roles import RefusedActError
from monitor.incidents.timeline import EntryKind, RecordedEntry, TimelineEntry

__all__ = ["SECTIONS", "Section", "Written", "section_written", "written_sections"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One thing that only persons can say.

    Parameters
    ----------
    title
        Its heading.
    question
        What it answers.
    about_ai
        Whether it is a question that only systems with AI raise.
    """

    title: str
    question: str
    about_ai: bool = False


SECTIONS: Final = {
    "summary": Section(title="Summary", question="what happened, in a few sentences"),
    "impact": Section(title="Impact on people", question="in words, not only in counts"),
    "contributing_factors": Section(
        title="Contributing factors",
        question="several, never one root cause, never the error of a person",
    ),
    "safeguards": Section(
        title="Safeguards", question="why did ours not catch it, and what failed to detect it"
    ),
    "went_well": Section(title="What went well", question="what should stay as it is"),
    "lucky": Section(title="Where we were lucky", question="what could have made it worse"),
    "severity": Section(title="Severity", question="was the tier right, and was it in time"),
    "reference": Section(
        title="Reference and tolerance", question="was the baseline or a tolerance wrong"
    ),
    "told_sooner": Section(title="Who to tell sooner", question="and what kept us from it"),
    "decisions": Section(
        title="Decisions",
        question="which ones would we take differently, knowing only what we knew",
    ),
    "remedy": Section(
        title="Remedy for people", question="which decisions are run again, corrected, compensated"
    ),
    "unchanged": Section(title="What stays", question="what will we not change, and why"),
    "older_version": Section(
        title="Older version", question="did the version before have the same gap", about_ai=True
    ),
    "evaluator": Section(
        title="Evaluator", question="did the evaluator or the judge drift", about_ai=True
    ),
    "other_slice": Section(
        title="Other slices", question="would another slice have shown it sooner", about_ai=True
    ),
    "training_data": Section(
        title="Training data", question="is a link to the training data known", about_ai=True
    ),
    "worse_for_others": Section(
        title="Side effects",
        question="did an action make it worse for another group",
        about_ai=True,
    ),
}
"""Every section by its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a person wrote in a section, and the entry that holds it."""

    text: str
    by: str
    seq: int


def section_written(
    incident: Incident, section: str, text: str, occasion: Occasion
) -> TimelineEntry:
    """Return the entry that a person wrote a section; a later one takes its place.

    Raises
    ------
    RefusedActError
        If there is no such section, no words, or the person may not.
    """
    check_right(
        Decision.REVIEW,
        occasion.by,
        occasion.second,
        people=occasion.people,
        holders=incident.roles,
        tier=incident.tier,
    )
    if section not in SECTIONS:
        message = f"a section must be one of {', '.join(SECTIONS)}, got {section!r}"
        raise RefusedActError(message)
    if not text.strip():
        message = f"the section {section!r} needs words, got none"
        raise RefusedActError(message)
    return occasion.entry(EntryKind.REVIEW_CHANGED, {"section": section, "text": text})


def written_sections(timeline: Iterable[RecordedEntry]) -> dict[str, Written]:
    """Return what was written in each section, the latest words of each."""
    written = {}
    for each in sorted(timeline, key=lambda each: each.seq):
        section = each.entry.body.get("section")
        if each.entry.kind is EntryKind.REVIEW_CHANGED and section in SECTIONS:
            written[str(section)] = Written(
                text=str(each.entry.body["text"]), by=each.entry.actor, seq=each.seq
            )
    return written
