"""What the monitor knows of an incident, written into its timeline before it is drafted.

Drafts cite entries only. Counts and intervals stand in the record of the incident and change
with every window; an entry holds them as they were, in the very digits that a draft shows.
"""

from detectors.base import Estimate
from monitor.incidents.model import Incident
from monitor.incidents.observations import SignalKind
from monitor.incidents.records import Record
from monitor.incidents.timeline import EntryKind, TimelineEntry
from monitor.incidents.wording import leading_signal, slice_words

__all__ = ["OBSERVED", "observed_entry"]

OBSERVED = "observed"
"""The key of the body under which the observation stands."""


def observed_entry(incident: Incident, *, known_us: int) -> TimelineEntry:
    """Return the monitor's entry of what an incident is now; the same again is not told twice.

    Parameters
    ----------
    incident
        As it is stored.
    known_us
        The time by the clock.
    """
    return TimelineEntry(
        kind=EntryKind.NOTE,
        occurred_us=incident.last_window.end_us,
        known_us=known_us,
        body={"text": "what the monitor has recorded so far", OBSERVED: _observed(incident)},
    )


def _observed(incident: Incident) -> Record:
    told: Record = {
        "number": None if incident.number is None else str(incident.number),
        "system": incident.system,
        "environment": incident.environment,
        "versions": list(incident.releases),
        "title": incident.title,
        "tier": incident.tier.value,
        "confirmed": incident.confirmed is not None,
        "highest": incident.highest.value,
        "state": incident.state.value,
        "last_us": incident.last_window.end_us if incident.has_times else None,
        "resolution_proposed": incident.resolution_proposed is not None,
        "roles": {holder.role.value: holder.name for holder in incident.roles},
    }
    return told | _of_signals(incident) if incident.signals else told


def _of_signals(incident: Incident) -> Record:
    own = incident.own_signals or incident.signals
    worst = leading_signal(incident.signals).worst
    told: Record = {
        "sentence": worst.sentence,
        "effect": _estimate(worst.effect),
        "unit": worst.unit,
        "tolerance": f"{worst.tolerance:.3g}",
        "slices": sorted({slice_words(signal.identity.slice) for signal in own}),
        "worse_off": sorted({group for signal in own for group in signal.freshest.worse_off}),
        "findings": sorted({signal.worst.finding_id[:12] for signal in own}),
    }
    if incident.kind is SignalKind.BREACH:
        # Signals overlap, so the largest of them is told and nothing is added up.
        freshest = [signal.freshest for signal in own]
        exposed = max(max(each.n_exposed, each.n_exposed_since_onset) for each in freshest)
        told["exposed"] = f"{exposed:,}" if exposed else None
    return told


def _estimate(estimate: Estimate | None) -> Record | None:
    if estimate is None:
        return None
    return {
        "value": f"{estimate.value:.3g}",
        "low": f"{estimate.low:.3g}",
        "high": f"{estimate.high:.3g}",
    }
