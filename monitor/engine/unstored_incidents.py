"""Incidents that are kept in memory only, for trying a policy out."""

from collections.abc import Collection
from dataclasses import replace

from monitor.incidents.grouping import Changes
from monitor.incidents.model import Incident
from monitor.incidents.states import IncidentState

__all__ = ["UnstoredIncidents"]


class UnstoredIncidents:
    """A shelf that writes nothing, on which every proposal to resolve is accepted at once.

    Nobody closes incidents while a policy is tried out. Left open they would take in every
    later change of their series, and two changes months apart would look like one.
    """

    def active(self) -> tuple[Incident, ...]:
        """Return nothing: the trial begins without incidents."""
        return ()

    def holding(self, fingerprints: Collection[str]) -> tuple[Incident, ...]:
        """Return nothing: whoever tries a policy out has all incidents at hand."""
        del fingerprints
        return ()

    def apply(self, changes: Changes, *, recorded_us: int) -> tuple[Incident, ...]:
        """Return the changed incidents, resolved where that is proposed."""
        del recorded_us  # nothing is recorded
        return tuple(map(_resolved, changes.incidents))


def _resolved(incident: Incident) -> Incident:
    proposed = incident.resolution_proposed
    if proposed is None or not incident.is_active:
        return incident
    return replace(incident, state=IncidentState.RESOLVED, resolved_us=proposed.end_us)
