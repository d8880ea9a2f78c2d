"""Who is written to, when, from which template, and who lets it go: tables, kept as data."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from monitor.incidents.regimes.model import Regime
from monitor.incidents.rights import Decision
from monitor.incidents.suggestion import Tier

__all__ = [
    "AUDIENCES",
    "WHEN",
    "Audience",
    "AudienceRules",
    "regulator_rules",
    "regulator_template",
]


class Audience(StrEnum):
    """Who reads a draft."""

    AFFECTED = "affected"
    CUSTOMERS = "customers"
    REGULATOR = "regulator"
    PUBLIC = "public"
    STAFF = "staff"
    BOARD = "board"


@dataclass(frozen=True, slots=True, kw_only=True)
class AudienceRules:
    """What holds for drafts to one audience.

    Parameters
    ----------
    template
        The file name of its template.
    outside
        Whether its readers are outside: then only signed findings are cited.
    decision
        Which right lets it go.
    blocking
        Fields without which it is not approved.
    phased
        Whether a first report may go with unknowns, printed as such.
    """

    template: str
    outside: bool
    decision: Decision
    blocking: tuple[str, ...]
    phased: bool = False


AUDIENCES: Final[Mapping[Audience, AudienceRules]] = {
    Audience.AFFECTED: AudienceRules(
        template="affected.md",
        outside=True,
        decision=Decision.NOTICE_TO_USERS,
        blocking=(
            "purpose",
            "what_happened_plainly",
            "onset_plainly",
            "meaning_for_you",
            # Something must have been done and signed before it is told in plain words.
            "measures",
            "measures_plainly",
            "what_you_can_do",
            "contact",
            "next_update",
        ),
    ),
    Audience.CUSTOMERS: AudienceRules(
        template="customers.md",
        outside=True,
        decision=Decision.NOTICE_TO_USERS,
        blocking=("what_happened", "onset", "measures", "what_customers_must_do", "contact"),
    ),
    Audience.PUBLIC: AudienceRules(
        template="public.md",
        outside=True,
        decision=Decision.NOTICE_TO_PUBLIC,
        blocking=(
            "what_happened_plainly",
            "onset_plainly",
            "measures",
            "measures_plainly",
            "what_you_can_do",
            "next_update",
        ),
    ),
    Audience.STAFF: AudienceRules(
        template="staff.md",
        outside=False,
        decision=Decision.RECORD,
        blocking=("title", "commander", "contact"),
    ),
    Audience.BOARD: AudienceRules(
        template="board.md",
        outside=False,
        decision=Decision.REVIEW,
        blocking=("title", "tier"),
    ),
}
"""The audiences but the regulator, whose drafts follow from a duty: `regulator_rules`."""

WHEN: Final[Mapping[Tier, Mapping[Audience, str]]] = {
    Tier.SEV1: {
        Audience.STAFF: "at once",
        Audience.CUSTOMERS: "draft at once",
        Audience.AFFECTED: "draft at once, held for legal",
        Audience.REGULATOR: "legal screen, and a draft for every duty that is possible",
        Audience.PUBLIC: "draft",
        Audience.BOARD: "within 1 hour",
    },
    Tier.SEV2: {
        Audience.STAFF: "at once",
        Audience.CUSTOMERS: "draft",
        Audience.AFFECTED: "draft, if people can be identified",
        Audience.REGULATOR: "legal screen, and a draft where a duty may apply",
        Audience.PUBLIC: "if decided",
        Audience.BOARD: "daily",
    },
    Tier.SEV3: {
        Audience.STAFF: "note",
        Audience.CUSTOMERS: "if the contract says so",
        Audience.AFFECTED: "only if legal asks",
        Audience.REGULATOR: "legal screen, only for a protected group or personal data",
        Audience.PUBLIC: "no",
        Audience.BOARD: "monthly list",
    },
    Tier.SEV4: {
        Audience.STAFF: "weekly digest",
        Audience.CUSTOMERS: "no",
        Audience.AFFECTED: "no",
        Audience.REGULATOR: "no",
        Audience.PUBLIC: "no",
        Audience.BOARD: "no",
    },
}
"""When a draft is due, by tier. A person may ask for any draft at any time."""


def regulator_rules(regime: Regime) -> AudienceRules:
    """Return what holds for a report under a duty: all that it must hold blocks."""
    return AudienceRules(
        template=f"regulator.{regime.id}.md",
        outside=True,
        decision=Decision.NOTICE_TO_REGULATOR,
        blocking=regime.contents,
        phased=regime.phased,
    )


def regulator_template(regime: Regime, labels: Mapping[str, str]) -> str:
    """Return the template of a report under a duty: one sentence for each of its contents."""
    lines = [
        f'- {{{{ say("{labels[name][:1].upper()}{labels[name][1:]}: {{{name}}}.") }}}}'
        for name in regime.contents
    ]
    return "\n".join(["# Report", "", *lines, ""])
