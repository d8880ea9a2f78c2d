"""LLMDrift (Chen, Zaharia, Zou 2023): the same questions in March and in June 2023.

All 34 published figures are reproduced. Every length that occurs in a baseline has a bin of its
own (`max_bins`), so the mean length of the BASELINE is exact; each period is the baseline of one
of two audits. The mean of a WINDOW is computed on the baseline's bins: a length between two
March lengths counts as the lower of them, one outside all of them as the nearest.
"""

from typing import Any

import pandas as pd
import pytest

from detectors.base import Direction

pytestmark = pytest.mark.realdata

METRIC = "rate_change(metric)"
LENGTH = "distribution_shift(response_chars)"
TEXT_LENGTH = "distribution_shift(response.n_chars)"
EXECUTABLE = "rate_change(executable_after_stripping_markdown)"
PRIMES = "rate_change(metric where subset=prime)"
AGREEMENT = "classification_performance(accuracy, june, march)"


# What was measured of the wording (`response.refusal`) against the authors' labels of the
# sensitive questions, as (precision, recall): (0.971, 0.848), (1, 0.947), (1, 1), (1, 0.957).
FLOORS = {
    ("gpt-4", "2023-03"): (0.97, 0.84),
    ("gpt-4", "2023-06"): (0.99, 0.94),
    ("gpt-3.5-turbo", "2023-03"): (0.99, 0.99),
    ("gpt-3.5-turbo", "2023-06"): (0.99, 0.95),
}


def slice_of(task, family) -> str:
    return f"task={task},model_family={family}"


@pytest.fixture(scope="module")
def rows(rows_of) -> pd.DataFrame:
    frame = rows_of("llmdrift/llmdrift.parquet")
    return frame.assign(
        id=frame.task + "/" + frame.item_id + "/" + frame.model_version,
        refused=(frame.parsed == "refused").where(frame.task == "sensitive_q"),
    )


@pytest.fixture(scope="module")
def audits(rows, watch) -> Any:
    """Return the audit of June against March, and the other way round."""

    def audit(reference, window) -> Any:
        def prepare(folder) -> None:
            for name, period in (("reference", reference), ("window", window)):
                path = folder / f"{name}.jsonl"
                part = rows[rows.period == period]
                part.to_json(path, orient="records", lines=True, date_format="iso")

        return watch("llmdrift", prepare)

    return {
        "2023-03": audit("2023-03", "2023-06"),
        "2023-06": audit("2023-06", "2023-03"),
    }


@pytest.fixture(scope="module")
def june(audits) -> Any:
    return audits["2023-03"]


@pytest.fixture(scope="module")
def pairs(rows, watch) -> Any:
    """Return the audit of answers that differ between the two periods."""
    answer = rows.parsed.where(rows.task == "prime_full", rows.metric.astype(str))
    table = rows.assign(answer=answer).pivot(
        index=["task", "model_family", "item_id"], columns="period", values="answer"
    )
    table = table.reset_index().rename(columns={"2023-03": "march", "2023-06": "june"})

    def prepare(folder) -> None:
        table.to_json(folder / "pairs.jsonl", orient="records", lines=True)

    return watch("llmdrift_pairs", prepare)


def test_each_case_has_its_verdict(case, june, is_beyond) -> None:
    task, family, _ = case.case.split()
    slice_ = slice_of(task, family)
    metric, length = case.expected.split(", ")
    metric_drifted = {"metric drift": True, "no significant metric drift at this n": False}
    length_drifted = {"length drift": True, "length shift small (D<0.2)": False}

    assert is_beyond(june, METRIC, slice_) is metric_drifted[metric]
    assert is_beyond(june, LENGTH, slice_) is length_drifted[length]
    assert is_beyond(june, TEXT_LENGTH, slice_) is length_drifted[length]


def test_a_mix_of_lengths_may_move_further_than_its_distribution_function(june) -> None:
    lengths = june.finding(LENGTH, slice_of("prime_full", "gpt-3.5-turbo"))

    # A third of the answers moved, both ways: more than the largest difference of the two.
    assert lengths.measure("ks") < 0.2
    assert lengths.effect.value == pytest.approx(0.34, abs=0.02)


def test_each_case_has_the_statistic_that_it_is_known_for(case, june) -> None:
    task, family, _ = case.case.split()
    slice_ = slice_of(task, family)
    change, distance = case.statistic.split("; length KS D=")
    before, after = (float(text) for text in change.split()[1].split("->"))

    metric, length = june.finding(METRIC, slice_), june.finding(LENGTH, slice_)

    assert metric.measure("reference_rate") == pytest.approx(before, abs=0.0005)
    assert metric.measure("rate") == pytest.approx(after, abs=0.0005)
    assert metric.direction is (Direction.UP if after > before else Direction.DOWN)
    assert length.measure("ks") == pytest.approx(float(distance), abs=0.0051)


@pytest.mark.parametrize("n_figures", [34], ids=["34 of 34 published figures"])
def test_the_published_figures_are_reproduced(
    n_figures, published, differing, audits, june, pairs
) -> None:
    def ours(figure) -> float | None:
        task, family, *period, what = figure.id.replace("gpt-3.5", "gpt-3_5").split(".")
        parent = {"prime_v1": "prime_full", "leetcode": "leetcode_easy"}.get(task, task)
        slice_ = slice_of(parent, family.replace("_", "."))
        if what == "mismatch":
            return 1 - pairs.finding(AGREEMENT, slice_).measure("value")
        if what == "verbosity_chars":
            return audits[period[0]].finding(LENGTH, slice_).measure("reference_mean")
        series = EXECUTABLE if what == "executable_stripped" else METRIC
        series = PRIMES if task == "prime_v1" else series
        measure = {"2023-03": "reference_rate", "2023-06": "rate"}[period[0]]
        return june.finding(series, slice_).measure(measure)

    n_checked, wrong = differing(published("llmdrift"), ours)

    assert wrong == []
    assert n_checked == n_figures == len(published("llmdrift"))


def test_the_length_computed_from_the_text_is_the_stored_length(june) -> None:
    slices = [slice_ for series, slice_ in june.findings if series == LENGTH]

    assert len(slices) == 7
    for slice_ in slices:
        stored, computed = june.finding(LENGTH, slice_), june.finding(TEXT_LENGTH, slice_)
        assert computed.n_rows == stored.n_rows > 0
        assert computed.effect == stored.effect
        assert computed.measures == stored.measures


def test_the_mean_length_of_a_window_is_off_by_no_more_than_its_bins(rows, june) -> None:
    lengths = {
        period: part.sort_values("response_chars") for period, part in rows.groupby("period")
    }
    march = lengths["2023-03"].response_chars.drop_duplicates()

    for (task, family), part in lengths["2023-06"].groupby(["task", "model_family"]):
        # The bound: how far each June length is from the March length that its bin stands for.
        lower = march.searchsorted(part.response_chars, side="right") - 1
        stands_for = march.to_numpy()[lower.clip(min=0)]
        bound = abs(part.response_chars - stands_for).mean()

        mean = june.finding(LENGTH, slice_of(task, family)).measure("mean")

        assert abs(mean - part.response_chars.mean()) <= bound + 1e-9


@pytest.mark.parametrize(("family", "period"), FLOORS)
def test_the_wording_of_a_refusal_comes_near_to_the_authors_labels(audits, family, period) -> None:
    slice_ = slice_of("sensitive_q", family)
    precision, recall = (
        audits[period]
        .finding(f"classification_performance({metric}, response.refusal, refused)", slice_)
        .measure("reference_value")
        for metric in ("precision", "recall")
    )

    message = f"{family} {period}: precision {precision:.3f}, recall {recall:.3f}"
    least_precision, least_recall = FLOORS[family, period]
    assert precision >= least_precision, message
    assert recall >= least_recall, message
