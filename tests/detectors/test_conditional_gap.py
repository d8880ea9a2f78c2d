"""Gaps at equal strata: Simpson's paradox, both ways."""

import numpy as np
import pytest

from baselines.schema import Column, Role
from detectors.base import Verdict
from detectors.conditional_gap import ConditionalGap
from detectors.standardised_gaps import standardised_gap

COLUMNS = (
    Column(name="admitted", role=Role.PREDICTION),
    Column(name="sex", role=Role.GROUP),
    Column(name="department", role=Role.CATEGORY),
)

# Admissions to Berkeley in 1973 by department: (sex, department): (admitted, applicants).
# P. J. Bickel, E. A. Hammel and J. W. O'Connell, Science 187 (1975), 398-404.
BERKELEY = {
    ("M", "A"): (512, 825), ("F", "A"): (89, 108), ("M", "B"): (353, 560), ("F", "B"): (17, 25),
    ("M", "C"): (120, 325), ("F", "C"): (202, 593), ("M", "D"): (138, 417), ("F", "D"): (131, 375),
    ("M", "E"): (53, 191), ("F", "E"): (94, 393), ("M", "F"): (22, 373), ("F", "F"): (24, 341),
}  # fmt: skip


def applications(cells: dict[tuple[str, str], tuple[int, int]]) -> dict[str, list[str]]:
    rows: dict[str, list[str]] = {"admitted": [], "sex": [], "department": []}
    for (sex, department), (admitted, applicants) in cells.items():
        rows["admitted"] += ["true"] * admitted + ["false"] * (applicants - admitted)
        rows["sex"] += [sex] * applicants
        rows["department"] += [department] * applicants
    return rows


def conditional(**options: object) -> ConditionalGap:
    return ConditionalGap(outcome="admitted", group="sex", strata=("department",), **options)


def test_berkeley_has_a_crude_gap_but_none_within_departments(judge) -> None:
    finding = judge(conditional(), COLUMNS, applications(BERKELEY))

    assert finding.measure("crude_gap") == pytest.approx(1198 / 2691 - 557 / 1835)
    assert finding.measure("standardised_gap") == pytest.approx(-0.0426, abs=0.0005)
    assert finding.measure("simpson") == 1
    assert finding.verdict is Verdict.WITHIN
    assert any("strata change the gap of F" in note for note in finding.notes)


def test_a_gap_that_strata_hide_is_found(judge) -> None:
    cells = {
        ("M", "A"): (450, 500), ("F", "A"): (1200, 1600),
        ("M", "B"): (480, 1600), ("F", "B"): (75, 500),
    }  # fmt: skip

    finding = judge(conditional(), COLUMNS, applications(cells))

    assert finding.verdict is Verdict.BEYOND
    assert finding.worse_off == ("F",)
    assert finding.measure("crude_gap") == pytest.approx(1275 / 2100 - 930 / 2100)
    assert finding.measure("standardised_gap") == pytest.approx(-0.15)
    assert finding.measure("simpson") == 1


def test_the_largest_group_can_itself_be_worse_off(judge) -> None:
    cells = {("M", "A"): (300, 1000), ("F", "A"): (250, 500)}

    favourable = judge(conditional(), COLUMNS, applications(cells))
    unfavourable = judge(conditional(favourable=False), COLUMNS, applications(cells))

    assert favourable.worse_off == ("M",)
    assert favourable.n_affected == 1000
    assert unfavourable.worse_off == ("F",)


def test_strata_that_hold_one_group_only_are_left_out_and_told(judge) -> None:
    cells = {("M", "A"): (300, 600), ("F", "A"): (200, 400), ("F", "B"): (0, 300)}

    finding = judge(conditional(), COLUMNS, applications(cells))

    assert finding.measure("standardised_gap") == pytest.approx(0)
    assert finding.measure("crude_gap") == pytest.approx(200 / 700 - 0.5)
    assert any("300 outputs of" in note for note in finding.notes)


def test_groups_without_a_common_stratum_cannot_be_compared(judge) -> None:
    cells = {("M", "A"): (300, 600), ("F", "B"): (200, 400)}

    finding = judge(conditional(), COLUMNS, applications(cells))

    assert finding.verdict is Verdict.INSUFFICIENT_DATA
    assert "shares a stratum" in finding.sentence


def test_rows_of_unknown_stratum_are_not_compared(judge) -> None:
    known = applications({("M", "A"): (300, 600), ("F", "A"): (200, 400)})
    unknown = {"admitted": "false", "sex": "F", "department": None}
    rows = {name: [*values, *[unknown[name]] * 250] for name, values in known.items()}

    finding = judge(conditional(), COLUMNS, rows)

    assert finding.measure("crude_gap") == pytest.approx(0)
    assert any("250 outputs of unknown stratum" in note for note in finding.notes)


def test_bounds_cover_the_standardised_gap_as_often_as_they_say() -> None:
    random = np.random.default_rng(17)
    rows = np.array([[40, 60, 80, 30], [30, 90, 20, 50]])
    chance = np.array([[0.2, 0.5, 0.7, 0.1], [0.1, 0.4, 0.7, 0.05]])
    weights = rows.sum(axis=0)
    truth = float((chance[0] - chance[1]) @ weights / weights.sum())

    covered = 0
    for _ in range(1000):
        gap = standardised_gap(random.binomial(rows, chance), rows, weights, 0.95)
        assert gap is not None
        covered += gap.standardised.low <= truth <= gap.standardised.high

    assert covered / 1000 == pytest.approx(0.95, abs=0.03)


def test_one_stratum_gives_the_crude_gap_and_the_crude_ratio() -> None:
    gap = standardised_gap(np.array([[30], [20]]), np.array([[100], [80]]), np.array([180]), 0.95)

    assert gap is not None
    assert gap.standardised.value == pytest.approx(gap.crude)
    assert gap.mantel_haenszel_ratio == pytest.approx(0.25 / 0.3)
