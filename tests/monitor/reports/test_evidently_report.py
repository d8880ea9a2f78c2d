"""Evidently's report: explicit methods, numbers that agree, columns it cannot take left out."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import jensenshannon
from scipy.stats import wasserstein_distance

from monitor.reports.evidently_report import (
    ColumnDrift,
    DriftReport,
    ReportError,
    render_drift_report,
)


def frame(n_rows: int, *, shift: float, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "income": rng.normal(40_000 + shift, 10_000, n_rows),
            "debt_ratio": rng.uniform(0, 1, n_rows),
            "channel": rng.choice(["web", "branch"], n_rows),
            "never": np.full(n_rows, np.nan),
            "remark": [f"text {i}" for i in range(n_rows)],
        }
    )


REFERENCE = frame(3_000, shift=0.0, seed=1)
WINDOW = frame(900, shift=8_000.0, seed=2)


@pytest.fixture(scope="module")
def report() -> DriftReport:
    window = WINDOW.copy()
    window.loc[:99, "debt_ratio"] = np.nan
    return render_drift_report(
        REFERENCE,
        window,
        numeric=["income", "debt_ratio", "never"],
        category=["channel", "absent"],
        about={"window": "2026-09-20"},
    )


def test_the_page_names_the_column_that_drifted(report: DriftReport) -> None:
    first = report.columns[0]

    assert first.column == "income"
    assert [drift.column for drift in report.columns if drift.drifted] == ["income"]
    assert "income" in report.html
    assert "<html" in report.html.lower()


def test_the_numbers_are_the_distances_that_they_are_called(report: DriftReport) -> None:
    scores = {drift.column: drift for drift in report.columns}
    spread = REFERENCE["income"].std(ddof=0)
    shares = [
        data["channel"].value_counts(normalize=True).sort_index().to_numpy()
        for data in (REFERENCE, WINDOW)
    ]

    earth_mover = wasserstein_distance(REFERENCE["income"], WINDOW["income"]) / spread

    assert scores["income"].method == "wasserstein"
    assert scores["income"].score == pytest.approx(earth_mover, rel=1e-3)
    assert scores["channel"].score == pytest.approx(jensenshannon(*shares), abs=1e-6)


def test_columns_without_values_are_left_out_and_named(report: DriftReport) -> None:
    assert report.left_out == {
        "never": "no value in the reference",
        "absent": "not in the reference",
    }
    assert {drift.column for drift in report.columns} == {"income", "debt_ratio", "channel"}


def test_columns_that_nobody_named_stay_out(report: DriftReport) -> None:
    assert "text 17" not in report.html


def test_missing_values_are_shown_beside_the_scores(report: DriftReport) -> None:
    assert "Missing" in report.html


def test_a_score_at_the_threshold_is_drift() -> None:
    drift = ColumnDrift(column="x", method="wasserstein", score=0.1, threshold=0.1)

    assert drift.drifted


def test_an_empty_window_is_refused_with_advice() -> None:
    with pytest.raises(ReportError, match="the window has no rows to report on; choose another"):
        render_drift_report(REFERENCE, WINDOW.iloc[:0], numeric=["income"], category=[])


def test_nothing_to_compare_is_refused() -> None:
    with pytest.raises(ReportError, match="no column has values in both"):
        render_drift_report(REFERENCE, WINDOW, numeric=["never"], category=[])


def test_importing_the_module_imports_neither_evidently_nor_pandas() -> None:
    code = (
        "import sys, monitor.reports.evidently_report; "
        "print(sorted({'evidently', 'pandas'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
