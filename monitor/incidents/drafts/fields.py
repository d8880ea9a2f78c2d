"""What a draft can tell: each field is known in one of five ways, and never just blank."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from monitor.incidents.rights import Decision

__all__ = ["DEFINITIONS", "Field", "FieldDefinition", "FieldState", "Fields"]


class FieldState(StrEnum):
    """How a field is known."""

    FACT = "fact"
    ESTIMATE = "estimate"
    STATED = "stated"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of one incident.

    Parameters
    ----------
    name
        One of `DEFINITIONS`.
    state
        How it is known.
    text
        What it says; empty where it is unknown.
    refs
        What it rests on: ``e7`` is entry 7 of the timeline, ``register`` the ``system`` section
        of the configuration.
    by, known_us
        Who states it and when they knew, for a statement.
    low, high, method
        The interval of an estimate in words, and how it was made.
    reason
        Why it does not apply, or why what is written down cannot be used.
    observed
        Whether it rests on what the monitor recorded and nobody signed.
    """

    name: str
    state: FieldState
    text: str = ""
    refs: tuple[str, ...] = ()
    by: str | None = None
    known_us: int | None = None
    low: str = ""
    high: str = ""
    method: str = ""
    reason: str = ""
    observed: bool = False

    @property
    def label(self) -> str:
        """Return what people call it."""
        return DEFINITIONS[self.name].label

    @property
    def is_unknown(self) -> bool:
        """Return whether it is still to be found out."""
        return self.state is FieldState.UNKNOWN


Fields = Mapping[str, Field]


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldDefinition:
    """What a field is, whoever knows it.

    Parameters
    ----------
    label
        What people call it, without digits.
    human
        Whether it stays unknown until a person states it.
    decision
        What stating it decides, so who may.
    """

    label: str
    human: bool = True
    decision: Decision = Decision.RECORD


def _found(label: str) -> FieldDefinition:
    return FieldDefinition(label=label, human=False)


def _human(label: str, decision: Decision = Decision.RECORD) -> FieldDefinition:
    return FieldDefinition(label=label, decision=decision)


DEFINITIONS: Final[Mapping[str, FieldDefinition]] = {
    "number": _found("number of the incident"),
    "system": _found("name of the system"),
    "environment": _found("environment"),
    "versions": _found("releases that changed at the onset"),
    "title": _found("title"),
    "what_happened": _found("what was observed"),
    "effect": _found("size of the effect"),
    "slices": _found("traffic concerned"),
    "worse_off": _found("groups that are worse off"),
    "exposed": _found("outputs exposed"),
    "onset": _found("when it began"),
    "onset_plainly": _found("when it began, in plain words"),
    "last_seen": _found("when it was last seen"),
    "last_seen_plainly": _found("when it was last seen, in plain words"),
    "ongoing": _found("whether it goes on"),
    "tier": _found("severity"),
    "state": _found("where the response stands"),
    "evidence": _found("findings that it rests on"),
    "stakes": _found("stakes of the use"),
    "vulnerable_users": _found("vulnerable people among the users"),
    "first_signal": _found("first signal"),
    "first_delivered": _found("first notification delivered"),
    "awareness_time": _found("when a person first saw it"),
    "belief_time": _found("when somebody said that they believe it"),
    "determined_time": _found("when it was determined"),
    "causal_link_time": _found("when a causal link was stated"),
    "commander": _found("incident commander"),
    "measures": _found("what was done"),
    "evidence_kept": _found("evidence that was kept"),
    "clocks": _found("reporting periods that run"),
    "harm": _human("whether harm occurred", Decision.HARM),
    "n_harmed": _human("number of people harmed", Decision.HARM),
    "harm_type": _human("kind of harm", Decision.HARM),
    "harm_quantified": _human("harm in figures", Decision.HARM),
    "cause": _human("cause", Decision.CAUSE),
    "causal_link": _human("causal link between the system and the harm", Decision.LEGAL_CLOCK),
    "ai_relation": _human("how the AI relates to it: cause, contributor, use", Decision.CAUSE),
    "intent": _human("unintended or wrongful use", Decision.LEGAL_CLOCK),
    "rights_impacts": _human("rights concerned", Decision.LEGAL_CLOCK),
    "ai_principles": _human("principles for AI concerned", Decision.LEGAL_CLOCK),
    "oecd_severity": _human("severity in the words of the OECD", Decision.LEGAL_CLOCK),
    "training_data_link": _human("link to training data", Decision.CAUSE),
    "what_happened_plainly": _human("what went wrong, in one plain sentence"),
    "measures_plainly": _human("what was done, in plain words"),
    "meaning_for_you": _human("what it may have meant for the people concerned"),
    "what_you_can_do": _human("what people can do now", Decision.NOTICE_TO_USERS),
    "what_customers_must_do": _human("what customers must do", Decision.NOTICE_TO_USERS),
    "purpose": _human("what the system is for"),
    "contact": _human("one contact"),
    "next_update": _human("by when we write again", Decision.NOTICE_TO_USERS),
    "remedy": _human("remedy for people already affected", Decision.NOTICE_TO_USERS),
    "apology": _human("an apology in a person's words", Decision.NOTICE_TO_PUBLIC),
    "fixed_for_good": _human("what changes so that it does not come back"),
    "provider": _human("provider, representative and contact"),
    "developer_deployer": _human("developer and deployer"),
    "authority_contact": _human("contact for the authority"),
    "high_risk_basis": _human("basis of the classification as high-risk", Decision.LEGAL_CLOCK),
    "why_it_qualifies": _human("why it must be reported", Decision.LEGAL_CLOCK),
    "plain_statement": _human("short plain statement", Decision.NOTICE_TO_REGULATOR),
    "internal_use": _human("whether it was internal use"),
    "countries": _human("countries concerned"),
    "other_authorities": _human("other authorities told", Decision.NOTICE_TO_REGULATOR),
    "next_steps": _human("next steps"),
    "data_categories": _human("categories of personal data and of people"),
    "n_records": _human("number of records"),
    "reasons_for_delay": _human("reasons for a delay", Decision.NOTICE_TO_REGULATOR),
    "decisions_needed": _human("decisions needed from the board"),
    "not_to_say": _human("what not to say outside"),
    "where_to_help": _human("where to help"),
    "industry": _human("industry"),
    "business_function": _human("business function"),
    "critical_function": _human("critical function or infrastructure"),
    "usage_rights": _human("usage rights"),
    "interaction": _human("several systems interacting"),
    "task": _human("task of the system"),
    "autonomy": _human("autonomy of the system"),
    "other": _human("anything else"),
}
"""Every field by its name; templates can use no other."""
