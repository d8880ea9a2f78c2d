"""A mild incident waits for counsel only where it may concern rights of persons."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from detectors.base import FailureMode
from monitor.incidents.facts import Fact, HeldFact
from monitor.incidents.model import Incident
from monitor.incidents.suggestion import Tier
from monitor.incidents.timers import TimerKind, timers_wanted

DAY = 86_400_000_000
MONDAY = 1_799_712_000_000_000 + 10 * 3_600_000_000


@pytest.fixture
def incident(desk: Any, breach: Callable[..., Any]) -> Callable[..., Incident]:
    """Return what makes an incident of a tier and a mode, with what the policy was told."""

    def made(tier: Tier, *, mode: FailureMode, protected: bool | None, known: bool) -> Incident:
        inputs = {"protected_group_worse_off": protected} if known else None
        one = breach(tier=tier, could_be=tier)
        found = desk.see(replace(one, suggestion=replace(one.suggestion, inputs=inputs)))
        return replace(found, failure_mode=mode)

    return made


def screened(incident: Incident) -> list[int]:
    wanted = timers_wanted(incident, MONDAY)
    return [each.due_us for each in wanted if each.kind is TimerKind.LEGAL_SCREEN]


@pytest.mark.parametrize(
    ("mode", "known", "protected", "expected"),
    [
        (FailureMode.BIAS, True, True, True),
        (FailureMode.BEHAVIOURAL, True, True, True),
        (FailureMode.BIAS, True, False, False),
        (FailureMode.BIAS, True, None, True),
        (FailureMode.BIAS, False, None, True),
        (FailureMode.PERFORMANCE, True, False, False),
        (FailureMode.PERFORMANCE, True, None, False),
        (FailureMode.SAFETY, False, None, False),
    ],
)
def test_counsel_looks_at_a_sev3_where_a_protected_group_may_be_worse_off(
    incident: Any, mode: FailureMode, known: bool, protected: bool | None, expected: bool
) -> None:
    found = incident(Tier.SEV3, mode=mode, protected=protected, known=known)

    assert bool(screened(found)) is expected


def test_counsel_looks_at_a_sev3_in_which_data_of_a_person_was_shown(incident: Any) -> None:
    found = incident(Tier.SEV3, mode=FailureMode.SAFETY, protected=False, known=True)
    shown = HeldFact(fact=Fact.DATA_SHOWN_TO_ANOTHER, floor=Tier.SEV3)

    (due_us,) = screened(replace(found, facts=(shown,)))

    assert due_us == MONDAY + DAY


@pytest.mark.parametrize("tier", [Tier.SEV1, Tier.SEV2])
def test_counsel_looks_at_every_grave_incident(incident: Any, tier: Tier) -> None:
    assert screened(incident(tier, mode=FailureMode.PERFORMANCE, protected=False, known=True))


def test_counsel_need_not_look_at_a_sev4(incident: Any) -> None:
    assert not screened(incident(Tier.SEV4, mode=FailureMode.BIAS, protected=True, known=True))
