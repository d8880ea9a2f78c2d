"""Incidents, people and occasions for the tests of this folder."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from baselines.summary import WindowKey
from detectors.base import Estimate, FailureMode, Finding, Verdict
from monitor.incidents.acts.base import Occasion
from monitor.incidents.breaches import Breach, GroupingRules, Recovery
from monitor.incidents.grouping import Changes, apply
from monitor.incidents.model import Incident
from monitor.incidents.observations import SignalIdentity, observation_of
from monitor.incidents.roles import Person, Role
from monitor.incidents.suggestion import Axes, Suggestion, Tier
from monitor.incidents.timeline import FIRST_PREV, RecordedEntry, TimelineEntry, chained

HOUR = 3_600_000_000
NOW = 1_000 * HOUR


def _breach(
    series: str = "psi(x)",
    hour: int = 0,
    *,
    slice_: str = "all",
    tier: Tier = Tier.SEV2,
    could_be: Tier = Tier.SEV1,
    floor: Tier | None = None,
    inhibited_by: tuple[str, ...] = (),
) -> Breach:
    finding = Finding(
        detector="psi",
        series=series,
        failure_mode=FailureMode.BEHAVIOURAL,
        verdict=Verdict.BEYOND,
        departure=Estimate(2.0, 1.5, 3.0),
        n_rows=100,
        sentence=f"{series} moved",
    )
    return Breach(
        identity=SignalIdentity(
            system="loans",
            environment="production",
            failure_mode=finding.failure_mode,
            series=series,
            slice=slice_,
            baseline_id="b",
        ),
        detector="psi",
        observation=observation_of(
            finding,
            finding_id=f"{series}@{hour}",
            window=WindowKey(hour * HOUR, (hour + 1) * HOUR, slice_),
        ),
        suggestion=Suggestion(
            tier=tier,
            could_be=could_be,
            axes=Axes(effect=2, reach=2, stakes=2, reversal=2, people=1),
            reasons=("why",),
            policy="five_axes 1",
            floor=floor,
        ),
        onset_us=hour * HOUR,
        inhibited_by=inhibited_by,
    )


class Desk:
    """Holds incidents and timelines as a store would."""

    def __init__(self) -> None:
        self.incidents: dict[str, Incident] = {}
        self.timelines: dict[str, list[RecordedEntry]] = {}

    def keep(self, changes: Changes, recorded_us: int = NOW) -> Changes:
        for each in changes.incidents:
            self.incidents[each.id] = each
        for incident_id, entries in changes.entries.items():
            self.write(incident_id, entries, recorded_us)
        return changes

    def write(self, incident_id: str, entries: Sequence[TimelineEntry], us: int) -> None:
        timeline = self.timelines.setdefault(incident_id, [])
        for entry in entries:
            prev = timeline[-1].hash if timeline else FIRST_PREV
            seq = len(timeline) + 1
            timeline.append(chained(incident_id, entry, seq=seq, recorded_us=us, prev=prev))

    def see(
        self, *breaches: Breach, recoveries: Sequence[Recovery] = (), known_us: int = NOW
    ) -> Incident:
        changes = apply(
            tuple(self.incidents.values()),
            breaches,
            recoveries=recoveries,
            rules=GroupingRules(),
            known_us=known_us,
        )
        self.keep(changes, known_us)
        return (changes.incidents or tuple(self.incidents.values()))[-1]

    def timeline(self, incident: Incident) -> tuple[RecordedEntry, ...]:
        return tuple(self.timelines[incident.id])

    def kinds(self, incident: Incident) -> list[str]:
        return [each.entry.kind.value for each in self.timeline(incident)]


def _occasion(
    name: str = "ada", role: Role = Role.COMMANDER, reason: str = "because", **options: Any
) -> Occasion:
    by = Person(name=name, role=role)
    return Occasion(**{"by": by, "reason": reason, "now_us": NOW, **options})


@pytest.fixture
def breach() -> Callable[..., Breach]:
    return _breach


@pytest.fixture
def occasion() -> Callable[..., Occasion]:
    return _occasion


@pytest.fixture
def desk() -> Desk:
    return Desk()
