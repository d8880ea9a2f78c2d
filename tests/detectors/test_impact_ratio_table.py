"""Impact ratio tables as Local Law 144 asks for them."""

import numpy as np
import pytest

from baselines.columns import Categories, Columns
from baselines.counting import count
from baselines.fitting import fit_layout
from baselines.reference import Reference
from baselines.schema import Column, Role, Schema
from baselines.summary import Window, WindowKey
from detectors.base import GroupCount, Verdict
from detectors.impact_ratio_table import ImpactRatioReport
from detectors.impact_ratios import impact_ratios

COLUMNS = (
    Column(name="selected", role=Role.PREDICTION),
    Column(name="points", role=Role.SCORE),
    Column(name="sex", role=Role.GROUP),
    Column(name="race", role=Role.GROUP),
)


def test_ratios_are_to_the_highest_rate_and_small_categories_are_shown_without() -> None:
    categories = [
        GroupCount("A", 500, 100),
        GroupCount("B", 490, 49),
        GroupCount("C", 10, 9),
        GroupCount("D", 0, 0),
    ]

    table = impact_ratios("race", categories, n_unknown=7)

    assert [row.impact_ratio for row in table.rows] == [1.0, pytest.approx(0.5), None, None]
    assert [row.is_excluded for row in table.rows] == [False, False, True, True]
    assert [row.rate for row in table.rows] == [0.2, pytest.approx(0.1), 0.9, None]
    assert table.n_unknown == 7
    assert table.lowest == table.rows[1]


def test_exactly_two_percent_is_compared() -> None:
    table = impact_ratios("race", [GroupCount("A", 980, 98), GroupCount("B", 20, 1)])

    assert not table.rows[1].is_excluded


def test_nobody_selected_gives_no_ratio() -> None:
    table = impact_ratios("sex", [GroupCount("F", 50, 0), GroupCount("M", 50, 0)])

    assert table.lowest is None


def hiring() -> dict[str, list[str | None]]:
    rows: dict[str, list[str | None]] = {"selected": [], "sex": [], "race": []}
    cells = {("F", "a"): 40, ("F", "b"): 20, ("M", "a"): 60, ("M", "b"): 50}
    for (sex, race), selected in cells.items():
        rows["selected"] += ["true"] * selected + ["false"] * (100 - selected)
        rows["sex"] += [sex] * 100
        rows["race"] += [race] * 100
    for name, value in (("selected", "true"), ("sex", None), ("race", "a")):
        rows[name] += [value] * 5
    return rows


def test_the_finding_reports_each_attribute_and_the_intersection_and_never_decides(judge) -> None:
    detector = ImpactRatioReport(outcome="selected", group=("sex", "race"))

    finding = judge(detector, COLUMNS, hiring())

    assert finding.verdict is Verdict.WITHIN
    assert finding.measure("impact_ratio(sex=F)") == pytest.approx((60 / 200) / (110 / 200))
    assert finding.measure("impact_ratio(sex*race=F & b)") == pytest.approx(20 / 60)
    assert finding.measure("unknown(sex)") == 5
    assert finding.measure("unknown(race)") == 0
    assert finding.measure("impact_ratio(race=b)") == pytest.approx((70 / 200) / (105 / 205))
    assert finding.effect is not None
    assert finding.effect.value == pytest.approx(1 - 20 / 60)


def test_the_report_has_the_small_groups_that_the_finding_leaves_out() -> None:
    schema = Schema(columns=COLUMNS)
    rows = hiring()
    rows = {name: values + ["true", "X", "a"][k : k + 1] * 9 for k, (name, values) in
            enumerate(rows.items())}  # fmt: skip
    detector = ImpactRatioReport(outcome="selected", group="sex")
    n_rows = len(rows["sex"])
    columns = Columns(
        n_rows=n_rows,
        time_us=np.zeros(n_rows, dtype=np.int64),
        fields={name: Categories.from_values(values) for name, values in rows.items()},
    )
    layout = fit_layout(columns, schema, detector.tables(schema))
    reference = Reference(schema=schema, summary=count(columns, layout))
    window = Window(WindowKey(0, 1), reference.summary)

    (table,) = detector.report(reference, window)
    finding = detector.compare(reference, window)

    small = next(row for row in table.rows if row.category == "X")
    assert (small.rows, small.selected, small.impact_ratio) == (9, 9, 1.0)
    assert "sex=X" not in [group.group for group in finding.groups]
    assert any("X (9)" in note for note in finding.notes)


def test_a_score_gives_shares_above_the_median_of_everybody(judge) -> None:
    random = np.random.default_rng(3)
    points = np.round(random.normal(50, 10, 800))
    sex = np.where(random.random(800) < 0.5, "F", "M")
    points[sex == "M"] += 4
    above = points > np.median(points)

    finding = judge(
        ImpactRatioReport(outcome="points", group="sex"),
        COLUMNS,
        {"points": points, "sex": sex.tolist()},
    )

    shares = {name: above[sex == name].mean() for name in ("F", "M")}
    assert {g.group: g.rate for g in finding.groups} == {
        "sex=F": pytest.approx(shares["F"]),
        "sex=M": pytest.approx(shares["M"]),
    }
    assert finding.measure("impact_ratio(sex=F)") == pytest.approx(shares["F"] / shares["M"])


def test_one_category_alone_is_too_little(judge) -> None:
    rows = {"selected": ["true", "false"] * 200, "sex": ["F"] * 400}

    finding = judge(ImpactRatioReport(outcome="selected", group="sex"), COLUMNS, rows)

    assert finding.verdict is Verdict.INSUFFICIENT_DATA
