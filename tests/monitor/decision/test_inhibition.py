import random

from detectors.base import FailureMode, Finding, Verdict
from monitor.decision.inhibition import inhibitors


def finding(detector: str, *columns: str, verdict: Verdict = Verdict.BEYOND) -> Finding:
    return Finding(
        detector=detector,
        series=f"{detector}({', '.join(columns)})",
        failure_mode=FailureMode.BEHAVIOURAL,
        verdict=verdict,
        columns=columns,
    )


def test_missing_values_explain_a_shift_of_the_same_column_alone() -> None:
    findings = [
        finding("missing_rate", "income"),
        finding("distribution_shift", "income"),
        finding("distribution_shift", "age"),
    ]

    inhibited = inhibitors(findings, {"missing_rate(income)"})

    assert inhibited == {"distribution_shift(income)": ("missing_rate(income)",)}


def test_a_cause_that_does_not_fire_explains_nothing() -> None:
    findings = [finding("missing_rate", "income"), finding("distribution_shift", "income")]

    assert inhibitors(findings, {"distribution_shift(income)"}) == {}


def test_causes_do_not_hide_each_other() -> None:
    findings = [finding("missing_rate", "check:a"), finding("safety_coverage", "check:a")]

    assert inhibitors(findings, {f.series for f in findings}) == {}


def test_the_order_of_the_findings_does_not_matter() -> None:
    findings = [
        finding("missing_rate", "a"),
        finding("safety_coverage", "a", "b"),
        finding("check_trigger_rate", "b", "a"),
        finding("distribution_shift", "b"),
    ]
    firing = {f.series for f in findings}
    shuffled = random.Random(1).sample(findings, len(findings))

    assert inhibitors(shuffled, firing) == inhibitors(findings, firing)
    assert inhibitors(findings, firing)["check_trigger_rate(b, a)"] == (
        "missing_rate(a)",
        "safety_coverage(a, b)",
    )
