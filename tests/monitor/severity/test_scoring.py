import itertools
import math
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.base import Estimate
from monitor.incidents.suggestion import Tier
from monitor.severity.inputs import Evidence, Fact, SeverityInputs
from monitor.severity.register import Reversibility, Stakes, Vulnerability
from monitor.severity.registry import registered_severity_policies
from monitor.severity.scoring import FiveAxes, tier_of_score


def ratio_departure(ratio: Estimate) -> Estimate:
    def departure(value: float) -> float:
        return math.log(1 / value) / math.log(1 / 0.8)

    return Estimate(departure(ratio.value), departure(ratio.high), departure(ratio.low))


def hiring(ratio: Estimate, **options: Any) -> SeverityInputs:
    return SeverityInputs(
        departure=ratio_departure(ratio),
        impact_ratio=ratio,
        stakes=Stakes.CONSEQUENTIAL,
        vulnerable_users=Vulnerability.NONE,
        protected_group_worse_off=True,
        **options,
    )


@dataclass(frozen=True)
class Case:
    name: str
    inputs: SeverityInputs
    tier: Tier
    could_be: Tier
    score: int
    axes: tuple[int, int, int, int, int]


REFUSALS = SeverityInputs(
    departure=Estimate(5.0, 3.4, 6.8),
    evidence=Evidence.REPEATED,
    share=0.06,
    people=1_500,
    days=0.5,
    protected_group_worse_off=True,
    stakes=Stakes.CONSEQUENTIAL,
    reversibility=Reversibility.CORRECTABLE,
    vulnerable_users=Vulnerability.NONE,
)

NOBODY_WORSE_OFF: dict[str, Any] = {
    "protected_group_worse_off": False,
    "vulnerable_users": Vulnerability.NONE,
}

CASES = (
    Case(
        "hiring, three windows",
        hiring(
            Estimate(0.62, 0.55, 0.70),
            evidence=Evidence.REPEATED,
            people=4_000,
            days=12,
            reversibility=Reversibility.CORRECTABLE,
        ),
        Tier.SEV2,
        Tier.SEV2,
        10,
        (2, 2, 2, 2, 2),
    ),
    Case(
        "hiring, small sample",
        hiring(
            Estimate(0.74, 0.66, 0.83),
            evidence=Evidence.NOT_ESTABLISHED,
            people=180,
            days=2,
            reversibility=Reversibility.CORRECTABLE,
        ),
        Tier.SEV4,
        Tier.SEV2,
        6,
        (0, 1, 2, 1, 2),
    ),
    Case(
        "shorter answers for one dialect",
        SeverityInputs(
            departure=Estimate(1.6, 1.3, 1.9),
            evidence=Evidence.REPEATED,
            people=2_000,
            days=3,
            protected_group_worse_off=True,
            stakes=Stakes.INCONVENIENCE,
            reversibility=Reversibility.CORRECTABLE,
            vulnerable_users=Vulnerability.NONE,
        ),
        Tier.SEV3,
        Tier.SEV3,
        6,
        (1, 2, 1, 1, 1),
    ),
    Case(
        "unsafe rate, minors possible",
        SeverityInputs(
            departure=Estimate(5.5, 4.0, 7.5),
            evidence=Evidence.REPEATED,
            people=900,
            days=1,
            protected_group_worse_off=False,
            stakes=Stakes.CRITICAL,
            reversibility=Reversibility.HARD,
            vulnerable_users=Vulnerability.DIRECT,
        ),
        Tier.SEV1,
        Tier.SEV1,
        12,
        (3, 1, 3, 2, 3),
    ),
    Case(
        "one self-harm instruction, confirmed",
        SeverityInputs(
            departure=None,
            evidence=Evidence.CONFIRMED,
            people=1,
            days=0,
            stakes=Stakes.INCONVENIENCE,
            reversibility=Reversibility.IRREVERSIBLE,
            facts=frozenset({Fact.HARM_LINKED}),
            **NOBODY_WORSE_OFF,
        ),
        Tier.SEV1,
        Tier.SEV1,
        4,
        (0, 0, 1, 3, 0),
    ),
    Case(
        "guardrail missing after a deploy",
        SeverityInputs(
            departure=None,
            evidence=Evidence.ONE_WINDOW,
            share=1.0,
            days=0.014,
            stakes=Stakes.INCONVENIENCE,
            reversibility=Reversibility.AUTOMATIC,
            facts=frozenset({Fact.GUARDRAIL_MISSING}),
            **NOBODY_WORSE_OFF,
        ),
        Tier.SEV2,
        Tier.SEV2,
        4,
        (0, 3, 1, 0, 0),
    ),
    Case(
        "credit model loses discrimination",
        SeverityInputs(
            departure=Estimate(2.6, 2.2, 3.1),
            evidence=Evidence.REPEATED,
            share=1.0,
            days=9,
            stakes=Stakes.CONSEQUENTIAL,
            reversibility=Reversibility.CORRECTABLE,
            **NOBODY_WORSE_OFF,
        ),
        Tier.SEV2,
        Tier.SEV2,
        9,
        (2, 3, 2, 2, 0),
    ),
    Case(
        "internal search quality",
        SeverityInputs(
            departure=Estimate(1.6, 1.4, 1.9),
            evidence=Evidence.REPEATED,
            share=1.0,
            days=2,
            stakes=Stakes.INCONVENIENCE,
            reversibility=Reversibility.AUTOMATIC,
            **NOBODY_WORSE_OFF,
        ),
        Tier.SEV3,
        Tier.SEV3,
        6,
        (1, 3, 1, 1, 0),
    ),
    Case(
        "silent change of the provider's model",
        SeverityInputs(
            departure=Estimate(3.6, 3.1, 4.2),
            evidence=Evidence.REPEATED,
            share=1.0,
            days=0.25,
            stakes=Stakes.INCONVENIENCE,
            reversibility=Reversibility.AUTOMATIC,
            **NOBODY_WORSE_OFF,
        ),
        Tier.SEV3,
        Tier.SEV3,
        7,
        (3, 3, 1, 0, 0),
    ),
    Case(
        "refusals of one language",
        REFUSALS,
        Tier.SEV2,
        Tier.SEV2,
        10,
        (3, 2, 2, 1, 2),
    ),
    Case(
        "refusals of one language, register empty",
        replace(REFUSALS, stakes=None, reversibility=None, vulnerable_users=None),
        Tier.SEV2,
        Tier.SEV1,
        9,
        (3, 2, 2, 1, 1),
    ),
    Case(
        "large gap in shadow traffic",
        hiring(
            Estimate(0.40, 0.33, 0.48),
            evidence=Evidence.REPEATED,
            share=0.5,
            days=10,
            reversibility=Reversibility.HARD,
            shadow=True,
        ),
        Tier.SEV3,
        Tier.SEV3,
        12,
        (3, 3, 2, 2, 2),
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_worked_cases_come_out_as_published(case: Case) -> None:
    suggestion = FiveAxes().suggest(case.inputs)

    axes = suggestion.axes
    assert (suggestion.tier, suggestion.could_be) == (case.tier, case.could_be)
    assert suggestion.score == case.score
    assert (axes.effect, axes.reach, axes.stakes, axes.reversal, axes.people) == case.axes


def test_neither_end_of_the_table_is_crowded() -> None:
    cells = itertools.product(range(4), repeat=5)

    tiers = Counter(tier_of_score(sum(cell), FiveAxes().rules.scoring.tiers) for cell in cells)

    assert [tiers[tier] for tier in Tier] == [121, 391, 391, 121]


def test_a_breach_that_is_not_established_is_held_to_watch() -> None:
    suggestion = FiveAxes().suggest(CASES[1].inputs)

    assert suggestion.held
    assert any("not established" in reason for reason in suggestion.reasons)


def test_one_window_is_never_more_than_the_second_tier() -> None:
    inputs = replace(CASES[3].inputs, evidence=Evidence.ONE_WINDOW)

    suggestion = FiveAxes().suggest(inputs)

    assert suggestion.tier is Tier.SEV2
    assert suggestion.could_be is Tier.SEV1


def test_an_empty_register_is_listed_as_unknown() -> None:
    suggestion = FiveAxes().suggest(CASES[10].inputs)

    assert suggestion.unknowns == (
        "stakes of the use",
        "reversibility of a decision",
        "whether vulnerable people use the system",
    )


def test_a_confirmed_breach_counts_at_its_point_estimate() -> None:
    inputs = replace(CASES[1].inputs, evidence=Evidence.CONFIRMED)

    axes = FiveAxes().suggest(inputs).axes

    assert axes.effect == 1


@pytest.mark.parametrize("stakes", [Stakes.CONSEQUENTIAL, Stakes.CRITICAL])
def test_an_impact_ratio_wholly_below_four_fifths_is_at_least_the_second_tier(
    stakes: Stakes,
) -> None:
    ratio = Estimate(0.70, 0.65, 0.79)
    inputs = SeverityInputs(
        departure=ratio_departure(ratio),
        impact_ratio=ratio,
        people=10,
        days=0,
        stakes=stakes,
        reversibility=Reversibility.AUTOMATIC,
        **NOBODY_WORSE_OFF,
    )

    below = FiveAxes().suggest(inputs)
    touching = FiveAxes().suggest(replace(inputs, impact_ratio=Estimate(0.70, 0.65, 0.80)))

    assert below.tier is Tier.SEV2
    assert touching.tier is not Tier.SEV2


def test_a_policy_with_other_cut_points_says_its_version() -> None:
    usual = FiveAxes().rules
    strict = replace(usual.scoring, tiers={Tier.SEV3: 3, Tier.SEV2: 5, Tier.SEV1: 7})
    policy = FiveAxes(rules=replace(usual, version="2026-strict", scoring=strict))

    suggestion = policy.suggest(CASES[8].inputs)

    assert suggestion.tier is Tier.SEV1
    assert suggestion.policy.startswith("five_axes 2026-strict (")


def test_the_policy_is_found_by_name() -> None:
    assert registered_severity_policies()["five_axes"] is FiveAxes


departures = st.tuples(st.floats(0, 6, allow_nan=False), st.floats(0, 3), st.floats(0, 3)).map(
    lambda t: Estimate(t[0] + t[1], t[0], t[0] + t[1] + t[2])
)
inputs_strategy = st.builds(
    SeverityInputs,
    departure=departures,
    evidence=st.sampled_from(Evidence),
    share=st.floats(0, 1),
    people=st.integers(0, 200_000),
    days=st.floats(0, 60),
    protected_group_worse_off=st.booleans(),
    impact_ratio=st.none()
    | st.tuples(st.floats(0.3, 1), st.floats(0, 0.2)).map(
        lambda t: Estimate(t[0], t[0] - t[1], min(1.0, t[0] + t[1]))
    ),
    stakes=st.sampled_from(Stakes),
    reversibility=st.sampled_from(Reversibility),
    vulnerable_users=st.sampled_from(Vulnerability),
    shadow=st.booleans(),
    facts=st.frozensets(st.sampled_from(Fact), max_size=2),
)


def worsened(inputs: SeverityInputs, draw: st.DataObject) -> SeverityInputs:
    field = draw.draw(
        st.sampled_from(
            [
                "departure",
                "evidence",
                "share",
                "people",
                "days",
                "protected_group_worse_off",
                "impact_ratio",
                "stakes",
                "reversibility",
                "vulnerable_users",
                "shadow",
                "facts",
            ]
        )
    )
    value = getattr(inputs, field)
    worse: Any
    if field == "departure":
        by = draw.draw(st.floats(0, 4))
        worse = Estimate(value.value + by, value.low + by, value.high + by)
    elif field == "impact_ratio":
        by = draw.draw(st.floats(0, 0.1))
        worse = value and Estimate(value.value - by, value.low - by, value.high - by)
    elif field == "share":
        worse = draw.draw(st.floats(value, 1))
    elif field in {"people", "days"}:
        worse = value * draw.draw(st.integers(1, 100)) + 1
    elif field == "protected_group_worse_off":
        worse = True
    elif field == "shadow":
        worse = False
    elif field == "facts":
        worse = value | {draw.draw(st.sampled_from(Fact))}
    else:
        order = list(type(value))
        worse = draw.draw(st.sampled_from(order[order.index(value) :]))
    return replace(inputs, **{field: worse})


@settings(max_examples=400, deadline=None)
@given(inputs=inputs_strategy, draw=st.data())
def test_a_worse_input_never_lowers_the_suggestion(
    inputs: SeverityInputs, draw: st.DataObject
) -> None:
    before = FiveAxes().suggest(inputs)

    after = FiveAxes().suggest(worsened(inputs, draw))

    assert after.tier.rank <= before.tier.rank
    assert after.could_be.rank <= before.could_be.rank
    assert after.could_be.rank <= after.tier.rank


@settings(max_examples=200, deadline=None)
@given(
    inputs=inputs_strategy,
    field=st.sampled_from(["departure", "days", "stakes", "reversibility", "vulnerable_users"]),
)
def test_not_knowing_never_makes_it_look_less_bad_than_it_could_be(
    inputs: SeverityInputs, field: str
) -> None:
    known = FiveAxes().suggest(inputs)

    unknown = FiveAxes().suggest(replace(inputs, **{field: None}))

    assert unknown.could_be.rank <= known.could_be.rank
    assert unknown.unknowns
