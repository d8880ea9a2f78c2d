from dataclasses import replace

import pytest

from detectors.base import Estimate, FailureMode, Finding, Measure, Verdict
from monitor.incidents.suggestion import Tier
from monitor.severity.assessment import Course, cannot_see_suggestion, severity_inputs
from monitor.severity.inputs import Evidence, Fact
from monitor.severity.register import Reversibility, Stakes, SystemRegister, Vulnerability
from monitor.severity.scoring import FiveAxes

DAY = 86_400_000_000
REGISTER = SystemRegister(
    name="hiring",
    stakes=Stakes.CONSEQUENTIAL,
    reversibility=Reversibility.CORRECTABLE,
    vulnerable_users=Vulnerability.NONE,
    protected_attributes=("sex",),
)
COURSE = Course(
    n_windows=3, n_exposed=4_000, n_exposed_now=500, n_rows_all=1_000, onset_us=0, now_us=12 * DAY
)
GAP = Finding(
    detector="selection_rate_gap",
    series="selection_rate_gap(hired, sex)",
    failure_mode=FailureMode.BIAS,
    verdict=Verdict.BEYOND,
    departure=Estimate(2.1, 1.6, 2.7),
    columns=("hired", "sex"),
    worse_off=("F",),
    measures=(Measure("impact_ratio", 0.62, 0.55, 0.70),),
)


def test_measured_and_declared_facts_of_a_gap_reach_the_policy() -> None:
    inputs = severity_inputs(GAP, slice_="all", course=COURSE, register=REGISTER)

    assert inputs.evidence is Evidence.REPEATED
    assert inputs.days == 12
    assert inputs.protected_group_worse_off is True
    assert inputs.impact_ratio == Estimate(0.62, 0.55, 0.70)
    assert inputs.share == 0.5
    assert FiveAxes().suggest(inputs).score == 11


def test_without_event_times_the_time_since_the_onset_is_unknown() -> None:
    course = replace(COURSE, onset_us=None)

    inputs = severity_inputs(GAP, slice_="all", course=course, register=REGISTER)
    suggestion = FiveAxes().suggest(inputs)
    blind = cannot_see_suggestion(FiveAxes(), register=REGISTER, unseen_days=None)

    assert inputs.days is None
    assert "time since the onset" in suggestion.unknowns
    assert not any("days" in reason for reason in (*suggestion.reasons, *blind.reasons))
    assert blind.tier is Tier.SEV4


def test_people_are_scaled_up_to_the_whole_traffic() -> None:
    register = replace(REGISTER, share_of_traffic=0.1)

    inputs = severity_inputs(GAP, slice_="all", course=COURSE, register=register)

    assert inputs.people == 40_000


@pytest.mark.parametrize(
    ("attributes", "slice_", "expected"),
    [((), "all", None), (("age",), "all", False), (("age",), "region=EU,age=60+", True)],
)
def test_whether_a_protected_group_is_worse_off_rests_on_the_register(
    attributes: tuple[str, ...], slice_: str, expected: bool | None
) -> None:
    register = replace(REGISTER, protected_attributes=attributes)

    inputs = severity_inputs(GAP, slice_=slice_, course=COURSE, register=register)

    assert inputs.protected_group_worse_off is expected


@pytest.mark.parametrize("attributes", [(), ("age",)])
def test_a_worse_off_group_that_nobody_declared_protected_is_named(
    attributes: tuple[str, ...],
) -> None:
    register = replace(REGISTER, protected_attributes=attributes)
    finding = replace(GAP, worse_off=("es", "it", "pt", "ro"))

    one = severity_inputs(GAP, slice_="all", course=COURSE, register=register)
    four = severity_inputs(finding, slice_="all", course=COURSE, register=register)

    assert (
        "people: no protected group is known to be worse off; F is worse off, of an attribute "
        "that is not declared protected: people decide whether it should be"
    ) in FiveAxes().suggest(one).reasons
    assert any("es, it, pt and 1 more are" in each for each in FiveAxes().suggest(four).reasons)


def test_a_worse_off_group_that_is_declared_protected_is_not_called_undeclared() -> None:
    inputs = severity_inputs(GAP, slice_="all", course=COURSE, register=REGISTER)

    assert inputs.undeclared_worse_off == ()
    assert not any("not declared" in reason for reason in FiveAxes().suggest(inputs).reasons)


def test_a_finding_within_tolerance_is_not_established() -> None:
    finding = replace(GAP, verdict=Verdict.WITHIN)

    inputs = severity_inputs(finding, slice_="all", course=COURSE, register=REGISTER)

    assert inputs.evidence is Evidence.NOT_ESTABLISHED


def test_a_filter_that_left_the_path_is_a_fact() -> None:
    finding = replace(GAP, detector="safety_coverage", failure_mode=FailureMode.SAFETY)

    inputs = severity_inputs(finding, slice_="all", course=COURSE, register=REGISTER)

    assert inputs.facts == {Fact.GUARDRAIL_MISSING}
    assert inputs.impact_ratio is None


def test_not_seeing_is_mild_at_first_and_says_what_it_may_hide() -> None:
    policy = FiveAxes()

    first = cannot_see_suggestion(policy, register=REGISTER, unseen_days=0.1)
    later = cannot_see_suggestion(policy, register=REGISTER, unseen_days=2)

    assert (first.tier, later.tier) == (Tier.SEV4, Tier.SEV3)
    assert first.could_be.rank < Tier.SEV3.rank
    assert "what the series would show" in first.unknowns
