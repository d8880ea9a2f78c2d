"""HateCheck (Roettger et al., ACL 2021): four classifiers, seven target groups.

All 156 published figures are reproduced: rates over the whole suite, accuracy by target group on
the template cases, accuracy by functional test (one slice each).
"""

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from detectors.base import Verdict
from monitor.__main__ import main

pytestmark = pytest.mark.realdata

TEMPLATES = "is_template_case=true"
METRICS = {"tpr": "recall", "tnr": "specificity", "acc": "accuracy"}


def gap(model, metric="accuracy") -> str:
    return f"error_rate_gap({metric}, pred_{model}, label_gold, target_ident)"


def performance(model, metric="accuracy") -> str:
    return f"classification_performance({metric}, pred_{model}, label_gold)"


@pytest.fixture(scope="module")
def prepare(rows_of) -> Any:
    frame = rows_of("hatecheck/hatecheck_predictions.parquet")
    return lambda folder: frame.to_parquet(folder / "suite.parquet")


@pytest.fixture(scope="module")
def audit(prepare, watch) -> Any:
    return watch("hatecheck", prepare)


def test_each_case_has_its_verdict(case, audit, is_beyond) -> None:
    model = case.case.split()[0]
    expected = {"gap": True, "NULL CONTROL on accuracy": False}[case.expected]

    assert is_beyond(audit, gap(model), TEMPLATES) is expected


def test_each_case_has_the_rates_that_it_is_known_for(case, audit) -> None:
    model = case.case.split()[0]
    accuracy, true_positive = case.statistic.split("; ")[0], case.statistic.split("TPR ")[1]
    lowest, highest = accuracy.removeprefix("min ").split(" max ")
    published = {
        "accuracy": (float(lowest.split(" (")[0]), float(highest)),
        "tpr": tuple(float(text) for text in true_positive.split("-")),
    }

    for metric, extremes in published.items():
        finding = audit.finding(gap(model, metric), TEMPLATES)
        found = [count.rate for count in finding.groups]
        assert len(found) == 7
        assert (min(found), max(found)) == pytest.approx(extremes, abs=0.00051)


@pytest.mark.parametrize("n_figures", [156], ids=["156 of 156 published figures"])
def test_the_published_figures_are_reproduced(n_figures, published, differing, audit) -> None:
    def ours(figure) -> float | None:
        model, what, *where = figure.id.split(".")
        if what == "accuracy":
            groups = audit.finding(gap(model), TEMPLATES).groups
            return next(count.rate for count in groups if count.group == where[0])
        if what == "func":
            slice_ = f"functionality={where[0]}"
            return audit.finding(performance(model), slice_).measure("value")
        return audit.finding(performance(model, METRICS[what])).measure("value")

    n_checked, wrong = differing(published("hatecheck"), ours)

    assert wrong == []
    assert n_checked == n_figures == len(published("hatecheck"))


def test_the_groups_that_are_worse_off_are_named(audit) -> None:
    davidson, founta = (
        audit.finding(gap(model), TEMPLATES) for model in ("bert_davidson", "bert_founta")
    )

    assert davidson.worse_off == ("women",)
    assert "disabled people" in founta.worse_off
    assert audit.finding(gap("perspective"), TEMPLATES).worse_off == ()


def test_cases_without_a_target_are_counted_but_not_compared(audit) -> None:
    finding = audit.finding(gap("perspective"))

    assert finding.notes[0] == "292 outputs of unknown target_ident not compared"


def test_the_command_line_finds_the_same(prepare, audit, tmp_path, capsys) -> None:
    prepare(tmp_path)
    path = shutil.copy(Path(__file__).with_name("hatecheck.yaml"), tmp_path)
    reasons = ["--who", "a reviewer", "--why", "the suite as published"]
    assert main(["baseline", "fit", str(path), "--promote", *reasons]) == 0
    capsys.readouterr()

    status = main(["audit", str(path), "--report", str(tmp_path / "report"), "--json"])

    answer = json.loads(capsys.readouterr().out)
    assert status == 3
    assert answer["outputs"] == 3728
    assert [each["title"] for each in answer["incidents"]] == [
        incident.title for incident in audit.incidents
    ]
    with (tmp_path / "report" / "findings.csv").open(newline="", encoding="utf-8") as file:
        verdicts = {(row["series"], row["slice"]): row["verdict"] for row in csv.DictReader(file)}
    assert verdicts == {key: str(found[0].verdict) for key, found in audit.findings.items()}
    assert verdicts[gap("bert_founta"), TEMPLATES] == str(Verdict.BEYOND)
