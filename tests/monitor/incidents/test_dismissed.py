from dataclasses import replace
from typing import Any

import pytest

from baselines.summary import WindowKey
from monitor.incidents.breaches import Recovery
from monitor.incidents.model import Incident
from monitor.incidents.states import IncidentState
from monitor.incidents.suggestion import Tier

HOUR = 3_600_000_000


@pytest.fixture
def dismissed(desk: Any, breach: Any) -> Incident:
    seen = replace(desk.see(breach(could_be=Tier.SEV2)), state=IncidentState.DISMISSED)
    desk.incidents[seen.id] = seen
    return seen


def test_a_dismissed_signal_that_goes_on_is_counted_and_opens_nothing(
    desk: Any, dismissed: Incident, breach: Any
) -> None:
    for hour in range(1, 4):
        desk.see(breach(hour=hour, could_be=Tier.SEV2))

    (still,) = desk.incidents.values()
    assert still.state is IncidentState.DISMISSED
    assert still.signals[0].n_windows == 4


@pytest.mark.parametrize(
    "graver", [{"tier": Tier.SEV1}, {"could_be": Tier.SEV1}, {"floor": Tier.SEV2}]
)
def test_what_looks_graver_than_what_was_dismissed_is_a_new_candidate(
    desk: Any, dismissed: Incident, breach: Any, graver: dict[str, Tier]
) -> None:
    new = desk.see(breach(hour=1, **{"could_be": Tier.SEV2, **graver}))

    assert (new.state, new.recurrence_of) == (IncidentState.CANDIDATE, dismissed.id)
    assert desk.incidents[dismissed.id].state is IncidentState.DISMISSED


def test_what_was_back_in_between_is_a_new_candidate(
    desk: Any, dismissed: Incident, breach: Any
) -> None:
    fingerprint = breach().identity.fingerprint
    desk.see(recoveries=[Recovery(fingerprint, WindowKey(HOUR, 2 * HOUR))])

    new = desk.see(breach(hour=2, could_be=Tier.SEV2))

    assert (new.state, new.recurrence_of) == (IncidentState.CANDIDATE, dismissed.id)
