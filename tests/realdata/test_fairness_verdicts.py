"""Gaps in real model outputs: found where they were published, not found in the null controls.

The expected verdicts are those of ``expected_verdicts.csv`` beside the data.
"""

import numpy as np
import pandas as pd
import pytest

from baselines.schema import Column, Role
from detectors.auroc_change import AurocChange
from detectors.base import Verdict
from detectors.confusion import RateMetric
from detectors.error_rate_gap import ErrorRateGap
from detectors.selection_rate_gap import SelectionRateGap

pytestmark = pytest.mark.realdata

COLUMNS = (
    Column(name="prediction", role=Role.PREDICTION),
    Column(name="label", role=Role.LABEL),
    Column(name="score", role=Role.SCORE),
    Column(name="group", role=Role.GROUP),
)


def truths(values: pd.Series) -> list[str]:
    return np.where(values, "true", "false").tolist()


@pytest.mark.parametrize(
    ("job", "verdict", "lowest", "ratio"),
    [
        ("HR specialist", Verdict.BEYOND, "W_M", 0.530),
        ("financial analyst", Verdict.BEYOND, "B_M", 0.442),
        ("retail", Verdict.WITHIN, "W_M", 0.743),
        ("software engineer", Verdict.WITHIN, "B_W", 0.764),
    ],
)
def test_hiring_ratios_under_four_fifths_are_called_only_where_they_are_established(
    judge, real_data, job, verdict, lowest, ratio
) -> None:
    calls = pd.read_parquet(real_data / "bloomberg_hiring" / "candidates.parquet")
    chosen = calls[calls["in_published_analysis"] & (calls["job"] == job)]
    rows = {"prediction": truths(chosen["selected"] == 1), "group": chosen["demo"].tolist()}

    finding = judge(
        SelectionRateGap(outcome="prediction", group="group", confidence=0.95), COLUMNS, rows
    )

    assert finding.measure("impact_ratio") == pytest.approx(ratio, abs=0.0006)
    assert finding.verdict is verdict
    assert f"{lowest} " in finding.sentence
    if verdict is Verdict.WITHIN:
        assert any("four-fifths rule is broken on the point" in note for note in finding.notes)
    else:
        assert lowest in finding.worse_off


@pytest.mark.parametrize(
    ("model", "verdict", "gap"),
    [
        ("bert_davidson", Verdict.BEYOND, 0.739 - 0.349),
        ("bert_founta", Verdict.BEYOND, 0.743 - 0.371),
        ("perspective", Verdict.WITHIN, 0.808 - 0.796),
        ("siftninja", Verdict.WITHIN, 0.276 - 0.230),
    ],
)
def test_toxicity_classifiers_differ_between_target_groups_or_not(
    judge, real_data, model, verdict, gap
) -> None:
    cases = pd.read_parquet(real_data / "hatecheck" / "hatecheck_predictions.parquet")
    cases = cases[cases["target_ident"].notna() & cases["is_template_case"]]
    rows = {
        "prediction": truths(cases[f"pred_{model}"] == "hateful"),
        "label": truths(cases["label_gold"] == "hateful"),
        "group": cases["target_ident"].tolist(),
    }

    finding = judge(
        ErrorRateGap(
            prediction="prediction", label="label", group="group", metric=RateMetric.ACCURACY
        ),
        COLUMNS,
        rows,
    )

    assert finding.measure("gap") == pytest.approx(gap, abs=0.0011)
    assert finding.verdict is verdict


def test_the_employment_model_fails_in_the_chunks_where_it_is_known_to(judge, real_data) -> None:
    folder = real_data / "census_employment"
    chunks = pd.read_csv(folder / "nannyml_reference_output.csv")
    chunks = chunks[chunks["period"] == "analysis"].iloc[20:34]
    table = pd.read_parquet(folder / "predictions.parquet").sort_values("id")
    table = table.merge(pd.read_parquet(folder / "targets.parquet"), on="id")
    score, label = table["predicted_probability"].to_numpy(np.float64), table["employed"] == 1
    n_reference = int((table["period"] == "reference").sum())

    def part(start: int, stop: int) -> dict[str, object]:
        return {"score": score[start:stop], "label": truths(label[start:stop])}

    reference = part(0, n_reference)
    detector = AurocChange(score="score", label="label", tolerance_drop=0.02)

    beyond = []
    for chunk in chunks.itertuples():
        rows = part(n_reference + chunk.start, n_reference + chunk.end + 1)
        finding = judge(detector, COLUMNS, rows, reference)
        assert finding.measure("value") == pytest.approx(chunk.real_roc_auc, abs=5e-4)
        beyond += [chunk.start] if finding.verdict is Verdict.BEYOND else []

    assert beyond == [135_000, 140_000]
