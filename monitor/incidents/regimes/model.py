"""What a reporting duty is: a reviewed data file, never a rule in code."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated, Final

import annotated_types as at

from monitor.errors import OutputwatchError

__all__ = [
    "STALE_AFTER_DAYS",
    "Regime",
    "RegimeClock",
    "RegimeError",
    "Trigger",
    "Unit",
    "is_stale",
]

STALE_AFTER_DAYS: Final = 180
"""Law changes; a file that nobody has looked at for so long is shown as stale."""


class RegimeError(OutputwatchError):
    """A file of a duty or a calendar is wrong, or does not reach far enough."""


class Unit(StrEnum):
    """How a period is counted."""

    HOURS = "hours"
    CALENDAR = "calendar"
    WORKING = "working"
    MONTHS = "months"


class Trigger(StrEnum):
    """What a law lets a period run from; the first seven are times that a timeline holds."""

    ONSET_ESTIMATED = "onset_estimated"
    FIRST_SIGNAL = "first_signal"
    FIRST_DELIVERED = "first_delivered"
    FIRST_SEEN_BY_PERSON = "first_seen_by_person"
    BELIEF_STATED = "belief_stated"
    DETERMINED = "determined"
    CAUSAL_LINK_STATED = "causal_link_stated"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegimeClock:
    """One period of a duty.

    Parameters
    ----------
    name
        Unique within the duty.
    what
        What is due at its end.
    trigger_words
        What the law lets it run from, in words.
    triggers
        The times of a timeline that counsel looks at first.
    period
        How many units; positive.
    unit
        How they are counted.
    calendar
        The calendar of working days; only for that unit.
    condition
        When it applies, if not always.
    """

    name: Annotated[str, at.MinLen(1)]
    what: Annotated[str, at.MinLen(1)]
    trigger_words: Annotated[str, at.MinLen(1)]
    triggers: Annotated[tuple[Trigger, ...], at.MinLen(1)]
    period: Annotated[int, at.Ge(1)]
    unit: Unit
    calendar: str | None = None
    condition: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Regime:
    """One duty to report, or to explain.

    Parameters
    ----------
    id, version, title
        Its name, the edition of the file, and what people call it.
    valid_from, valid_to
        When it applies; None: not known, or without an end.
    reviewed_on
        When a person last compared the file with the law.
    binds
        Whom it binds.
    questions
        What counsel is asked before any clock can run.
    recipient
        Who gets the report; empty if there is none.
    clocks
        Its periods; none for a duty without an incident clock.
    phased
        Whether a first report may be incomplete.
    contents
        Names of the fields that a report holds.
    sources
        Where it is written.
    uncertain
        What could not be verified; shown with the clock.
    """

    id: Annotated[str, at.MinLen(1)]
    version: Annotated[int, at.Ge(1)]
    title: Annotated[str, at.MinLen(1)]
    valid_from: date | None
    valid_to: date | None = None
    reviewed_on: date
    binds: Annotated[str, at.MinLen(1)]
    questions: Annotated[tuple[str, ...], at.MinLen(1)]
    recipient: str = ""
    clocks: tuple[RegimeClock, ...] = ()
    phased: bool = False
    contents: tuple[str, ...] = ()
    sources: Annotated[tuple[str, ...], at.MinLen(1)]
    uncertain: tuple[str, ...] = ()

    def clock(self, name: str) -> RegimeClock:
        """Return the period with a name.

        Raises
        ------
        RegimeError
            If there is none.
        """
        for clock in self.clocks:
            if clock.name == name:
                return clock
        names = ", ".join(each.name for each in self.clocks) or "none"
        message = f"{self.id} has no clock {name!r}; its clocks are: {names}"
        raise RegimeError(message)


def is_stale(regime: Regime, today: date) -> bool:
    """Return whether the file was not reviewed within `STALE_AFTER_DAYS`."""
    return (today - regime.reviewed_on).days > STALE_AFTER_DAYS
