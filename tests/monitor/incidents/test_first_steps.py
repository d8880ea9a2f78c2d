import itertools

import pytest

from detectors.base import FailureMode
from monitor.incidents.first_steps import decision_rights, first_steps
from monitor.incidents.model import SignalKind
from monitor.incidents.suggestion import Tier


@pytest.mark.parametrize(("mode", "tier"), list(itertools.product(FailureMode, Tier)))
def test_every_kind_of_incident_has_steps_and_a_question(mode: FailureMode, tier: Tier) -> None:
    *steps, question = first_steps(mode, SignalKind.BREACH, tier)

    assert steps
    assert question.endswith("?")


def test_not_seeing_has_steps_of_its_own() -> None:
    steps = first_steps(FailureMode.BIAS, SignalKind.CANNOT_SEE, Tier.SEV4)

    assert "events still arrive" in steps[0]


@pytest.mark.parametrize("tier", Tier)
def test_the_monitor_decides_nothing_that_is_for_people(tier: Tier) -> None:
    rights = {right.decision: right for right in decision_rights(tier)}

    assert rights["to dismiss it as false"].monitor == "never"
    assert rights["to tell anybody outside"].monitor == "never"
    assert all(right.decides for right in rights.values())


def test_a_grave_incident_needs_a_second_person_to_lower_it() -> None:
    def second(tier: Tier) -> str:
        (right,) = (r for r in decision_rights(tier) if r.decision == "its severity")
        return right.second

    assert second(Tier.SEV2) != "none"
    assert second(Tier.SEV3) == "none"
