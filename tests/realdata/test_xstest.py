"""XSTest (Roettger et al., NAACL 2024): refusals of safe and of unsafe prompts.

All 211 published figures are reproduced: every answer label of people, of a string match and of
GPT-4, by type and by kind of prompt, and how often the two annotators agreed. Day 1 is the
configuration ``llama2orig``, day 2 ``llama2new``, day 3 ``gpt4``.
"""

from typing import Any

import pytest

pytestmark = pytest.mark.realdata

DAYS = {"llama2orig": 0, "llama2new": 1, "gpt4": 2}
BY_PEOPLE = "rate_change(refused)"
BY_WORDING = "rate_change(completion.refusal)"

# What was measured of the wording (`completion.refusal`) against people's labels of refusal, full
# or partial, as (precision, recall): (0.975, 0.908), (0.964, 0.869) and (0.962, 0.909). It takes
# "It is not appropriate to ..." for a refusal, also where it only judges what was asked about.
FLOORS = {"llama2orig": (0.97, 0.90), "llama2new": (0.96, 0.86), "gpt4": (0.96, 0.90)}


@pytest.fixture(scope="module")
def audit(rows_of, watch) -> Any:
    frame = rows_of("xstest/xstest.parquet")
    frame = frame.assign(
        time=[f"2024-01-0{DAYS[key] + 1}T12:00:00Z" for key in frame.model_key],
        id=frame.model_key + "/" + frame.id,
        prompt_kind=frame.prompt_is_unsafe.map({True: "unsafe", False: "safe"}),
    )

    def prepare(folder) -> None:
        frame.to_json(folder / "completions.jsonl", orient="records", lines=True)

    return watch("xstest", prepare)


def test_each_case_has_its_verdict(case, audit) -> None:
    pair, prompts = case.case.split(", ")
    after = pair.partition("->")[2]
    slice_ = f"prompt_kind={prompts.split()[0]}"
    expected = {"refusal drift": True, "no drift (control)": False}[case.expected]
    before_rate, after_rate = (float(text) for text in case.statistic.split()[2].split("->"))

    finding = audit.finding(BY_PEOPLE, slice_, window=DAYS[after])

    assert (str(finding.verdict) == "beyond") is expected
    assert audit.opened(BY_PEOPLE, slice_) is expected
    assert finding.measure("reference_rate") == pytest.approx(before_rate, abs=0.0005)
    assert finding.measure("rate") == pytest.approx(after_rate, abs=0.0005)


def test_a_configuration_compared_with_itself_has_not_drifted(audit) -> None:
    first_day = [found[0] for found in audit.findings.values()]

    assert len(first_day) > 15
    for finding in first_day:
        # A table by kind of prompt has one row only where the slice is one kind of prompt.
        has_one_group = "impact_ratio_table" in finding.series and "prompt_kind" in finding.series
        seen = {"within", "insufficient_data"} if has_one_group else {"within"}
        assert str(finding.verdict) in seen


@pytest.mark.parametrize("n_figures", [211], ids=["211 of 211 published figures"])
def test_the_published_figures_are_reproduced(n_figures, published, differing, audit) -> None:
    def ours(figure) -> float | None:
        model, what, *label = figure.id.split(".")
        window = DAYS[model]
        if what == "annotator_agreement":
            return audit.finding("rate_change(agreement, down)", window=window).measure("rate")
        labeller, kind = ("final", what) if len(label) == 1 else (what, label[0])
        labeller = labeller.removesuffix("_label")
        attribute = "prompt_kind" if kind in ("safe", "unsafe") else "type"
        series = f"impact_ratio_table({labeller}_{label[-1][0]}, {attribute})"
        groups = audit.finding(series, window=window).groups
        return next(count.rate for count in groups if count.group == f"{attribute}={kind}")

    n_checked, wrong = differing(published("xstest"), ours)

    assert wrong == []
    assert n_checked == n_figures == len(published("xstest"))


@pytest.mark.parametrize("model", DAYS)
def test_the_wording_of_a_refusal_comes_near_to_what_people_say(audit, model) -> None:
    precision, recall = (
        audit.finding(
            f"classification_performance({metric}, completion.refusal, refused)",
            window=DAYS[model],
        ).measure("value")
        for metric in ("precision", "recall")
    )

    message = f"{model}: precision {precision:.3f}, recall {recall:.3f}"
    least_precision, least_recall = FLOORS[model]
    assert precision >= least_precision, message
    assert recall >= least_recall, message


def test_the_wording_sees_the_drift_on_safe_prompts(audit) -> None:
    people, wording = (
        audit.finding(series, "prompt_kind=safe", window=1) for series in (BY_PEOPLE, BY_WORDING)
    )

    assert (str(people.verdict), str(wording.verdict)) == ("beyond", "beyond")
    assert people.direction is wording.direction


def test_a_refusal_in_other_words_lowers_recall_and_is_still_no_drift(audit) -> None:
    # People saw every unsafe prompt refused on both days; only the phrases changed, from "I
    # cannot" to "It is not appropriate or ethical to".
    wording = audit.finding(BY_WORDING, "prompt_kind=unsafe", window=1)
    recall = audit.finding(
        "classification_performance(recall, completion.refusal, refused)",
        "prompt_kind=unsafe",
        window=1,
    )

    assert str(wording.verdict) == "within"
    assert recall.measure("reference_value") == pytest.approx(0.98)
    assert recall.measure("value") == pytest.approx(0.915)
