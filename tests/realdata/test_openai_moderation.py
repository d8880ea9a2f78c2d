"""The test set of OpenAI's moderation paper (2022): eight labels, half of four of them unknown.

All 9 published figures are reproduced: the number of samples and the positives of each label.
"""

from typing import Any

import pytest

pytestmark = pytest.mark.realdata

LABELS = ("S", "H", "V", "HR", "SH", "S3", "H2", "V2")


@pytest.fixture(scope="module")
def rows(rows_of) -> Any:
    return rows_of("openai_moderation/samples.parquet")


@pytest.fixture(scope="module")
def audit(rows, watch) -> Any:
    def prepare(folder) -> None:
        rows.to_json(folder / "samples.jsonl", orient="records", lines=True)

    return watch("openai_moderation", prepare)


@pytest.mark.parametrize("n_figures", [9], ids=["9 of 9 published figures"])
def test_the_published_figures_are_reproduced(n_figures, published, differing, audit) -> None:
    def ours(figure) -> float | None:
        if figure.id == "n":
            return audit.result.totals.n_rows
        finding = audit.finding(f"rate_change({figure.id.removeprefix('positives.')})")
        return finding.measure("rate") * finding.n_rows

    figures = published("openai_moderation")
    # Counts: a rate times its rows is off by rounding only.
    n_checked, wrong = differing(figures, lambda figure: round(ours(figure), 9))

    assert wrong == []
    assert n_checked == n_figures == len(figures)


@pytest.mark.parametrize("label", LABELS)
def test_an_unknown_label_is_missing_and_not_negative(rows, audit, label) -> None:
    known = int(rows[label].notna().sum())

    rate = audit.finding(f"rate_change({label})")
    missing = audit.finding(f"missing_rate({label})")

    assert rate.n_rows == known
    assert rate.measure("rate") == pytest.approx(rows[label].mean(), rel=1e-12)
    assert missing.n_rows == len(rows)
    assert missing.measure("rate") == pytest.approx(1 - known / len(rows), rel=1e-12)
    assert rate.notes == (
        f"{len(rows) - known} of 1 680 outputs in the window have no value of {label} and "
        "are left out",
    )


@pytest.mark.parametrize("label", LABELS)
def test_the_share_of_outputs_with_a_label_is_reported(rows, audit, label) -> None:
    finding = audit.finding(f"classification_performance(precision, any_unsafe, {label})")

    assert finding.measure("label_coverage") == pytest.approx(
        rows[label].notna().mean(), rel=1e-12
    )
    both = rows.any_unsafe.astype(bool) & rows[label].notna()
    assert finding.measure("value") == pytest.approx(rows[label][both].mean(), rel=1e-12)


def test_half_of_the_labels_are_missing_where_that_was_published(audit) -> None:
    shares = [audit.finding(f"missing_rate({label})").measure("rate") for label in LABELS]

    unknown = {label for label, share in zip(LABELS, shares, strict=True) if share > 0.4}

    assert unknown == {"S", "H", "S3", "H2"}


def test_a_log_compared_with_itself_opens_no_incident(audit) -> None:
    assert audit.incidents == ()
