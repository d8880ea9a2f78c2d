import itertools

import pytest

from detectors.base import FailureMode
from monitor.incidents.first_steps import first_steps
from monitor.incidents.observations import SignalKind
from monitor.incidents.suggestion import Tier


@pytest.mark.parametrize(("mode", "tier"), list(itertools.product(FailureMode, Tier)))
def test_every_kind_of_incident_has_steps_and_a_question(mode: FailureMode, tier: Tier) -> None:
    *steps, question = first_steps(mode, SignalKind.BREACH, tier)

    assert steps
    assert question.endswith("?")


def test_not_seeing_has_steps_of_its_own() -> None:
    steps = first_steps(FailureMode.BIAS, SignalKind.CANNOT_SEE, Tier.SEV4)

    assert "events still arrive" in steps[0]
