"""What people declare about a monitored system before anything happens."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import annotated_types as at

__all__ = ["Reversibility", "Stakes", "SystemRegister", "Vulnerability"]


class Stakes(StrEnum):
    """What the use of an output can cost a person."""

    NONE = "none"
    INCONVENIENCE = "inconvenience"
    CONSEQUENTIAL = "consequential"
    CRITICAL = "critical"


class Reversibility(StrEnum):
    """What it takes to undo a decision that rested on an output."""

    AUTOMATIC = "automatic"
    CORRECTABLE = "correctable"
    HARD = "hard"
    IRREVERSIBLE = "irreversible"


class Vulnerability(StrEnum):
    """Whether minors, patients or others in need of protection use the system."""

    NONE = "none"
    EXPECTED = "expected"
    DIRECT = "direct"


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemRegister:
    """One monitored system, as its owners declare it.

    None means unknown, which a severity policy reports and takes at its worst for
    ``could be as high as``; it never means zero.

    Parameters
    ----------
    name
        What people call the system.
    environment
        Where it runs; incidents of two environments are never grouped.
    stakes
        ``none``: nobody is affected; ``inconvenience``: time, quality; ``consequential``:
        access, money, job, dignity, privacy; ``critical``: health, safety, liberty, children.
    reversibility
        ``automatic``: undone without anybody's effort; ``correctable``: with effort; ``hard``;
        ``irreversible``.
    vulnerable_users
        ``none``; ``expected``: some are among the users; ``direct``: the system is for them.
    protected_attributes
        Columns whose groups are protected from discrimination, in law or by your own policy.
    shadow
        True if no output reaches a person: the suggestion is then at most SEV3.
    share_of_traffic
        The share of the system's traffic that the monitor reads, above 0 and at most 1: a
        sample of one in ten is 0.1. Counts of people are scaled up by it.
    """

    name: Annotated[str, at.MinLen(1)]
    environment: Annotated[str, at.MinLen(1)] = "production"
    stakes: Stakes | None = None
    reversibility: Reversibility | None = None
    vulnerable_users: Vulnerability | None = None
    protected_attributes: tuple[str, ...] = ()
    shadow: bool = False
    share_of_traffic: Annotated[float, at.Gt(0), at.Le(1)] = 1.0

    @property
    def unknown(self) -> tuple[str, ...]:
        """Return the options that nobody has declared yet."""
        declared = {
            "stakes": self.stakes,
            "reversibility": self.reversibility,
            "vulnerable_users": self.vulnerable_users,
        }
        return tuple(option for option, value in declared.items() if value is None)
