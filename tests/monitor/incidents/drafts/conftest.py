"""An incident with a timeline that grows entry by entry."""

from collections.abc import Callable

import pytest

from baselines.summary import WindowKey
from detectors.base import Estimate, FailureMode
from monitor.incidents.drafts.observed import observed_entry
from monitor.incidents.model import Incident, incident_id
from monitor.incidents.observations import Observation, Signal, SignalIdentity
from monitor.incidents.records import Record
from monitor.incidents.states import IncidentState
from monitor.incidents.suggestion import Axes, Suggestion, Tier
from monitor.incidents.timeline import (
    FIRST_PREV,
    MONITOR,
    EntryKind,
    RecordedEntry,
    TimelineEntry,
    chained,
)

DAY = 86_400_000_000
START = 20_780 * DAY
WINDOW = WindowKey(START, START + DAY, "all")


def make_incident(tier: Tier = Tier.SEV2) -> Incident:
    observation = Observation(
        finding_id="5f" * 32,
        window=WINDOW,
        effect=Estimate(0.6231, 0.5512, 0.7013),
        departure=Estimate(2.1, 1.6, 2.7),
        tolerance=0.8,
        unit="ratio of the lowest to the highest selection rate",
        n_rows=1_000,
        n_exposed=412,
        n_exposed_since_onset=1_280,
        worse_off=("F",),
        sentence="F is selected less often than M",
    )
    identity = SignalIdentity(
        system="loans",
        environment="production",
        failure_mode=FailureMode.BIAS,
        series="gap(hired, sex)",
        slice="all",
        baseline_id="b",
    )
    suggestion = Suggestion(
        tier=tier,
        could_be=Tier.SEV1,
        axes=Axes(effect=2, reach=2, stakes=2, reversal=2, people=2),
        policy="five_axes 1",
    )
    signal = Signal(
        identity=identity,
        detector="gap",
        n_windows=1,
        first=observation,
        freshest=observation,
        worst=observation,
        suggestion=suggestion,
    )
    return Incident(
        id=incident_id(identity, WINDOW),
        number=7,
        system="loans",
        environment="production",
        failure_mode=FailureMode.BIAS,
        title="Bias: F is selected less often",
        state=IncidentState.OPEN,
        suggestion=suggestion,
        could_be=Tier.SEV1,
        signals=(signal,),
        first_window=WINDOW,
        last_window=WINDOW,
        onset_us=WINDOW.start_us,
    )


class Growing:
    """A timeline, as persons and the monitor write it."""

    def __init__(self, incident: Incident) -> None:
        self.incident = incident
        self.entries: list[RecordedEntry] = []
        self.now_us = WINDOW.end_us

    def add(
        self, kind: EntryKind, body: Record, *, actor: str = "Ada", at_us: int | None = None
    ) -> int:
        """Append an entry and return its number."""
        self.now_us = self.now_us + 60_000_000 if at_us is None else at_us
        told = body if actor == MONITOR else {"role": "commander", **body}
        entry = TimelineEntry(
            kind=kind, occurred_us=self.now_us, known_us=self.now_us, actor=actor, body=told
        )
        return self.append(entry)

    def append(self, entry: TimelineEntry) -> int:
        """Append an entry that is made already."""
        prev = self.entries[-1].hash if self.entries else FIRST_PREV
        seq = len(self.entries) + 1
        self.entries.append(
            chained(self.incident.id, entry, seq=seq, recorded_us=self.now_us, prev=prev)
        )
        return seq

    def state(self, field: str, text: str) -> int:
        """Append a signed statement of one field."""
        return self.add(EntryKind.FINDING_SIGNED, {"field": field, "text": text})

    def open(self) -> int:
        """Append what the monitor tells when it opens, and what it has recorded."""
        self.add(
            EntryKind.OPENED,
            {
                "title": self.incident.title,
                "signals": [{"series": "gap(hired, sex)", "onset_us": START}],
            },
            actor=MONITOR,
            at_us=WINDOW.end_us,
        )
        return self.append(observed_entry(self.incident, known_us=self.now_us))


@pytest.fixture
def growing() -> Growing:
    """Return the timeline of an incident that the monitor has just opened."""
    timeline = Growing(make_incident())
    timeline.open()
    return timeline


@pytest.fixture
def incident_of() -> Callable[[Tier], Incident]:
    """Return a function that makes an incident of a tier."""
    return make_incident
