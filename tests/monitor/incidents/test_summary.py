"""An incident's page: what it says of the outputs concerned."""

import pytest

from baselines.summary import WindowKey
from detectors.base import FailureMode
from monitor.incidents.model import Incident, incident_id
from monitor.incidents.observations import Observation, Signal, SignalIdentity, SignalKind
from monitor.incidents.suggestion import Axes, Suggestion, Tier
from monitor.incidents.summary import summarize

WINDOW = WindowKey(0, 86_400_000_000, "all")
SUGGESTION = Suggestion(
    tier=Tier.SEV3,
    could_be=Tier.SEV3,
    axes=Axes(effect=1, reach=1, stakes=1, reversal=1, people=1),
    policy="p 1",
)


def signal(series: str, n_exposed: int, n_exposed_since_onset: int) -> Signal:
    observation = Observation(
        finding_id="f",
        window=WINDOW,
        n_exposed=n_exposed,
        n_exposed_since_onset=n_exposed_since_onset,
    )
    return Signal(
        identity=SignalIdentity(
            system="assistant",
            environment="production",
            failure_mode=FailureMode.BIAS,
            series=series,
            slice="all",
            baseline_id="b",
            kind=SignalKind.BREACH,
        ),
        detector="selection_rate_gap",
        n_windows=1,
        first=observation,
        freshest=observation,
        worst=observation,
        suggestion=SUGGESTION,
    )


def incident(*signals: Signal) -> Incident:
    return Incident(
        id=incident_id(signals[0].identity, WINDOW),
        title="a gap",
        system="assistant",
        environment="production",
        failure_mode=FailureMode.BIAS,
        kind=SignalKind.BREACH,
        first_window=WINDOW,
        last_window=WINDOW,
        onset_us=0,
        suggestion=SUGGESTION,
        could_be=Tier.SEV3,
        signals=signals,
    )


@pytest.mark.parametrize(
    ("signals", "words"),
    [
        (
            [signal("a", 900, 1_000), signal("b", 200, 1_400)],
            "exposed: 1,400 outputs since the onset of the largest signal, 200 of them in its "
            "latest breaching window",
        ),
        (
            [signal("a", 900, 900)],
            "exposed: 900 outputs in the latest breaching window of the largest signal",
        ),
        (
            [signal("stored before the sum was kept", 900, 0)],
            "exposed: 900 outputs in the latest breaching window of the largest signal",
        ),
    ],
)
def test_outputs_are_said_to_be_of_the_windows_that_they_are_of(
    signals: list[Signal], words: str
) -> None:
    page = summarize(incident(*signals), [])

    assert [line for line in page.who if line.startswith("exposed")] == [words]
