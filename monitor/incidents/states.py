"""Where an incident stands, and how it stands to others."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["ACTIVE", "IncidentLink", "IncidentState", "LinkKind"]


class IncidentState(StrEnum):
    """Where an incident stands; the monitor makes candidates, people do the rest."""

    CANDIDATE = "candidate"
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CONTAINED = "contained"
    MONITORING = "monitoring"
    RESOLVED = "resolved"
    IN_REVIEW = "in_review"
    CLOSED = "closed"
    DISMISSED = "dismissed"
    MERGED = "merged"


ACTIVE = frozenset(
    {
        IncidentState.CANDIDATE,
        IncidentState.OPEN,
        IncidentState.ACKNOWLEDGED,
        IncidentState.CONTAINED,
        IncidentState.MONITORING,
    }
)
"""The states in which further breaches join an incident."""


class LinkKind(StrEnum):
    """How one incident stands to another."""

    DUPLICATE = "duplicate"
    CAUSED_BY = "caused_by"
    RECURRENCE = "recurrence"
    SAME_RELEASE = "same_release"


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentLink:
    """What a person said of two incidents: this one is so to the other."""

    kind: LinkKind
    incident_id: str
