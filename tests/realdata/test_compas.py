"""COMPAS (ProPublica 2016): a deployed risk score with outcomes, by race and by sex.

35 of the 53 published figures are reproduced. The other 18 are of the violent-recidivism table,
which ProPublica counted on person-periods of a file that is not among the data (`recomputed` is
null for them): nobody can recompute them from one row a defendant. The violent file's own
confusion matrix is compared with a plain cross-table instead.
"""

from typing import Any

import pandas as pd
import pytest

pytestmark = pytest.mark.realdata

SCORES = {"general": "medium_or_high", "general_highonly": "high"}


@pytest.fixture(scope="module")
def audit(rows_of, watch) -> Any:
    frame = rows_of("compas/compas_two_years.parquet")
    return watch("compas", lambda folder: frame.to_csv(folder / "defendants.csv", index=False))


def rates(audit, metric, score, attribute) -> dict[str, tuple[int, int]]:
    """Return (positives, rows) by group, and of all of them."""
    finding = audit.finding(f"error_rate_gap({metric}, {score}, two_year_recid, {attribute})")
    found = {count.group: (count.positives, count.rows) for count in finding.groups}
    return found | {"all": tuple(map(sum, zip(*found.values(), strict=True)))}


def confusion(audit, score, group) -> dict[str, float]:
    # Everybody is of one of two sexes, while two races are too rare to be compared.
    attribute = "sex" if group == "all" else "race"
    fp, negatives = rates(audit, "fpr", score, attribute)[group]
    fn, positives = rates(audit, "fnr", score, attribute)[group]
    tp, tn = positives - fn, negatives - fp
    return {
        "tp": tp,
        "fp": fp,
        "fn": fn,
        "tn": tn,
        "fpr": fp / negatives,
        "fnr": fn / positives,
        "ppv": tp / (tp + fp),
    }


def test_each_case_has_its_verdict(case, audit, is_beyond) -> None:
    attribute = case.case.partition(":")[0]
    false_positives = f"error_rate_gap(fpr, medium_or_high, two_year_recid, {attribute})"
    selection = f"selection_rate_gap(medium_or_high, {attribute})"
    expected = {
        "gap": True,
        "FPR null control (small selection-rate gap, ratio 0.91)": False,
    }[case.expected]

    assert is_beyond(audit, false_positives) is expected
    assert is_beyond(audit, selection) is expected


def test_each_case_has_the_rates_that_it_is_known_for(case, audit) -> None:
    attribute, _, groups = case.case.partition(": ")
    false_positive, selected = (
        [float(text) for text in part.split(" ", 1)[1].removeprefix("rate ").split(" vs ")]
        for part in case.statistic.split("; ")
    )
    finding = audit.finding(f"selection_rate_gap(medium_or_high, {attribute})")
    selection = {count.group: count.rate for count in finding.groups}

    for group, fpr, rate in zip(groups.split(" vs "), false_positive, selected, strict=True):
        x, n = rates(audit, "fpr", "medium_or_high", attribute)[group]
        assert x / n == pytest.approx(fpr, abs=0.0005)
        assert selection[group] == pytest.approx(rate, abs=0.0005)


@pytest.mark.parametrize("n_figures", [35], ids=["35 of 53 published figures"])
def test_the_published_figures_are_reproduced(n_figures, published, differing, audit) -> None:
    def ours(figure) -> float | None:
        table, _, rest = figure.id.partition(".")
        if rest in ("fpr_ratio", "fnr_ratio"):
            black, white = (
                confusion(audit, SCORES[table], race)[rest.removesuffix("_ratio")]
                for race in ("African-American", "Caucasian")
            )
            return black / white if rest == "fpr_ratio" else white / black
        group, _, what = rest.rpartition(".")
        return confusion(audit, SCORES[table], group)[what]

    n_checked, wrong = differing(published("compas"), ours)

    assert wrong == []
    assert n_checked == n_figures == len(published("compas"))


def test_the_precision_of_all_is_that_of_the_confusion_matrix(audit) -> None:
    precision = audit.finding(
        "classification_performance(precision, medium_or_high, two_year_recid)"
    )

    value = confusion(audit, "medium_or_high", "all")["ppv"]

    assert precision.measure("value") == pytest.approx(value, rel=1e-12)


def test_groups_too_small_to_be_compared_are_named(audit) -> None:
    finding = audit.finding("error_rate_gap(fpr, medium_or_high, two_year_recid, race)")

    assert "groups not compared, fewer than 30 outputs: Asian (23), Native American (8)" in (
        finding.notes
    )
    assert finding.worse_off == ("African-American",)


def test_the_violent_score_is_counted_like_a_cross_table(rows_of, watch) -> None:
    frame = rows_of("compas/compas_two_years_violent.parquet")
    violent = frame.assign(score_text=frame.v_score_text)
    audit = watch("compas", lambda folder: violent.to_csv(folder / "defendants.csv", index=False))
    said = frame.v_score_text.isin(["Medium", "High"])

    for attribute in ("race", "sex"):
        for metric, label in (("fpr", 0), ("fnr", 1)):
            wrong = said if metric == "fpr" else ~said
            rows = frame.two_year_recid == label
            table = pd.crosstab(frame[attribute][rows], wrong[rows])
            for group, (x, n) in rates(audit, metric, "medium_or_high", attribute).items():
                if group != "all":
                    assert (x, n) == (table.loc[group, True], table.loc[group].sum())
