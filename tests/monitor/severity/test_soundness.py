import hashlib
import random
from dataclasses import replace

import pytest

from monitor.incidents.records import canonical_json, to_record
from monitor.severity.rules import PolicyRules, ScoringRules, built_in_rules
from monitor.severity.scoring import FiveAxes
from monitor.severity.soundness import floor_faults, scoring_faults
from tests.monitor.severity.worsening import STEPS, made_inputs, made_rules, worsened

BUILT_IN_STEPS = 100_000
STEPS_OF_EACH = 300
POLICIES = 150


def violations(policy: FiveAxes, n_steps: int, rng: random.Random) -> int:
    """Walk from bad to worse, one step after the other, and count where it got milder."""
    found, inputs, before = 0, made_inputs(rng), None
    for number in range(n_steps):
        if number % 10 == 0 or before is None:
            inputs = made_inputs(rng)
            before = policy.suggest(inputs)
        inputs = worsened(inputs, rng.choice(STEPS), rng)
        after = policy.suggest(inputs)
        found += (
            after.tier.rank > before.tier.rank
            or after.could_be.rank > before.could_be.rank
            or after.could_be.rank > after.tier.rank
        )
        before = after
    return found


def faults(rules: PolicyRules) -> list[str]:
    each = (rules.scoring, *rules.failure_modes.values())
    return [fault.message for scoring in each for fault in scoring_faults(scoring)]


def unchecked(rules: PolicyRules) -> FiveAxes:
    """Return the policy that validation would have refused."""
    policy = FiveAxes()
    object.__setattr__(policy, "rules", rules)
    return policy


def test_a_hundred_thousand_steps_for_the_worse_never_lower_what_the_built_in_policy_says() -> (
    None
):
    assert violations(FiveAxes(), BUILT_IN_STEPS, random.Random(1)) == 0


@pytest.mark.parametrize("batch", range(3))
def test_no_step_for_the_worse_lowers_what_any_sound_policy_says(batch: int) -> None:
    rng = random.Random(batch)

    found = [
        violations(FiveAxes(rules=made_rules(rng)), STEPS_OF_EACH, rng)
        for _ in range(POLICIES // 3)
    ]

    assert sum(found) == 0


def test_what_validation_lets_through_of_unordered_tables_never_lowers_either() -> None:
    rng = random.Random(4)
    let_through = [rules for _ in range(60) if not faults(rules := made_rules(rng, sound=False))]

    assert len(let_through) >= 3
    for rules in let_through:
        assert violations(FiveAxes(rules=rules), 500, rng) == 0


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (("stakes", "critical", 1), ("points", "stakes", "critical")),
        (("reversibility", "irreversible", 0), ("points", "reversibility", "irreversible")),
        (("vulnerable_users", "direct", 1), ("points", "vulnerable_users", "direct")),
    ],
)
def test_a_table_that_is_worth_less_at_a_worse_level_is_refused_because_it_does_lower(
    change: tuple[str, str, int], where: tuple[str, ...]
) -> None:
    table, level, points = change
    usual = built_in_rules()
    tables = usual.scoring.points
    levels = {**getattr(tables, table), level: points}
    scoring = replace(usual.scoring, points=replace(tables, **{table: levels}))
    rules = replace(usual, scoring=scoring)

    assert [fault.where for fault in scoring_faults(scoring)] == [where]
    with pytest.raises(ValueError, match="a worse input would lower the suggestion"):
        FiveAxes(rules=rules)
    assert violations(unchecked(rules), 6_000, random.Random(5)) > 0


def test_better_evidence_that_is_capped_lower_is_refused_because_it_does_lower() -> None:
    usual = built_in_rules()
    caps = replace(usual.scoring.caps, repeated=usual.scoring.caps.not_established)
    rules = replace(usual, scoring=replace(usual.scoring, caps=caps))

    assert [fault.where for fault in scoring_faults(rules.scoring)] == [("caps", "repeated")]
    with pytest.raises(ValueError, match="better evidence would lower the suggestion"):
        FiveAxes(rules=rules)
    assert violations(unchecked(rules), 6_000, random.Random(6)) > 0


def test_a_fact_that_no_floor_is_given_for_is_not_forgotten_silently() -> None:
    usual = built_in_rules()
    some = dict(list(usual.floors.items())[1:])

    assert [fault.where for fault in floor_faults(some)] == [("floors", "harm_linked")]
    with pytest.raises(ValueError, match=r"floors\.harm_linked"):
        FiveAxes(rules=replace(usual, floors=some))


def test_a_policy_is_told_apart_from_another_one_of_the_same_name_and_version() -> None:
    usual = built_in_rules()
    changed = replace(usual, scoring=replace(usual.scoring, tiers=_one_milder(usual.scoring)))

    assert FiveAxes().label == "five_axes 1"
    assert FiveAxes(rules=changed).label == f"five_axes 1 ({changed.digest[:8]})"


def _one_milder(scoring: ScoringRules) -> dict[object, int]:
    return {tier: least + 1 for tier, least in scoring.tiers.items()}


def test_version_one_of_the_built_in_policy_suggests_what_it_has_always_suggested() -> None:
    rng, policy, digest = random.Random(20261001), FiveAxes(), hashlib.sha256()

    for _ in range(2_000):
        inputs = made_inputs(rng)
        if rng.random() < 0.5:
            unknown = rng.choice(("departure", "days", "stakes", "reversibility", "people"))
            inputs = replace(inputs, **{unknown: None})
        told = to_record(policy.suggest(inputs))
        del told["inputs"]
        digest.update(canonical_json(told).encode())

    # Another digest is another policy: give it another version.
    assert digest.hexdigest() == "26bb9e3d3c76a37c68b209782a14e8fcbd0dcdda242570475ab2882bb0ceb511"
