"""How many false incidents are accepted, as people say it: ``1 per 90 days``."""

import re
from dataclasses import dataclass
from typing import Annotated, Final

import annotated_types as at

__all__ = ["BUDGET_PATTERN", "FalseAlarmBudget", "read_budget"]

_DAY_SECONDS = 86_400.0
_DAYS: Final = {"day": 1.0, "week": 7.0, "month": 30.4375, "year": 365.25}
"""A year is a Julian one, a month its twelfth."""

BUDGET_PATTERN: Final = r"([0-9]+(?:\.[0-9]+)?) per (?:([1-9][0-9]*) )?(day|week|month|year)s?"
"""What `read_budget` accepts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FalseAlarmBudget:
    """How many false incidents are accepted, over all series of the monitor together.

    Parameters
    ----------
    incidents
        Expected false incidents, above 0.
    days
        In so many days, above 0.
    """

    incidents: Annotated[float, at.Gt(0)] = 1.0
    days: Annotated[float, at.Gt(0)] = 90.0

    @property
    def seconds(self) -> float:
        """Return the period in seconds."""
        return self.days * _DAY_SECONDS

    def __str__(self) -> str:
        """Return it as `read_budget` reads it, days rounded to whole ones."""
        days = round(self.days)
        return f"{self.incidents:g} per {days} day{'s' if days != 1 else ''}"


def read_budget(text: object) -> FalseAlarmBudget:
    """Return the budget that a text says.

    Parameters
    ----------
    text
        ``N per M days``, ``weeks``, ``months`` or ``years``; N above 0 and M a whole number,
        1 if it is left out.

    Raises
    ------
    ValueError
        If it says none.

    Examples
    --------
    >>> read_budget("0.5 per 2 weeks")
    FalseAlarmBudget(incidents=0.5, days=14.0)
    >>> print(read_budget("1 per 90 days"))
    1 per 90 days
    """
    said = re.fullmatch(BUDGET_PATTERN, text) if isinstance(text, str) else None
    if said is None or float(said[1]) <= 0:
        message = (
            "must be a number above 0 per days, weeks, months or years, for example "
            f"'1 per 90 days', got {text!r}"
        )
        raise ValueError(message)
    return FalseAlarmBudget(incidents=float(said[1]), days=int(said[2] or 1) * _DAYS[said[3]])
