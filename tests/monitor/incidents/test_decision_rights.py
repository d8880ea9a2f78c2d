"""Who decides what in one incident is told from the table that is checked."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from monitor.incidents.decision_rights import DecisionRight, decision_rights, unfilled_roles
from monitor.incidents.model import Incident
from monitor.incidents.roles import REQUIRED_ROLES, Role, RoleHolder
from monitor.incidents.suggestion import Tier
from monitor.incidents.summary import summarize


@pytest.fixture
def incident(desk: Any, breach: Callable[..., Any]) -> Callable[..., Incident]:
    """Return what makes an incident of a tier in which some roles are filled."""

    def made(tier: Tier, **names: str) -> Incident:
        holders = tuple(RoleHolder(role=Role(role), name=name) for role, name in names.items())
        return replace(desk.see(breach()), confirmed=tier, roles=holders)

    return made


def rights(incident: Incident) -> dict[str, DecisionRight]:
    return {right.decision: right for right in decision_rights(incident)}


@pytest.mark.parametrize("tier", Tier)
def test_the_monitor_decides_nothing_that_is_for_people(incident: Any, tier: Tier) -> None:
    told = rights(incident(tier))

    assert told["to dismiss it as false"].monitor == "never"
    assert told["to tell the public"].monitor == "drafts"
    assert all(right.decides for right in told.values())


def test_a_grave_incident_needs_a_second_person_to_lower_it(incident: Any) -> None:
    assert rights(incident(Tier.SEV2))["its severity"].second == "legal or owner, to lower it"
    assert rights(incident(Tier.SEV3))["its severity"].second == "none"


def test_whoever_fills_a_role_is_told_by_name(incident: Any) -> None:
    told = rights(incident(Tier.SEV2, commander="ada", legal="bob"))

    assert told["its severity"].decides == "commander (ada)"
    assert told["which reporting clocks run"].decides == "legal (bob)"
    assert told["whether it is an incident"].decides == "commander (ada) or on_call (nobody yet)"


def test_before_there_is_a_commander_on_call_decides_on_severity(incident: Any) -> None:
    decides = rights(incident(Tier.SEV2))["its severity"].decides

    assert decides == "commander (nobody yet) or on_call (nobody yet)"


def test_roles_that_must_be_filled_and_are_not_are_told(incident: Any) -> None:
    assert unfilled_roles(incident(Tier.SEV1)) == tuple(role.value for role in REQUIRED_ROLES)
    assert "commander" not in unfilled_roles(incident(Tier.SEV1, commander="ada"))
    assert unfilled_roles(incident(Tier.SEV4)) == ("commander",)


def test_the_roles_that_the_configuration_requires_are_those_that_are_told(incident: Any) -> None:
    grave = incident(Tier.SEV2, owner="olga")
    required = (Role.OWNER, Role.SCRIBE)

    assert unfilled_roles(grave, required) == ("scribe",)
    assert summarize(grave, [], required_roles=required).unfilled == ("scribe",)
