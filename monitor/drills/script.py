"""What a scripted responder says: words for every step, written before, kept as data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

import annotated_types as at
from pydantic import ConfigDict

from monitor.incidents.facts import Fact
from monitor.incidents.postmortem.items import ItemKind
from monitor.incidents.roles import Role

__all__ = ["Cast", "Script", "ScriptedFact", "ScriptedItem"]

_STRICT = ConfigDict(extra="forbid")

Cast = Mapping[Role, str]
"""Who plays which role; the persons are made up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptedFact:
    """A fact that somebody states of the incident, and why."""

    __pydantic_config__ = _STRICT

    fact: Fact
    role: Role
    reason: Annotated[str, at.MinLen(1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptedItem:
    """An action item: what, whose, until when, what for, and which series will show it."""

    __pydantic_config__ = _STRICT

    text: Annotated[str, at.MinLen(1)]
    owner: Role
    days: Annotated[int, at.Ge(1)]
    kind: ItemKind
    series: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What is said and done in an incident, from the first look to the post-mortem.

    Parameters
    ----------
    acknowledged, severity, contained, watched, resolved, reviewed
        The reasons of these steps.
    determined
        What the commander states once it is certain enough.
    facts
        Facts that set a floor under the tier.
    duties
        Why a reporting duty does not apply, by its id: counsel's words.
    first_report
        The duty for whose regulator a first report is drafted; None: for none. Counsel lets its
        clocks run from the entry that says what was determined.
    first_report_reason, first_report_withdrawn
        Why it may apply; and why counsel says at the review that it does not.
    legal_answer
        What is decided on telling an authority before the system is altered.
    rollback
        Why it is rolled back.
    approved
        Why the second person agrees to the rollback.
    statements
        What persons state of fields of drafts, by field.
    checked
        How it was checked what is signed as a finding.
    harm, cause
        What is stated of them at the review.
    sections
        The sections of the post-mortem.
    items
        Its action items.
    """

    __pydantic_config__ = _STRICT

    acknowledged: str
    severity: str
    contained: str
    watched: str
    resolved: str
    reviewed: str
    determined: str
    facts: tuple[ScriptedFact, ...] = ()
    duties: Mapping[str, str]
    first_report: str | None = None
    first_report_reason: str = ""
    first_report_withdrawn: str = ""
    legal_answer: str = ""
    rollback: str
    approved: str
    statements: Mapping[str, str] = field(default_factory=dict)
    checked: str
    harm: str
    cause: str
    sections: Mapping[str, str]
    items: Annotated[tuple[ScriptedItem, ...], at.MinLen(1)]
