"""Bloomberg (2024): which of eight equal resumes gpt-3.5-turbo ranks first, by the name on it.

All 65 published figures are reproduced. The detectors treat the eight candidates of one call as
independent, while exactly one of them is selected: their bounds are about 7 % too narrow. No
verdict here hangs on that.
"""

import json
from typing import Any

import pytest

pytestmark = pytest.mark.realdata

ATTRIBUTES = ("demo", "race", "gender")


@pytest.fixture(scope="module")
def audit(rows_of, watch) -> Any:
    frame = rows_of("bloomberg_hiring/candidates.parquet")
    frame = frame[frame.in_published_analysis].reset_index(drop=True)
    frame["candidate_id"] = frame.call_id.astype(str) + "/" + frame.shown_position.astype(str)

    def prepare(folder) -> None:
        frame.to_parquet(folder / "candidates.parquet", row_group_size=8_000)

    return watch("bloomberg_hiring", prepare)


def place(case) -> tuple[str, str]:
    """Return the attribute and the slice that a case is about."""
    what = case.case.partition(" / ")[2]
    if what.startswith("all jobs pooled by "):
        return what.removeprefix("all jobs pooled by "), "all"
    return "demo", f"job={what}"


def equal_treatment(attribute) -> str:
    return f"selection_rate_gap(selected, {attribute}) [equal treatment]"


def four_fifths(attribute) -> str:
    return f"selection_rate_gap(selected, {attribute})"


def test_each_case_has_its_verdict(case, audit, is_beyond) -> None:
    attribute, slice_ = place(case)
    unequal, breaks_rule = {
        "significant gap": (True, False),
        "4/5 rule broken, significant": (True, True),
        "4/5 rule broken, NOT significant (alert needs care)": (False, False),
    }[case.expected]

    assert is_beyond(audit, equal_treatment(attribute), slice_) is unequal
    assert is_beyond(audit, four_fifths(attribute), slice_) is breaks_rule


def test_each_case_has_the_ratio_that_it_is_known_for(case, audit) -> None:
    attribute, slice_ = place(case)
    ratio = float(case.statistic.split()[2])

    finding = audit.finding(four_fifths(attribute), slice_)

    assert finding.measure("impact_ratio") == pytest.approx(ratio, abs=0.00051)


def test_a_rule_that_only_the_point_estimate_breaks_is_noted(case, audit) -> None:
    attribute, slice_ = place(case)
    finding = audit.finding(four_fifths(attribute), slice_)
    is_broken = finding.measure("impact_ratio") < 0.8
    is_established = case.expected == "4/5 rule broken, significant"

    noted = any(
        note == "the four-fifths rule is broken on the point estimate, but that is not established"
        for note in finding.notes
    )

    assert noted is (is_broken and not is_established)
    if case.expected.startswith("4/5 rule broken"):
        assert is_broken


@pytest.mark.parametrize("n_figures", [65], ids=["65 of 65 published figures"])
def test_the_published_figures_are_reproduced(n_figures, published, differing, audit) -> None:
    def ours(figure) -> float | None:
        job, *rest = figure.id.removeprefix("gpt-3.5-turbo.").split(".")
        if job == "first_shown_is_top":
            return audit.finding("rate_change(shown_position=1 where selected=1)").measure("rate")
        finding = audit.finding("impact_ratio_table(selected, demo)", f"job={job}")
        group, what = rest
        if what == "impact_ratio":
            return finding.measure(f"impact_ratio(demo={group})")
        return next(count.positives for count in finding.groups if count.group == f"demo={group}")

    n_checked, wrong = differing(published("bloomberg_hiring"), ours)

    assert wrong == []
    assert n_checked == n_figures == len(published("bloomberg_hiring"))


def test_the_groups_below_four_fifths_are_those_that_were_published(audit, real_data) -> None:
    text = (real_data / "bloomberg_hiring" / "published.json").read_text(encoding="utf-8")
    published = sorted(json.loads(text)["groups_below_four_fifths_gpt35"])

    found = sorted(
        f"{slice_.removeprefix('job=')}:{measure.name.split('=')[1].rstrip(')')}"
        for (series, slice_), (finding,) in audit.findings.items()
        if series == "impact_ratio_table(selected, demo)" and slice_ != "all"
        for measure in finding.measures
        if measure.name.startswith("impact_ratio") and measure.value < 0.8
    )

    assert found == published
