"""The incidents while one window is applied to them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from baselines.summary import WindowKey
from monitor.incidents.breaches import Breach, GroupingRules, Recovery, is_over
from monitor.incidents.freezing import manifest
from monitor.incidents.model import Incident, incident_id
from monitor.incidents.observations import Signal, SignalKind
from monitor.incidents.records import Record, to_record
from monitor.incidents.signals import extended, new_signal, observed, summed_up, tiers, told
from monitor.incidents.states import IncidentState
from monitor.incidents.timeline import EntryKind, TimelineEntry

__all__ = ["Board"]


class Board:
    """Holds the incidents, their changes and what is told of them.

    Parameters
    ----------
    incidents
        As they are stored.
    known_us
        The time by the clock.
    rules
        When an incident is over.
    """

    def __init__(self, incidents: Iterable[Incident], known_us: int, rules: GroupingRules) -> None:
        self._incidents = {incident.id: incident for incident in incidents}
        self._rules = rules
        self._before = dict(self._incidents)
        self._known_us = known_us
        self._entries: defaultdict[str, list[TimelineEntry]] = defaultdict(list)
        self._reopened: list[str] = []
        self._latest: dict[str, WindowKey] = {}
        self._holders: dict[str, str] = {}
        self._own: set[str] = set()
        self._dismissed: dict[str, str] = {}
        for incident in self._incidents.values():
            self._index(incident)

    def active(self) -> list[Incident]:
        """Return the incidents that breaches can join."""
        return [incident for incident in self._incidents.values() if incident.is_active]

    def active_holder(self, fingerprint: str) -> str | None:
        """Return the id of the active incident that holds a signal, the latest of them."""
        return self._holders.get(fingerprint)

    def joined_by(self, breach: Breach) -> str | None:
        """Return the id of the active incident that a breach of its own signal continues."""
        holder = self.active_holder(breach.identity.fingerprint)
        if holder is None or is_over(breach, self._incidents[holder], self._rules):
            return None
        return holder

    def dismissed_holder(self, breach: Breach) -> str | None:
        """Return the id of the dismissed incident that a breach says nothing new about.

        It does if its signal was back in between, or if it looks graver than what a person
        saw when they dismissed it.
        """
        incident = self._incidents.get(self._dismissed.get(breach.identity.fingerprint, ""))
        if incident is None or breach.suggestion.floor is not None:
            return None
        graver = (
            breach.suggestion.tier.rank < incident.suggestion.tier.rank
            or breach.suggestion.could_be.rank < incident.could_be.rank
        )
        return None if graver else incident.id

    def count_dismissed(self, incident_id_: str, breach: Breach) -> None:
        """Count a breach of a dismissed incident; the decision of a person stands."""
        incident = self._incidents[incident_id_]
        signals = tuple(
            observed(each, breach) if each.fingerprint == breach.identity.fingerprint else each
            for each in incident.signals
        )
        changed = extended(replace(incident, signals=signals), [breach])
        self._incidents[incident.id] = changed
        self._index(changed)

    def is_own_signal(self, fingerprint: str) -> bool:
        """Return whether an active incident holds the signal as one of its own."""
        return fingerprint in self._own

    def earlier_holders(self, cluster: Sequence[Breach]) -> list[Incident]:
        """Return the incidents that are finished or over and held one of the signals."""
        fingerprints = {breach.identity.fingerprint for breach in cluster}
        return [
            incident
            for incident in self._incidents.values()
            if not (incident.is_active and self._goes_on(incident, cluster))
            and any(signal.fingerprint in fingerprints for signal in incident.own_signals)
        ]

    def cause_of(self, breach: Breach) -> str | None:
        """Return the id of the active incident with a signal that explains a breach."""
        identity = breach.identity
        for incident in sorted(self.active(), key=lambda each: (each.first_window, each.id)):
            if is_over(breach, incident, self._rules):
                continue
            for signal in incident.own_signals:
                if (
                    signal.identity.system == identity.system
                    and signal.identity.environment == identity.environment
                    and signal.identity.slice == identity.slice
                    and signal.identity.series in breach.inhibited_by
                ):
                    return incident.id
        return None

    def has_seen(self, breach: Breach) -> bool:
        """Return whether the signal has been told of this window, or of a later one."""
        latest = self._latest.get(breach.identity.fingerprint)
        return latest is not None and breach.window <= latest

    def open(self, cluster: Sequence[Breach], *, recurrence_of: str | None) -> None:
        """Make a candidate of new signals."""
        lead = cluster[0]
        signals = tuple(_own_signal(breach) for breach in cluster)
        incident = Incident(
            id=incident_id(lead.identity, lead.window),
            system=lead.identity.system,
            environment=lead.identity.environment,
            kind=lead.identity.kind,
            failure_mode=lead.identity.failure_mode,
            title="",
            suggestion=lead.suggestion,
            could_be=lead.suggestion.could_be,
            signals=signals,
            first_window=lead.window,
            last_window=lead.window,
            onset_us=lead.onset_us,
            recurrence_of=recurrence_of,
        )
        incident = summed_up(extended(incident, cluster))
        self._incidents[incident.id] = incident
        self._index(incident)
        self._tell(
            incident.id,
            EntryKind.OPENED,
            lead.window.end_us,
            {
                "title": incident.title,
                "signals": [told(breach) for breach in cluster],
                "suggestion": tiers(incident.suggestion),
                "releases": list(incident.releases),
                "recurrence_of": recurrence_of,
            },
        )
        frozen = manifest(cluster, incident.releases)
        self._tell(incident.id, EntryKind.EVIDENCE_FROZEN, lead.window.end_us, frozen)

    def add(self, incident_id_: str, cluster: Sequence[Breach]) -> None:
        """Add new signals to an incident; a proposal to resolve it falls."""
        incident = self._awake(self._incidents[incident_id_], cluster[0])
        for breach in cluster:
            self._tell(incident.id, EntryKind.SIGNAL_ADDED, breach.window.end_us, told(breach))
        signals = (*incident.signals, *(_own_signal(breach) for breach in cluster))
        incident = replace(incident, signals=signals)
        self._put(summed_up(extended(incident, cluster)), cluster[0])

    def reopen(self, incident_id_: str, cluster: Sequence[Breach]) -> None:
        """Bring a resolved incident back to work with signals old and new."""
        incident = replace(
            self._incidents[incident_id_],
            state=IncidentState.OPEN,
            resolved_us=None,
            resolution_proposed=None,
        )
        self._incidents[incident.id] = incident
        self._reopened.append(incident.id)
        self._tell(
            incident.id,
            EntryKind.REOPENED,
            cluster[0].window.end_us,
            {"signals": [told(breach) for breach in cluster]},
        )
        self._index(incident)
        known = {signal.fingerprint for signal in incident.signals}
        self.repeat(incident.id, [b for b in cluster if b.identity.fingerprint in known])
        new = [breach for breach in cluster if breach.identity.fingerprint not in known]
        if new:
            self.add(incident.id, new)

    def repeat(self, incident_id_: str, breaches: Sequence[Breach]) -> None:
        """Count signals once more; freshest and worst windows and suggestions follow."""
        if not breaches:
            return
        incident = self._awake(self._incidents[incident_id_], breaches[0])
        again = {breach.identity.fingerprint: breach for breach in breaches}
        signals: list[Signal] = []
        for signal in incident.signals:
            breach = again.get(signal.fingerprint)
            if breach is None:
                signals.append(signal)
                continue
            if signal.inhibited_by:
                self._tell(incident.id, EntryKind.SIGNAL_ADDED, breach.window.end_us, told(breach))
            elif signal.recovered or signal.identity.kind is SignalKind.LOST:
                # Each loss is another one: where, from what to what, and how much.
                kind = EntryKind.SIGNAL_RECURRED
                self._tell(incident.id, kind, breach.window.end_us, told(breach))
            signals.append(replace(observed(signal, breach), inhibited_by=()))
        incident = replace(incident, signals=tuple(signals))
        self._put(summed_up(extended(incident, breaches)), breaches[0])

    def inhibit(self, incident_id_: str, breach: Breach) -> None:
        """List a breach that broken input explains with its cause."""
        incident = self._incidents[incident_id_]
        known = _signal(incident, breach.identity.fingerprint)
        if known is None:
            self._tell(
                incident.id,
                EntryKind.SIGNAL_INHIBITED,
                breach.window.end_us,
                {**told(breach), "inhibited_by": list(breach.inhibited_by)},
            )
            signals = (*incident.signals, new_signal(breach))
        else:
            again = replace(observed(known, breach), inhibited_by=breach.inhibited_by)
            signals = tuple(again if each is known else each for each in incident.signals)
        self._incidents[incident.id] = replace(incident, signals=signals)
        self._index(self._incidents[incident.id])

    def recover(self, recovery: Recovery) -> None:
        """Mark a signal as back; when all are, propose to resolve the incident."""
        holder = self.active_holder(recovery.fingerprint)
        if holder is None:
            holder = self._dismissed.pop(recovery.fingerprint, None)
        if holder is None:
            return
        incident = self._incidents[holder]
        signal = _signal(incident, recovery.fingerprint)
        if signal is None or signal.recovered or recovery.window <= signal.freshest.window:
            return
        back = replace(signal, recovered=True)
        signals = tuple(back if each is signal else each for each in incident.signals)
        incident = replace(incident, signals=signals)
        body = {"series": signal.identity.series, "slice": signal.identity.slice}
        self._tell(incident.id, EntryKind.SIGNAL_RECOVERED, recovery.window.end_us, body)
        if incident.is_active and all(each.recovered for each in incident.own_signals):
            incident = replace(incident, resolution_proposed=recovery.window)
            self._tell(
                incident.id,
                EntryKind.RESOLUTION_PROPOSED,
                recovery.window.end_us,
                {"window": to_record(recovery.window)},
            )
        self._incidents[incident.id] = incident

    def changed(self) -> tuple[Incident, ...]:
        """Return the new and the changed incidents in order of beginning, versions raised."""
        changed = []
        for incident in self._incidents.values():
            before = self._before.get(incident.id)
            if before is None:
                changed.append(incident)
            elif incident != before:
                changed.append(replace(incident, version=before.version + 1))
        return tuple(sorted(changed, key=lambda each: (each.first_window, each.id)))

    def entries(self) -> dict[str, tuple[TimelineEntry, ...]]:
        """Return what is told, by incident."""
        return {key: tuple(entries) for key, entries in sorted(self._entries.items())}

    def opened(self) -> tuple[str, ...]:
        """Return the ids of new incidents, in order of beginning."""
        return tuple(each.id for each in self.changed() if each.id not in self._before)

    def reopened(self) -> tuple[str, ...]:
        """Return the ids of the incidents that came back."""
        return tuple(self._reopened)

    def _awake(self, incident: Incident, breach: Breach) -> Incident:
        if incident.resolution_proposed is None:
            return incident
        self._tell(incident.id, EntryKind.RESOLUTION_WITHDRAWN, breach.window.end_us, told(breach))
        return replace(incident, resolution_proposed=None)

    def _put(self, incident: Incident, breach: Breach) -> None:
        before = self._incidents[incident.id]
        raised = (
            incident.suggestion.tier.rank < before.suggestion.tier.rank
            or incident.could_be.rank < before.could_be.rank
        )
        if raised:
            self._tell(
                incident.id,
                EntryKind.SUGGESTION_RAISED,
                breach.window.end_us,
                {
                    "from": {"tier": before.suggestion.tier, "could_be": before.could_be},
                    "to": {"tier": incident.suggestion.tier, "could_be": incident.could_be},
                    "reasons": list(incident.suggestion.reasons),
                },
            )
        self._incidents[incident.id] = incident
        self._index(incident)

    def _index(self, incident: Incident) -> None:
        for signal in incident.signals:
            fingerprint, window = signal.fingerprint, signal.freshest.window
            self._latest[fingerprint] = max(self._latest.get(fingerprint, window), window)
            if incident.state is IncidentState.DISMISSED and not signal.recovered:
                self._dismissed[fingerprint] = incident.id
            if incident.is_active:
                self._hold(fingerprint, incident)
                if not signal.inhibited_by:
                    self._own.add(fingerprint)

    def _hold(self, fingerprint: str, incident: Incident) -> None:
        # An earlier incident of the signal may still change: it does not get it back.
        holder = self._incidents.get(self._holders.get(fingerprint, ""))
        if holder is None or not holder.is_active or holder.first_window <= incident.first_window:
            self._holders[fingerprint] = incident.id

    def _goes_on(self, incident: Incident, cluster: Sequence[Breach]) -> bool:
        return not any(is_over(breach, incident, self._rules) for breach in cluster)

    def _tell(self, incident_id_: str, kind: EntryKind, occurred_us: int, body: Record) -> None:
        self._entries[incident_id_].append(
            TimelineEntry(kind=kind, occurred_us=occurred_us, known_us=self._known_us, body=body)
        )


def _own_signal(breach: Breach) -> Signal:
    # What could explain it has no incident, or it would not have come here.
    return replace(new_signal(breach), inhibited_by=())


def _signal(incident: Incident, fingerprint: str) -> Signal | None:
    for signal in incident.signals:
        if signal.fingerprint == fingerprint:
            return signal
    return None
