"""The laws of a severity policy, run on every registered one."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.base import Estimate
from monitor.incidents.suggestion import Tier
from monitor.severity.inputs import Evidence, Fact, SeverityInputs
from monitor.severity.register import Reversibility, Stakes, Vulnerability
from monitor.severity.registry import SeverityPolicy, registered_severity_policies

inputs_strategy = st.builds(
    SeverityInputs,
    departure=st.none() | st.floats(0, 9).map(lambda r: Estimate(r + 0.5, r, r + 2)),
    evidence=st.sampled_from(Evidence),
    share=st.none() | st.floats(0, 1),
    people=st.none() | st.integers(0, 10**6),
    days=st.none() | st.floats(0, 99),
    protected_group_worse_off=st.none() | st.booleans(),
    stakes=st.none() | st.sampled_from(Stakes),
    reversibility=st.none() | st.sampled_from(Reversibility),
    vulnerable_users=st.none() | st.sampled_from(Vulnerability),
    shadow=st.booleans(),
    facts=st.frozensets(st.sampled_from(Fact), max_size=2),
)
POLICIES = [pytest.param(cls(), id=name) for name, cls in registered_severity_policies().items()]


@pytest.mark.parametrize("policy", POLICIES)
@settings(max_examples=100, deadline=None)
@given(inputs=inputs_strategy)
def test_a_suggestion_is_repeatable_reasoned_and_bounded(
    policy: SeverityPolicy, inputs: SeverityInputs
) -> None:
    suggestion = policy.suggest(inputs)

    assert suggestion == policy.suggest(inputs)
    assert suggestion.reasons
    assert suggestion.could_be.rank <= suggestion.tier.rank
    assert 0 <= suggestion.score <= 15
    assert policy.name in suggestion.policy


@pytest.mark.parametrize("policy", POLICIES)
@settings(max_examples=100, deadline=None)
@given(inputs=inputs_strategy, fact=st.sampled_from(Fact))
def test_a_fact_never_makes_it_milder(
    policy: SeverityPolicy, inputs: SeverityInputs, fact: Fact
) -> None:
    with_fact = policy.suggest(replace(inputs, facts=inputs.facts | {fact}))

    assert with_fact.tier.rank <= policy.suggest(inputs).tier.rank


@pytest.mark.parametrize("policy", POLICIES)
def test_what_is_not_known_is_listed_and_may_be_the_worst(policy: SeverityPolicy) -> None:
    suggestion = policy.suggest(SeverityInputs())

    assert suggestion.unknowns
    assert suggestion.could_be is Tier.SEV1


@pytest.mark.parametrize("policy", POLICIES)
def test_a_policy_names_its_numbers(policy: SeverityPolicy) -> None:
    assert policy.suggest(SeverityInputs()).policy == f"{policy.name} {policy.version}"
