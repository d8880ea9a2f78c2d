"""Versions of drafts: what they say, what is missing, and what persons did with them."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from monitor.incidents.drafts.audiences import (
    AUDIENCES,
    Audience,
    AudienceRules,
    regulator_rules,
    regulator_template,
)
from monitor.incidents.drafts.fields import DEFINITIONS, Fields
from monitor.incidents.drafts.linter import TemplateError
from monitor.incidents.drafts.rendering import render, templates_in
from monitor.incidents.regimes.library import regime
from monitor.incidents.timeline import EntryKind, RecordedEntry

__all__ = [
    "DRILL_BANNER",
    "Draft",
    "DraftStage",
    "drafted",
    "rules_of",
    "stage_of",
    "subject_of",
    "text_to_send",
]

DRILL_BANNER: Final = (
    "**DRILL: this is practice. What it tells did not happen, and it must not be sent.**"
)
"""The first line of every text about a drill."""

_CITATION: Final = re.compile(r" \[(?:e\d+|register)(?:, (?:e\d+|register))*\]")


class DraftStage(StrEnum):
    """How far the latest version of a draft is."""

    DRAFTED = "drafted"
    APPROVED = "approved"
    SENT = "sent"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One version of a text for one audience.

    Parameters
    ----------
    incident_id
        Whose.
    subject
        The audience, for the regulator with the duty: ``regulator:gdpr_33``.
    version
        From 1.
    text
        With what every sentence rests on in brackets.
    blocking
        Fields that must be known before it is approved.
    unknown
        Every field that it shows as unknown.
    refs
        All that it cites.
    created_us
        When it was made.
    """

    incident_id: str
    subject: str
    version: int
    text: str
    blocking: tuple[str, ...]
    unknown: tuple[str, ...]
    refs: tuple[str, ...]
    created_us: int

    @property
    def hash(self) -> str:
        """Return the sha256 of the text with its citations."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def hash_to_send(self) -> str:
        """Return the sha256 of the text without citations, as it leaves the house."""
        return hashlib.sha256(text_to_send(self.text).encode()).hexdigest()


def subject_of(audience: Audience, regime_id: str | None) -> str:
    """Return the name of a draft.

    Raises
    ------
    TemplateError
        If a report to a regulator has no duty, or another draft has one.
    """
    if (audience is Audience.REGULATOR) != (regime_id is not None):
        message = (
            "a report to a regulator is drafted under one duty, other drafts under none; give "
            "--regime with the audience regulator only"
        )
        raise TemplateError(message)
    return audience.value if regime_id is None else f"{audience.value}:{regime(regime_id).id}"


def rules_of(subject: str) -> AudienceRules:
    """Return what holds for a draft by its name."""
    audience, _, regime_id = subject.partition(":")
    if regime_id:
        return regulator_rules(regime(regime_id))
    return AUDIENCES[Audience(audience)]


def drafted(
    incident_id: str,
    subject: str,
    fields: Fields,
    *,
    version: int,
    now_us: int,
    folder: Path | None = None,
    drill: bool = False,
) -> Draft:
    """Return a draft from the fields, which are those for readers outside where they are.

    Parameters
    ----------
    incident_id, subject, version
        As in `Draft`.
    fields
        Every field.
    now_us
        The time by the clock.
    folder
        Templates in the place of ours.
    drill
        Whether it is about practice: the text then says so first.

    Raises
    ------
    TemplateError
        If a template is refused.
    """
    rules = rules_of(subject)
    templates = templates_in(folder)
    regime_id = subject.partition(":")[2]
    if regime_id and rules.template not in templates:
        labels = {name: each.label for name, each in DEFINITIONS.items()}
        templates[rules.template] = regulator_template(regime(regime_id), labels)
    text = render(rules.template, fields, templates=templates, outside=rules.outside)
    if drill:
        text = f"{DRILL_BANNER}\n\n{text}"
    return Draft(
        incident_id=incident_id,
        subject=subject,
        version=version,
        text=text,
        blocking=tuple(name for name in rules.blocking if fields[name].is_unknown),
        unknown=_unknown(text, fields),
        refs=tuple(dict.fromkeys(re.findall(r"\b(?:e\d+|register)\b", _citations(text)))),
        created_us=now_us,
    )


def text_to_send(text: str) -> str:
    """Return a text without its citations.

    Examples
    --------
    >>> text_to_send("It began on Monday. [e3, e7]")
    'It began on Monday.'
    """
    return _CITATION.sub("", text)


def stage_of(draft: Draft, timeline: Iterable[RecordedEntry]) -> DraftStage:
    """Return how far this very version is: what was done with other versions does not count."""
    stage = DraftStage.DRAFTED
    moves: Mapping[EntryKind, DraftStage] = {
        EntryKind.DRAFT_APPROVED: DraftStage.APPROVED,
        EntryKind.DRAFT_REJECTED: DraftStage.REJECTED,
        EntryKind.DRAFT_SENT: DraftStage.SENT,
        EntryKind.DRAFT_WITHDRAWN: DraftStage.WITHDRAWN,
    }
    for each in sorted(timeline, key=lambda each: each.seq):
        body = each.entry.body
        about = body.get("subject") == draft.subject and body.get("hash") == draft.hash
        if about and each.entry.kind in moves:
            stage = moves[each.entry.kind]
    return stage


def _citations(text: str) -> str:
    return " ".join(_CITATION.findall(text))


def _unknown(text: str, fields: Fields) -> tuple[str, ...]:
    return tuple(name for name, each in fields.items() if f"[unknown yet: {each.label} - " in text)
